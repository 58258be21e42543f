"""What the workers read and write in the store, each within a transaction of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.models import PENDING, Conversation, Inbox, Outbox
from knowledge.replies import Reply

# Longer than any pause of ours, and than what services ask for.
LONGEST_PAUSE = timedelta(minutes=20)


async def locked_conversation(session: AsyncSession, conversation: str) -> Conversation | None:
    """Return the conversation, kept from other writers until the transaction ends.

    SQLite locks as a whole; elsewhere the row's lock also makes the ids of its replies rise in the order of commits.
    """
    return await session.get(Conversation, conversation, with_for_update=True)


def choose_language(conversation: Conversation, lang: str) -> None:
    """Speak the language that the person has chosen from now on."""
    conversation.lang, conversation.is_lang_chosen, conversation.is_lang_clear = lang, True, True


def add_replies(
    session: AsyncSession,
    conversation: Conversation,
    replies: Sequence[Reply],
    now: datetime,
    message: Inbox | None = None,
) -> None:
    """Put replies in the outbox, in this order; emergencies overtake what still waits there."""
    session.add_all(
        Outbox(
            conversation_id=conversation.id,
            inbox_id=message.id if message else None,
            reply_to=message.external_id if message else None,
            reply=reply.model_dump(mode="json"),
            is_urgent=reply.kind == "emergency",
            created_at=now,
            next_attempt_at=now,
        )
        for reply in replies
    )


async def due_message(session: AsyncSession, conversation: str) -> tuple[Inbox, Conversation] | None:
    """Return the oldest message that waits, if it is due; those behind it wait for it."""
    found = select(Inbox, Conversation).join(Conversation, Conversation.id == Inbox.conversation_id)
    waiting = found.where(Inbox.conversation_id == conversation, Inbox.status == PENDING)
    row = (await session.execute(waiting.order_by(Inbox.id).limit(1))).first()
    return (row[0], row[1]) if row and is_due(row[0].next_attempt_at, datetime.now(UTC)) else None


async def due_reply(session: AsyncSession, conversation: str) -> tuple[Outbox, Conversation] | None:
    """Return the reply to deliver next, if it is due: an urgent one, else the oldest."""
    found = select(Outbox, Conversation).join(Conversation, Conversation.id == Outbox.conversation_id)
    waiting = found.where(Outbox.conversation_id == conversation, Outbox.status == PENDING)
    row = (await session.execute(waiting.order_by(Outbox.is_urgent.desc(), Outbox.id).limit(1))).first()
    return (row[0], row[1]) if row and is_due(row[0].next_attempt_at, datetime.now(UTC)) else None


def is_due(next_attempt_at: datetime, now: datetime) -> bool:
    """Say whether something is to be tried; what seems to be due in a distant future was put off by a wrong clock."""
    return next_attempt_at <= now or next_attempt_at > now + LONGEST_PAUSE


async def conversations_with_work(session: AsyncSession, table: type[Inbox | Outbox], now: datetime) -> Sequence[str]:
    """Return the conversations with a message (or reply) that is due."""
    due = or_(table.next_attempt_at <= now, table.next_attempt_at > now + LONGEST_PAUSE)  # see `is_due`
    found = select(table.conversation_id).where(table.status == PENDING, due).distinct()
    return [identifier for identifier in (await session.scalars(found)).all() if identifier is not None]


async def has_written_since(session: AsyncSession, conversation: str, moment: datetime) -> bool:
    """Say whether a message of the person came after a moment."""
    later = select(exists().where(Inbox.conversation_id == conversation, Inbox.received_at >= moment))
    return bool(await session.scalar(later))
