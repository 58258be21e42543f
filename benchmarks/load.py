"""Many conversations at once over the web API: is every message answered, once, how soon, and does memory stay flat?

    .venv/bin/python -m benchmarks.load [--conversations 50] [--rate 10] [--minutes 10] [--json result.json]

It starts a service of its own on the loopback, with the real Rasa and the real actions. Messages leave at their hour
whether or not earlier ones have been answered. Times are from the POST to the answer on the event stream.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.traffic import (
    Said,
    StoredMessage,
    WebPerson,
    beside_texts,
    processor_seconds,
    show_table,
    spread,
    stored_messages,
    wait_until_quiet,
    weigh,
)
from benchmarks.web_latency import questions
from bot.service import RunningService, temporary_service
from bot.settings import Settings

WARM_UP_MESSAGES = 20
QUIET_AFTER_SECONDS = 600.0


@dataclass(frozen=True)
class Plan:
    """How much, how fast, how long."""

    conversations: int
    rate: float
    minutes: float

    @property
    def messages(self) -> int:
        """How many messages that makes."""
        return round(self.rate * self.minutes * 60)


async def drive(people: list[WebPerson], plan: Plan) -> None:
    """Send the messages at their times, each person in turn."""
    texts, sending, began = questions(), set[asyncio.Task[None]](), time.perf_counter()
    for number in range(plan.messages):
        await asyncio.sleep(max(0.0, began + number / plan.rate - time.perf_counter()))
        task = asyncio.create_task(people[number % len(people)].say(texts[number % len(texts)]))
        sending.add(task)
        task.add_done_callback(sending.discard)
    await asyncio.gather(*sending)


async def keep_weighing(service: RunningService, weights: list[dict[str, Any]]) -> None:
    """Note the memory every minute, for as long as it is not cancelled."""
    while True:
        await asyncio.sleep(60.0)
        weights.append({"minute": len(weights), **await weigh(service)})


async def measure(service: RunningService, plan: Plan) -> dict[str, Any]:
    """Return everything that was counted."""
    beside = beside_texts()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=service.url, timeout=30.0, limits=limits, trust_env=False) as client:
        people = [WebPerson(client, beside) for _ in range(plan.conversations)]
        await asyncio.gather(*(person.open() for person in people))
        await drive(people, Plan(plan.conversations, 5.0, WARM_UP_MESSAGES / 5 / 60))
        await wait_until_quiet(service.var, QUIET_AFTER_SECONDS)
        for person in people:
            person.said.clear()
        weights = [{"minute": 0, **await weigh(service)}]
        weighing = asyncio.create_task(keep_weighing(service, weights))
        used, began = processor_seconds(service), time.process_time()
        await drive(people, plan)
        weighing.cancel()
        is_quiet = await wait_until_quiet(service.var, QUIET_AFTER_SECONDS)
        used = {name: seconds - used[name] for name, seconds in processor_seconds(service).items()}
        used["benchmark"] = time.process_time() - began
        weights.append({"minute": "end", **await weigh(service)})
        for person in people:
            await person.close()
    said = [item for person in people for item in person.said.values()]
    counted = count(said, stored_messages(service.var, beside))
    twice_on_streams = sum(times > 1 for person in people for times in person.received.values())
    return {
        "plan": {"conversations": plan.conversations, "rate": plan.rate, "minutes": plan.minutes},
        "is_quiet_at_the_end": is_quiet,
        **counted,
        "replies_sent_twice": twice_on_streams,
        "milliseconds": spread([item.milliseconds for item in said if item.milliseconds is not None]),
        "slower_than_1_s": sum((item.milliseconds or 0.0) > 1000 for item in said),
        "processor_milliseconds_a_message": {
            name: round(seconds * 1000 / plan.messages, 1) for name, seconds in used.items()
        },
        "memory_mb": weights,
    }


def count(said: list[Said], stored: dict[str, StoredMessage]) -> dict[str, int]:
    """Return how the messages fared, by the event streams and by the store."""
    found = [stored.get(item.id) for item in said]
    return {
        "sent": len(said),
        "taken": sum(item.is_taken for item in said),
        "tries": sum(item.tries for item in said),
        "answered_on_stream": sum(bool(item.answers) for item in said),
        "answered_twice_on_stream": sum(len(item.answers) > 1 for item in said),
        "answered_in_store": sum(item is not None and item.status == "done" and bool(item.answers) for item in found),
        "answered_twice_in_store": sum(item is not None and len(item.answers) > 1 for item in found),
        "set_aside": sum(item is not None and item.status == "failed" for item in found),
        "still_waiting": sum(item is not None and item.status == "pending" for item in found),
        "lost": sum(
            not one.answers and (two is None or (not two.answers and two.status != "pending"))
            for one, two in zip(said, found, strict=True)
        ),
    }


def show(result: dict[str, Any]) -> None:
    """Print the table."""
    times = result["milliseconds"]
    names = ("sent", "taken", "answered_on_stream", "answered_in_store", "answered_twice_on_stream")
    names += ("answered_twice_in_store", "replies_sent_twice", "set_aside", "still_waiting", "lost", "slower_than_1_s")
    show_table((name.replace("_", " "), result[name]) for name in names)
    show_table([("latency", f"median {times['median']} ms, p95 {times['p95']} ms, max {times['max']} ms")])
    used = ", ".join(f"{name} {value}" for name, value in result["processor_milliseconds_a_message"].items())
    show_table([("processor time a message (ms)", used)])
    for weight in result["memory_mb"]:
        parts = ", ".join(f"{name} {megabytes}" for name, megabytes in weight.items() if name != "minute")
        show_table([(f"memory (PSS, MB), minute {weight['minute']}", parts)])


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=50)
    parser.add_argument("--rate", type=float, default=10.0, help="messages a second, all conversations together")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    async with temporary_service(Settings.load(_env_file=None), print) as service:
        result = await measure(service, Plan(options.conversations, options.rate, options.minutes))
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
