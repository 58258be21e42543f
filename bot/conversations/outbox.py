"""Delivers what waits in the outbox, in order for each conversation, again until it arrives.

At least once: a crash between a delivery and its mark delivers again under the same id, which the web page drops.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.base import Channel, DeliveryFailed, OutgoingMessage, WindowClosed
from bot.conversations.addresses import address_of
from bot.conversations.erase import finish_erasure
from bot.conversations.lanes import Lanes
from bot.conversations.rasa import RasaAway, RasaClient
from bot.conversations.records import conversations_with_work, due_reply, has_written_since
from bot.logs import hashed
from bot.privacy.masking import mask
from bot.privacy.message_ids import stored_id
from bot.store.engine import Store
from bot.store.leases import Leases
from bot.store.models import DONE, FAILED, HELD, PENDING, Conversation, Outbox
from bot.store.sealing import CannotUnseal, Sealer
from knowledge.replies import Reply

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 16
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
PATIENCE = timedelta(hours=24)
# The confirmation of an erasure is the last thing kept of a person; it does not wait long for a closed page.
PATIENCE_WITH_ERASURE = timedelta(minutes=10)
ABSENT_CHANNEL_PAUSE_SECONDS = 60.0


class OutboxWorker:
    """Takes replies from the outbox to their channels."""

    def __init__(
        self,
        store: Store,
        rasa: RasaClient,
        channels: Mapping[str, Channel],
        sealer: Sealer,
        tell_staff: Callable[[int], Awaitable[None]],
        leases: Leases,
    ) -> None:
        self._store = store
        self._rasa = rasa
        self._channels = channels
        self._sealer = sealer
        self._tell_staff = tell_staff
        self._lanes = Lanes("outbox", self._deliver_all, MOST_AT_ONCE, leases)

    def wake(self, conversation: str) -> None:
        """Have what waits for the conversation delivered."""
        self._lanes.wake(conversation)

    async def sweep(self) -> None:
        """Take up what is due: after a restart, after a pause."""
        now = datetime.now(UTC)
        for conversation in await self._store.read(lambda session: conversations_with_work(session, Outbox, now)):
            self.wake(conversation)

    async def stop(self) -> None:
        """Stop; what was not delivered stays pending."""
        await self._lanes.stop()

    async def _deliver_all(self, conversation: str) -> None:
        found = await self._store.read(lambda session: due_reply(session, conversation))
        while found is not None:
            found = await self._deliver(*found)

    async def _deliver(self, row: Outbox, conversation: Conversation) -> tuple[Outbox, Conversation] | None:
        """Deliver one reply; return the next one, if it is due."""
        started, began = time.perf_counter(), datetime.now(UTC)
        reply = Reply.model_validate(row.reply)
        is_last_word = reply.effect == "erase"
        try:
            if is_last_word:
                await self._rasa.erase(conversation.id)
            message_id = await self._bring(row, conversation, reply)
        except (DeliveryFailed, RasaAway) as failure:
            return await self._put_off(row, failure, is_last_word, began)
        following = None
        if is_last_word:
            await self._store.run(lambda session: finish_erasure(session, row.id))
            await self._store.forget_deleted()
        else:
            following = await self._store.run(
                lambda session: _mark_delivered(session, row.id, conversation.id, message_id)
            )
            if row.case_id is not None:
                await self._tell_staff(row.case_id)
        logger.info(
            "reply_delivered",
            extra={
                "conversation": hashed(conversation.id),
                "channel": conversation.channel,
                "kind": reply.kind,
                "ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )
        return following

    async def _bring(self, row: Outbox, conversation: Conversation, reply: Reply) -> str | None:
        channel = self._channels.get(conversation.channel)
        if channel is None:
            raise DeliveryFailed(
                f"the channel {conversation.channel} is switched off", retry_after_seconds=ABSENT_CHANNEL_PAUSE_SECONDS
            )
        try:
            address = address_of(self._sealer, conversation)
        except CannotUnseal as error:
            # The key may be put back; until then nobody knows where this goes.
            raise DeliveryFailed(str(error), retry_after_seconds=ABSENT_CHANNEL_PAUSE_SECONDS) from None
        message = OutgoingMessage(
            id=row.id,
            conversation=conversation.id,
            address=address,
            reply=reply,
            reply_to=row.reply_to,
            created_at=row.created_at,
        )
        try:
            sent = await channel.deliver(message)
        except DeliveryFailed:
            raise
        except Exception as error:
            # A fault of one channel must not end the lane. Only its type: the text may quote the reply.
            raise DeliveryFailed(f"the channel failed with {type(error).__name__}") from error
        return stored_id(conversation.channel, sent) if sent else None

    async def _put_off(
        self, row: Outbox, failure: DeliveryFailed | RasaAway, is_last_word: bool, began: datetime
    ) -> tuple[Outbox, Conversation] | None:
        """Note a failed attempt; after the last one return the next reply. Rasa is waited for: it must forget, too."""
        now = datetime.now(UTC)
        pause = min(FIRST_PAUSE_SECONDS * 2 ** min(row.attempts, 10), LONGEST_PAUSE_SECONDS) * random.uniform(0.8, 1.2)
        if isinstance(failure, DeliveryFailed) and failure.retry_after_seconds is not None:
            pause = failure.retry_after_seconds
        status = _status_after(failure, now - row.created_at, is_last_word)
        logger.warning(
            "delivery_failed",
            extra={
                "conversation": hashed(row.conversation_id),
                "reason": str(failure),
                "attempts": row.attempts + 1,
                "status": status,
                "retry_in_seconds": round(pause, 1) if status == PENDING else None,
            },
        )

        async def note(session: AsyncSession) -> tuple[Outbox, Conversation] | None:
            if (found := await session.get(Outbox, row.id)) is not None:
                found.attempts += 1
                found.error = mask(str(failure))[:200]
                # Whoever wrote while we tried has opened the window already.
                is_open = status == HELD and await has_written_since(session, row.conversation_id, began)
                found.status = PENDING if is_open else status
                found.next_attempt_at = now + timedelta(seconds=pause)
            if status == FAILED and is_last_word:
                await finish_erasure(session, row.id)
            return await due_reply(session, row.conversation_id) if status != PENDING else None

        following = await self._store.run(note)
        if status == FAILED and is_last_word:
            await self._store.forget_deleted()
        if row.case_id is not None:
            await self._tell_staff(row.case_id)
        return following


def _status_after(failure: DeliveryFailed | RasaAway, age: timedelta, is_last_word: bool) -> str:
    """Return what becomes of a reply that did not arrive: tried again, held until the person writes, or given up."""
    if isinstance(failure, RasaAway):
        return PENDING
    if isinstance(failure, WindowClosed):
        return HELD
    is_late = age > (PATIENCE_WITH_ERASURE if is_last_word else PATIENCE)
    return FAILED if failure.is_permanent or is_late else PENDING


async def _mark_delivered(
    session: AsyncSession, outbox_id: int, conversation: str, channel_message_id: str | None
) -> tuple[Outbox, Conversation] | None:
    """Write that a reply has arrived; return the next one, if it is due."""
    arrived = {"status": DONE, "error": None, "channel_message_id": channel_message_id}
    await session.execute(update(Outbox).where(Outbox.id == outbox_id).values(arrived))
    return await due_reply(session, conversation)
