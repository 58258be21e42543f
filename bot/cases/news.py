"""Tells open consoles that a case has changed; what changed they read from the store."""

from __future__ import annotations

from bot.events import Bus

QUEUE_TOPIC = "cases"


def topic_of(case: int) -> str:
    """Return the topic of the event bus on which a case's news travels."""
    return f"case:{case}"


async def tell_typing(bus: Bus, case: int) -> None:
    """Publish to who has the case open that the person is writing."""
    await bus.publish(topic_of(case), {"typing": True})


async def tell_consoles(bus: Bus, case: int) -> None:
    """Publish that a case has changed, for the queue and for who has it open."""
    await bus.publish(QUEUE_TOPIC, {"case": case})
    await bus.publish(topic_of(case), {"case": case})
