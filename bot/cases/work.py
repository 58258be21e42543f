"""What the staff do with a case: claim it, answer, pass it on, put it back, close it, step in by themselves.

Each act is one transaction, with a line in the audit log; then open consoles and the outbox hear of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.news import tell_consoles
from bot.cases.notices import CaseNotices
from bot.cases.opening import Request, open_case
from bot.cases.records import close_case, requeue_case, take_over
from bot.conversations.records import add_replies, locked_conversation
from bot.errors import BotError
from bot.events import Bus
from bot.privacy.masking import mask_identity
from bot.staff.audit import note
from bot.staff.roles import Member
from bot.store.case_models import CLAIMED, CLOSED, WAITING, Case, Note
from bot.store.engine import Store
from bot.store.models import Conversation, Outbox
from bot.store.staff_models import Staff, StaffDesk
from knowledge.replies import Reply

T = TypeVar("T")

CLOSE_REASONS = ("solved", "referred", "no_reply", "not_for_us")
LONGEST_REPLY = 4000
LONGEST_NOTE = 4000


class CaseProblem(BotError):
    """The act cannot be done; `key` names the sentence that the console shows."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class CaseNotFound(CaseProblem):
    """There is no such case, or it belongs to a WIN-punt that this person does not."""

    def __init__(self) -> None:
        super().__init__("problem.not_found")


def first_name(name: str) -> str:
    """Return what the person may know of a worker's name."""
    return name.split()[0] if name.split() else name


def may_see(member: Member, case: Case, common_desk: str) -> bool:
    """Say whether a case is of a WIN-punt of this person's; everybody sees the common queue."""
    return member.may_see_cases and (member.sees_all_desks or case.desk in member.desks or case.desk == common_desk)


class CaseWork:
    """The acts. Each raises CaseNotFound for a case of another WIN-punt, and CaseProblem when it came too late."""

    def __init__(
        self,
        store: Store,
        notices: CaseNotices,
        bus: Bus,
        wake_outbox: Callable[[str], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._notices = notices
        self._bus = bus
        self._wake_outbox = wake_outbox
        self._now = now

    async def claim(self, case_id: int, member: Member) -> None:
        """Take a case that waits. Of any number of people who try at once exactly one gets it."""
        now = self._now()

        async def claim(session: AsyncSession) -> str | None:
            case = await self._seen(session, case_id, member)
            free = (Case.id == case_id, Case.status == WAITING)
            won = await session.execute(update(Case).where(*free).values(status=CLAIMED, assigned_to=member.id))
            if won.rowcount != 1:  # type: ignore[attr-defined]
                raise CaseProblem("problem.claimed_by_other")
            await session.refresh(case)
            return await self._begin(session, case, member, "claimed", now)

        await self._do(case_id, claim)

    async def step_in(self, conversation_id: str, member: Member) -> int:
        """Open a case in a conversation where nobody asked for one, and take it; return its id."""
        if not member.may_supervise:
            raise CaseNotFound
        now = self._now()

        async def step_in(session: AsyncSession) -> tuple[int, str | None]:
            conversation = await locked_conversation(session, conversation_id)
            if conversation is None:
                raise CaseNotFound
            request = Request("staff", conversation.lang or "en", place=conversation.place)
            case, _ = await open_case(session, self._notices.desks, conversation, request, now)
            if case.status == CLAIMED and case.assigned_to != member.id:
                raise CaseProblem("problem.claimed_by_other")
            if not may_see(member, case, self._notices.desks.common):
                raise CaseNotFound
            case.status, case.assigned_to = CLAIMED, member.id
            return case.id, await self._begin(session, case, member, "stepped_in", now)

        identifier, to_wake = await self._store.run(step_in)
        await self.tell(identifier, to_wake)
        return identifier

    async def take_from(self, case_id: int, member: Member) -> None:
        """Let a supervisor take a case that somebody else has."""
        if not member.may_supervise:
            raise CaseProblem("problem.not_allowed")
        now = self._now()

        async def take(session: AsyncSession) -> str | None:
            case = await self._seen(session, case_id, member)
            if case.status == CLOSED:
                raise CaseProblem("problem.closed")
            case.status, case.assigned_to = CLAIMED, member.id
            return await self._begin(session, case, member, "stepped_in", now)

        await self._do(case_id, take)

    async def reply(self, case_id: int, member: Member, reply: Reply, act: str = "replied") -> None:
        """Send a reply to the person's own chat under the worker's name."""
        now = self._now()

        async def send(session: AsyncSession) -> str | None:
            case = await self._mine(session, case_id, member)
            conversation = await self._conversation(session, case)
            signed = reply.model_copy(
                update={"author": f"{first_name(member.name)}, {self._notices.desks.name(case.desk)}"}
            )
            self._add(session, conversation, signed, now, case, member)
            case.staff_wrote_at = now
            case.first_reply_at = case.first_reply_at or now
            note(session, act, staff_id=member.id, case_id=case.id, now=now, article=reply.article)
            return conversation.id

        await self._do(case_id, send)

    async def release(self, case_id: int, member: Member) -> None:
        """Put a case of one's own back in the queue."""
        now = self._now()

        async def release(session: AsyncSession) -> None:
            case = await self._mine(session, case_id, member)
            requeue_case(case, await self._conversation(session, case), now)
            note(session, "released", staff_id=member.id, case_id=case.id, now=now)

        await self._do(case_id, release)

    async def transfer(self, case_id: int, member: Member, desk: str, colleague: int | None = None) -> None:
        """Pass a case to another WIN-punt's queue, or to one person there."""
        now = self._now()

        async def transfer(session: AsyncSession) -> str | None:
            case = await self._mine(session, case_id, member)
            if desk not in self._notices.desks:
                raise CaseProblem("problem.no_desk")
            conversation = await self._conversation(session, case)
            is_same_desk = case.desk == desk
            case.desk = desk
            note(
                session, "transferred", staff_id=member.id, case_id=case.id, now=now, desk=desk, colleague=colleague
            )  # fmt: skip
            if colleague is None:
                requeue_case(case, conversation, now)
                if not is_same_desk:
                    add_replies(session, conversation, [self._notices.passed_on(self._lang(conversation), desk)], now)
                return conversation.id
            person = await _worker_at(session, colleague, desk, self._notices.desks.common)
            if person is None:
                raise CaseProblem("problem.no_colleague")
            case.assigned_to, case.staff_wrote_at = person.id, now
            welcome = self._notices.claimed(self._lang(conversation), first_name(person.name), desk)
            self._add(session, conversation, welcome, now, case, member)
            return conversation.id

        await self._do(case_id, transfer)

    async def close(self, case_id: int, member: Member, reason: str) -> None:
        """Close a case of one's own; the person is asked whether it helped, and has the bot again."""
        if reason not in CLOSE_REASONS:
            raise CaseProblem("problem.no_reason")
        now = self._now()

        async def close(session: AsyncSession) -> str | None:
            case = await self._mine(session, case_id, member)
            conversation = await session.get(Conversation, case.conversation_id) if case.conversation_id else None
            await close_case(session, case, conversation, reason, member.id, now)
            if conversation is None:
                return None
            question = self._notices.closed(self._lang(conversation), case.desk, case.id, by_person=False)
            add_replies(session, conversation, [question], now)
            return conversation.id

        await self._do(case_id, close)

    async def add_note(self, case_id: int, member: Member, text: str) -> None:
        """Write a note that only the staff see."""
        now = self._now()
        if not text.strip() or len(text) > LONGEST_NOTE:
            raise CaseProblem("problem.text_length")

        async def add(session: AsyncSession) -> None:
            case = await self._seen(session, case_id, member)
            session.add(Note(case_id=case.id, staff_id=member.id, text=mask_identity(text.strip()), created_at=now))
            note(session, "noted", staff_id=member.id, case_id=case.id, now=now)

        await self._do(case_id, add)

    async def tell(self, case_id: int, conversation: str | None = None) -> None:
        """Tell open consoles that a case has changed, and the outbox that there is something to deliver."""
        if conversation is not None:
            self._wake_outbox(conversation)
        await tell_consoles(self._bus, case_id)

    async def _do(self, case_id: int, work: Callable[[AsyncSession], Awaitable[str | None]]) -> None:
        await self.tell(case_id, await self._store.run(work))

    async def _begin(self, session: AsyncSession, case: Case, member: Member, act: str, now: datetime) -> str:
        conversation = await self._conversation(session, case)
        await take_over(session, case, conversation, now)
        case.claimed_at, case.staff_wrote_at, case.told_at = case.claimed_at or now, now, None
        note(session, act, staff_id=member.id, case_id=case.id, now=now)
        welcome = self._notices.claimed(self._lang(conversation), first_name(member.name), case.desk)
        self._add(session, conversation, welcome, now, case, member)
        return conversation.id

    async def _seen(self, session: AsyncSession, case_id: int, member: Member) -> Case:
        case = await session.get(Case, case_id, with_for_update=True)
        if case is None or not may_see(member, case, self._notices.desks.common):
            raise CaseNotFound
        return case

    async def _mine(self, session: AsyncSession, case_id: int, member: Member) -> Case:
        case = await self._seen(session, case_id, member)
        if case.status == CLOSED:
            raise CaseProblem("problem.closed")
        if case.assigned_to != member.id:
            raise CaseProblem("problem.not_yours")
        return case

    async def _conversation(self, session: AsyncSession, case: Case) -> Conversation:
        found = await locked_conversation(session, case.conversation_id) if case.conversation_id else None
        if found is None:
            raise CaseProblem("problem.erased")
        return found

    def _lang(self, conversation: Conversation) -> str:
        return conversation.lang or "en"

    def _add(
        self, session: AsyncSession, conversation: Conversation, reply: Reply, now: datetime, case: Case, member: Member
    ) -> None:
        session.add(
            Outbox(
                conversation_id=conversation.id, reply=reply.model_dump(mode="json"), created_at=now,
                next_attempt_at=now, case_id=case.id, staff_id=member.id,
            )
        )  # fmt: skip


async def _worker_at(session: AsyncSession, staff: int, desk: str, common: str) -> Staff | None:
    """Return a member of the staff who can take cases at a desk; for the common one, anybody."""
    person = await session.get(Staff, staff)
    if person is None or person.is_disabled or person.password_hash is None:
        return None
    belongs = select(StaffDesk.staff_id).where(StaffDesk.staff_id == staff, StaffDesk.desk == desk)
    is_there = desk == common or person.role == "admin" or await session.scalar(belongs) is not None
    return person if is_there and person.role != "editor" else None
