"""Fetches the photos that people send within a case, and keeps them encrypted until the case is closed.

The message is stored first, with the id under which the channel has the file; the file follows, again until it is there
or cannot be had. Nothing is fetched for a conversation that the bot has: nobody would look at it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.notices import CaseNotices
from bot.channels.base import Channel, FetchFailed
from bot.conversations.records import add_replies, locked_conversation
from bot.logs import hashed
from bot.store.case_models import CLAIMED, Attachment, Case
from bot.store.engine import Store
from bot.store.models import Inbox
from bot.store.sealing import Sealer

logger = logging.getLogger(__name__)

MOST_BYTES = 8 * 1024 * 1024
MOST_ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=2)
MOST_AT_ONCE = 10
# What a browser shows and nothing else: the first bytes decide, not what the sender calls it.
SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}

Tell = Callable[[int, str | None], Awaitable[None]]


class PhotoKeeper:
    """Looks for photos that have still to be fetched."""

    def __init__(
        self, store: Store, sealer: Sealer, channels: Mapping[str, Channel], notices: CaseNotices, tell: Tell
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._channels = channels
        self._notices = notices
        self._tell = tell

    async def sweep(self) -> None:
        """Fetch what is due."""
        for row in await self._store.read(_due):
            await self._fetch(row)

    async def _fetch(self, row: Inbox) -> None:
        channel = self._channels.get(row.channel)
        content, is_too_large, is_over = b"", False, channel is None
        if channel is not None:
            try:
                content = await channel.fetch(row.content["file_id"], MOST_BYTES)
            except FetchFailed as failure:
                is_too_large = failure.is_too_large
                is_over = is_too_large or row.attempts + 1 >= MOST_ATTEMPTS
                logger.warning(
                    "photo_not_fetched",
                    extra={
                        "conversation": hashed(row.conversation_id or ""),
                        "reason": str(failure),
                        "is_over": is_over,
                    },
                )
        media_type = kind_of(content)
        is_over = is_over or (bool(content) and media_type is None)

        async def settle(session: AsyncSession) -> str | None:
            found = await session.get(Inbox, row.id)
            if found is None or found.case_id is None:
                return None  # erased meanwhile
            if media_type is None and not is_over:
                found.attempts += 1
                found.next_attempt_at = datetime.now(UTC) + FIRST_PAUSE * 2**found.attempts
                return None
            found.content = {"kind": "photo"}
            case = await session.get(Case, found.case_id)
            if media_type is not None and case is not None and case.status == CLAIMED:
                sealed = self._sealer.seal_bytes(content)
                session.add(Attachment(inbox_id=found.id, case_id=case.id, media_type=media_type, sealed=sealed))
            if is_too_large and found.conversation_id is not None:
                conversation = await locked_conversation(session, found.conversation_id)
                if conversation is not None:
                    reply = self._notices.photo_too_large(conversation.lang or "en", MOST_BYTES)
                    add_replies(session, conversation, [reply], datetime.now(UTC), found)
            return found.conversation_id

        conversation = await self._store.run(settle)
        if row.case_id is not None:
            await self._tell(row.case_id, conversation)


async def keep_photo(store: Store, sealer: Sealer, inbox_id: int, content: bytes) -> int | None:
    """Keep a photo that came with its message (on the web); return its case, or None when nobody has one to look."""

    async def keep(session: AsyncSession) -> int | None:
        row = await session.get(Inbox, inbox_id)
        case = await session.get(Case, row.case_id) if row is not None and row.case_id is not None else None
        media_type = kind_of(content)
        if row is None or case is None or case.status != CLAIMED or media_type is None:
            return None
        row.content = {"kind": "photo"}
        sealed = sealer.seal_bytes(content)
        await session.merge(Attachment(inbox_id=row.id, case_id=case.id, media_type=media_type, sealed=sealed))
        return case.id

    return await store.run(keep)


def kind_of(content: bytes) -> str | None:
    """Return the media type of a picture by its first bytes, or None for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((name for start, name in SIGNATURES.items() if content.startswith(start)), None)


async def _due(session: AsyncSession) -> Sequence[Inbox]:
    waiting = select(Inbox).join(Case, Case.id == Inbox.case_id).where(Case.status == CLAIMED)
    photos = waiting.where(
        Inbox.content["file_id"].as_string().is_not(None), Inbox.next_attempt_at <= datetime.now(UTC)
    )
    return (await session.scalars(photos.order_by(Inbox.id).limit(MOST_AT_ONCE))).all()
