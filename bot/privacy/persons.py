"""What is kept of one person, for that person: all of it to read, and all of it to erase.

The operator knows the person by a channel and an address there (a chat id, a phone number); see docs/privacy.md.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversations.addresses import address_of, find_conversations
from bot.conversations.erase import delete_conversation
from bot.conversations.rasa import RasaAway, RasaClient
from bot.errors import BotError
from bot.staff.audit import note
from bot.store.case_models import Attachment, Case, Note
from bot.store.engine import Store
from bot.store.models import Conversation, Feedback, Inbox, Outbox
from bot.store.sealing import Sealer
from bot.store.staff_models import AuditEntry

Record = dict[str, Any]


class PersonUnknown(BotError):
    """Nothing is kept of a person, or the address is written in another way."""

    def __init__(self, channel: str) -> None:
        super().__init__(
            f"Nothing is kept of this person on the channel {channel}. Write the address as the channel does: a chat "
            "id of Telegram, a WhatsApp number with its country code and no +, or the conversation of the web chat."
        )


async def export_person(store: Store, sealer: Sealer, channel: str, address: str) -> Record:
    """Return everything that is kept of a person, as plain data.

    What the person wrote stands as it is stored, so without the identity numbers in it. Of the staff there are no names
    but those that the person has seen.

    Raises:
        PersonUnknown: There is nothing.
        CannotUnseal: A photo or the address was stored with a key that is missing.
    """

    async def read(session: AsyncSession) -> list[Record]:
        found = await find_conversations(session, sealer, channel, address)
        records = [await _conversation(session, sealer, row) for row in found]
        for row in found:
            await _note_on_cases(session, row.id, "exported")
        return records

    conversations = await store.run(read)
    if not conversations:
        raise PersonUnknown(channel)
    return {"exported_at": _instant(datetime.now(UTC)), "conversations": conversations}


async def erase_person(store: Store, rasa: RasaClient, sealer: Sealer, channel: str, address: str) -> int:
    """Erase everything of a person and return how many conversations there were.

    Raises:
        PersonUnknown: There is nothing.
        RasaAway: Rasa must forget first and is not there; nothing was erased from the store.
    """
    found = await store.read(lambda session: find_conversations(session, sealer, channel, address))
    if not found:
        raise PersonUnknown(channel)
    for row in found:
        await rasa.erase(row.id)
    for row in found:
        await store.run(partial(_note_and_delete, conversation=row.id))
    for row in found:
        # A message that was on its way to Rasa may have arrived between the two.
        with suppress(RasaAway):
            await rasa.erase(row.id)
    await store.forget_deleted()
    return len(found)


async def _note_and_delete(session: AsyncSession, conversation: str) -> None:
    await _note_on_cases(session, conversation, "erased")
    await delete_conversation(session, conversation)


async def _note_on_cases(session: AsyncSession, conversation: str, act: str) -> None:
    """Write into the audit log of each case that it was done from a terminal; of the person nothing."""
    for case in (await session.scalars(select(Case.id).where(Case.conversation_id == conversation))).all():
        note(session, act, case_id=case, now=datetime.now(UTC), by="operator")


async def _conversation(session: AsyncSession, sealer: Sealer, row: Conversation) -> Record:
    theirs = Case.conversation_id == row.id
    cases = (await session.scalars(select(Case).where(theirs).order_by(Case.id))).all()
    return {
        "channel": row.channel,
        "address": address_of(sealer, row),
        "begun_at": _instant(row.created_at),
        "last_wrote_at": _instant(row.last_at),
        "language": row.lang,
        "place": row.place,
        "messages": [await _message(session, sealer, item) for item in await _rows(session, Inbox, row)],
        "replies": [_reply(item) for item in await _rows(session, Outbox, row)],
        "feedback": [_feedback(item) for item in await _rows(session, Feedback, row)],
        "cases": [await _case(session, case) for case in cases],
    }


async def _rows(session: AsyncSession, table: Any, conversation: Conversation) -> Sequence[Any]:
    key = table.__table__.primary_key.columns.values()[0]
    found = select(table).where(table.conversation_id == conversation.id).order_by(key)
    return (await session.scalars(found)).all()


async def _message(session: AsyncSession, sealer: Sealer, row: Inbox) -> Record:
    said = {"at": _instant(row.received_at), "language": row.lang, "content": row.content, "case": row.case_id}
    photo = await session.get(Attachment, row.id)
    if photo is not None:
        content = base64.b64encode(sealer.unseal_bytes(photo.sealed)).decode()
        said["photo"] = {"media_type": photo.media_type, "base64": content}
    return said


def _reply(row: Outbox) -> Record:
    return {
        "id": row.id,
        "at": _instant(row.created_at),
        "state": row.delivery or row.status,
        "case": row.case_id,
        "content": row.reply,
    }


def _feedback(row: Feedback) -> Record:
    return {"at": _instant(row.created_at), "reply": row.outbox_id, "article": row.article, "helpful": row.is_helpful}


async def _case(session: AsyncSession, case: Case) -> Record:
    notes = (await session.scalars(select(Note).where(Note.case_id == case.id).order_by(Note.id))).all()
    acts = select(AuditEntry).where(AuditEntry.case_id == case.id).order_by(AuditEntry.id)
    return {
        "id": case.id,
        "reason": case.reason,
        "topic": case.topic,
        "place": case.place,
        "language": case.lang,
        "desk": case.desk,
        "consent_to_share": case.has_consent,
        "urgent": case.is_urgent,
        "status": case.status,
        "opened_at": _instant(case.opened_at),
        "first_reply_at": _instant(case.first_reply_at),
        "closed_at": _instant(case.closed_at),
        "close_reason": case.close_reason,
        "outcome": case.outcome,
        "notes": [{"at": _instant(item.created_at), "text": item.text} for item in notes],
        "acts": [{"at": _instant(entry.at), "act": entry.act} for entry in (await session.scalars(acts)).all()],
    }


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
