"""Two bots and two Rasa servers on one PostgreSQL and one Redis: it does not matter where a message arrives."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from bot.service import free_ports, process_specs
from bot.settings import Settings
from bot.supervisor import ProcessSpec, Supervisor
from tests.servers import PostgresServer, RedisServer

pytestmark = [pytest.mark.rasa, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

QUESTIONS = (
    "hoe schrijf ik me in bij een huisarts",
    "wat is eigen risico",
    "waar krijg ik een bsn",
    "kan ik zorgtoeslag krijgen",
)


@dataclass
class ScaledOut:
    """Two replicas of everything but the action server."""

    clients: tuple[httpx.AsyncClient, httpx.AsyncClient]
    supervisor: Supervisor
    postgres: PostgresServer
    trackers: str  # the name of Rasa's database

    def people_known_to_rasa(self) -> set[str]:
        return set(self.postgres.sql("SELECT DISTINCT sender_id FROM events", self.trackers).splitlines())


def specs(var: Path, shared: dict[str, str]) -> list[ProcessSpec]:
    """Return one action server, then a Rasa server and a bot for each replica."""
    web_1, web_2, rasa_1, rasa_2, actions = free_ports(5)
    environment = {
        **{f"ZORGBRUG_{name.upper()}": value for name, value in shared.items()},
        "ZORGBRUG_RASA_URL": f"http://127.0.0.1:{rasa_1},http://127.0.0.1:{rasa_2}",
        "ZORGBRUG_ACTIONS_URL": f"http://127.0.0.1:{actions}",
        "ZORGBRUG_TELEGRAM_TOKEN": "",
        "ZORGBRUG_HOST": "127.0.0.1",
    }
    found: list[ProcessSpec] = []
    for number, (web, rasa) in enumerate(((web_1, rasa_1), (web_2, rasa_2)), start=1):
        own = Settings.load(
            _env_file=None, var=var, host="127.0.0.1", port=web, rasa_port=rasa, actions_port=actions, rasa_url="",
            actions_url="", public_url="", **shared,
        )  # fmt: skip
        for spec in process_specs(own):
            if spec.name != "actions" or number == 1:
                settings = {**spec.environment, **environment}
                found.append(ProcessSpec(f"{spec.name}-{number}", spec.command, spec.health_url, settings))
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scaled_out(postgres: PostgresServer, redis_server: RedisServer) -> AsyncIterator[ScaledOut]:
    messages, trackers = postgres.new_database(), postgres.new_database()
    shared = {
        "database_url": postgres.url(messages),
        "rasa_tracker_url": postgres.url(trackers, driver="psycopg2"),
        "redis_url": redis_server.url,
    }
    with tempfile.TemporaryDirectory(prefix="zorgbrug-") as folder:
        var = Path(folder)
        for name in ("models", "snapshots"):
            (var / name).symlink_to((Settings.load(_env_file=None).var / name).resolve())
        wanted = specs(var, shared)
        supervisor = Supervisor(wanted, var / "logs", print)
        await supervisor.start()
        urls = [spec.health_url.removesuffix("/health") for spec in wanted if spec.name.startswith("bot")]
        clients = [httpx.AsyncClient(base_url=url, timeout=10.0, trust_env=False) for url in urls]
        try:
            yield ScaledOut((clients[0], clients[1]), supervisor, postgres, trackers)
        finally:
            for client in clients:
                await client.aclose()
            await supervisor.stop()


async def begin(client: httpx.AsyncClient) -> dict[str, str]:
    """Begin a conversation and return what opens it, at either replica."""
    token = (await client.post("/api/conversations", json={"lang": "nl"})).json()["token"]
    client.cookies.clear()
    return {"Authorization": f"Bearer {token}"}


async def post(client: httpx.AsyncClient, headers: dict[str, str], **content: str) -> str:
    """Send until it is taken, as the page does: with the same id."""
    identifier = str(uuid.uuid4())
    async with asyncio.timeout(60):
        while True:
            try:
                answer = await client.post("/api/messages", json={"id": identifier, **content}, headers=headers)
                if answer.status_code == 202:
                    return identifier
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)


async def hear(
    client: httpx.AsyncClient, headers: dict[str, str], is_last: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """Return the replies of one open stream up to the last one that is waited for."""
    replies: list[dict[str, Any]] = []
    name = ""
    async with asyncio.timeout(60), client.stream("GET", "/api/events", headers=headers, timeout=60) as stream:
        async for line in stream.aiter_lines():
            name = line.removeprefix("event: ") if line.startswith("event: ") else name
            if line.startswith("data: ") and name == "reply":
                replies.append(json.loads(line.removeprefix("data: ")))
                if is_last(replies[-1]):
                    break
    return replies


async def replies(client: httpx.AsyncClient, headers: dict[str, str], wanted: list[str]) -> dict[str, int]:
    """Return how many replies each message has, once each has one."""
    async with asyncio.timeout(90):
        while True:
            try:
                history = (await client.get("/api/history", headers=headers)).json()["messages"]
            except (httpx.HTTPError, KeyError):
                history = []
            # While Rasa starts again, "it may take a moment" may come first.
            found = [e["reply_to"] for e in history if e["from"] == "bot" and e["kind"] in ("answer", "privacy")]
            if set(found) >= set(wanted):
                return {identifier: found.count(identifier) for identifier in wanted}
            await asyncio.sleep(0.3)


async def test_messages_to_either_bot_are_answered_once_on_the_stream_at_the_other(scaled_out: ScaledOut) -> None:
    here, there = scaled_out.clients
    headers = await begin(here)
    asked = len(QUESTIONS) * 2
    answers = itertools.count(1)
    listening = asyncio.create_task(
        hear(there, headers, lambda reply: reply["kind"] == "answer" and next(answers) == asked)
    )
    await asyncio.sleep(0.5)
    sent = [await post((here, there)[index % 2], headers, text=text) for index, text in enumerate(QUESTIONS * 2)]
    assert [reply["reply_to"] for reply in await listening if reply["kind"] == "answer"] == sent
    assert await replies(here, headers, sent) == dict.fromkeys(sent, 1)


async def test_erasing_at_one_bot_deletes_the_tracker_that_both_rasa_servers_share(scaled_out: ScaledOut) -> None:
    here, there = scaled_out.clients
    before = scaled_out.people_known_to_rasa()
    headers = await begin(here)
    sent = [await post(here, headers, text=QUESTIONS[0]), await post(there, headers, payload="delete")]
    await replies(here, headers, sent)
    (person,) = scaled_out.people_known_to_rasa() - before
    listening = asyncio.create_task(hear(there, headers, lambda reply: reply["effect"] == "erase"))
    await asyncio.sleep(0.5)
    await post(here, headers, payload="yes")
    assert (await listening)[-1]["effect"] == "erase"
    async with asyncio.timeout(10):
        while (await there.get("/api/history", headers=headers)).status_code != 401:
            await asyncio.sleep(0.1)
    assert person not in scaled_out.people_known_to_rasa()


@pytest.mark.parametrize("victim", ["bot-1", "rasa-1"])
async def test_killing_a_replica_loses_no_message_and_answers_each_once(scaled_out: ScaledOut, victim: str) -> None:
    here, there = scaled_out.clients
    headers = await begin(there)
    sent = []
    for index, text in enumerate(QUESTIONS * 2):
        sent.append(await post((here, there)[index % 2], headers, text=text))
        if index == 3:
            os.kill(scaled_out.supervisor.pids()[victim], signal.SIGKILL)
    assert await replies(there, headers, sent) == dict.fromkeys(sent, 1)
