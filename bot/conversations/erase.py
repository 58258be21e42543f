"""Deleting what a person left behind.

The store is emptied in the transaction that also writes the confirming reply; Rasa is emptied before that reply is
delivered, and the last rows go right after. A crash in between leaves the confirming reply pending, and with it the
rest of the work. Whoever calls these has `Store.forget_deleted` take what went out of the database's log as well.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.case_models import CLOSED, Attachment, Case, Note
from bot.store.models import DONE, Conversation, Feedback, Inbox, Outbox

TRACE_DAYS = 7


async def erase_conversation(session: AsyncSession, conversation: Conversation, asked_in: Inbox) -> None:
    """Delete all rows up to the message that asks for it.

    Of that message only the channel's id stays, so that a repeat of it is still known as one. What the person sent
    after it belongs to a new beginning.
    """
    await _empty_cases(session, conversation.id, asked_in.received_at)
    for table in (Feedback, Outbox):
        await session.execute(delete(table).where(table.conversation_id == conversation.id))
    older = (Inbox.conversation_id == conversation.id, Inbox.id < asked_in.id)
    await session.execute(delete(Inbox).where(*older))
    asked_in.conversation_id = None
    asked_in.case_id = None
    asked_in.content = {"kind": "erased"}
    asked_in.lang = None
    asked_in.status = DONE
    conversation.lang = None
    conversation.is_lang_chosen = False
    conversation.place = None
    conversation.is_with_human = False
    conversation.is_privacy_shown = False


async def finish_erasure(session: AsyncSession, confirmation: int) -> None:
    """Delete the confirming reply, and the conversation unless something new has begun in it."""
    reply = await session.get(Outbox, confirmation)
    if reply is None:
        return
    conversation = reply.conversation_id
    await session.delete(reply)
    await session.flush()
    for table in (Inbox, Outbox):
        if await session.scalar(select(exists().where(table.conversation_id == conversation))):
            return
    await session.execute(delete(Conversation).where(Conversation.id == conversation))


async def delete_conversation(session: AsyncSession, conversation: str) -> None:
    """Delete a conversation with all that belongs to it, when there is nobody to confirm it to."""
    await _empty_cases(session, conversation, datetime.now(UTC))
    for table in (Feedback, Outbox, Inbox):
        await session.execute(delete(table).where(table.conversation_id == conversation))
    await session.execute(delete(Conversation).where(Conversation.id == conversation))


async def _empty_cases(session: AsyncSession, conversation: str, now: datetime) -> None:
    """Close the person's cases and take out of them what leads to a person; what is counted for the figures stays."""
    theirs = Case.conversation_id == conversation
    for table in (Note, Attachment):
        await session.execute(delete(table).where(table.case_id.in_(select(Case.id).where(theirs))))
    closing = {"status": CLOSED, "closed_at": func.coalesce(Case.closed_at, now), "assigned_to": None}
    reason = {"close_reason": func.coalesce(Case.close_reason, "erased")}
    await session.execute(update(Case).where(theirs).values(conversation_id=None, request_id=None, **closing, **reason))


async def forget_attachments(session: AsyncSession, case: int) -> None:
    """Delete the photos of a case, and the ids by which those not fetched yet could still be had."""
    await session.execute(delete(Attachment).where(Attachment.case_id == case))
    to_fetch = (Inbox.case_id == case, Inbox.content["file_id"].as_string().is_not(None))
    await session.execute(update(Inbox).where(*to_fetch).values(content={"kind": "photo"}))


async def forget_traces(session: AsyncSession, now: datetime) -> None:
    """Delete the ids that erased messages left, once no channel can repeat them."""
    old = Inbox.received_at < now - timedelta(days=TRACE_DAYS)
    await session.execute(delete(Inbox).where(Inbox.conversation_id.is_(None), old))
