"""A PostgreSQL that goes away: it is said clearly and soon, nothing is half done, and work goes on by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Bot, Content
from bot.channels.base import IncomingMessage, Text
from bot.errors import StoreUnavailable
from bot.settings import Settings
from bot.store.engine import Store
from bot.store.models import PENDING, Conversation, Inbox, Outbox
from tests.bot.fakes import FakeRasa, KeepingChannel
from tests.servers import PostgresServer, Wire


def a_message(number: int, conversation: str = "7") -> IncomingMessage:
    return IncomingMessage(
        channel="test", address=conversation, external_id=f"{conversation}-{number}",
        content=Text(text=f"How do I find a doctor? {number}"),
    )  # fmt: skip


def numbers(channel: KeepingChannel) -> list[int]:
    """Return the numbers of the messages in the order in which they were answered."""
    return [int(text.split()[-1]) for text in channel.texts if text.startswith("echo: ")]


async def wait_for_answers(channel: KeepingChannel, wanted: Iterable[int]) -> None:
    for number in wanted:
        await channel.wait_for_text(f"echo: How do I find a doctor? {number}", seconds=15)


async def inbox_size(store: Store) -> int:
    found = await store.read(lambda session: session.scalar(select(func.count()).select_from(Inbox)))
    return found or 0


async def settled(store: Store) -> None:
    """Return once every delivery is written down; one that is not is made again after an outage, as it must be."""
    waiting = select(func.count()).select_from(Outbox).where(Outbox.status == PENDING)
    while await store.read(lambda session: session.scalar(waiting)):
        await asyncio.sleep(0.02)


@pytest.fixture
async def wire(postgres: PostgresServer) -> AsyncIterator[Wire]:
    async with Wire(postgres.port) as wire:
        yield wire


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.engine.CONNECT_SECONDS", 0.5)
    monkeypatch.setattr("bot.store.engine.COMMAND_SECONDS", 0.5)


@pytest.fixture
async def bot(
    settings: Settings, content: Content, channel: KeepingChannel, postgres: PostgresServer, wire: Wire
) -> AsyncIterator[Bot]:
    url = postgres.url(postgres.new_database(), port=wire.port)
    bot = Bot(settings.model_copy(update={"database_url": url}), content)
    bot.channels[channel.name] = channel
    await bot.start()
    yield bot
    await bot.stop()


@pytest.mark.parametrize("trouble", ["cut", "frozen"])
async def test_while_the_connection_is_away_a_message_is_refused_and_can_be_sent_again(
    bot: Bot, channel: KeepingChannel, wire: Wire, trouble: str
) -> None:
    await bot.core.accept(a_message(1))
    await wait_for_answers(channel, [1])
    await settled(bot.store)
    if trouble == "cut":
        await wire.cut()
    else:
        wire.freeze()
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await bot.core.accept(a_message(2))
    assert time.monotonic() - started < 5
    assert not (await bot.reachable())["store"]
    if trouble == "cut":
        await wire.mend()
    else:
        wire.thaw()
    for _ in range(2):
        await bot.core.accept(a_message(2))
    await wait_for_answers(channel, [2])
    await bot.core.accept(a_message(3))
    await wait_for_answers(channel, [3])
    assert numbers(channel) == [1, 2, 3]
    assert await inbox_size(bot.store) == 3


async def test_a_server_that_is_killed_and_started_again_loses_nothing_that_was_accepted(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, postgres: PostgresServer
) -> None:
    rasa.delay_seconds = 0.1
    accepted = []
    for number in range(20):
        if number == 10:
            postgres.stop()
        try:
            await bot.core.accept(a_message(number, f"person-{number % 3}"))
            accepted.append(number)
        except StoreUnavailable:
            continue
        finally:
            if number == 13:
                postgres.start()
    assert set(accepted) >= {*range(10), *range(15, 20)}
    await wait_for_answers(channel, accepted)
    await asyncio.sleep(0.3)
    # A reply that went out as the server died goes out again; nothing else comes twice.
    assert sorted(set(numbers(channel))) == accepted
    assert len(numbers(channel)) <= len(accepted) + 3
    assert await inbox_size(bot.store) == len(accepted)


async def test_a_unit_of_work_that_breaks_off_leaves_nothing_half_done(bot: Bot, wire: Wire) -> None:
    async def begin_and_break_off(session: AsyncSession) -> None:
        now = func.now()
        session.add(Conversation(id="half", channel="test", address="half", created_at=now, last_at=now))
        await session.flush()
        await wire.cut()
        await session.execute(select(1))

    with pytest.raises(StoreUnavailable):
        await bot.store.run(begin_and_break_off)
    await wire.mend()
    assert await bot.store.read(lambda session: session.get(Conversation, "half")) is None


async def test_what_waits_for_a_free_connection_too_long_is_told(postgres: PostgresServer) -> None:
    store = Store(postgres.url(postgres.new_database()))
    held = [await store.engine.connect() for _ in range(20)]
    with pytest.raises(StoreUnavailable):
        await store.read(lambda session: session.scalar(select(1)))
    for connection in held:
        await connection.close()
    assert await store.read(lambda session: session.scalar(select(1))) == 1
    await store.close()
