"""The conversation so far, as the page shows it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.opening import open_case_of
from bot.channels.web import WEB, Event, client_id, reply_data
from bot.conversations.addresses import find_conversation
from bot.store.models import Inbox, Outbox
from bot.store.sealing import Sealer

MOST_ENTRIES = 500


async def conversation_exists(session: AsyncSession, sealer: Sealer, address: str) -> bool:
    """Say whether the conversation is still kept."""
    return await find_conversation(session, sealer, WEB, address) is not None


async def case_in_hand(session: AsyncSession, sealer: Sealer, address: str) -> int | None:
    """Return the case of a conversation that a person of the staff has now, or None while the bot has it."""
    conversation = await find_conversation(session, sealer, WEB, address)
    if conversation is None or not conversation.is_with_human:
        return None
    case = await open_case_of(session, conversation.id)
    return case.id if case else None


async def read_history(session: AsyncSession, sealer: Sealer, address: str) -> dict[str, Any] | None:
    """Return the newest entries in the order in which they happened, or None when the conversation is gone."""
    conversation = await find_conversation(session, sealer, WEB, address)
    if conversation is None:
        return None
    sent = select(Inbox).where(Inbox.conversation_id == conversation.id)
    replied = select(Outbox).where(Outbox.conversation_id == conversation.id)
    messages = (await session.scalars(sent.order_by(Inbox.id.desc()).limit(MOST_ENTRIES))).all()
    replies = (await session.scalars(replied.order_by(Outbox.id.desc()).limit(MOST_ENTRIES))).all()
    entries = [(row.received_at, 0, row.id, _said(row, address)) for row in messages]
    entries += [(row.created_at, 1, row.id, {"from": "bot", **_reply(row, address)}) for row in replies]
    entries.sort(key=lambda entry: entry[:3])
    return {
        "lang": conversation.lang,
        "is_lang_chosen": conversation.is_lang_chosen,
        "messages": [entry[3] for entry in entries[-MOST_ENTRIES:]],
    }


async def missed_replies(session: AsyncSession, sealer: Sealer, address: str, last: int) -> list[Event]:
    """Return the replies after an event id."""
    conversation = await find_conversation(session, sealer, WEB, address)
    if conversation is None:
        return []
    later = select(Outbox).where(Outbox.conversation_id == conversation.id, Outbox.id > last)
    rows = (await session.scalars(later.order_by(Outbox.id))).all()
    # The last word of an erasure is left to its delivery, which ends with the row gone.
    return [Event("reply", _reply(row, address), row.id) for row in rows if row.reply.get("effect") != "erase"]


def _said(row: Inbox, address: str) -> dict[str, Any]:
    return {
        "from": "person",
        "id": client_id(address, row.external_id),
        "at": row.received_at.isoformat(),
        "status": row.status,
        **row.content,
    }


def _reply(row: Outbox, address: str) -> dict[str, Any]:
    return {**reply_data(row.id, address, row.reply, row.reply_to), "at": row.created_at.isoformat()}
