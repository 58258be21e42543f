"""The WhatsApp channel: pywa for real, against a Graph API server on the loopback; and a whole bot behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bot.app import Content, create_app
from bot.channels.base import DeliveryFailed, FetchFailed, IncomingMessage, OutgoingMessage, Receipt, WindowClosed
from bot.channels.whatsapp import SECONDS_BETWEEN_TEMPLATES, WhatsAppChannel
from bot.errors import SettingsProblem
from bot.settings import PROJECT, Settings
from knowledge.locales import Locales
from knowledge.replies import Button, Reply
from tests.bot.fakes import FakeRasa, KeepingChannel, serving
from tests.bot.graph_api_server import (
    PERSON,
    TEMPLATE,
    GraphApiServer,
    Meta,
    graph_api_server,
    status,
    whatsapp_settings,
)

HELLO = Reply(kind="smalltalk", lang="pl", text="Dzień dobry")
TEXTS = {"whatsapp.choose": "Choose", "web.thumbs": "Did this help?"}


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class AnyIntake:
    """Takes everything."""

    async def accept(self, message: IncomingMessage) -> Receipt:
        return Receipt(conversation="c", inbox_id=1, is_duplicate=False, lang="pl")


def make_channel(graph: GraphApiServer, folder: Path, clock: Clock, **changed: object) -> WhatsAppChannel:
    given = {**whatsapp_settings(graph.url), "whatsapp_template": TEMPLATE, **changed}
    return WhatsAppChannel(Settings.load(_env_file=None, var=folder, **given), Locales({"en": TEXTS}), clock)


def outgoing(reply: Reply = HELLO, number: int = 7, address: str = PERSON) -> OutgoingMessage:
    return OutgoingMessage(id=number, conversation="c", address=address, reply=reply, created_at=datetime.now(UTC))


@pytest.fixture
async def graph() -> AsyncIterator[GraphApiServer]:
    async with graph_api_server() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def channel(graph: GraphApiServer, tmp_path: Path, clock: Clock) -> AsyncIterator[WhatsAppChannel]:
    channel = make_channel(graph, tmp_path, clock)
    await channel.start(AnyIntake())
    yield channel
    await channel.stop()


@pytest.fixture
async def meta(channel: WhatsAppChannel) -> AsyncIterator[Meta]:
    app = FastAPI()
    router = channel.router()
    assert router is not None
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
        yield Meta(client)


async def failure_of(channel: WhatsAppChannel, message: OutgoingMessage | None = None) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await channel.deliver(message or outgoing())
    return caught.value


async def test_a_reply_arrives_and_its_id_is_known(graph: GraphApiServer, channel: WhatsAppChannel) -> None:
    text = "اتصل بالطبيب العام أولاً."
    assert await channel.deliver(outgoing(Reply(kind="answer", lang="ar", text=text))) == "wamid.sent1"
    (sent,) = graph.messages
    assert (sent["to"], sent["type"], sent["text"]) == (PERSON, "text", {"body": text, "preview_url": False})


async def test_someone_without_a_number_is_written_to_by_the_user_id(
    graph: GraphApiServer, channel: WhatsAppChannel
) -> None:
    await channel.deliver(outgoing(address="NL.13491208655302741918"))
    assert graph.messages[0]["recipient"] == "NL.13491208655302741918"


async def test_choices_are_sent_as_buttons_or_as_a_list(graph: GraphApiServer, channel: WhatsAppChannel) -> None:
    buttons = tuple(Button(title=f"Choice {number}", payload=f"article:a{number}") for number in range(5))
    await channel.deliver(outgoing(Reply(kind="clarify", lang="en", text="Which?", buttons=buttons[:3])))
    await channel.deliver(outgoing(Reply(kind="answer", lang="en", text="Which?", buttons=buttons, feedback=True), 8))
    few, many = (sent["interactive"] for sent in graph.messages)
    assert [button["reply"]["id"] for button in few["action"]["buttons"]] == ["article:a0", "article:a1", "article:a2"]
    (section,) = many["action"]["sections"]
    assert [row["id"] for row in section["rows"]][-2:] == ["thumb:up:8", "thumb:down:8"]


async def test_a_second_attempt_does_not_repeat_the_parts_that_arrived(
    graph: GraphApiServer, channel: WhatsAppChannel
) -> None:
    message = outgoing(Reply(kind="smalltalk", lang="en", text="One. " * 700 + "\n\n" + "Two. " * 700))
    graph.failures = [None, 131000]
    await failure_of(channel, message)
    assert await channel.deliver(message) == "wamid.sent2"
    assert [words[:4] for words in graph.words] == ["One.", "Two."]


async def test_where_the_buttons_are_refused_the_words_still_arrive(
    graph: GraphApiServer, channel: WhatsAppChannel
) -> None:
    graph.failures = [131009]
    human = Button(title="Talk to a person", payload="human")
    reply = Reply(kind="emergency", lang="en", text="Call 112 now.", emergency="medical", buttons=(human,))
    await channel.deliver(outgoing(reply))
    assert graph.words == ["Call 112 now."]


@pytest.mark.parametrize(
    ("code", "pause", "is_permanent"),
    [
        (131056, 6.0, False),
        (130429, 30.0, False),
        (131000, None, False),
        (190, 300.0, False),
        (131026, None, True),
        (100, None, True),
    ],
)
async def test_each_refusal_says_whether_and_when_to_try_again(
    graph: GraphApiServer, channel: WhatsAppChannel, code: int, pause: float | None, is_permanent: bool
) -> None:
    graph.failures = [code]
    failure = await failure_of(channel)
    assert (failure.retry_after_seconds, failure.is_permanent) == (pause, is_permanent)
    assert PERSON not in str(failure)


async def test_a_token_that_meta_refuses_is_told_to_the_operator(
    graph: GraphApiServer, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    channel = make_channel(graph, tmp_path, clock, whatsapp_token="expired")
    failure = await failure_of(channel)
    assert not failure.is_permanent
    assert "ZORGBRUG_WHATSAPP_TOKEN" in caplog.text
    await channel.stop()


async def test_without_a_network_it_is_tried_again(graph: GraphApiServer, tmp_path: Path, clock: Clock) -> None:
    channel = make_channel(graph, tmp_path, clock, whatsapp_api_url="http://127.0.0.1:9")
    failure = await failure_of(channel)
    assert (failure.retry_after_seconds, failure.is_permanent) == (None, False)
    await channel.stop()


async def test_after_24_hours_the_reply_waits_and_the_template_is_sent_once_a_day(
    graph: GraphApiServer, channel: WhatsAppChannel, clock: Clock
) -> None:
    graph.closed_windows.add(PERSON)
    assert isinstance(await failure_of(channel), WindowClosed)
    assert isinstance(await failure_of(channel, outgoing(number=8)), WindowClosed)
    assert graph.templates == [{"name": TEMPLATE, "language": {"code": "pl"}}]
    clock.now += SECONDS_BETWEEN_TEMPLATES
    await failure_of(channel, outgoing(number=9))
    assert len(graph.templates) == 2


async def test_a_template_that_is_not_approved_in_the_language_is_sent_in_english(
    graph: GraphApiServer, channel: WhatsAppChannel
) -> None:
    graph.closed_windows.add(PERSON)
    await failure_of(channel, outgoing(Reply(kind="smalltalk", lang="tr", text="Merhaba")))
    assert [template["language"]["code"] for template in graph.templates] == ["en"]


async def test_a_template_that_is_approved_nowhere_does_not_keep_the_reply_from_waiting(
    graph: GraphApiServer, channel: WhatsAppChannel, caplog: pytest.LogCaptureFixture
) -> None:
    graph.closed_windows.add(PERSON)
    graph.template_languages = set()
    assert isinstance(await failure_of(channel), WindowClosed)
    assert "whatsapp_template_refused" in caplog.text


async def test_a_template_that_did_not_go_out_is_sent_at_the_next_attempt(
    graph: GraphApiServer, channel: WhatsAppChannel
) -> None:
    graph.failures = [131047, 130429]
    failure = await failure_of(channel)
    assert not isinstance(failure, WindowClosed)
    graph.closed_windows.add(PERSON)
    assert isinstance(await failure_of(channel), WindowClosed)
    assert len(graph.templates) == 1


async def test_without_a_template_the_reply_only_waits(graph: GraphApiServer, tmp_path: Path, clock: Clock) -> None:
    channel = make_channel(graph, tmp_path, clock, whatsapp_template="")
    graph.closed_windows.add(PERSON)
    assert isinstance(await failure_of(channel), WindowClosed)
    assert graph.sent == []
    await channel.stop()


async def test_a_closed_window_that_meta_tells_of_later_sends_the_template_too(
    graph: GraphApiServer, channel: WhatsAppChannel, meta: Meta
) -> None:
    sent = await channel.deliver(outgoing())
    await meta.tell(status(str(sent), "failed", 131047))
    async with asyncio.timeout(5):
        while not graph.templates:
            await asyncio.sleep(0.01)
    assert graph.templates[0]["language"]["code"] == "pl"


async def test_typing_is_shown_under_the_last_message_and_marks_it_as_read(
    graph: GraphApiServer, channel: WhatsAppChannel, meta: Meta
) -> None:
    await channel.show_typing(PERSON)
    assert graph.signs == []
    await meta.say("hoi", "wamid.in1")
    await meta.say("hoi?", "wamid.in2")
    await channel.show_typing(PERSON)
    (sign,) = graph.signs
    assert (sign["message_id"], sign["status"], sign["typing_indicator"]) == ("wamid.in2", "read", {"type": "text"})


async def test_an_answered_message_is_marked_as_read_once(
    graph: GraphApiServer, channel: WhatsAppChannel, meta: Meta
) -> None:
    await meta.say("hoi", "wamid.in1")
    await channel.deliver(outgoing())
    await channel.deliver(outgoing(number=8))
    assert [(sign["message_id"], "typing_indicator" in sign) for sign in graph.signs] == [("wamid.in1", False)]


async def test_who_had_everything_erased_is_forgotten_here_too(
    graph: GraphApiServer, channel: WhatsAppChannel, meta: Meta
) -> None:
    await meta.say("/delete")
    await channel.deliver(outgoing(Reply(kind="privacy", lang="en", text="It is done.", effect="erase")))
    graph.signs.clear()
    await channel.show_typing(PERSON)
    assert graph.signs == []


async def test_a_photo_is_fetched_unless_it_is_too_large_or_gone(
    graph: GraphApiServer, channel: WhatsAppChannel
) -> None:
    graph.files = {"77": b"\xff\xd8picture", "78": b"\xff\xd8" * 5000}
    graph.stated_sizes = {"78": 10}
    assert await channel.fetch("77", 100) == b"\xff\xd8picture"
    for file_id, most, is_too_large in (("77", 5, True), ("78", 100, True), ("79", 100, False)):
        with pytest.raises(FetchFailed) as caught:
            await channel.fetch(file_id, most)
        assert caught.value.is_too_large is is_too_large


async def test_a_channel_without_files_says_so() -> None:
    with pytest.raises(FetchFailed):
        await KeepingChannel().fetch("77", 100)


async def test_neither_number_nor_words_nor_token_get_into_the_log(
    graph: GraphApiServer, channel: WhatsAppChannel, meta: Meta, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await meta.say("my BSN is 123456782")
    graph.failures = [131000]
    await failure_of(channel)
    await channel.deliver(outgoing())
    for secret in (PERSON, "123456782", HELLO.text, "EAA-test-token"):
        assert secret not in caplog.text


def test_the_settings_of_whatsapp_are_given_all_or_none_and_the_missing_are_named() -> None:
    four = {name: value for name, value in whatsapp_settings("http://x").items() if name != "whatsapp_api_url"}
    assert Settings.load(_env_file=None).whatsapp_token is None
    for name in four:
        with pytest.raises(SettingsProblem, match=f"ZORGBRUG_{name.upper()}"):
            Settings.load(_env_file=None, **{**four, name: ""})
    shown = repr(Settings.load(_env_file=None, **four))
    assert not any(str(four[name]) in shown for name in four if name != "whatsapp_phone_id")


@pytest.fixture
async def whole_bot(graph: GraphApiServer, rasa: FakeRasa, content: Content, tmp_path: Path) -> AsyncIterator[Meta]:
    given = {**whatsapp_settings(graph.url), "whatsapp_template": TEMPLATE}
    loaded = Settings.load(
        _env_file=None, var=tmp_path, data=PROJECT / "data", rasa_url=rasa.url, actions_url=rasa.url, **given
    )
    async with serving(create_app(loaded, content)) as url, httpx.AsyncClient(base_url=url) as client:
        yield Meta(client)


async def test_a_question_is_answered_once_however_often_meta_repeats_it(
    graph: GraphApiServer, rasa: FakeRasa, whole_bot: Meta
) -> None:
    for _ in range(3):
        assert (await whole_bot.say("How do I find a dentist?", "wamid.in1")).status_code == 200
    assert (await whole_bot.say("And a doctor?", "wamid.in2")).status_code == 200
    await graph.wait_for_messages(3)
    await asyncio.sleep(0.3)
    assert [words.removeprefix("echo: ") for words in graph.words if words.startswith("echo: ")] == rasa.texts
    assert rasa.texts == ["How do I find a dentist?", "And a doctor?"]


async def test_a_reply_that_came_too_late_arrives_once_the_person_writes_again(
    graph: GraphApiServer, whole_bot: Meta
) -> None:
    graph.closed_windows.add(PERSON)
    await whole_bot.say("How do I find a dentist?", "wamid.in1")
    async with asyncio.timeout(10):
        while not graph.templates:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)  # the bot notes that the reply waits
    graph.closed_windows.clear()
    await whole_bot.say("Yes?", "wamid.in2")
    await graph.wait_for_messages(3)
    assert [words for words in graph.words if words.startswith("echo: ")] == [
        "echo: How do I find a dentist?",
        "echo: Yes?",
    ]
    assert len(graph.templates) == 1


async def test_a_reply_that_meta_gave_up_later_arrives_once_the_person_writes_again(
    graph: GraphApiServer, whole_bot: Meta
) -> None:
    await whole_bot.say("How do I find a dentist?", "wamid.in1")
    await graph.wait_for_messages(2)
    await asyncio.sleep(0.3)  # the bot notes what it has sent
    assert (await whole_bot.tell(status("wamid.sent1", "failed", 131047))).status_code == 200
    await whole_bot.say("Yes?", "wamid.in2")
    await graph.wait_for_messages(4)
    echoes = [words for words in graph.words if words.startswith("echo: ")]
    assert sorted(echoes) == ["echo: How do I find a dentist?", "echo: How do I find a dentist?", "echo: Yes?"]
