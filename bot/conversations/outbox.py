"""Delivers what waits in the outbox, in order for each conversation, again until it arrives.

At least once: a crash between a delivery and its mark delivers again under the same id, which the web page drops.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.base import Channel, DeliveryFailed, OutgoingMessage
from bot.conversations.erase import finish_erasure
from bot.conversations.lanes import Lanes
from bot.conversations.rasa import RasaAway, RasaClient
from bot.conversations.records import conversations_with_work, next_reply
from bot.logs import hashed
from bot.store.engine import Store
from bot.store.models import DONE, FAILED, PENDING, Conversation, Outbox
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

    def __init__(self, store: Store, rasa: RasaClient, channels: Mapping[str, Channel]) -> None:
        self._store = store
        self._rasa = rasa
        self._channels = channels
        self._lanes = Lanes("outbox", self._deliver_all, MOST_AT_ONCE)

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
        while True:
            found = await self._store.read(lambda session: _due_reply(session, conversation))
            if found is None or not await self._deliver(*found):
                return

    async def _deliver(self, row: Outbox, conversation: Conversation) -> bool:
        """Deliver one reply; return whether the next one may follow at once."""
        started = time.perf_counter()
        reply = Reply.model_validate(row.reply)
        is_last_word = reply.effect == "erase"
        try:
            if is_last_word:
                await self._rasa.erase(conversation.id)
            message_id = await self._bring(row, conversation, reply)
        except (DeliveryFailed, RasaAway) as failure:
            is_given_up = await self._put_off(row, failure, PATIENCE_WITH_ERASURE if is_last_word else PATIENCE)
            if is_given_up and is_last_word:
                await self._store.run(lambda session: finish_erasure(session, row.id))
            return is_given_up
        if is_last_word:
            await self._store.run(lambda session: finish_erasure(session, row.id))
        else:
            await self._store.run(lambda session: _mark_delivered(session, row.id, message_id))
        logger.info(
            "reply_delivered",
            extra={
                "conversation": hashed(conversation.id),
                "channel": conversation.channel,
                "kind": reply.kind,
                "ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )
        return True

    async def _bring(self, row: Outbox, conversation: Conversation, reply: Reply) -> str | None:
        channel = self._channels.get(conversation.channel)
        if channel is None:
            raise DeliveryFailed(
                f"the channel {conversation.channel} is switched off", retry_after_seconds=ABSENT_CHANNEL_PAUSE_SECONDS
            )
        message = OutgoingMessage(
            id=row.id,
            conversation=conversation.id,
            address=conversation.address,
            reply=reply,
            reply_to=row.reply_to,
            created_at=row.created_at,
        )
        try:
            return await channel.deliver(message)
        except DeliveryFailed:
            raise
        except Exception as error:
            # A fault of one channel must not end the lane. Only its type: the text may quote the reply.
            raise DeliveryFailed(f"the channel failed with {type(error).__name__}") from error

    async def _put_off(self, row: Outbox, failure: DeliveryFailed | RasaAway, patience: timedelta) -> bool:
        """Note a failed attempt; return whether it was the last one. Rasa is waited for: it must forget, too."""
        now = datetime.now(UTC)
        pause = min(FIRST_PAUSE_SECONDS * 2 ** min(row.attempts, 10), LONGEST_PAUSE_SECONDS) * random.uniform(0.8, 1.2)
        is_given_up = False
        if isinstance(failure, DeliveryFailed):
            pause = pause if failure.retry_after_seconds is None else failure.retry_after_seconds
            is_given_up = failure.is_permanent or now - row.created_at > patience
        logger.warning(
            "delivery_failed",
            extra={
                "conversation": hashed(row.conversation_id),
                "reason": str(failure),
                "attempts": row.attempts + 1,
                "is_given_up": is_given_up,
                "retry_in_seconds": None if is_given_up else round(pause, 1),
            },
        )

        async def note(session: AsyncSession) -> None:
            if (found := await session.get(Outbox, row.id)) is not None:
                found.attempts += 1
                found.error = str(failure)[:200]
                found.status = FAILED if is_given_up else PENDING
                found.next_attempt_at = now + timedelta(seconds=pause)

        await self._store.run(note)
        return is_given_up


async def _due_reply(session: AsyncSession, conversation: str) -> tuple[Outbox, Conversation] | None:
    row = await next_reply(session, conversation)
    found = await session.get(Conversation, conversation)
    if row is None or found is None or row.next_attempt_at > datetime.now(UTC):
        return None
    return row, found


async def _mark_delivered(session: AsyncSession, outbox_id: int, channel_message_id: str | None) -> None:
    row = await session.get(Outbox, outbox_id)
    if row is not None:
        row.status, row.error, row.channel_message_id = DONE, None, channel_message_id
