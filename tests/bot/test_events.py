"""The event bus: who listens hears everything once and in order, and whoever does not read is let go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.events import MOST_WAITING_EVENTS, Bus, Events, LocalBus, make_bus
from bot.redis_bus import RedisBus
from tests.servers import RedisServer, Wire


@pytest.fixture
async def wire(redis_server: RedisServer) -> AsyncIterator[Wire]:
    async with Wire(redis_server.port) as wire:
        yield wire


@pytest.fixture
async def replicas(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Bus, Bus]]:
    """Two processes' buses on one Redis."""
    monkeypatch.setattr("bot.redis_bus.SILENCE_SECONDS", 0.3)
    monkeypatch.setattr("bot.redis_bus.PAUSE_SECONDS", 0.05)
    buses = (make_bus(f"redis://127.0.0.1:{wire.port}/0"), make_bus(f"redis://127.0.0.1:{wire.port}/0"))
    for bus in buses:
        await bus.start()
    yield buses
    for bus in buses:
        await bus.close()


async def heard(queue: Events, count: int) -> list[object]:
    async with asyncio.timeout(5):
        return [await queue.get() for _ in range(count)]


async def published(bus: Bus, topic: str) -> int:
    """Publish once the bus is back."""
    async with asyncio.timeout(5):
        while (reached := await bus.publish(topic, {"after": True})) is None:
            await asyncio.sleep(0.02)
    return reached


async def test_everybody_on_a_topic_hears_what_is_published_and_nobody_else() -> None:
    bus = LocalBus()
    async with bus.listening("case:1") as first, bus.listening("case:1") as second, bus.listening("case:2") as other:
        assert await bus.publish("case:1", {"number": 1}) == 2
        assert await bus.publish("case:1", {"number": 2}) == 2
        assert [first.get_nowait(), first.get_nowait()] == [{"number": 1}, {"number": 2}]
        assert second.qsize() == 2
        assert other.empty()
    assert await bus.publish("case:1", {"number": 3}) == 0


async def test_a_listener_that_does_not_read_is_ended_after_what_fits() -> None:
    bus = LocalBus()
    async with bus.listening("cases") as queue:
        reached = [await bus.publish("cases", {"number": number}) for number in range(MOST_WAITING_EVENTS + 2)]
        assert reached == [1] * MOST_WAITING_EVENTS + [0, 0]
        heard = [queue.get_nowait() for _ in range(queue.qsize())]
    assert heard == [*({"number": number} for number in range(MOST_WAITING_EVENTS)), None]


async def test_closing_ends_every_listener() -> None:
    bus = LocalBus()
    async with bus.listening("cases") as queue:
        await bus.close()
        assert queue.get_nowait() is None
        assert await bus.publish("cases", {}) == 0


async def test_without_an_address_of_redis_the_bus_stays_within_the_process() -> None:
    assert isinstance(make_bus(""), LocalBus)
    assert isinstance(make_bus("redis://127.0.0.1/0"), RedisBus)


async def test_over_redis_another_process_hears_all_from_the_moment_it_listens(replicas: tuple[Bus, Bus]) -> None:
    here, there = replicas
    assert await here.publish("case:1", {"number": 0}) == 0
    async with there.listening("case:1") as queue, there.listening("case:2") as other:
        for number in range(100):
            assert await here.publish("case:1", {"number": number, "text": "Где"}) == 1
        assert await heard(queue, 100) == [{"number": number, "text": "Где"} for number in range(100)]
        async with here.listening("case:1") as own, there.listening("case:1") as second:
            assert await here.publish("case:1", {"last": True}) == 2
            for listener in (queue, own, second):
                assert await heard(listener, 1) == [{"last": True}]
        assert other.empty()
    await asyncio.sleep(0.1)
    assert await here.publish("case:1", {}) == 0


async def test_over_redis_many_may_come_and_go_on_one_topic(replicas: tuple[Bus, Bus]) -> None:
    here, there = replicas

    async def come_and_go() -> None:
        for _ in range(10):
            async with there.listening("cases") as queue:
                assert await here.publish("cases", {}) == 1
                assert (await heard(queue, 1)) == [{}]

    await asyncio.gather(*(come_and_go() for _ in range(8)))
    await asyncio.sleep(0.1)
    assert await here.publish("cases", {}) == 0


@pytest.mark.parametrize("trouble", ["cut", "frozen"])
async def test_who_may_have_missed_something_is_ended_and_may_listen_again(
    replicas: tuple[Bus, Bus], wire: Wire, trouble: str
) -> None:
    here, there = replicas
    async with there.listening("cases") as queue:
        if trouble == "cut":
            await wire.cut()
        else:
            wire.freeze()
        assert await heard(queue, 1) == [None]
        started = time.monotonic()
        assert await here.publish("cases", {}) is None
        async with there.listening("cases") as ended:
            assert await heard(ended, 1) == [None]
        assert time.monotonic() - started < 3
    if trouble == "cut":
        await wire.mend()
    else:
        wire.thaw()
    await published(there, "cases")
    async with there.listening("cases") as queue:
        assert await published(here, "cases") == 1
        assert await heard(queue, 1) == [{"after": True}]


async def test_a_redis_that_starts_later_is_waited_for(redis_server: RedisServer) -> None:
    wire = Wire(redis_server.port)
    await wire.mend()
    await wire.cut()
    bus = RedisBus(f"redis://127.0.0.1:{wire.port}/0")
    await bus.start()
    assert await bus.publish("cases", {}) is None
    await wire.mend()
    assert await published(bus, "cases") == 0
    await bus.close()
    await wire.cut()
