"""The web chat as a channel: replies go to the open event streams of a conversation.

The store is what makes delivery sure: a page that was away reads what it missed there. So a reply counts as delivered
even when no page is open, except the last word of an erasure, which is kept nowhere and needs somebody to hear it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from bot.channels.base import Channel, DeliveryFailed, Intake, OutgoingMessage
from bot.events import Bus, Events

WEB = "web"
MOST_STREAMS = 8
RETRY_LAST_WORD_SECONDS = 2.0
RETRY_BUS_SECONDS = 1.0


@dataclass(frozen=True)
class Event:
    """One server-sent event; only replies have an id, so that a stream can resume after one."""

    name: str
    data: dict[str, Any]
    id: int | None = None


class TooManyStreams(Exception):
    """One conversation is open in more pages than any person needs."""


class WebChannel(Channel):
    """Open pages by conversation address; the event bus reaches those that another process serves."""

    name = WEB

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._open: Counter[str] = Counter()

    async def start(self, intake: Intake) -> None:
        """Nothing to start: messages come through the API, which has the intake itself."""

    async def stop(self) -> None:
        """Nothing to stop: the streams end with the bus."""

    @asynccontextmanager
    async def listening(self, address: str) -> AsyncIterator[Events]:
        """Yield the events from now on, each the fields of an `Event`; None ends them.

        Raises:
            TooManyStreams: There are too many already.
        """
        if self._open[address] >= MOST_STREAMS:
            raise TooManyStreams
        self._open[address] += 1
        try:
            async with self._bus.listening(_topic(address)) as events:
                yield events
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    async def deliver(self, message: OutgoingMessage) -> str | None:
        """Send the reply to every open page."""
        data = reply_data(message.id, message.address, message.reply.model_dump(mode="json"), message.reply_to)
        event = Event("reply", {**data, "at": message.created_at.isoformat()}, message.id)
        pages = await self._bus.publish(_topic(message.address), asdict(event))
        if pages is None:
            raise DeliveryFailed("Redis does not answer", retry_after_seconds=RETRY_BUS_SECONDS)
        if message.reply.effect == "erase" and not pages:
            raise DeliveryFailed("no page is open", retry_after_seconds=RETRY_LAST_WORD_SECONDS)
        return None

    async def show_typing(self, address: str) -> None:
        """Tell open pages that an answer is on its way."""
        await self._bus.publish(_topic(address), asdict(Event("typing", {"on": True})))


def _topic(address: str) -> str:
    return f"web:{address}"


def external_id(address: str, client_id: str) -> str:
    """Return the inbox key of a client's own id: two people may choose the same one."""
    return f"{address}:{client_id}"


def client_id(address: str, external: str | None) -> str | None:
    """Return the client's own id again."""
    return external.removeprefix(f"{address}:") if external else None


def reply_data(outbox_id: int, address: str, reply: dict[str, Any], reply_to: str | None) -> dict[str, Any]:
    """Return a reply as the page gets it: the Reply, its `id`, and the client's id of the message it answers."""
    return {**reply, "id": outbox_id, "reply_to": client_id(address, reply_to)}
