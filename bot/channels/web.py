"""The web chat as a channel: replies go to the open event streams of a conversation.

The store is what makes delivery sure: a page that was away reads what it missed there. So a reply counts as delivered
even when no page is open, except the last word of an erasure, which is kept nowhere and needs somebody to hear it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.channels.base import Channel, DeliveryFailed, Intake, OutgoingMessage

WEB = "web"
MOST_STREAMS = 8
MOST_WAITING_EVENTS = 200
RETRY_LAST_WORD_SECONDS = 2.0


@dataclass(frozen=True)
class Event:
    """One server-sent event; only replies have an id, so that a stream can resume after one."""

    name: str
    data: dict[str, Any]
    id: int | None = None


@dataclass(eq=False)
class Stream:
    """The events that an open page has still to be sent; None ends it."""

    queue: asyncio.Queue[Event | None] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING_EVENTS))

    def put(self, event: Event | None) -> None:
        """Add an event; a page that reads too slowly is cut off, and comes back for what it missed."""
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.queue = asyncio.Queue()
            self.queue.put_nowait(None)


class TooManyStreams(Exception):
    """One conversation is open in more pages than any person needs."""


class WebChannel(Channel):
    """Open pages by conversation address."""

    name = WEB

    def __init__(self) -> None:
        self._streams: defaultdict[str, set[Stream]] = defaultdict(set)

    async def start(self, intake: Intake) -> None:
        """Nothing to start: messages come through the API, which has the intake itself."""

    async def stop(self) -> None:
        """End every open stream."""
        for streams in list(self._streams.values()):
            for stream in streams:
                stream.put(None)

    @contextmanager
    def listening(self, address: str) -> Iterator[Stream]:
        """Yield a stream of what happens from now on.

        Raises:
            TooManyStreams: There are too many already.
        """
        if len(self._streams[address]) >= MOST_STREAMS:
            raise TooManyStreams
        stream = Stream()
        self._streams[address].add(stream)
        try:
            yield stream
        finally:
            self._streams[address].discard(stream)
            if not self._streams[address]:
                del self._streams[address]

    async def deliver(self, message: OutgoingMessage) -> str | None:
        """Send the reply to every open page."""
        streams = self._streams.get(message.address, ())
        if message.reply.effect == "erase" and not streams:
            raise DeliveryFailed("no page is open", retry_after_seconds=RETRY_LAST_WORD_SECONDS)
        data = reply_data(message.id, message.address, message.reply.model_dump(mode="json"), message.reply_to)
        for stream in streams:
            stream.put(Event("reply", {**data, "at": message.created_at.isoformat()}, message.id))
        return None

    async def show_typing(self, address: str) -> None:
        """Tell open pages that an answer is on its way."""
        for stream in self._streams.get(address, ()):
            stream.put(Event("typing", {"on": True}))


def external_id(address: str, client_id: str) -> str:
    """Return the inbox key of a client's own id: two people may choose the same one."""
    return f"{address}:{client_id}"


def client_id(address: str, external: str | None) -> str | None:
    """Return the client's own id again."""
    return external.removeprefix(f"{address}:") if external else None


def reply_data(outbox_id: int, address: str, reply: dict[str, Any], reply_to: str | None) -> dict[str, Any]:
    """Return a reply as the page gets it: the Reply, its `id`, and the client's id of the message it answers."""
    return {**reply, "id": outbox_id, "reply_to": client_id(address, reply_to)}
