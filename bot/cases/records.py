"""What happens to a case in the store, each within a transaction of the caller's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversations.erase import forget_attachments
from bot.staff.audit import note
from bot.store.case_models import CLOSED, WAITING, Case
from bot.store.models import DONE, PENDING, Conversation, Inbox


async def close_case(
    session: AsyncSession, case: Case, conversation: Conversation | None, reason: str, staff: int | None, now: datetime
) -> None:
    """Close a case: the conversation is the bot's again, and the photos of the case are gone."""
    case.status, case.closed_at, case.close_reason = CLOSED, now, reason
    if conversation is not None:
        conversation.is_with_human = False
    await forget_attachments(session, case.id)
    note(session, "closed", staff_id=staff, case_id=case.id, now=now, reason=reason)


def requeue_case(case: Case, conversation: Conversation | None, now: datetime) -> None:
    """Put a case back in the queue, and the conversation back in the hands of the bot."""
    case.status, case.assigned_to = WAITING, None
    case.waiting_since, case.told_at = now, None
    if conversation is not None:
        conversation.is_with_human = False


async def take_over(session: AsyncSession, case: Case, conversation: Conversation, now: datetime) -> None:
    """Make a conversation the staff's: what the bot had not answered yet is theirs to answer."""
    conversation.is_with_human = True
    waiting = update(Inbox).where(Inbox.conversation_id == conversation.id, Inbox.status == PENDING)
    await session.execute(waiting.values(status=DONE, case_id=case.id))
    case.claimed_at = case.claimed_at or now
