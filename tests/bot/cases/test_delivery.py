"""What becomes of a worker's reply that cannot be delivered: shown, held until the person writes, and then sent."""

from __future__ import annotations

import asyncio

from bot.app import Bot
from bot.channels.base import WINDOW_CLOSED, WindowClosed
from bot.console.views import Entry, read_entries
from bot.conversations.statuses import DeliveryStatuses
from bot.store.case_models import Case
from knowledge.replies import Reply
from tests.bot.cases.conftest import AddWorker, Person
from tests.bot.fakes import KeepingChannel, blocked

HELLO = Reply(kind="handoff", lang="ro", text="Bună, sunt Ioana.")


async def entries(bot: Bot, case: int) -> list[Entry]:
    async def read(session):  # type: ignore[no-untyped-def]
        return await read_entries(session, await session.get(Case, case))

    found: list[Entry] = await bot.store.read(read)
    return found


async def until_state(bot: Bot, case: int, state: str) -> Entry:
    async with asyncio.timeout(5):
        while True:
            last = [entry for entry in await entries(bot, case) if entry.side == "staff"][-1]
            if last.state == state:
                return last
            await asyncio.sleep(0.02)


async def claimed(bot: Bot, person: Person, add_worker: AddWorker, channel: KeepingChannel) -> tuple[int, object]:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await bot.cases.claim(case, ioana)
    await channel.wait_for(1)
    async with asyncio.timeout(5):
        while not any("Ioana" in text for text in channel.texts):
            await asyncio.sleep(0.02)
    return case, ioana


async def test_a_person_who_blocks_the_bot_mid_case_is_shown_to_the_worker(
    bot: Bot, person: Person, add_worker: AddWorker, channel: KeepingChannel
) -> None:
    case, ioana = await claimed(bot, person, add_worker, channel)
    channel.failures = [blocked()]
    await bot.cases.reply(case, ioana, HELLO)  # type: ignore[arg-type]
    entry = await until_state(bot, case, "failed")
    assert entry.error == "the person blocked the bot"


async def test_a_reply_after_the_window_has_closed_waits_and_goes_out_when_the_person_writes(
    bot: Bot, person: Person, add_worker: AddWorker, channel: KeepingChannel
) -> None:
    case, ioana = await claimed(bot, person, add_worker, channel)
    await asyncio.sleep(0.1)
    channel.failures = [WindowClosed("24 hours are over")]
    await bot.cases.reply(case, ioana, HELLO)  # type: ignore[arg-type]
    await until_state(bot, case, "held")
    await bot.outbox.sweep()
    assert HELLO.text not in channel.texts
    await person.says("sunt aici")
    await channel.wait_for_text(HELLO.text)


async def test_what_the_channel_tells_later_is_shown_and_never_goes_back(
    bot: Bot, person: Person, add_worker: AddWorker, channel: KeepingChannel
) -> None:
    case, ioana = await claimed(bot, person, add_worker, channel)
    await bot.cases.reply(case, ioana, HELLO)  # type: ignore[arg-type]
    await channel.wait_for_text(HELLO.text)
    await until_state(bot, case, "done")
    sent = f"sent-{channel.delivered[-1].id}"

    async def nobody(case: int) -> None:
        """No console is open."""

    statuses = DeliveryStatuses(bot.store, nobody)
    await statuses.delivered("test", sent, "read")
    await statuses.delivered("test", sent, "delivered")
    await statuses.delivered("test", sent, "failed", WINDOW_CLOSED)
    await statuses.delivered("test", "unknown", "read")
    assert (await until_state(bot, case, "read")).error is None
