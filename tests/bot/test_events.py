"""The event bus: who listens hears everything once and in order, and whoever does not read is let go."""

from __future__ import annotations

from bot.events import MOST_WAITING_EVENTS, LocalBus


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
