"""The Telegram channel: python-telegram-bot for real, against a Bot API server on the loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bot.channels.base import (
    DeliveryFailed,
    FetchFailed,
    IncomingMessage,
    Location,
    OutgoingMessage,
    Payload,
    Photo,
    Receipt,
    Text,
    Unsupported,
)
from bot.channels.telegram import WEBHOOK_PATH, TelegramChannel
from bot.channels.telegram_text import render_parts, split_at_sentences
from bot.errors import StoreUnavailable
from bot.settings import Settings
from knowledge.locales import Locales
from knowledge.replies import Button, Link, Reply
from tests.bot.bot_api_server import TOKEN, USER, BotApiServer, bot_api_server

COMMAND_TEXTS = {
    f"telegram.command_{name}": name for name in ("start", "language", "human", "privacy", "delete", "help")
}


class ListIntake:
    """Keeps what comes in; may refuse for a while, as a locked store does."""

    def __init__(self, refusals: int = 0) -> None:
        self.messages: list[IncomingMessage] = []
        self.refusals = refusals

    async def accept(self, message: IncomingMessage) -> Receipt:
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailable("locked")
        self.messages.append(message)
        return Receipt(conversation="c", inbox_id=len(self.messages), is_duplicate=False)

    async def wait(self, count: int) -> list[IncomingMessage]:
        import asyncio

        async with asyncio.timeout(10):
            while len(self.messages) < count:
                await asyncio.sleep(0.01)
        return self.messages


def make_channel(server: BotApiServer, tmp_path: Path, **settings: object) -> TelegramChannel:
    loaded = Settings.load(_env_file=None, var=tmp_path, telegram_token=TOKEN, telegram_api_url=server.url, **settings)
    return TelegramChannel(loaded, Locales({"en": COMMAND_TEXTS}), ["en"])


def outgoing(reply: Reply, number: int = 7) -> OutgoingMessage:
    return OutgoingMessage(
        id=number, conversation="c", address=str(USER["id"]), reply=reply, created_at=datetime.now(UTC)
    )


@pytest.fixture
async def server() -> AsyncIterator[BotApiServer]:
    async with bot_api_server() as running:
        yield running


@pytest.fixture
async def channel(server: BotApiServer, tmp_path: Path) -> AsyncIterator[TelegramChannel]:
    made = make_channel(server, tmp_path)
    yield made
    await made.stop()


async def test_what_people_send_becomes_text_command_tap_location_or_something_unread(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    intake = ListIntake()
    await channel.start(intake)
    await server.say("nie mam lekarza")
    await server.say("/language@zorgbrug_bot")
    await server.tap("article:gp-register")
    await server.share_location(51.59, 4.78)
    await server.push(
        {"message": {**server._message(), "photo": [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]}}
    )
    sticker = {"file_id": "s", "file_unique_id": "s", "width": 1, "height": 1, "is_animated": False, "is_video": False}
    await server.push({"message": {**server._message(), "sticker": {**sticker, "type": "regular"}}})
    messages = await intake.wait(6)
    assert [message.content for message in messages] == [
        Text(text="nie mam lekarza"),
        Payload(payload="languages"),
        Payload(payload="article:gp-register"),
        Location(latitude=51.59, longitude=4.78),
        Photo(media_type="image/jpeg", file_id="f"),
        Unsupported(what="sticker"),
    ]
    assert {message.lang_hint for message in messages} == {"pl"}


async def test_an_update_is_asked_for_again_until_it_is_stored(
    server: BotApiServer, channel: TelegramChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.telegram.RETRY_DELAYS_SECONDS", (0.05,))
    intake = ListIntake(refusals=2)
    await channel.start(intake)
    update = await server.say("pomocy")
    messages = await intake.wait(1)
    assert messages[0].external_id == str(update)


async def test_an_update_that_makes_no_sense_does_not_hold_up_the_next(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    intake = ListIntake()
    await channel.start(intake)
    await server.share_location(451.0, 4.78)
    await server.say("hallo")
    messages = await intake.wait(1)
    assert messages[0].content == Text(text="hallo")


def photo_size(name: str, side: int, file_size: int) -> dict[str, object]:
    return {"file_id": name, "file_unique_id": name, "width": side, "height": side, "file_size": file_size}


async def test_of_the_sizes_of_a_photo_the_largest_that_is_not_too_heavy_counts(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    intake = ListIntake()
    await channel.start(intake)
    sizes = [photo_size("small", 90, 2_000), photo_size("large", 900, 90_000), photo_size("huge", 9000, 9_000_000)]
    await server.push({"message": {**server._message(), "photo": sizes}})
    messages = await intake.wait(1)
    assert messages[0].content == Photo(media_type="image/jpeg", file_id="large")


async def test_the_words_under_a_photo_come_first_as_a_message_of_their_own(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    intake = ListIntake()
    await channel.start(intake)
    message = server._message(photo=[photo_size("p", 90, 2_000)], caption="my child swallowed this")
    update = await server.push({"message": message})
    messages = await intake.wait(2)
    assert [(message.external_id, message.content) for message in messages] == [
        (f"{update}:caption", Text(text="my child swallowed this")),
        (str(update), Photo(media_type="image/jpeg", file_id="p")),
    ]


async def test_a_photo_is_fetched_unless_it_is_too_large_or_gone(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.files["p"] = b"\xff\xd8picture"
    assert await channel.fetch("p", 100) == b"\xff\xd8picture"
    with pytest.raises(FetchFailed) as too_large:
        await channel.fetch("p", 5)
    assert too_large.value.is_too_large
    with pytest.raises(FetchFailed) as gone:
        await channel.fetch("q", 100)
    assert not gone.value.is_too_large


async def test_a_group_is_not_answered(server: BotApiServer, channel: TelegramChannel) -> None:
    intake = ListIntake()
    await channel.start(intake)
    await server.say("hallo", chat={"id": -100, "type": "group", "title": "work"})
    await server.say("hallo")
    messages = await intake.wait(1)
    assert [message.address for message in messages] == [str(USER["id"])]


async def test_buttons_and_thumbs_come_with_the_answer(server: BotApiServer, channel: TelegramChannel) -> None:
    reply = Reply(
        kind="answer", lang="en", text="Call <first> & ask.", feedback=True, footer="Source: LHV",
        buttons=(Button(title="Talk to a person", payload="human"),), links=(Link(title="LHV", url="https://gpinfo.nl/a"),),
    )  # fmt: skip
    await channel.deliver(outgoing(reply))
    (message,) = server.sent()
    assert "Call &lt;first&gt; &amp; ask." in message["text"]
    assert '<a href="https://gpinfo.nl/a">LHV</a>' in message["text"]
    rows = message["reply_markup"]["inline_keyboard"]
    assert [[button["callback_data"] for button in row] for row in rows] == [["human"], ["thumb:up:7", "thumb:down:7"]]


async def test_an_emergency_brings_a_number_that_can_be_tapped(server: BotApiServer, channel: TelegramChannel) -> None:
    reply = Reply(
        kind="emergency",
        lang="en",
        text="Call 112 now.",
        emergency="medical",
        links=(Link(title="112", url="tel:112"),),
    )
    await channel.deliver(outgoing(reply))
    assert [name for name, _ in server.calls if name.startswith("send")] == ["sendMessage", "sendContact"]
    assert server.sent("sendContact")[0]["phone_number"] == "112"


async def test_a_pause_that_telegram_asks_for_is_passed_on(server: BotApiServer, channel: TelegramChannel) -> None:
    server.failures.append(
        ("sendMessage", 429, {"description": "Too Many Requests: retry after 3", "parameters": {"retry_after": 3}})
    )
    with pytest.raises(DeliveryFailed) as caught:
        await channel.deliver(outgoing(Reply(kind="smalltalk", lang="en", text="Hello")))
    assert caught.value.retry_after_seconds == 3.0
    assert not caught.value.is_permanent


async def test_a_person_who_blocked_the_bot_is_not_tried_again(server: BotApiServer, channel: TelegramChannel) -> None:
    server.failures.append(("sendMessage", 403, {"description": "Forbidden: bot was blocked by the user"}))
    with pytest.raises(DeliveryFailed) as caught:
        await channel.deliver(outgoing(Reply(kind="smalltalk", lang="en", text="Hello")))
    assert caught.value.is_permanent


async def test_a_second_attempt_does_not_repeat_the_parts_that_arrived(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    message = outgoing(Reply(kind="smalltalk", lang="en", text="One. " * 600 + "\n\n" + "Two. " * 600))
    parts = render_parts(message.reply)
    await server._call("getMe", {})
    server.failures += [("sendMessage", 500, {"description": "Internal"})]
    with pytest.raises(DeliveryFailed):
        await channel.deliver(message)
    await channel.deliver(message)
    assert [body["text"] for body in server.sent()] == parts


async def test_the_webhook_takes_an_update_only_with_the_secret(server: BotApiServer, tmp_path: Path) -> None:
    channel = make_channel(
        server,
        tmp_path,
        telegram_mode="webhook",
        telegram_webhook_secret="s3cret-s3cret",
        public_url="https://example.org",
    )
    intake = ListIntake()
    await channel.start(intake)
    app = FastAPI()
    router = channel.router()
    assert router is not None
    app.include_router(router)
    update = {"update_id": 5, "message": server._message(text="hoi")}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
        refused = await client.post(WEBHOOK_PATH, json=update, headers={"X-Telegram-Bot-Api-Secret-Token": "guess"})
        taken = await client.post(
            WEBHOOK_PATH, json=update, headers={"X-Telegram-Bot-Api-Secret-Token": "s3cret-s3cret"}
        )
        broken = await client.post(
            WEBHOOK_PATH, content=b"\xff{", headers={"X-Telegram-Bot-Api-Secret-Token": "s3cret-s3cret"}
        )
    await channel.stop()
    assert (refused.status_code, taken.status_code, broken.status_code) == (403, 200, 400)
    assert [message.external_id for message in intake.messages] == ["5"]


def test_a_long_text_is_split_between_sentences_and_loses_nothing() -> None:
    text = " ".join(f"This is sentence number {number}." for number in range(300))
    parts = split_at_sentences(text, 500)
    assert all(len(part) <= 500 and part.endswith(".") for part in parts)
    assert " ".join(parts) == text
