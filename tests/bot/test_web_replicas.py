"""The chat page with two bots behind one address: it does not matter which of them a request reaches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from bot.app import Content, create_app
from bot.settings import Settings
from knowledge.replies import Reply
from tests.bot.fakes import FakeRasa, serving
from tests.bot.test_web_api import ask, read_events
from tests.servers import PostgresServer, RedisServer, Wire

Clients = tuple[httpx.AsyncClient, httpx.AsyncClient]


@pytest.fixture
async def wire(redis_server: RedisServer) -> AsyncIterator[Wire]:
    async with Wire(redis_server.port) as wire:
        yield wire


@pytest.fixture
async def clients(
    settings: Settings, content: Content, postgres: PostgresServer, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Clients]:
    monkeypatch.setattr("bot.redis_bus.PAUSE_SECONDS", 0.05)
    monkeypatch.setattr("bot.channels.web.RETRY_BUS_SECONDS", 0.1)
    shared = {
        "database_url": postgres.url(postgres.new_database()),
        "redis_url": f"redis://127.0.0.1:{wire.port}/0",
        "messages_per_minute": 10_000,
    }
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(2):
            url = await stack.enter_async_context(serving(create_app(settings.model_copy(update=shared), content)))
            client = httpx.AsyncClient(base_url=url, timeout=15.0, trust_env=False)
            opened.append(await stack.enter_async_context(client))
        yield opened[0], opened[1]


async def begin(client: httpx.AsyncClient) -> str:
    token = str((await client.post("/api/conversations")).json()["token"])
    client.cookies.clear()
    return token


async def test_a_page_hears_each_answer_once_whichever_replica_took_the_message(clients: Clients) -> None:
    token = await begin(clients[0])
    listening = [asyncio.create_task(read_events(client, token, 10)) for client in clients]
    await asyncio.sleep(0.2)
    for number in range(10):
        answer = await ask(clients[number % 2], token, str(number), text=f"How do I find a doctor? {number}")
        assert answer.status_code == 202
    for events in await asyncio.gather(*listening):
        assert [data["reply_to"] for _, _, data in events] == [str(number) for number in range(10)]
        assert len({identifier for _, identifier, _ in events}) == 10


async def test_the_last_word_of_an_erasure_reaches_the_page_at_the_other_replica(
    clients: Clients, rasa: FakeRasa
) -> None:
    rasa.answer = lambda message: [Reply(kind="privacy", lang="en", text="It is done.", effect="erase")]
    token = await begin(clients[0])
    listening = asyncio.create_task(read_events(clients[1], token, 1))
    await asyncio.sleep(0.2)
    await ask(clients[0], token, payload="yes")
    assert (await listening)[0][2]["effect"] == "erase"
    async with asyncio.timeout(5):
        while (await clients[1].get("/api/history", headers={"Authorization": f"Bearer {token}"})).status_code != 401:
            await asyncio.sleep(0.05)


async def test_while_redis_is_away_a_page_that_comes_back_finds_its_answers_and_later_hears_again(
    clients: Clients, wire: Wire
) -> None:
    token = await begin(clients[0])
    await ask(clients[0], token, "1", text="How do I find a doctor? 1")
    await read_events(clients[1], token, 1)
    await wire.cut()
    await ask(clients[0], token, "2", text="How do I find a doctor? 2")
    async with asyncio.timeout(5):
        while len(events := await read_events(clients[1], token, 2)) < 2:
            await asyncio.sleep(0.1)
    assert [data["reply_to"] for _, _, data in events] == ["1", "2"]
    await wire.mend()
    await asyncio.sleep(0.5)
    listening = asyncio.create_task(read_events(clients[1], token, 1, **{"Last-Event-ID": events[-1][1]}))
    await asyncio.sleep(0.2)
    await ask(clients[0], token, "3", text="How do I find a doctor? 3")
    assert (await listening)[0][2]["reply_to"] == "3"
