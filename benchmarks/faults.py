"""Processes die at random under load: does every message have its effect once, and does every reply arrive?

    .venv/bin/python -m benchmarks.faults [--rate 2] [--minutes 5] [--pause 10-20] [--seed 1] [--json result.json]

Three of five conversations write over the web, two over a Telegram stand-in on the loopback. The bot, Rasa or the
action server is killed with -9 every few seconds, in an order and at pauses that the seed decides. Pauses are long
enough that Rasa, which starts in 10 seconds or more, is up for some of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.traffic import (
    StoredMessage,
    WebPerson,
    beside_texts,
    open_store,
    show_table,
    stored_messages,
    unfinished,
    wait_until_quiet,
)
from benchmarks.web_latency import questions
from bot.channels.telegram_text import render_parts
from bot.service import RunningService, temporary_service
from bot.settings import Settings
from knowledge.replies import Reply
from tests.bot.bot_api_server import TOKEN, BotApiServer, bot_api_server

PROCESSES = ("bot", "rasa", "actions")
FIRST_CHAT = 5000
QUIET_AFTER_SECONDS = 300.0


@dataclass
class TelegramPerson:
    """Somebody in a private chat with the Telegram stand-in."""

    server: BotApiServer
    chat: int
    updates: list[int] = field(default_factory=list)

    async def say(self, text: str) -> None:
        """Send a message; Telegram keeps it until the bot confirms it."""
        theirs = {"chat": {"id": self.chat, "type": "private"}}
        theirs["from"] = {"id": self.chat, "is_bot": False, "first_name": "Ania", "language_code": "pl"}
        self.updates.append(await self.server.say(text, **theirs))


def victims(seed: int) -> Iterator[str]:
    """Yield processes at random; in every three each has its turn, so that all are hit about as often."""
    chance = random.Random(seed)
    while True:
        yield from chance.sample(PROCESSES, len(PROCESSES))


async def keep_killing(
    service: RunningService, seed: int, pause: tuple[float, float], kills: list[tuple[float, str]]
) -> None:
    """Kill one after the other until cancelled."""
    chance, began = random.Random(seed + 1), time.perf_counter()
    for name in victims(seed):
        await asyncio.sleep(chance.uniform(*pause))
        try:
            os.kill(service.supervisor.pids()[name], signal.SIGKILL)
        except ProcessLookupError:
            continue  # it is down already, and about to be started again
        kills.append((round(time.perf_counter() - began, 1), name))


async def drive(people: list[WebPerson | TelegramPerson], rate: float, minutes: float) -> None:
    """Send the messages at their times, each person in turn."""
    texts, sending, began = questions(), [], time.perf_counter()
    for number in range(round(rate * minutes * 60)):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        sending.append(asyncio.create_task(people[number % len(people)].say(texts[number % len(texts)])))
    await asyncio.gather(*sending)


async def until_ready(client: httpx.AsyncClient, most_seconds: float = 120.0) -> None:
    """Return once every part answers."""
    async with asyncio.timeout(most_seconds):
        while True:
            try:
                if (await client.get("/ready")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.5)


def check_effects(identifiers: list[str], stored: dict[str, StoredMessage]) -> dict[str, int]:
    """Return how many messages have exactly one stored effect, and what the others have."""
    found = [stored.get(identifier) for identifier in identifiers]
    return {
        "messages": len(identifiers),
        "exactly_one_effect": sum(
            item is not None and item.status == "done" and len(item.answers) == 1 for item in found
        ),
        "not_stored": sum(item is None for item in found),
        "no_answer": sum(item is not None and not item.answers for item in found),
        "more_than_one_answer": sum(item is not None and len(item.answers) > 1 for item in found),
        "set_aside": sum(item is not None and item.status == "failed" for item in found),
        "still_waiting": sum(item is not None and item.status == "pending" for item in found),
    }


def check_web(people: list[WebPerson], conversations: set[str], var: Path) -> dict[str, int]:
    """Return how often the replies of the web conversations reached their event streams."""
    received: Counter[int] = sum((person.received for person in people), Counter())
    with open_store(var) as store:
        replies = {row[0] for row in store.execute("select id, conversation_id from outbox") if row[1] in conversations}
    return {
        "replies": len(replies),
        "never_arrived": len(replies - received.keys()),
        "arrived_again": sum(times - 1 for times in received.values()),
    }


def check_telegram(
    people: list[TelegramPerson], stored: dict[str, StoredMessage], server: BotApiServer, var: Path
) -> dict[str, int]:
    """Return how often the parts of the replies reached their chats."""
    chats = {stored[str(person.updates[0])].conversation: person.chat for person in people if person.updates}
    wanted: defaultdict[int, Counter[str]] = defaultdict(Counter)
    with open_store(var) as store:
        for conversation, reply in store.execute("select conversation_id, reply from outbox"):
            if conversation in chats:
                wanted[chats[conversation]].update(render_parts(Reply.model_validate_json(reply)))
    sent: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for body in server.sent():
        sent[int(body["chat_id"])][str(body["text"])] += 1
    return {
        "replies": sum(parts.total() for parts in wanted.values()),
        "never_arrived": sum((wanted[chat] - sent[chat]).total() for chat in wanted),
        "arrived_again": sum((sent[chat] - wanted[chat]).total() for chat in sent),
    }


async def measure(
    service: RunningService, server: BotApiServer, options: argparse.Namespace, pause: tuple[float, float]
) -> dict[str, Any]:
    """Return everything that was counted."""
    beside, kills = beside_texts(), list[tuple[float, str]]()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=service.url, timeout=10.0, limits=limits, trust_env=False) as client:
        on_telegram = [TelegramPerson(server, FIRST_CHAT + number) for number in range(options.conversations * 2 // 5)]
        on_web = [WebPerson(client, beside) for _ in range(options.conversations - len(on_telegram))]
        await asyncio.gather(*(person.open() for person in on_web))
        mixed = [person for pair in itertools.zip_longest(on_web, on_telegram) for person in pair if person]
        killing = asyncio.create_task(keep_killing(service, options.seed, pause, kills))
        await drive(mixed, options.rate, options.minutes)
        killing.cancel()
        ended = time.perf_counter()
        await until_ready(client)
        is_quiet = await wait_until_quiet(service.var, QUIET_AFTER_SECONDS)
        quiet_after = round(time.perf_counter() - ended, 1)
        for person in on_web:
            await person.close()
    stored = stored_messages(service.var, beside)
    identifiers = [item for person in on_web for item in person.said]
    identifiers += [str(update) for person in on_telegram for update in person.updates]
    on_streams = {stored[item].conversation for person in on_web for item in person.said if item in stored}
    web = check_web(on_web, on_streams, service.var)
    telegram = check_telegram(on_telegram, stored, server, service.var)
    return {
        "plan": {name: getattr(options, name) for name in ("conversations", "rate", "minutes", "pause", "seed")},
        "kills": kills,
        "killed": Counter(name for _, name in kills),
        "is_quiet_at_the_end": is_quiet,
        "quiet_after_seconds": quiet_after,
        "unfinished": unfinished(service.var),
        "effects": check_effects(identifiers, stored),
        "posts_tried_again": sum(said.tries - 1 for person in on_web for said in person.said.values()),
        "web": web,
        "telegram": telegram,
        "share_of_duplicates": round(
            (web["arrived_again"] + telegram["arrived_again"]) / max(1, web["replies"] + telegram["replies"]), 5
        ),
    }


def show(result: dict[str, Any]) -> None:
    """Print the table."""
    show_table([("killed", ", ".join(f"{name} {times}" for name, times in sorted(result["killed"].items())))])
    show_table([("quiet again after", f"{result['quiet_after_seconds']} s")])
    show_table((name.replace("_", " "), value) for name, value in result["effects"].items())
    show_table([("posts tried again", result["posts_tried_again"])])
    for channel in ("web", "telegram"):
        counts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in result[channel].items())
        show_table([(channel, counts)])
    show_table([("share of duplicates", f"{result['share_of_duplicates']:.3%}")])


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=50)
    parser.add_argument("--rate", type=float, default=2.0, help="messages a second, all conversations together")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--pause", default="10-20", help="seconds between kills, at least and at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    shortest, _, longest = options.pause.partition("-")
    async with bot_api_server() as server:
        environment = {"ZORGBRUG_TELEGRAM_TOKEN": TOKEN, "ZORGBRUG_TELEGRAM_API_URL": server.url}
        async with temporary_service(Settings.load(_env_file=None), print, environment) as service:
            result = await measure(service, server, options, (float(shortest), float(longest or shortest)))
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
