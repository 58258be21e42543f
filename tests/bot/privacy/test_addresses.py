"""Who has a copy of the database does not learn from it whom the bot talks to; who has the keys still can."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Bot, Content
from bot.channels.base import IncomingMessage, Text
from bot.channels.telegram import TelegramChannel
from bot.conversations.addresses import address_of, find_conversation, find_conversations, seal_old_addresses
from bot.conversations.statuses import DeliveryStatuses
from bot.settings import Settings
from bot.store.engine import Store
from bot.store.models import Conversation, Outbox
from bot.store.sealing import CannotUnseal, Sealer
from knowledge.locales import Locales
from tests.bot.bot_api_server import TOKEN, bot_api_server
from tests.bot.fakes import KeepingChannel
from tests.bot.privacy.on_disk import bytes_on_disk

CHAT = 987_654_321_098
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


async def add_as_older_version(store: Store, *addresses: str) -> None:
    """Write conversations as the version before wrote them: with the address as it is."""

    async def add(session: AsyncSession) -> None:
        for number, address in enumerate(addresses):
            row = Conversation(id=f"c{number}", channel="telegram", address=address, created_at=NOW, last_at=NOW)
            session.add(row)

    await store.run(add)


async def conversations(store: Store) -> list[Conversation]:
    return list((await store.read(lambda session: session.scalars(select(Conversation)))).all())


async def test_a_telegram_id_is_in_no_byte_of_the_database_and_its_log(bot: Bot, database: Path) -> None:
    async with bot_api_server() as server:
        settings = Settings.load(_env_file=None, telegram_token=TOKEN, telegram_api_url=server.url)
        bot.channels["telegram"] = TelegramChannel(settings, commands(), ["en"])
        person = {
            "id": CHAT,
            "is_bot": False,
            "first_name": "Anastazja",
            "username": "anastazja_w",
            "language_code": "pl",
        }
        chat = {"id": CHAT, "type": "private", "first_name": "Anastazja"}
        await bot.channels["telegram"].start(bot.core)
        await server.push({"message": {**server._message(text="nie mam lekarza"), "from": person, "chat": chat}})
        sent = await server.wait_for_messages(2)
        await bot.channels["telegram"].stop()
    assert {str(body["chat_id"]) for body in sent} == {str(CHAT)}
    kept = bytes_on_disk(database)
    assert b"nie mam lekarza" in kept  # so what was said is there to be read, and this test reads it
    for unwanted in (str(CHAT), "Anastazja", "anastazja_w"):
        assert unwanted.encode() not in kept
    assert CHAT.to_bytes(6, "big") not in kept


def commands() -> Locales:
    names = ("start", "language", "human", "privacy", "delete", "help")
    return Locales({"en": {f"telegram.command_{name}": name for name in names}})


async def test_the_id_of_a_whatsapp_message_which_holds_the_number_is_in_no_byte_and_still_known_again(
    bot: Bot, channel: KeepingChannel, database: Path
) -> None:
    channel.name = "whatsapp"
    bot.channels["whatsapp"] = channel
    wamid = "wamid." + base64.b64encode(b"\x1c\x18\x0b48500100200\x15\x02\x00\x12").decode()
    question = IncomingMessage(
        channel="whatsapp", address="48500100200", external_id=wamid, content=Text(text="And where is the dentist?")
    )
    receipt = await bot.core.accept(question)
    sent = (await channel.wait_for(2))[0]
    assert (await bot.core.accept(question)).is_duplicate

    async with asyncio.timeout(5):  # it is marked as delivered right after
        statuses = DeliveryStatuses(bot.store, tell_nobody)
        while (await reply_of(bot, sent.id)).delivery is None:
            await statuses.delivered("whatsapp", f"sent-{sent.id}", "read")
    kept = bytes_on_disk(database)
    assert receipt.conversation.encode() in kept
    for unwanted in (wamid, "48500100200", f"sent-{sent.id}"):
        assert unwanted.encode() not in kept


async def tell_nobody(case: int) -> None: ...


async def reply_of(bot: Bot, reply: int) -> Outbox:
    found = await bot.store.read(lambda session: session.get(Outbox, reply))
    assert found is not None
    return found


async def test_addresses_of_an_older_version_are_sealed_once_and_leave_no_byte(store: Store, database: Path) -> None:
    sealer = Sealer([NEW], ["a-key-for-hashes"])
    addresses = {str(CHAT + number) for number in range(3)}
    await add_as_older_version(store, *addresses)
    assert str(CHAT).encode() in bytes_on_disk(database)

    assert await seal_old_addresses(store, sealer) == 3
    sealed = {row.id: (row.address, row.address_sealed) for row in await conversations(store)}
    assert {address_of(sealer, row) for row in await conversations(store)} == addresses
    assert not [address for address in addresses if address.encode() in bytes_on_disk(database)]

    assert await seal_old_addresses(store, sealer) == 0
    assert {(row.address, row.address_sealed) for row in await conversations(store)} == set(sealed.values())


async def test_more_old_addresses_than_one_batch_are_all_sealed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.conversations.addresses.BATCH", 2)
    await add_as_older_version(store, *(str(CHAT + number) for number in range(5)))
    assert await seal_old_addresses(store, Sealer([NEW], ["a-key-for-hashes"])) == 5
    assert not [row for row in await conversations(store) if row.address_sealed is None]


async def test_a_bot_that_starts_seals_what_an_older_version_left_and_knows_the_person(
    store: Store, settings: Settings, content: Content, channel: KeepingChannel
) -> None:
    await add_as_older_version(store, "123")
    bot = Bot(settings, content)
    channel.name = "telegram"
    bot.channels["telegram"] = channel
    await bot.start()
    question = Text(text="And where is the dentist?")
    receipt = await bot.core.accept(
        IncomingMessage(channel="telegram", address="123", external_id="1", content=question)
    )
    assert receipt.conversation == "c0"
    assert (await channel.wait_for(1))[0].address == "123"
    await bot.stop()


async def test_a_conversation_is_found_by_an_older_key_and_one_of_the_newest_goes_first(store: Store) -> None:
    older, both = Sealer([OLD], ["older-hash-key"]), Sealer([NEW, OLD], ["newer-hash-key", "older-hash-key"])
    await add_as_older_version(store, "123")
    await seal_old_addresses(store, older)

    async def find(sealer: Sealer) -> list[str]:
        one = await store.read(lambda session: find_conversation(session, sealer, "telegram", "123"))
        everything = await store.read(lambda session: find_conversations(session, sealer, "telegram", "123"))
        assert (one and one.id) == (everything[0].id if everything else None)
        return [row.id for row in everything]

    assert await find(both) == ["c0"]
    assert await find(Sealer([NEW], ["newer-hash-key"])) == []

    async def begin_anew(session: AsyncSession) -> None:
        digest = both.digest("telegram:123")
        session.add(Conversation(id="anew", channel="telegram", address=digest, created_at=NOW, last_at=NOW))

    await store.run(begin_anew)
    assert await find(both) == ["anew", "c0"]


async def test_the_same_number_on_another_channel_is_somebody_else(store: Store) -> None:
    sealer = Sealer([NEW], ["a-key-for-hashes"])
    await add_as_older_version(store, "123")
    await seal_old_addresses(store, sealer)
    assert await store.read(lambda session: find_conversation(session, sealer, "whatsapp", "123")) is None


async def test_without_the_seal_key_the_address_is_not_to_be_had(store: Store) -> None:
    await add_as_older_version(store, "123")
    await seal_old_addresses(store, Sealer([OLD], ["a-key-for-hashes"]))
    [row] = await conversations(store)
    with pytest.raises(CannotUnseal):
        address_of(Sealer([NEW], ["a-key-for-hashes"]), row)


async def test_who_writes_again_after_the_seal_key_was_lost_gets_the_answer(
    store: Store, settings: Settings, content: Content, channel: KeepingChannel
) -> None:
    await add_as_older_version(store, "123")
    await seal_old_addresses(store, Sealer([OLD], ["a-key-for-all-hashes"]))
    bot = Bot(
        settings.model_copy(update={"seal_keys": SecretStr(NEW), "hash_keys": SecretStr("a-key-for-all-hashes")}),
        content,
    )
    channel.name = "telegram"
    bot.channels["telegram"] = channel
    await bot.start()
    question = Text(text="And where is the dentist?")
    await bot.core.accept(IncomingMessage(channel="telegram", address="123", external_id="1", content=question))
    assert (await channel.wait_for(1))[0].address == "123"
    await bot.stop()
    assert [row.id for row in await conversations(store)] == ["c0"]
