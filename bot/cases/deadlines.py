"""What happens when nobody answers: the person is told, the case goes back to the queue, then to another WIN-punt.

Only time in which the desk is open counts: who asks at night was told when somebody will answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.notices import CaseNotices
from bot.cases.records import requeue_case
from bot.conversations.records import add_replies, locked_conversation
from bot.staff.audit import note
from bot.store.case_models import CLAIMED, WAITING, Case
from bot.store.engine import Store

Tell = Callable[[int, str | None], Awaitable[None]]


@dataclass(frozen=True)
class Patience:
    """How long is too long, in minutes that the desk is open."""

    claim_minutes: float
    reply_minutes: float


class Deadlines:
    """Looks at open cases now and then."""

    def __init__(self, store: Store, notices: CaseNotices, patience: Patience, tell: Tell) -> None:
        self._store = store
        self._notices = notices
        self._patience = patience
        self._tell = tell

    async def sweep(self, now: datetime) -> int:
        """Do what is due and return how many cases changed."""
        cases = await self._store.read(partial(_long_silent, patience=self._patience, now=now))
        due = [case.id for case in cases if self._act_for(case, now)]
        changed = 0
        for case_id in due:
            conversation = await self._store.run(partial(self._settle, case_id=case_id, now=now))
            if conversation is not None:
                changed += 1
                await self._tell(case_id, conversation)
        return changed

    def _act_for(self, case: Case, now: datetime) -> str | None:
        if case.status == CLAIMED:
            wrote = case.person_wrote_at
            if wrote is None or (case.staff_wrote_at is not None and case.staff_wrote_at >= wrote):
                return None
            return "no_answer" if self._open_minutes(case, wrote, now) >= self._patience.reply_minutes else None
        since = case.told_at or case.waiting_since
        if self._open_minutes(case, since, now) < self._patience.claim_minutes:
            return None
        if case.told_at is None:
            return "still_waiting"
        is_at_home = case.desk == self._notices.desks.for_place(case.place).id
        return "pass_on" if is_at_home and self._next_desk(case) else None

    def _open_minutes(self, case: Case, since: datetime, now: datetime) -> float:
        return self._notices.desks.open_seconds(case.desk, since, now) / 60

    def _next_desk(self, case: Case) -> str | None:
        desks = self._notices.desks
        return next(iter(desks[case.desk].next), None) if case.desk in desks else None

    async def _settle(self, session: AsyncSession, case_id: int, now: datetime) -> str | None:
        case = await session.get(Case, case_id, with_for_update=True)
        act = self._act_for(case, now) if case is not None and case.status in (WAITING, CLAIMED) else None
        if case is None or act is None or case.conversation_id is None:
            return None  # somebody was just quicker
        conversation = await locked_conversation(session, case.conversation_id)
        if conversation is None:
            return None
        lang, notices = conversation.lang or case.lang, self._notices
        if act == "no_answer":
            note(session, "put_back", case_id=case.id, now=now, staff_id=case.assigned_to)
            requeue_case(case, conversation, now)
            reply = notices.no_answer(lang)
        elif act == "pass_on":
            case.desk = self._next_desk(case) or case.desk
            case.waiting_since = now
            note(session, "passed_on", case_id=case.id, now=now, desk=case.desk)
            reply = notices.passed_on(lang, case.desk)
        else:
            reply = notices.still_waiting(lang, case.desk)
        if act != "no_answer":
            case.told_at = now
        add_replies(session, conversation, [reply], now)
        return conversation.id


async def _long_silent(session: AsyncSession, patience: Patience, now: datetime) -> Sequence[Case]:
    """Return the open cases that have waited long by the clock on the wall, which is never less than opening time."""
    unclaimed = func.coalesce(Case.told_at, Case.waiting_since) <= now - timedelta(minutes=patience.claim_minutes)
    unanswered = Case.person_wrote_at <= now - timedelta(minutes=patience.reply_minutes)
    is_their_turn = or_(Case.staff_wrote_at.is_(None), Case.staff_wrote_at < Case.person_wrote_at)
    silent = or_(and_(Case.status == WAITING, unclaimed), and_(Case.status == CLAIMED, unanswered, is_their_turn))
    return (await session.scalars(select(Case).where(Case.conversation_id.is_not(None), silent))).all()
