"""Several bot processes on one PostgreSQL: each message is answered once and in order, whoever works on it."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable

import pytest
from sqlalchemy import select

from bot.app import Bot, Content
from bot.channels.base import IncomingMessage, Text
from bot.settings import Settings
from bot.store.engine import Store
from bot.store.leases import NoLeases, SharedLeases, leases_of
from bot.store.models import Inbox, Outbox
from tests.bot.fakes import FakeRasa, KeepingChannel
from tests.servers import PostgresServer, Wire

PEOPLE, EACH = 30, 10


@pytest.fixture
async def stores(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Store, Store]]:
    monkeypatch.setattr("bot.store.leases.LEASE_SECONDS", 1.0)
    url = postgres.url(postgres.new_database())
    stores = (Store(url), Store(url))
    await stores[0].migrate()
    yield stores
    for store in stores:
        await store.close()


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not shorter: the replicas share one event loop here, so a renewal may come late.
    monkeypatch.setattr("bot.store.leases.LEASE_SECONDS", 4.0)


@pytest.fixture
async def replicas(
    settings: Settings,
    content: Content,
    channel: KeepingChannel,
    rasa: FakeRasa,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[list[Bot]]:
    monkeypatch.setattr("bot.app.SWEEP_SECONDS", 0.5)
    rasa.delay_seconds = 0.02
    shared = {"database_url": postgres.url(postgres.new_database()), "messages_per_minute": 100_000}
    bots = [Bot(settings.model_copy(update=shared), content) for _ in range(3)]
    for bot in bots:
        bot.channels[channel.name] = channel
        await bot.start()
    yield bots
    for bot in bots:
        await bot.stop()


def a_message(person: int, number: int) -> IncomingMessage:
    return IncomingMessage(
        channel="test", address=f"person-{person}", external_id=f"{person}-{number}",
        content=Text(text=f"How do I find a doctor? {number}"),
    )  # fmt: skip


async def crash(bot: Bot) -> None:
    """End a bot as a killed process ends: nothing is finished, given back or told to anybody."""
    abandoned = SharedLeases(bot.store)
    bot.leases.held = abandoned.held  # type: ignore[method-assign]

    async def nothing(*_: object) -> None:
        await asyncio.Event().wait()

    bot.leases._give_back = nothing  # type: ignore[attr-defined]
    bot.leases._renewing.cancel()  # type: ignore[attr-defined]
    for task in [*bot._sweeping, *bot.inbox._lanes._lanes.values(), *bot.outbox._lanes._lanes.values()]:
        task.cancel()
    bot.inbox.wake = bot.outbox.wake = lambda conversation: None  # type: ignore[method-assign]
    await asyncio.sleep(0)


async def answered(store: Store, count: int, seconds: float) -> None:
    """Return once so many messages are done and every reply is delivered."""
    async with asyncio.timeout(seconds):
        while True:
            done = await store.read(lambda session: session.scalars(select(Inbox.status)))
            out = await store.read(lambda session: session.scalars(select(Outbox.status)))
            if [*done].count("done") == count and "pending" not in [*out]:
                return
            await asyncio.sleep(0.1)


def answers(channel: KeepingChannel) -> dict[str, list[int]]:
    """Return the numbers of the answered messages by person, as they came."""
    found: dict[str, list[int]] = defaultdict(list)
    for message in channel.delivered:
        if message.reply.text.startswith("echo: "):
            found[message.address].append(int(message.reply.text.split()[-1]))
    return found


def without_repeats(numbers: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(numbers))


async def test_messages_that_come_to_any_replica_are_answered_once_and_in_order(
    replicas: list[Bot], channel: KeepingChannel, rasa: FakeRasa
) -> None:
    chance = random.Random(7)

    async def talk(person: int) -> None:
        for number in range(EACH):
            await chance.choice(replicas).core.accept(a_message(person, number))

    await asyncio.gather(*(talk(person) for person in range(PEOPLE)))
    await answered(replicas[0].store, PEOPLE * EACH, seconds=60)
    assert answers(channel) == {f"person-{person}": [*range(EACH)] for person in range(PEOPLE)}
    assert len(rasa.received) == PEOPLE * EACH


async def test_when_a_replica_dies_the_others_take_up_its_work_and_nothing_is_lost(
    short_leases: None, replicas: list[Bot], channel: KeepingChannel, rasa: FakeRasa
) -> None:
    chance = random.Random(7)
    alive = list(replicas)
    accepted = 0

    async def talk(person: int) -> None:
        nonlocal accepted
        for number in range(EACH):
            await chance.choice(alive).core.accept(a_message(person, number))
            accepted += 1
            if accepted == PEOPLE * EACH // 2:
                await crash(alive.pop())

    await asyncio.gather(*(talk(person) for person in range(PEOPLE)))
    await answered(replicas[0].store, PEOPLE * EACH, seconds=60)
    found = answers(channel)
    # What was on its way as the replica died may come again, under the same id; the order holds all the same.
    assert {person: without_repeats(numbers) for person, numbers in found.items()} == {
        f"person-{person}": [*range(EACH)] for person in range(PEOPLE)
    }
    written = await replicas[0].store.read(lambda session: session.scalars(select(Outbox.reply_to)))
    assert len(set(written)) == PEOPLE * EACH
    assert sum(map(len, found.values())) <= PEOPLE * EACH + 16  # as many as one replica delivers at once


async def test_one_process_at_a_time_has_a_lease_and_the_next_gets_it_when_it_is_given_back(
    stores: tuple[Store, Store],
) -> None:
    here, there = SharedLeases(stores[0]), SharedLeases(stores[1])
    async with here.held("inbox:c1") as is_ours:
        assert is_ours
        async with there.held("inbox:c1") as is_theirs, there.held("inbox:c2") as is_free:
            assert (is_theirs, is_free) == (False, True)
    async with there.held("inbox:c1") as is_theirs:
        assert is_theirs


async def test_of_many_that_ask_at_once_one_gets_it(stores: tuple[Store, Store]) -> None:
    everybody = [SharedLeases(store) for store in stores for _ in range(8)]
    got = 0

    async def ask(leases: SharedLeases) -> None:
        nonlocal got
        async with leases.held("inbox:c1") as is_ours:
            got += is_ours
            await asyncio.sleep(0.5)

    await asyncio.gather(*(ask(leases) for leases in everybody))
    assert got == 1


async def test_a_lease_is_kept_as_long_as_the_work_takes(stores: tuple[Store, Store]) -> None:
    here, there = SharedLeases(stores[0]), SharedLeases(stores[1])
    await here.start()
    async with here.held("inbox:c1"):
        await asyncio.sleep(1.6)
        async with there.held("inbox:c1") as is_theirs:
            assert not is_theirs
    await here.stop()


async def test_the_lease_of_a_process_that_died_ends_by_itself(stores: tuple[Store, Store]) -> None:
    dead, alive = SharedLeases(stores[0]), SharedLeases(stores[1])
    async with dead.held("inbox:c1"):  # it never started to renew
        await asyncio.sleep(1.1)
        async with alive.held("inbox:c1") as is_ours:
            assert is_ours


async def test_work_whose_lease_is_lost_is_broken_off(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.leases.LEASE_SECONDS", 1.0)
    database = postgres.new_database()
    async with Wire(postgres.port) as wire:
        store = Store(postgres.url(database, port=wire.port))
        await store.migrate()
        leases = SharedLeases(store)
        await leases.start()
        is_broken_off = asyncio.Event()

        async def work() -> None:
            try:
                async with leases.held("inbox:c1"):
                    await asyncio.Event().wait()
            except asyncio.CancelledError:
                is_broken_off.set()
                raise

        task = asyncio.create_task(work())
        await asyncio.sleep(0.2)
        await wire.cut()
        async with asyncio.timeout(4):
            await is_broken_off.wait()
        await asyncio.gather(task, return_exceptions=True)
        await leases.stop()
        await store.close()


async def test_on_sqlite_nothing_is_written_for_leases(store: Store, stores: tuple[Store, Store]) -> None:
    assert isinstance(leases_of(store), NoLeases)
    assert isinstance(leases_of(stores[0]), SharedLeases)
