"""What the console shows, read from the store: the queue, one case, the conversations that go on now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.privacy.masking import mask
from bot.staff.roles import Member
from bot.store.case_models import CLAIMED, CLOSED, WAITING, Attachment, Case, Note
from bot.store.models import Conversation, Inbox, Outbox
from bot.store.staff_models import AuditEntry, Staff

PAGE = 50
MOST_ENTRIES = 300
ACTIVE_MINUTES = 60
THUMBS = {"thumb:up": "👍", "thumb:down": "👎"}
STATUSES = (WAITING, CLAIMED, "mine", CLOSED)


@dataclass(frozen=True)
class Filters:
    """What of the queue somebody wants to see; nothing set means all that they may see."""

    status: str = WAITING
    desk: str = ""
    lang: str = ""
    is_urgent: bool = False
    oldest_minutes: int = 0
    page: int = 1

    @property
    def values(self) -> dict[str, str]:
        """The filters as the address of the page has them."""
        urgent, age = "1" if self.is_urgent else "", str(self.oldest_minutes or "")
        return {"status": self.status, "desk": self.desk, "lang": self.lang, "urgent": urgent, "age": age}


@dataclass(frozen=True)
class QueuePage:
    """One page of the queue, with how many cases there are."""

    cases: Sequence[tuple[Case, str | None]]
    count: int
    waiting: int
    filters: Filters

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.count // PAGE))


@dataclass(frozen=True)
class Entry:
    """One line of a transcript: who said it, what, and how far it got."""

    id: int
    side: str  # person, bot, staff
    at: datetime
    text: str
    lang: str | None = None
    author: str | None = None
    article: str | None = None
    kind: str = ""
    state: str = ""
    error: str | None = None
    buttons: tuple[str, ...] = ()
    has_photo: bool = False


@dataclass(frozen=True)
class CaseView:
    """A case with what its page shows."""

    case: Case
    assignee: str | None
    entries: Sequence[Entry]
    notes: Sequence[tuple[Note, str | None]] = field(default_factory=tuple)
    log: Sequence[tuple[AuditEntry, str | None]] = field(default_factory=tuple)


def seen_by(member: Member, common_desk: str) -> tuple[ColumnElement[bool], ...]:
    """Return the condition on cases that a member of the staff may see."""
    return () if member.sees_all_desks else (Case.desk.in_({*member.desks, common_desk}),)


async def read_queue(
    session: AsyncSession, member: Member, filters: Filters, common_desk: str, now: datetime
) -> QueuePage:
    """Return a page of cases: urgent ones first, then those that have waited longest."""
    theirs = seen_by(member, common_desk)
    wanted = (*theirs, *_conditions(filters, member, now))
    found = select(Case, Staff.name).outerjoin(Staff, Staff.id == Case.assigned_to).where(*wanted)
    order = (
        (Case.closed_at.desc(),) if filters.status == CLOSED else (Case.is_urgent.desc(), Case.waiting_since, Case.id)
    )
    rows = (await session.execute(found.order_by(*order).limit(PAGE).offset((filters.page - 1) * PAGE))).all()
    count = await session.scalar(select(func.count()).select_from(Case).where(*wanted)) or 0
    waiting = select(func.count()).select_from(Case).where(*theirs, Case.status == WAITING)
    return QueuePage([(row[0], row[1]) for row in rows], count, await session.scalar(waiting) or 0, filters)


def _conditions(filters: Filters, member: Member, now: datetime) -> list[ColumnElement[bool]]:
    if filters.status == "mine":
        conditions: list[ColumnElement[bool]] = [Case.status == CLAIMED, Case.assigned_to == member.id]
    else:
        conditions = [Case.status == filters.status]
    if filters.desk:
        conditions.append(Case.desk == filters.desk)
    if filters.lang == "mine":
        conditions.append(Case.lang.in_(member.langs))
    elif filters.lang:
        conditions.append(Case.lang == filters.lang)
    if filters.is_urgent:
        conditions.append(Case.is_urgent.is_(True))
    if filters.oldest_minutes:
        conditions.append(Case.waiting_since <= now - timedelta(minutes=filters.oldest_minutes))
    return conditions


async def read_case(session: AsyncSession, case: Case) -> CaseView:
    """Return a case with its transcript, notes and log."""
    assignee = await session.get(Staff, case.assigned_to) if case.assigned_to else None
    notes = select(Note, Staff.name).outerjoin(Staff, Staff.id == Note.staff_id).where(Note.case_id == case.id)
    log = select(AuditEntry, Staff.name).outerjoin(Staff, Staff.id == AuditEntry.staff_id)
    acts = log.where(AuditEntry.case_id == case.id, AuditEntry.act != "looked").order_by(AuditEntry.id.desc()).limit(50)
    return CaseView(
        case=case,
        assignee=assignee.name if assignee else None,
        entries=await read_entries(session, case),
        notes=[(row[0], row[1]) for row in (await session.execute(notes.order_by(Note.id))).all()],
        log=[(row[0], row[1]) for row in (await session.execute(acts)).all()],
    )


async def read_entries(session: AsyncSession, case: Case) -> list[Entry]:
    """Return the transcript, oldest first, with identity numbers and addresses in the person's words masked.

    Without the person's consent it holds only what was said within the case.
    """
    if case.conversation_id is None:
        return []
    said = select(Inbox).where(Inbox.conversation_id == case.conversation_id)
    replied = select(Outbox).where(Outbox.conversation_id == case.conversation_id)
    if not case.has_consent:
        said, replied = said.where(Inbox.case_id == case.id), replied.where(Outbox.case_id == case.id)
    messages = (await session.scalars(said.order_by(Inbox.id.desc()).limit(MOST_ENTRIES))).all()
    replies = (await session.scalars(replied.order_by(Outbox.id.desc()).limit(MOST_ENTRIES))).all()
    photos = await session.scalars(select(Attachment.inbox_id).where(Attachment.case_id == case.id))
    titles = {button["payload"]: button["title"] for row in replies for button in row.reply.get("buttons", ())}
    kept = set(photos.all())
    entries = [_said(row, titles, kept) for row in messages] + [_replied(row) for row in replies]
    entries.sort(key=lambda entry: (entry.at, entry.side != "person", entry.id))
    return entries[-MOST_ENTRIES:]


def _said(row: Inbox, titles: Mapping[str, str], photos: set[int]) -> Entry:
    kind = str(row.content.get("kind", ""))
    payload = str(row.content.get("payload", ""))
    text = {
        "text": row.content.get("text", ""),
        "place": row.content.get("place") or "",
        "payload": titles.get(payload, THUMBS.get(payload.rpartition(":")[0], payload)),
        "unsupported": row.content.get("what") or "unknown",
    }.get(kind, "")
    return Entry(row.id, "person", row.received_at, mask(str(text)), row.lang, kind=kind, has_photo=row.id in photos)


def _replied(row: Outbox) -> Entry:
    reply: dict[str, Any] = row.reply
    return Entry(
        id=row.id,
        side="staff" if row.staff_id is not None and reply.get("author") else "bot",
        at=row.created_at,
        text=reply["text"],
        lang=reply["lang"],
        author=reply.get("author"),
        article=reply.get("article"),
        kind=reply["kind"],
        state=row.delivery or row.status,
        error=row.error if row.status in ("failed", "held") else None,
        buttons=tuple(button["title"] for button in reply.get("buttons", ())),
    )


async def read_active(session: AsyncSession, now: datetime) -> Sequence[tuple[Conversation, str | None]]:
    """Return the conversations of the last hour that the bot has, each with the article it last gave; no text."""
    newest = _newest_article()
    since = Conversation.last_at >= now - timedelta(minutes=ACTIVE_MINUTES)
    found = select(Conversation, newest.scalar_subquery()).where(since, Conversation.is_with_human.is_(False))
    rows = (await session.execute(found.order_by(Conversation.last_at.desc()).limit(PAGE))).all()
    return [(row[0], row[1]) for row in rows]


def _newest_article() -> Select[tuple[str]]:
    article = Outbox.reply["article"].as_string()
    theirs = (Outbox.conversation_id == Conversation.id, Outbox.staff_id.is_(None), article.is_not(None))
    return select(article).where(*theirs).order_by(Outbox.id.desc()).limit(1).correlate(Conversation)
