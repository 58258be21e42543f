"""Has Rasa answer what waits in the inbox, each conversation in order and many beside each other.

A message is done in the same transaction that writes its replies, so a crash before it means that Rasa is asked
again, and a crash after it that nothing is lost. While Rasa or the action server is away, messages wait, however long
it takes, and each person is told so once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.relay import Relay
from bot.channels.base import Channel
from bot.conversations.addresses import address_of
from bot.conversations.erase import erase_conversation
from bot.conversations.lanes import Lanes
from bot.conversations.messages import rasa_message
from bot.conversations.notices import Notices
from bot.conversations.rasa import RasaAway, RasaClient, RasaFailed, RasaMessage
from bot.conversations.records import (
    add_replies,
    choose_language,
    conversations_with_work,
    due_message,
    locked_conversation,
)
from bot.logs import hashed
from bot.store.engine import Store
from bot.store.leases import Leases
from bot.store.models import DONE, FAILED, PENDING, Conversation, Inbox
from bot.store.sealing import CannotUnseal, Sealer
from knowledge.locales import FALLBACK
from knowledge.replies import Reply

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 8
SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0


class InboxWorker:
    """Takes messages from the inbox to Rasa, and its replies to the outbox."""

    def __init__(
        self,
        store: Store,
        rasa: RasaClient,
        notices: Notices,
        channels: Mapping[str, Channel],
        wake_outbox: Callable[[str], None],
        relay: Relay,
        sealer: Sealer,
        *,
        most_attempts: int,
        apology_after_seconds: float,
        leases: Leases,
    ) -> None:
        self._store = store
        self._rasa = rasa
        self._notices = notices
        self._channels = channels
        self._wake_outbox = wake_outbox
        self._relay = relay
        self._sealer = sealer
        self._most_attempts = most_attempts
        self._apology_after = timedelta(seconds=apology_after_seconds)
        self._outage_length = 0
        self._lanes = Lanes("inbox", self._answer_all, MOST_AT_ONCE, leases)

    def wake(self, conversation: str) -> None:
        """Have what the conversation waits for answered."""
        self._lanes.wake(conversation)

    async def sweep(self) -> None:
        """Take up what is due: after a restart, after a pause; and tell those who have waited long."""
        now = datetime.now(UTC)
        for conversation in await self._store.read(lambda session: conversations_with_work(session, Inbox, now)):
            self.wake(conversation)
        for conversation in await self._store.read(self._kept_waiting):
            if await self._store.run(partial(self._apologise, waiting=conversation)):
                self._wake_outbox(conversation)

    async def stop(self) -> None:
        """Stop; what was not answered stays pending."""
        await self._lanes.stop()

    async def _answer_all(self, conversation: str) -> None:
        found = await self._store.read(lambda session: due_message(session, conversation))
        while found is not None:
            found = await self._answer(*found)
            if found is not None and self._lanes.is_full:
                # To the end of the queue: who writes much must not keep others waiting who ask one thing.
                self.wake(conversation)
                return

    async def _answer(self, message: Inbox, conversation: Conversation) -> tuple[Inbox, Conversation] | None:
        """Answer one message; return the next one, if it is due."""
        started = time.perf_counter()
        # Kept by the variable, or the event loop may drop the task half-way.
        typing = asyncio.create_task(self._show_typing(conversation))
        try:
            replies = await self._rasa.send(_for_rasa(message, conversation))
        except RasaAway as trouble:
            await self._wait_for_rasa(message, trouble)
            return None
        except RasaFailed as trouble:
            return await self._count_attempt(message, conversation, trouble)
        finally:
            typing.cancel()
        self._outage_length = 0
        following = await self._store.run(lambda session: self._finish(session, message.id, conversation.id, replies))
        self._wake_outbox(conversation.id)
        if any(reply.effect == "erase" for reply in replies):
            await self._store.forget_deleted()
        logger.info(
            "message_answered",
            extra={
                "conversation": hashed(conversation.id),
                "kind": replies[0].kind,
                "article": replies[0].article,
                "lang": message.lang,
                "ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )
        return following

    async def _finish(
        self, session: AsyncSession, message_id: int, conversation_id: str, replies: Sequence[Reply]
    ) -> tuple[Inbox, Conversation] | None:
        """Write the replies and that the message is done; return the next message, if it is due."""
        # The lock first: if another process has answered, what is read after it says so.
        conversation = await locked_conversation(session, conversation_id)
        message = await session.get(Inbox, message_id)
        if message is None or message.status != PENDING or conversation is None:
            return None
        now = datetime.now(UTC)
        message.status, message.error = DONE, None
        conversation.apologised_at = None
        for reply in replies:
            if reply.kind == "language_set":
                choose_language(conversation, reply.lang)
            if reply.kind == "emergency":
                # The word lists did not know this danger; Rasa's classifier did.
                flag = reply.emergency or "medical"
                await self._relay.raise_flag(session, conversation, message, flag, reply.lang)
        if any(reply.effect == "erase" for reply in replies):
            await erase_conversation(session, conversation, message)
            add_replies(session, conversation, replies, now, message)
        else:
            add_replies(session, conversation, self._notices.with_privacy_line(conversation, replies), now, message)
        return await due_message(session, conversation_id)

    async def _wait_for_rasa(self, message: Inbox, trouble: RasaAway) -> None:
        pause = min(SHORTEST_PAUSE_SECONDS * 2 ** min(self._outage_length, 10), LONGEST_PAUSE_SECONDS)
        self._outage_length += 1
        logger.warning("rasa_away", extra={"reason": str(trouble), "retry_in_seconds": pause})
        await self._store.run(lambda session: _postpone(session, message.id, pause, trouble))

    async def _count_attempt(
        self, message: Inbox, conversation: Conversation, trouble: RasaFailed
    ) -> tuple[Inbox, Conversation] | None:
        attempts = message.attempts + 1
        logger.warning(
            "rasa_failed",
            extra={"conversation": hashed(conversation.id), "reason": trouble.reason, "attempts": attempts},
        )
        if attempts < self._most_attempts:
            pause = min(SHORTEST_PAUSE_SECONDS * 2 ** (attempts - 1), LONGEST_PAUSE_SECONDS)
            await self._store.run(lambda session: _postpone(session, message.id, pause, trouble, attempts))
            return None
        following = await self._store.run(
            lambda session: self._set_aside(session, message.id, conversation.id, attempts, trouble)
        )
        self._wake_outbox(conversation.id)
        return following

    async def _set_aside(
        self, session: AsyncSession, message_id: int, conversation_id: str, attempts: int, trouble: RasaFailed
    ) -> tuple[Inbox, Conversation] | None:
        # The lock first: if another process has answered, what is read after it says so.
        conversation = await locked_conversation(session, conversation_id)
        message = await session.get(Inbox, message_id)
        if message is None or message.status != PENDING or conversation is None:
            return None
        message.status, message.attempts, message.error = FAILED, attempts, str(trouble)[:200]
        conversation.apologised_at = None
        reply = self._notices.error(message.lang or FALLBACK, "failed")
        add_replies(session, conversation, [reply], datetime.now(UTC), message)
        return await due_message(session, conversation_id)

    async def _kept_waiting(self, session: AsyncSession) -> Sequence[str]:
        found = select(Inbox.conversation_id).join(Conversation, Conversation.id == Inbox.conversation_id)
        waiting = found.where(*self._is_kept_waiting(), Conversation.apologised_at.is_(None)).distinct()
        return [identifier for identifier in (await session.scalars(waiting)).all() if identifier]

    async def _apologise(self, session: AsyncSession, waiting: str) -> bool:
        conversation = await locked_conversation(session, waiting)
        found = select(Inbox).where(Inbox.conversation_id == waiting, *self._is_kept_waiting())
        message = await session.scalar(found.order_by(Inbox.id).limit(1))
        if conversation is None or message is None or conversation.apologised_at is not None:
            return False  # answered just now
        conversation.apologised_at = datetime.now(UTC)
        reply = self._notices.try_later(message.lang or FALLBACK)
        add_replies(session, conversation, [reply], conversation.apologised_at, message)
        return True

    def _is_kept_waiting(self) -> tuple[ColumnElement[bool], ...]:
        # Only after a failed attempt: what merely waits its turn behind others is answered in a moment.
        too_long_ago = datetime.now(UTC) - self._apology_after
        return Inbox.status == PENDING, Inbox.received_at <= too_long_ago, Inbox.error.is_not(None)

    async def _show_typing(self, conversation: Conversation) -> None:
        channel = self._channels.get(conversation.channel)
        if channel is not None:
            with suppress(CannotUnseal):  # the outbox says so
                await channel.show_typing(address_of(self._sealer, conversation))


async def _postpone(
    session: AsyncSession, message_id: int, pause_seconds: float, trouble: Exception, attempts: int | None = None
) -> None:
    message = await session.get(Inbox, message_id)
    if message is not None and message.status == PENDING:
        message.next_attempt_at = datetime.now(UTC) + timedelta(seconds=pause_seconds)
        message.error = str(trouble)[:200]
        message.attempts = message.attempts if attempts is None else attempts


def _for_rasa(message: Inbox, conversation: Conversation) -> RasaMessage:
    return RasaMessage(
        conversation=conversation.id,
        message_id=str(message.id),
        text=rasa_message(message.content),
        lang=message.lang or conversation.lang or FALLBACK,
        answer_lang=conversation.lang or FALLBACK,
        channel=conversation.channel,
        is_lang_clear=conversation.is_lang_clear,
        place=conversation.place,
        now=message.received_at,
    )
