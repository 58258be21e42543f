"""Tells open pages what has happened: whoever listens to a topic hears what is published on it from now on.

Nothing is kept. What must arrive is in the store, so a listener that may have missed something is not mended but
ended, with None, and begins anew by reading the store. `LocalBus` serves one bot process, `bot.redis_bus` several.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

MOST_WAITING_EVENTS = 200

Events = asyncio.Queue[dict[str, Any] | None]


class Bus(Protocol):
    """Carries small plain data (what JSON can hold) from whoever publishes to all who listen just then."""

    async def start(self) -> None:
        """Begin to carry."""

    async def publish(self, topic: str, data: dict[str, Any]) -> int | None:
        """Tell everybody who listens to the topic.

        Returns:
            How many listeners, or processes with some, there were; None when the bus is away and nobody knows.
        """

    def listening(self, topic: str) -> AbstractAsyncContextManager[Events]:
        """Yield a queue of what is published from now on; None in it is its end, at once while the bus is away."""

    async def close(self) -> None:
        """End every listener."""


class Listeners:
    """The queues of this process, by topic."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, set[Events]] = defaultdict(set)

    def add(self, topic: str) -> Events:
        """Return a new queue on the topic."""
        queue: Events = asyncio.Queue(MOST_WAITING_EVENTS + 1)  # one place is kept for the None
        self._queues[topic].add(queue)
        return queue

    def remove(self, topic: str, queue: Events) -> None:
        """Take a queue away, if it is still there."""
        self._queues[topic].discard(queue)
        if not self._queues[topic]:
            del self._queues[topic]

    def has(self, topic: str) -> bool:
        """Say whether anybody here listens to the topic."""
        return topic in self._queues

    def tell(self, topic: str, data: dict[str, Any]) -> int:
        """Give the data to every queue of the topic that has room; end those that have none."""
        reached = 0
        for queue in list(self._queues.get(topic, ())):
            if queue.qsize() < MOST_WAITING_EVENTS:
                queue.put_nowait(data)
                reached += 1
            else:
                self.end(topic, queue)
        return reached

    def end(self, topic: str, queue: Events) -> None:
        """Let a queue end after what is in it, unless it has ended already."""
        if queue in self._queues.get(topic, ()):
            queue.put_nowait(None)
            self.remove(topic, queue)

    def end_all(self) -> None:
        """End every queue."""
        for topic, queues in list(self._queues.items()):
            for queue in list(queues):
                self.end(topic, queue)


class LocalBus:
    """The bus of a single process."""

    def __init__(self) -> None:
        self._listeners = Listeners()

    async def start(self) -> None:
        """Nothing to start."""

    async def publish(self, topic: str, data: dict[str, Any]) -> int:
        """Tell everybody who listens; return how many there were."""
        return self._listeners.tell(topic, data)

    @asynccontextmanager
    async def listening(self, topic: str) -> AsyncIterator[Events]:
        """Yield a queue of what is published from now on; None in it is its end."""
        queue = self._listeners.add(topic)
        try:
            yield queue
        finally:
            self._listeners.remove(topic, queue)

    async def close(self) -> None:
        """End every listener."""
        self._listeners.end_all()


def make_bus(redis_url: str) -> Bus:
    """Return the bus of this installation: over Redis, or without its address within this process."""
    if not redis_url:
        return LocalBus()
    from bot.redis_bus import RedisBus  # slow to import, and most installations are one process

    return RedisBus(redis_url)
