"""Forgetting what has lain idle too long: a conversation nobody has written in for some days goes, in Rasa and here.

Rasa goes first, as in every erasure: a crash or an outage in between leaves the conversation in the store, and with it
the rest of the work for the next sweep.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversations.erase import delete_conversation, forget_traces
from bot.conversations.rasa import RasaAway, RasaClient
from bot.conversations.records import locked_conversation
from bot.logs import hashed
from bot.store.engine import Store
from bot.store.models import Conversation

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 100


class Retention:
    """Erases conversations that have been idle for longer than `days`."""

    def __init__(self, store: Store, rasa: RasaClient, days: int) -> None:
        self._store = store
        self._rasa = rasa
        self._kept_for = timedelta(days=days)

    async def sweep(self, now: datetime) -> int:
        """Erase what is due, and return how many conversations went; those that Rasa could not forget wait.

        Raises:
            StoreUnavailable: The store stayed locked or away.
        """
        idle_since = now - self._kept_for
        await self._store.run(lambda session: forget_traces(session, now))
        erased = 0
        while due := await self._store.read(lambda session: _idle(session, idle_since)):
            for conversation in due:
                try:
                    await self._rasa.erase(conversation)
                except RasaAway as trouble:
                    logger.warning("retention_put_off", extra={"reason": str(trouble), "erased": erased})
                    return erased
                erased += await self._forget(conversation, idle_since)
        return erased

    async def _forget(self, conversation: str, idle_since: datetime) -> bool:
        async def forget(session: AsyncSession) -> bool:
            found = await locked_conversation(session, conversation)
            if found is None or found.last_at >= idle_since:
                return False  # the person wrote again just now
            await delete_conversation(session, conversation)
            return True

        is_gone = await self._store.run(forget)
        if is_gone:
            logger.info("conversation_expired", extra={"conversation": hashed(conversation)})
        return is_gone


async def _idle(session: AsyncSession, idle_since: datetime) -> Sequence[str]:
    found = select(Conversation.id).where(Conversation.last_at < idle_since)
    return (await session.scalars(found.order_by(Conversation.last_at).limit(MOST_AT_ONCE))).all()
