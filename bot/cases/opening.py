"""Opens a case: the request of a person, a red flag, or a member of the staff who steps in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.desks import Desks
from bot.staff.audit import note
from bot.store.case_models import CLOSED, Case
from bot.store.models import Conversation, Feedback

THUMB_COUNTS_FOR = timedelta(minutes=15)


@dataclass(frozen=True)
class Request:
    """Why a person of the staff is wanted. `message_id` makes the same request twice one."""

    reason: str
    lang: str
    message_id: str | None = None
    topic: str | None = None
    place: str | None = None
    has_consent: bool = False
    is_urgent: bool = False


async def open_case(
    session: AsyncSession, desks: Desks, conversation: Conversation, request: Request, now: datetime
) -> tuple[Case, bool]:
    """Return the case and whether it is new.

    A conversation has one open case at most: a second request adds what it knows more (a place, a yes to sharing, that
    it is urgent) to the first.
    """
    if request.message_id is not None:
        repeat = await session.scalar(select(Case).where(Case.request_id == request.message_id))
        if repeat is not None:
            return repeat, False
    conversation.place = request.place or conversation.place
    case = await open_case_of(session, conversation.id)
    if case is not None:
        _add(case, request, desks)
        return case, False
    place = request.place or conversation.place
    desk = desks.for_place(place)
    case = Case(
        conversation_id=conversation.id,
        request_id=request.message_id,
        reason=await _reason(session, conversation, request, now),
        topic=request.topic,
        place=place,
        lang=request.lang,
        channel=conversation.channel,
        has_consent=request.has_consent,
        is_urgent=request.is_urgent,
        is_inside_hours=desks.is_open(desk.id, now),
        desk=desk.id,
        opened_at=now,
        waiting_since=now,
    )
    session.add(case)
    await session.flush()
    note(session, "opened", case_id=case.id, now=now, reason=case.reason, desk=case.desk)
    return case, True


async def open_case_of(session: AsyncSession, conversation: str) -> Case | None:
    """Return the case of a conversation that is not closed, if there is one."""
    found = select(Case).where(Case.conversation_id == conversation, Case.status != CLOSED)
    return await session.scalar(found.order_by(Case.id.desc()).limit(1))


def _add(case: Case, request: Request, desks: Desks) -> None:
    case.has_consent = case.has_consent or request.has_consent
    case.is_urgent = case.is_urgent or request.is_urgent
    case.topic = request.topic or case.topic
    if request.place and request.place != case.place:
        case.place = request.place
        if case.assigned_to is None:
            case.desk = desks.for_place(request.place).id


async def _reason(session: AsyncSession, conversation: Conversation, request: Request, now: datetime) -> str:
    if request.reason != "asked":
        return request.reason
    theirs = Feedback.conversation_id == conversation.id
    last = await session.scalar(select(Feedback).where(theirs).order_by(Feedback.created_at.desc()).limit(1))
    is_unhappy = last is not None and not last.is_helpful and now - last.created_at <= THUMB_COUNTS_FOR
    return "thumb_down" if is_unhappy else "asked"
