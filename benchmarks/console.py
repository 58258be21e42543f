"""How quick the staff's console is on a large store, and how soon each side reads what the other wrote.

    .venv/bin/python -m benchmarks.console [--cases 5000] [--messages 200000] [--requests 30] [--json result.json]

A bot of its own on a store filled beforehand; a stand-in answers for Rasa, which has no part in what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sqlite3
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from benchmarks.traffic import show_table, spread
from bot.app import Bot, Content, create_app
from bot.settings import PROJECT, Settings
from bot.staff.accounts import AccountPolicy, Accounts
from bot.store.engine import Store
from bot.store.sealing import Sealer
from tests.bot.fakes import FakeRasa, serving

PASSWORD = "klaproos fiets regenboog"
LANGS = ("pl", "ro", "bg", "uk", "ar", "tr", "en")
LONG_CASE_SHARE = 50  # the first case has one message in this many of all
INBOX = "insert into inbox (conversation_id, channel, external_id, content, lang, received_at, status, attempts, "
INBOX += "next_attempt_at, case_id) values (?, 'web', ?, ?, ?, ?, 'done', 0, ?, ?)"
OUTBOX = "insert into outbox (conversation_id, reply, is_urgent, created_at, status, attempts, next_attempt_at, "
OUTBOX += "case_id) values (?, ?, 0, ?, 'done', 0, ?, ?)"
CONVERSATION = "insert into conversation (id, channel, address, address_sealed, lang, is_lang_chosen, created_at, "
CONVERSATION += "last_at, is_with_human, is_privacy_shown) values (?, 'web', ?, ?, ?, 0, ?, ?, 0, 1)"
CASE = "insert into support_case (id, conversation_id, request_id, reason, place, lang, channel, has_consent, "
CASE += "is_urgent, is_inside_hours, desk, status, opened_at, waiting_since, told_at) "
CASE += "values (?, ?, ?, 'asked', 'Breda', ?, 'web', 1, ?, 1, ?, 'waiting', ?, ?, ?)"
ADDRESSES_SEALED = 200  # sealing is slow; the same few do for all


def fill(database: Path, sealer: Sealer, desks: tuple[str, ...], cases: int, messages: int) -> None:
    """Put in open cases, each with its conversation, and the messages: half by the person, half replies."""
    chance, now = random.Random(1), datetime.now(UTC)
    long_case = messages // LONG_CASE_SHARE
    pairs = [long_case // 2] + [(messages - long_case) // 2 // max(1, cases - 1)] * (cases - 1)
    sealed = [sealer.seal(uuid.uuid4().hex) for _ in range(ADDRESSES_SEALED)]

    def stamp(minutes_ago: float) -> str:
        return (now - timedelta(minutes=minutes_ago)).replace(tzinfo=None).isoformat(" ")

    def of_each_case() -> Iterator[tuple[int, str, str]]:
        for number in range(1, cases + 1):
            yield number, f"c{number:031d}", LANGS[number % len(LANGS)]

    with sqlite3.connect(database) as store:
        store.executemany(
            CONVERSATION,
            (
                (name, uuid.uuid4().hex, sealed[number % len(sealed)], lang, stamp(9000), stamp(5))
                for number, name, lang in of_each_case()
            ),
        )
        store.executemany(
            CASE,
            (
                (
                    *(number, name, f"r{number}", lang, chance.random() < 0.02, desks[number % len(desks)]),
                    *(stamp(started := chance.uniform(10, 5000)), stamp(started), stamp(0)),
                )
                for number, name, lang in of_each_case()
            ),
        )
        for number, name, lang in of_each_case():
            moments = [stamp(9000 - 8000 * step / pairs[number - 1]) for step in range(pairs[number - 1])]
            said = json.dumps({"kind": "text", "text": "Jak zapisać się do lekarza rodzinnego? " * 3})
            reply = {
                "kind": "answer",
                "lang": lang,
                "text": "1. Zadzwoń do przychodni.\n" * 20,
                "article": "gp-register",
            }
            store.executemany(
                INBOX, ((name, f"{name}:{step}", said, lang, at, at, None) for step, at in enumerate(moments))
            )
            store.executemany(OUTBOX, ((name, json.dumps(reply), at, at, None) for at in moments))


async def hire(bot: Bot, settings: Settings, role: str, desks: tuple[str, ...]) -> str:
    """Make an account; return its address."""
    accounts = Accounts(bot.store, bot.sealer, AccountPolicy.of(settings))
    email = f"{role}@win.example"
    token = await accounts.invite(email, f"Benchmark {role.title()}", role, desks, ["pl"])
    await accounts.accept_invitation(token, PASSWORD)
    return email


@asynccontextmanager
async def logged_in(url: str, email: str) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """Yield a browser of somebody who is logged in, and what their forms carry."""
    async with httpx.AsyncClient(base_url=url, timeout=60.0, trust_env=False, follow_redirects=True) as browser:
        answer = await browser.post("/console/login", data={"email": email, "password": PASSWORD})
        answer.raise_for_status()
        found = re.search(r'data-form-token="(\w+)"', answer.text)
        assert found is not None
        yield browser, found[1]


async def time_page(browser: httpx.AsyncClient, path: str, requests: int) -> dict[str, float]:
    """Return the spread of the milliseconds that a page takes, one request at a time."""
    times = []
    for _ in range(requests):
        began = time.perf_counter()
        (await browser.get(path)).raise_for_status()
        times.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.05)
    return spread(times)


class Stream:
    """An event stream that is read as it comes, with the time of each event."""

    def __init__(self, browser: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
        self._events: asyncio.Queue[tuple[float, str, dict[str, Any]]] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read(browser, path, headers))

    async def wait_for(self, is_it: Callable[[str, dict[str, Any]], bool]) -> float:
        """Return when the first such event came."""
        async with asyncio.timeout(20.0):
            while True:
                at, name, data = await self._events.get()
                if is_it(name, data):
                    return at

    def forget(self) -> None:
        """Pass over what has come so far."""
        while not self._events.empty():
            self._events.get_nowait()

    async def close(self) -> None:
        """Stop reading."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self, browser: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
        name = ""
        async with browser.stream("GET", path, headers=headers, timeout=None) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    self._events.put_nowait((time.perf_counter(), name, json.loads(line[6:])))


async def time_relay(url: str, bot: Bot, token: str, rasa: FakeRasa, worker: str, times: int) -> dict[str, Any]:
    """Return how long a worker's reply takes to the person's page, and a person's message to the console."""
    to_person, to_console, to_page = [], [], []
    async with (
        httpx.AsyncClient(base_url=url, timeout=20.0, trust_env=False) as page,
        logged_in(url, worker) as (browser, form_token),
    ):
        begun = (await page.post("/api/conversations", json={"lang": "pl"})).json()
        theirs = {"Authorization": f"Bearer {begun['token']}"}
        on_page = Stream(page, "/api/events", theirs)
        await page.post("/api/messages", json={"id": "first", "text": "Dzień dobry, potrzebuję pomocy"}, headers=theirs)
        await on_page.wait_for(lambda name, data: name == "reply")
        asked = {"conversation": rasa.received[-1]["sender"], "message_id": "m1", "reason": "asked", "lang": "pl"}
        asked |= {"consent": True, "place": "Breda"}
        answer = await page.post("/internal/escalations", json=asked, headers={"Authorization": f"Bearer {token}"})
        case = answer.json()["id"]
        form = {"form_token": form_token}
        (await browser.post(f"/console/cases/{case}/claim", data=form)).raise_for_status()
        on_console = Stream(browser, f"/console/events?case={case}", {})
        await on_console.wait_for(lambda name, data: name == "here")
        for number in range(times):
            await asyncio.sleep(0.3)
            text, began = f"Odpowiedź {number}", time.perf_counter()
            sending = asyncio.create_task(
                browser.post(
                    f"/console/cases/{case}/reply",
                    data={**form, "text": text, "lang": "pl"},
                    headers={"Accept": "application/json"},
                )
            )
            arrived = await on_page.wait_for(lambda name, data, text=text: data.get("text") == text)
            to_person.append((arrived - began) * 1000)
            (await sending).raise_for_status()
            await asyncio.sleep(0.3)
            on_console.forget()
            text, began = f"Pytanie numer {number}", time.perf_counter()
            sending = asyncio.create_task(
                page.post("/api/messages", json={"id": f"m{number}", "text": text}, headers=theirs)
            )
            to_console.append((await on_console.wait_for(lambda name, data: name == "changed") - began) * 1000)
            part = await browser.get(f"/console/cases/{case}/part")
            assert text in part.text, "the console was told, and the message is not there"
            to_page.append((time.perf_counter() - began) * 1000)
            (await sending).raise_for_status()
        await on_page.close()
        await on_console.close()
    return {
        "worker_to_person": spread(to_person),
        "person_to_console_event": spread(to_console),
        "person_to_console_shown": spread(to_page),
    }


async def measure(options: argparse.Namespace, folder: Path, rasa: FakeRasa) -> dict[str, Any]:
    """Return everything that was timed, in milliseconds."""
    content = Content.load(PROJECT / "data")
    settings = Settings.load(
        _env_file=None,
        var=folder,
        rasa_url=rasa.url,
        actions_url=rasa.url,
        messages_per_minute=100_000,
        telegram_token=None,
        totp_required_for_supervisors=False,
        log_level="WARNING",
    )
    store = Store(settings.store_url)
    await store.migrate()
    await store.close()
    began = time.perf_counter()
    database = folder / "zorgbrug.db"
    await asyncio.to_thread(
        fill, database, settings.secrets.sealer(), content.case_notices.desks.ids, options.cases, options.messages
    )
    print(f"store filled in {time.perf_counter() - began:.0f} s: {database.stat().st_size / 2**20:.0f} MiB")
    app = create_app(settings, content)
    bot: Bot = app.state.bot
    async with serving(app) as url:
        admin = await hire(bot, settings, "admin", ())
        worker = await hire(bot, settings, "worker", ("win-breda",))
        pages = {}
        async with logged_in(url, admin) as (browser, _):
            for name, path in (
                ("queue of all desks", "/console/"),
                ("queue, last page", f"/console/?page={max(1, options.cases // 50)}"),
                ("queue, one language", "/console/queue?lang=pl"),
                ("case of ordinary length", "/console/cases/2"),
                ("longest case", "/console/cases/1"),
                ("figures", "/console/figures"),
                ("conversations", "/console/conversations"),
            ):
                pages[name] = await time_page(browser, path, options.requests)
        async with logged_in(url, worker) as (browser, _):
            pages["queue of one desk"] = await time_page(browser, "/console/", options.requests)
        relay = await time_relay(url, bot, settings.secrets.internal_token, rasa, worker, options.requests)
    return {"cases": options.cases, "messages": options.messages, "pages": pages, "relay": relay}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--requests", type=int, default=30)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    rasa = FakeRasa()
    await rasa.start()
    with tempfile.TemporaryDirectory(prefix="zorgbrug-") as name:
        folder = Path(name)
        (folder / "snapshots").symlink_to((Settings.load(_env_file=None).var / "snapshots").resolve())
        result = await measure(options, folder, rasa)
    await rasa.stop()
    for table in (result["pages"], result["relay"]):
        show_table(
            (name.replace("_", " "), f"median {times['median']} ms, p95 {times['p95']} ms, max {times['max']} ms")
            for name, times in table.items()
        )
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
