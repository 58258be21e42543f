"""What the benchmarks of the whole service share: people who write over the web, what the store says of it, memory.

A person reads their event stream as a page does: it comes back after a break with the id of the last event.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bot.service import RunningService
from bot.settings import PROJECT
from knowledge.locales import Locales

RETRY_SECONDS = 0.5
STREAM_TIMEOUT = httpx.Timeout(5.0, read=60.0)
# What a message may get beside its one answer: word of a delay, and the line about privacy after the first answer.
BESIDE_THE_ANSWER = ("error.try_later", "privacy.first_line")


@dataclass
class Said:
    """One message on its way, and the replies to it that came back, by their ids in the outbox."""

    id: str
    posted_at: float = 0.0
    tries: int = 0
    is_taken: bool = False
    answered_at: float | None = None
    answers: set[int] = field(default_factory=set)

    @property
    def milliseconds(self) -> float | None:
        """From the first POST to the answer on the event stream."""
        return None if self.answered_at is None else (self.answered_at - self.posted_at) * 1000


class WebPerson:
    """Somebody with the chat page open."""

    def __init__(self, client: httpx.AsyncClient, beside: frozenset[str]) -> None:
        self.said: dict[str, Said] = {}
        self.received: Counter[int] = Counter()  # replies by their ids, as often as they came
        self._client = client
        self._beside = beside
        self._headers: dict[str, str] = {}
        self._reader: asyncio.Task[None] | None = None
        self._last_event = ""

    async def open(self) -> None:
        """Begin a conversation and listen."""
        answer = await self._client.post("/api/conversations", json={})
        answer.raise_for_status()
        self._client.cookies.clear()
        self._headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        listening = asyncio.Event()
        self._reader = asyncio.create_task(self._listen(listening))
        await asyncio.wait_for(listening.wait(), 10.0)

    async def say(self, text: str, give_up_after_seconds: float = 60.0) -> None:
        """Send until it is taken, each time with the same id."""
        said = Said(str(uuid.uuid4()), posted_at=time.perf_counter())
        self.said[said.id] = said
        while not said.is_taken and time.perf_counter() - said.posted_at < give_up_after_seconds:
            said.tries += 1
            try:
                answer = await self._client.post(
                    "/api/messages", json={"id": said.id, "text": text}, headers=self._headers
                )
                said.is_taken = answer.status_code == 202
            except httpx.HTTPError:
                pass
            if not said.is_taken:
                await asyncio.sleep(RETRY_SECONDS)

    async def close(self) -> None:
        """Stop listening."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _listen(self, listening: asyncio.Event) -> None:
        while True:
            headers = self._headers | ({"Last-Event-ID": self._last_event} if self._last_event else {})
            try:
                async with self._client.stream("GET", "/api/events", headers=headers, timeout=STREAM_TIMEOUT) as stream:
                    listening.set()
                    name = ""
                    async for line in stream.aiter_lines():
                        if line.startswith("event: "):
                            name = line[7:]
                        elif line.startswith("data: ") and name == "reply":
                            self._take(json.loads(line[6:]))
            except httpx.HTTPError:
                pass
            await asyncio.sleep(RETRY_SECONDS)

    def _take(self, reply: dict[str, Any]) -> None:
        self.received[reply["id"]] += 1
        self._last_event = str(reply["id"])
        said = self.said.get(str(reply["reply_to"]))
        if said is None or reply["text"] in self._beside:
            return
        said.answers.add(reply["id"])
        said.answered_at = said.answered_at or time.perf_counter()


@dataclass(frozen=True)
class StoredMessage:
    """What the store says of one message: its row's status, and its answers in the outbox by their ids."""

    status: str
    conversation: str
    answers: tuple[int, ...]


def beside_texts() -> frozenset[str]:
    """Return the texts, in every language, that come beside an answer and are none."""
    locales = Locales.load(PROJECT / "data")
    return frozenset(locales.t(lang, key) for lang in locales.languages for key in BESIDE_THE_ANSWER)


def open_store(var: Path) -> sqlite3.Connection:
    """Return the message store of a service that may be running, to read from."""
    return sqlite3.connect(f"file:{var / 'zorgbrug.db'}?mode=ro", uri=True)


def stored_messages(var: Path, beside: frozenset[str]) -> dict[str, StoredMessage]:
    """Return what the store holds of each message, by the sender's own id (the update's id of Telegram)."""
    with open_store(var) as store:
        rows = store.execute("select id, external_id, status, conversation_id from inbox").fetchall()
        replies = store.execute("select inbox_id, id, json_extract(reply, '$.text') from outbox").fetchall()
    answers: dict[int, list[int]] = {}
    for inbox_id, outbox_id, text in replies:
        if text not in beside:
            answers.setdefault(inbox_id, []).append(outbox_id)
    return {
        external.rpartition(":")[2]: StoredMessage(status, conversation, tuple(answers.get(identifier, ())))
        for identifier, external, status, conversation in rows
    }


def unfinished(var: Path) -> int:
    """Return how many messages and replies still wait."""
    with open_store(var) as store:
        counts = [
            store.execute(f"select count(*) from {table} where status = 'pending'").fetchone()[0]
            for table in ("inbox", "outbox")
        ]
    return sum(counts)


async def wait_until_quiet(var: Path, most_seconds: float) -> bool:
    """Return whether nothing waited any more within the time; a little is left for what is on the streams."""
    deadline = time.monotonic() + most_seconds
    while await asyncio.to_thread(unfinished, var):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.5)
    await asyncio.sleep(2.0)
    return True


async def weigh(service: RunningService) -> dict[str, int]:
    """Return the memory (PSS) of each process and its children in MB, the sum, and what they wrote of it themselves.

    PSS rises when a neighbour that shared a library ends; `written` (private and dirty) does not.
    """
    pids = service.supervisor.pids()
    weights = {name: await asyncio.to_thread(_megabytes, pid, "Pss") for name, pid in pids.items()}
    written = [await asyncio.to_thread(_megabytes, pid, "Private_Dirty") for pid in pids.values()]
    return {name: round(megabytes) for name, megabytes in weights.items()} | {
        "total": round(sum(weights.values())),
        "written": round(sum(written)),
    }


def _megabytes(session: int, kind: str) -> float:
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[3]) == session:
                lines = (folder / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) / 1024
    return total


def processor_seconds(service: RunningService) -> dict[str, float]:
    """Return what each process and its children have used of the processors."""
    used = dict.fromkeys(service.supervisor.pids().values(), 0.0)
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            if (session := int(fields[3])) in used:
                used[session] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return {name: used[pid] for name, pid in service.supervisor.pids().items()}


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)] if ordered else 0.0


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, p95 and max, rounded to a tenth."""
    return {name: round(percentile(values, share), 1) for name, share in (("median", 0.5), ("p95", 0.95), ("max", 1.0))}


def show_table(rows: Iterable[tuple[str, object]]) -> None:
    """Print two columns."""
    for name, value in rows:
        print(f"  {name:<34} {value}")
