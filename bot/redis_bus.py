"""The event bus of several bot processes: Redis carries what one publishes to those that have listeners.

One connection hears, for all topics of this process. When it breaks, what was published meanwhile is lost, so every
listener is ended then (see `bot.events`) and the connection made anew.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bot.events import Events, Listeners

logger = logging.getLogger(__name__)

PREFIX = "zorgbrug:"  # others may use the same Redis
ALIVE = "alive"  # a topic that nothing is published on; a connection without any topic cannot be read
ANSWER_SECONDS = 1.0
SILENCE_SECONDS = 5.0
PAUSE_SECONDS = 0.5


class RedisBus:
    """A bus over Redis pub/sub."""

    def __init__(self, url: str) -> None:
        # No retries inside: a subscription that a retry renews on the quiet would hide that something was missed.
        self._redis = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=ANSWER_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            decode_responses=True,
        )
        self._listeners = Listeners()
        self._pubsub: PubSub | None = None
        self._is_connected = asyncio.Event()
        self._confirmed: dict[str, asyncio.Future[bool]] = {}
        self._changing = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to carry; a Redis that is away is waited for in the background."""
        self._following = asyncio.create_task(self._follow(), name="redis-bus")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_connected.wait(), ANSWER_SECONDS)

    async def publish(self, topic: str, data: dict[str, Any]) -> int | None:
        """Tell everybody who listens; return how many processes have listeners, or None when Redis is away."""
        if not self._is_connected.is_set():
            return None
        try:
            return int(await self._redis.publish(PREFIX + topic, json.dumps(data)))
        except (RedisError, OSError):
            return None

    @asynccontextmanager
    async def listening(self, topic: str) -> AsyncIterator[Events]:
        """Yield a queue of what is published from now on; None in it is its end, at once while Redis is away."""
        queue = self._listeners.add(topic)
        try:
            if not await self._subscribe(topic):
                self._listeners.end(topic, queue)
            yield queue
        finally:
            self._listeners.remove(topic, queue)
            await self._unsubscribe_if_unused(topic)

    async def close(self) -> None:
        """End every listener."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._redis.aclose()

    async def _subscribe(self, topic: str) -> bool:
        """Return once Redis has confirmed that this process hears the topic; False if it does not."""
        async with self._changing:
            if self._pubsub is None:
                return False
            if topic in self._confirmed:
                return True  # by another listener, whom the lock has let finish
            heard = self._confirmed[topic] = asyncio.get_running_loop().create_future()
            is_heard = False
            try:
                await self._pubsub.subscribe(PREFIX + topic)
                is_heard = await asyncio.wait_for(heard, ANSWER_SECONDS)
            except (RedisError, OSError):
                pass  # the connection is about to be made anew
            finally:
                if not is_heard:
                    self._confirmed.pop(topic, None)
            return is_heard

    async def _unsubscribe_if_unused(self, topic: str) -> None:
        async with self._changing:
            if self._pubsub is not None and not self._listeners.has(topic):
                self._confirmed.pop(topic, None)
                with suppress(RedisError, OSError):  # the connection broke, and the topic is gone with it
                    await self._pubsub.unsubscribe(PREFIX + topic)

    async def _follow(self) -> None:
        """Hear what comes for ever, over one connection after the other."""
        while True:
            pubsub = self._redis.pubsub()
            try:
                await pubsub.subscribe(PREFIX + ALIVE)
                self._pubsub = pubsub
                self._is_connected.set()
                await self._hear(pubsub)
            except (RedisError, OSError) as error:
                if self._is_connected.is_set():
                    logger.warning("bus_lost", extra={"reason": type(error).__name__})
            finally:
                self._lose_everything()
                with suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(PAUSE_SECONDS)

    async def _hear(self, pubsub: PubSub) -> None:
        is_asked = False
        while True:
            message = await pubsub.get_message(timeout=SILENCE_SECONDS)
            if message is None and is_asked:
                raise TimeoutError  # nothing, not even an answer: the other end is gone without a word
            is_asked = message is None
            if message is None:
                await pubsub.ping()
                continue
            topic = str(message["channel"] or "").removeprefix(PREFIX)
            if message["type"] == "message":
                self._listeners.tell(topic, json.loads(message["data"]))
            elif message["type"] == "subscribe" and (heard := self._confirmed.get(topic)) and not heard.done():
                heard.set_result(True)

    def _lose_everything(self) -> None:
        self._pubsub = None
        self._is_connected.clear()
        for heard in self._confirmed.values():
            if not heard.done():
                heard.set_result(False)
        self._confirmed.clear()
        self._listeners.end_all()
