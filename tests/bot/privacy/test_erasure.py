"""What is erased is in no file any more: not in the database's free pages, not in its log."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Bot
from bot.channels.base import Payload, Photo
from bot.store.case_models import Attachment
from bot.store.models import Conversation
from knowledge.replies import Reply
from tests.bot.cases.conftest import AddWorker, Person
from tests.bot.fakes import Answer, FakeRasa, KeepingChannel
from tests.bot.privacy.on_disk import bytes_on_disk

MARKS = {  # one for each place in which something of a person is written
    "message": "zzmessagezz",
    "answer": "zzanswerzz",
    "reply": "zzreplyzz",
    "note": "zznotezz",
}
JPEG = b"\xff\xd8\xff zzphotozz"


def erase_on_yes(message: dict[str, Any]) -> Answer:
    if message["message"] == "/affirm":
        return [Reply(kind="privacy", lang="ro", text="Gata.", effect="erase")]
    return [Reply(kind="answer", lang="ro", text=MARKS["answer"])]


async def live_through_a_case(bot: Bot, channel: KeepingChannel, person: Person, add_worker: AddWorker) -> str:
    """Ask, get a worker, send a photo, get an answer; return the conversation."""
    receipt = await person.says(f"am o întrebare {MARKS['message']} despre dentist")
    await channel.wait_for(2)
    case = await person.asks_for_a_person()
    worker = await add_worker()
    await bot.cases.claim(case, worker)
    await sends_a_photo(bot, person)
    await bot.cases.reply(case, worker, Reply(kind="answer", lang="ro", text=MARKS["reply"]))
    await bot.cases.add_note(case, worker, MARKS["note"])
    await channel.wait_for_text(MARKS["reply"])
    await person.says("bot")
    return receipt.conversation


@pytest.fixture(autouse=True)
def _photos_to_fetch(channel: KeepingChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fetch(file_id: str, most_bytes: int) -> bytes:
        return JPEG

    monkeypatch.setattr(channel, "fetch", fetch)


async def sends_a_photo(bot: Bot, person: Person) -> Attachment:
    """Let the person send a photo, and return what is kept of it."""
    await person.says(Photo(media_type="image/jpeg", file_id="1"))
    async with asyncio.timeout(5):
        while (found := await bot.store.read(lambda session: session.scalar(select(Attachment)))) is None:
            await asyncio.sleep(0.05)
    return found


def traces(database: Path, conversation: str) -> set[str]:
    """Return what the files on the disk still hold of the person."""
    kept = bytes_on_disk(database)
    return {name for name, mark in {**MARKS, "conversation": conversation}.items() if mark.encode() in kept}


async def test_delete_my_data_leaves_no_byte_of_the_person(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, person: Person, add_worker: AddWorker, database: Path
) -> None:
    rasa.answer = erase_on_yes
    conversation = await live_through_a_case(bot, channel, person, add_worker)
    assert traces(database, conversation) == {*MARKS, "conversation"}
    row = await bot.store.read(lambda session: session.get(Conversation, conversation))
    assert row is not None
    address = (row.address_sealed or "").encode()
    assert address in bytes_on_disk(database)

    await person.says(Payload(payload="yes"))
    await channel.wait_for_text("Gata.")
    async with asyncio.timeout(5):  # the last rows go right after the confirming reply
        while traces(database, conversation) or address in bytes_on_disk(database):
            await asyncio.sleep(0.05)
    assert rasa.erased == [conversation]


async def test_a_photo_of_a_closed_case_leaves_no_byte(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, person: Person, add_worker: AddWorker, database: Path
) -> None:
    case = await person.asks_for_a_person()
    worker = await add_worker()
    await bot.cases.claim(case, worker)
    attachment = await sends_a_photo(bot, person)
    assert JPEG not in bytes_on_disk(database)
    assert attachment.sealed in bytes_on_disk(database)
    await bot.cases.close(case, worker, "solved")
    await bot._forget_the_idle()
    assert attachment.sealed not in bytes_on_disk(database)


async def test_what_expires_leaves_no_byte(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, person: Person, add_worker: AddWorker, database: Path
) -> None:
    rasa.answer = erase_on_yes
    conversation = await live_through_a_case(bot, channel, person, add_worker)
    long_ago = datetime.now(UTC) - timedelta(days=31)

    async def age(session: AsyncSession) -> None:
        row = await session.get(Conversation, conversation)
        assert row is not None
        row.last_at = long_ago

    await bot.store.run(age)
    swept = await bot._retention.sweep(datetime.now(UTC) + timedelta(days=31))
    assert swept.conversations == 1
    assert traces(database, conversation) == set()


async def test_a_reader_that_stays_only_puts_the_log_s_emptying_off(bot: Bot, database: Path) -> None:
    async with bot.store.engine.connect() as reader:
        alone = await reader.execution_options(zorgbrug_read_only=True)
        await alone.exec_driver_sql("BEGIN")
        await alone.exec_driver_sql("SELECT * FROM inbox")
        await bot.store.run(_write_something)
        assert not await bot.store.forget_deleted()
        await alone.exec_driver_sql("ROLLBACK")
    async with asyncio.timeout(5):
        while not await bot.store.forget_deleted():  # a round of the workers may read just now
            await asyncio.sleep(0.05)


async def _write_something(session: AsyncSession) -> None:
    now = datetime.now(UTC)
    session.add(Conversation(id="c", channel="test", address="a", created_at=now, last_at=now))
