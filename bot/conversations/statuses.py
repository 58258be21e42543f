"""Takes note of what a channel tells later about a reply: delivered, read, or not delivered after all."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.base import WINDOW_CLOSED
from bot.privacy.message_ids import stored_id
from bot.store.engine import Store
from bot.store.models import DONE, FAILED, HELD, Conversation, Outbox

logger = logging.getLogger(__name__)

FARTHER = {None: 0, "delivered": 1, "read": 2}


class DeliveryStatuses:
    """The `StatusSink` of every channel."""

    def __init__(self, store: Store, tell_staff: Callable[[int], Awaitable[None]]) -> None:
        self._store = store
        self._tell_staff = tell_staff

    async def delivered(
        self,
        channel: str,
        channel_message_id: str,
        state: Literal["delivered", "read", "failed"],
        why: str | None = None,
    ) -> None:
        """Take note of a status; see `StatusSink.delivered`."""
        case = await self._store.run(
            lambda session: _note(session, channel, stored_id(channel, channel_message_id), state, why)
        )
        if case is not None:
            await self._tell_staff(case)


async def _note(session: AsyncSession, channel: str, message: str, state: str, why: str | None) -> int | None:
    found = select(Outbox).join(Conversation, Conversation.id == Outbox.conversation_id)
    row = await session.scalar(found.where(Outbox.channel_message_id == message, Conversation.channel == channel))
    if row is None:
        return None
    if state == "failed":
        if row.status != DONE or row.delivery is not None:
            return None  # it had arrived; a late failure of another part says nothing
        row.status, row.error = (HELD if why == WINDOW_CLOSED else FAILED), (why or "not delivered")[:200]
        logger.warning("delivery_failed_later", extra={"channel": channel, "reason": why})
    elif FARTHER[state] > FARTHER[row.delivery]:
        row.delivery = state
    return row.case_id
