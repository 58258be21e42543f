"""A message's way through the bot: stored once, danger first, in order, through every failure, never lost."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.app import Bot, Content
from bot.channels.base import Content as MessageContent
from bot.channels.base import DeliveryFailed, IncomingMessage, Location, Payload, Receipt, Text, Unreadable, Unsupported
from bot.conversations.addresses import find_conversation
from bot.settings import Settings
from bot.store.models import Base, Conversation, Feedback, Inbox, Outbox
from knowledge.replies import Button, Reply
from tests.bot.fakes import Answer, FakeRasa, KeepingChannel, blocked, echo

ROWS_OF_A_PERSON: list[type[Base]] = [Conversation, Outbox, Feedback]


async def say(bot: Bot, content: MessageContent | str, key: str = "1", address: str = "anna", **more: Any) -> Receipt:
    content = Text(text=content) if isinstance(content, str) else content
    return await bot.core.accept(
        IncomingMessage(channel="test", address=address, external_id=key, content=content, **more)
    )


async def conversation_of(bot: Bot, address: str = "anna") -> Conversation:
    found = await bot.store.read(lambda session: find_conversation(session, bot.sealer, "test", address))
    assert found is not None
    return found


async def count(bot: Bot, table: type[Base]) -> int:
    return await bot.store.read(lambda session: session.scalar(select(func.count()).select_from(table))) or 0


async def test_a_question_is_answered_and_the_first_time_followed_by_the_line_about_privacy(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    await say(bot, "How do I find a doctor in the Netherlands?")
    answer, privacy = await channel.wait_for(2)
    assert (answer.reply.text, answer.reply.lang) == ("echo: How do I find a doctor in the Netherlands?", "en")
    assert answer.reply_to == "1"
    assert (privacy.reply.kind, "BSN" in privacy.reply.text) == ("privacy", True)
    await say(bot, "And what does it cost then?", "2")
    await channel.wait_for(3)
    assert channel.texts[2] == "echo: And what does it cost then?"
    assert channel.typing == ["anna", "anna"]


async def test_rasa_gets_the_message_in_the_agreed_shape(bot: Bot, channel: KeepingChannel, rasa: FakeRasa) -> None:
    receipt = await say(bot, "Jak zapisać się do lekarza rodzinnego?")
    await channel.wait_for(1)
    message = rasa.received[0]
    assert message["sender"] == receipt.conversation
    assert message["message"] == "Jak zapisać się do lekarza rodzinnego?"
    assert message["message_id"] == str(receipt.inbox_id)
    assert {key: message["metadata"][key] for key in ("lang", "channel", "place")} == {
        "lang": "pl", "channel": "test", "place": None,
    }  # fmt: skip
    assert datetime.fromisoformat(message["metadata"]["now"]).utcoffset() is not None
    assert message["authorization"].startswith("Bearer ")


async def test_the_same_message_twice_is_answered_once(bot: Bot, channel: KeepingChannel, rasa: FakeRasa) -> None:
    first, second = await asyncio.gather(say(bot, "hello there my friend"), say(bot, "hello there my friend"))
    assert sorted([first.is_duplicate, second.is_duplicate]) == [False, True]
    assert first.inbox_id == second.inbox_id
    await channel.wait_for(2)
    await asyncio.sleep(0.2)
    assert rasa.texts == ["hello there my friend"]


async def test_messages_of_one_person_keep_their_order_and_others_do_not_wait(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    rasa.delay_seconds = 0.4
    started = asyncio.get_running_loop().time()
    for number in range(3):
        await say(bot, f"question {number}", f"a{number}", "anna")
        await say(bot, f"question {number}", f"b{number}", "boris")
    await channel.wait_for(8)
    for address in ("anna", "boris"):
        texts = [item.reply.text for item in channel.delivered if item.address == address]
        assert [text for text in texts if text.startswith("echo")] == [
            f"echo: question {number}" for number in range(3)
        ]
    assert asyncio.get_running_loop().time() - started < 0.4 * 5.5


@pytest.mark.parametrize("is_rasa_up", [True, False])
async def test_a_red_flag_is_answered_at_once_without_rasa(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, is_rasa_up: bool
) -> None:
    if not is_rasa_up:
        await rasa.stop()
    await say(bot, "My father has chest pain and cannot breathe")
    emergency = (await channel.wait_for(1, seconds=1.0))[0].reply
    assert (emergency.kind, emergency.emergency, emergency.lang) == ("emergency", "medical", "en")
    assert "tel:112" in [link.url for link in emergency.links]
    await asyncio.sleep(0.1)
    assert rasa.texts == []


async def test_a_red_flag_overtakes_a_question_that_waits_for_rasa(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    await rasa.stop()
    await say(bot, "What does the insurance pay for?", "1")
    await say(bot, "my chest pain is getting worse", "2")
    assert (await channel.wait_for(1, seconds=1.0))[0].reply.kind == "emergency"


async def test_a_red_flag_overtakes_replies_that_could_not_be_delivered_yet(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    channel.failures = [DeliveryFailed("flood", retry_after_seconds=60)]
    await say(bot, "What does the insurance pay for?", "1")
    await asyncio.sleep(0.2)
    await say(bot, "my chest pain is getting worse", "2")
    assert (await channel.wait_for(1, seconds=1.0))[0].reply.kind == "emergency"


async def test_while_rasa_is_away_the_person_hears_it_once_and_every_question_is_answered_after(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    await rasa.stop()
    await say(bot, "What does the insurance pay for?", "1")
    await say(bot, "And for my children as well?", "2")
    notice = (await channel.wait_for(1))[0].reply
    assert "112" in notice.text
    assert {"tel:112", "https://www.workinnl.nl"} <= {link.url for link in notice.links}
    await asyncio.sleep(0.5)
    assert len(channel.delivered) == 1
    await rasa.start()
    await channel.wait_for(4)
    assert channel.texts[1] == "echo: What does the insurance pay for?"
    assert channel.texts[3] == "echo: And for my children as well?"
    assert (await conversation_of(bot)).apologised_at is None


@pytest.mark.parametrize("answer", [[], 502])
async def test_an_action_server_that_is_away_counts_as_an_outage(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, answer: Answer
) -> None:
    rasa.are_actions_up, rasa.answer = False, lambda message: answer
    await say(bot, "What does the insurance pay for?")
    assert "112" in (await channel.wait_for(1))[0].reply.text
    rasa.are_actions_up, rasa.answer = True, echo
    assert "echo: What does the insurance pay for?" in [item.reply.text for item in await channel.wait_for(2)]


@pytest.mark.parametrize("answer", [500, [], 400, 502])
async def test_a_message_that_rasa_cannot_handle_is_set_aside_and_the_next_one_goes_on(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, answer: Answer, settings: Settings
) -> None:
    rasa.answer = lambda message: answer if "breaks" in message["message"] else echo(message)
    await say(bot, "this breaks everything", "1")
    await say(bot, "What does the insurance pay for?", "2")
    await channel.wait_for_text("echo: What does the insurance pay for?")
    given_up = [item for item in channel.delivered if "other words" in item.reply.text]
    assert [(item.reply.kind, item.reply_to) for item in given_up] == [("abstain", "1")]
    assert rasa.texts.count("this breaks everything") == settings.attempts_before_setting_aside
    row = await bot.store.read(lambda session: session.get(Inbox, 1))
    assert row is not None
    assert (row.status, row.attempts) == ("failed", settings.attempts_before_setting_aside)


async def test_what_was_pending_when_the_bot_died_is_answered_after_a_restart(
    settings: Settings, content: Content, rasa: FakeRasa
) -> None:
    first = Bot(settings, content)
    await rasa.stop()
    await first.start()
    await say(first, "What does the insurance pay for?")
    await first.stop()
    await rasa.start()
    second, channel = Bot(settings, content), KeepingChannel()
    second.channels[channel.name] = channel
    await second.start()
    assert "echo: What does the insurance pay for?" in [item.reply.text for item in await channel.wait_for(1)]
    await second.stop()


async def test_a_reply_that_was_stored_but_not_delivered_is_delivered_after_a_restart(
    settings: Settings, content: Content, channel: KeepingChannel
) -> None:
    first = Bot(settings, content)
    await first.start()
    await say(first, "my chest pain is getting worse")  # this bot has no such channel
    await asyncio.sleep(0.1)
    await first.stop()
    second = Bot(settings, content)
    second.channels[channel.name] = channel
    await second.start()

    async def make_due(session: Any) -> None:
        (await session.scalar(select(Outbox))).next_attempt_at = datetime.now(UTC)

    await second.store.run(make_due)
    assert (await channel.wait_for(1))[0].reply.kind == "emergency"
    await second.stop()


async def test_a_failed_delivery_is_tried_again_and_keeps_the_order(bot: Bot, channel: KeepingChannel) -> None:
    channel.failures = [DeliveryFailed("away"), RuntimeError("a fault in the channel"), DeliveryFailed("away")]
    await say(bot, "first question of mine", "1")
    await say(bot, "second question of mine", "2")
    await channel.wait_for(3)
    assert [text for text in channel.texts if text.startswith("echo")] == [
        "echo: first question of mine",
        "echo: second question of mine",
    ]


async def test_a_channel_that_asks_to_wait_is_left_in_peace(bot: Bot, channel: KeepingChannel) -> None:
    channel.failures = [DeliveryFailed("flood", retry_after_seconds=0.5)]
    started = asyncio.get_running_loop().time()
    await say(bot, "first question of mine")
    await channel.wait_for(1)
    assert asyncio.get_running_loop().time() - started >= 0.5


async def test_a_person_who_blocked_the_bot_does_not_hold_up_what_follows(bot: Bot, channel: KeepingChannel) -> None:
    channel.failures = [blocked()]
    await say(bot, "first question of mine", "1")
    await say(bot, "second question of mine", "2")
    await channel.wait_for(2)
    assert channel.texts[-1] == "echo: second question of mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no text"),
        ("  \n\t ", "no text"),
        ("\x00\x07\x1b\u200b", "no text"),
        ("////", "no text"),
        ("👍🏽 ❤️", "only read words"),
        ("?!...", "only read words"),
        ("What does my insurance pay for? " * 625, "too long"),
    ],
)
async def test_a_text_that_is_no_question_gets_a_friendly_word_and_never_reaches_rasa(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, text: str, words: str
) -> None:
    await say(bot, text, lang_hint="en-GB")
    assert words in (await channel.wait_for(1))[0].reply.text
    assert rasa.texts == []


async def test_a_red_flag_at_the_end_of_a_text_that_is_too_long_is_still_found(
    bot: Bot, channel: KeepingChannel
) -> None:
    await say(bot, "insurance question " * 1050 + ". My father has chest pain.")
    assert (await channel.wait_for(1))[0].reply.kind == "emergency"


@pytest.mark.parametrize("what", ["document", "sticker", "voice"])
async def test_what_we_cannot_read_is_answered_kindly(bot: Bot, channel: KeepingChannel, what: Unreadable) -> None:
    await say(bot, Unsupported(what=what), lang_hint="en")
    assert "as text" in (await channel.wait_for(1))[0].reply.text


async def test_nobody_can_type_an_intent(bot: Bot, channel: KeepingChannel, rasa: FakeRasa) -> None:
    await say(bot, ' / /set_language{"language": "pl"}')
    await channel.wait_for(1)
    assert rasa.texts == ['set_language{"language": "pl"}']


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("article:gp-register", '/choose_article{"article": "gp-register"}'),
        ("desk:gp-register", '/show_desk{"article": "gp-register"}'),
        ("contact:win-breda", '/show_contact{"contact": "win-breda"}'),
        ("lang:pl", '/set_language{"language": "pl"}'),
        ("human", "/ask_human"),
        ("yes", "/affirm"),
        ("no", "/deny"),
        ("skip", "/skip"),
        ("stop", "/stop"),
        ("privacy", "/privacy"),
        ("delete", "/delete_data"),
        ("languages", "/ask_languages"),
        ("help", "/help"),
    ],
)
async def test_a_button_reaches_rasa_as_its_intent(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, payload: str, message: str
) -> None:
    await say(bot, Payload(payload=payload))
    await channel.wait_for(1)
    assert rasa.texts == [message]


@pytest.mark.parametrize("payload", ["nonsense", 'article:"}', "article:", "lang:../x", "thumb:up:999", "/affirm"])
async def test_an_unknown_button_is_passed_over_kindly(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, payload: str
) -> None:
    await say(bot, Payload(payload=payload), lang_hint="en")
    assert "button" in (await channel.wait_for(1))[0].reply.text
    assert rasa.texts == []


async def test_the_first_hello_shows_privacy_and_the_languages_and_works_without_rasa(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    await rasa.stop()
    await say(bot, Payload(payload="start"), lang_hint="pl")
    hello = (await channel.wait_for(1))[0].reply
    assert (hello.kind, hello.lang) == ("privacy", "pl")
    assert "lang:bg" in [button.payload for button in hello.buttons]
    assert "BSN" in hello.text
    await rasa.start()
    await say(bot, "Jak zapisać się do lekarza?", "2")
    await channel.wait_for(2)
    await asyncio.sleep(0.1)
    assert len(channel.delivered) == 2


async def test_a_shared_location_becomes_a_municipality_and_is_then_forgotten(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    await say(bot, Location(latitude=51.589, longitude=4.776))
    await channel.wait_for(1)
    assert rasa.texts == ['/give_place{"place": "Breda"}']
    assert (await conversation_of(bot)).place == "Breda"
    row = await bot.store.read(lambda session: session.get(Inbox, 1))
    assert row is not None
    assert row.content == {"kind": "place", "place": "Breda"}


async def test_the_language_follows_the_person(bot: Bot, channel: KeepingChannel, rasa: FakeRasa) -> None:
    for number, text in enumerate(
        ["Jak zapisać się do lekarza rodzinnego?", "ok", "Cum găsesc un medic de familie aici?"], start=1
    ):
        await say(bot, text, str(number))
    await channel.wait_for(4)
    assert [message["metadata"]["lang"] for message in rasa.received] == ["pl", "pl", "ro"]


async def test_a_chosen_language_stays_until_a_whole_sentence_is_in_another(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    rasa.answer = lambda message: [
        Reply(kind="language_set", lang="pl", text="Dobrze.")
        if message["message"].startswith("/set_language")
        else echo(message)[0]
    ]
    await say(bot, Payload(payload="lang:pl"), "1")
    await say(bot, "thank you", "2")
    await say(bot, "How do I find a doctor in the Netherlands?", "3")
    await channel.wait_for(4)
    assert [message["metadata"]["lang"] for message in rasa.received[1:]] == ["pl", "en"]
    assert (await conversation_of(bot)).is_lang_chosen


async def test_a_language_asked_for_in_words_is_kept(bot: Bot, channel: KeepingChannel, rasa: FakeRasa) -> None:
    rasa.answer = lambda message: [Reply(kind="language_set", lang="ro", text="Bine.")]
    await say(bot, "can we speak Romanian please")
    await channel.wait_for(1)
    conversation = await conversation_of(bot)
    assert (conversation.lang, conversation.is_lang_chosen) == ("ro", True)


async def test_a_thumb_is_kept_and_thanked_for_and_changes_with_a_second_thought(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    rasa.answer = lambda message: [Reply(kind="answer", lang="pl", text="x", article="gp-register", feedback=True)]
    await say(bot, "How do I find a doctor in the Netherlands?", "1")
    answer = (await channel.wait_for(2))[0]
    await say(bot, Payload(payload=f"thumb:up:{answer.id}"), "2")
    await say(bot, Payload(payload=f"thumb:down:{answer.id}"), "3")
    await channel.wait_for(4)
    assert [item.reply.kind for item in channel.delivered[2:]] == ["smalltalk", "smalltalk"]
    feedback = await bot.store.read(lambda session: session.scalars(select(Feedback)))
    kept = feedback.all()
    assert [(row.outbox_id, row.article, row.lang, row.is_helpful) for row in kept] == [
        (answer.id, "gp-register", "pl", False)
    ]
    assert len(rasa.texts) == 1


async def test_nobody_rates_the_answers_of_others(bot: Bot, channel: KeepingChannel) -> None:
    await say(bot, "How do I find a doctor in the Netherlands?", "1")
    answer = (await channel.wait_for(1))[0]
    await say(bot, Payload(payload=f"thumb:up:{answer.id}"), "2", address="boris")
    await channel.wait_for(3)
    assert await count(bot, Feedback) == 0


async def test_a_person_who_sends_too_much_is_asked_once_to_slow_down_but_a_red_flag_still_counts(
    settings: Settings, content: Content, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    bot = Bot(settings.model_copy(update={"messages_per_minute": 2}), content)
    bot.channels[channel.name] = channel
    await bot.start()
    for number in range(5):
        await say(bot, f"question number {number}", str(number))
    await say(bot, "my chest pain is getting worse", "flag")
    await say(bot, "I am someone else entirely", "other", address="boris")
    await channel.wait_for(7)
    await asyncio.sleep(0.2)
    annas = [item.reply for item in channel.delivered if item.address == "anna"]
    assert sum("many messages" in reply.text for reply in annas) == 1
    assert sum(reply.kind == "emergency" for reply in annas) == 1
    assert [text for text in rasa.texts if text.startswith("question")] == ["question number 0", "question number 1"]
    await bot.stop()


def erase_on_yes(message: dict[str, Any]) -> Answer:
    if message["message"] == "/affirm":
        return [Reply(kind="privacy", lang="en", text="It is done.", effect="erase")]
    return [Reply(kind="answer", lang="en", text="x", feedback=True, buttons=(Button(title="Yes", payload="yes"),))]


async def test_erasing_empties_rasa_and_the_store_then_says_so_and_forgets_that_too(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    rasa.answer = erase_on_yes
    receipt = await say(bot, "How do I find a doctor in the Netherlands?", "1")
    answer = (await channel.wait_for(2))[0]
    await say(bot, Payload(payload=f"thumb:up:{answer.id}"), "2")
    await say(bot, Payload(payload="yes"), "3")
    await channel.wait_for(4)
    assert channel.texts[-1] == "It is done."
    assert rasa.erased == [receipt.conversation]
    await asyncio.sleep(0.2)
    assert [await count(bot, table) for table in ROWS_OF_A_PERSON] == [0, 0, 0]
    kept = (await bot.store.read(lambda session: session.scalars(select(Inbox)))).all()
    assert [(row.conversation_id, row.content) for row in kept] == [(None, {"kind": "erased"})]


async def test_the_yes_to_an_erasure_that_comes_twice_is_still_known(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    rasa.answer = erase_on_yes
    await say(bot, Payload(payload="yes"), "1")
    await channel.wait_for(1)
    await asyncio.sleep(0.2)
    assert (await say(bot, Payload(payload="yes"), "1")).is_duplicate
    assert await count(bot, Conversation) == 0


async def test_an_erasure_is_not_confirmed_before_rasa_has_forgotten(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    rasa.answer = erase_on_yes
    monkeypatch.setattr("bot.conversations.outbox.PATIENCE_WITH_ERASURE", timedelta(0))
    original = bot.rasa.erase

    async def only_later(conversation: str) -> None:
        monkeypatch.setattr(bot.rasa, "erase", original)
        await rasa.stop()
        try:
            await original(conversation)
        finally:
            await rasa.start()

    monkeypatch.setattr(bot.rasa, "erase", only_later)
    await say(bot, Payload(payload="yes"))
    await channel.wait_for(1)
    assert len(rasa.erased) == 1


async def test_what_a_person_writes_after_the_erasure_is_a_new_beginning(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    rasa.answer = lambda message: erase_on_yes(message) if message["message"] == "/affirm" else echo(message)
    await say(bot, Payload(payload="yes"), "1")
    await say(bot, "What does the insurance pay for?", "2")
    await channel.wait_for(2)
    assert channel.texts[:2] == ["It is done.", "echo: What does the insurance pay for?"]
    await asyncio.sleep(0.2)
    assert await count(bot, Conversation) == 1


async def test_the_logs_hold_no_word_of_a_person_and_no_conversation_id(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa, caplog: pytest.LogCaptureFixture
) -> None:
    from bot.logs import JsonLines

    caplog.set_level(logging.DEBUG)
    rasa.answer = lambda message: 500 if "breaks" in message["message"] else echo(message)
    channel.failures = [RuntimeError("secret words of the reply")]
    receipt = await say(bot, "secret words about my health", "1")
    await say(bot, "secret that breaks", "2")
    await channel.wait_for(3)
    lines = [JsonLines().format(record) for record in caplog.records if record.name.startswith("bot")]
    assert {"message_accepted", "message_answered", "delivery_failed"} <= {json.loads(line)["event"] for line in lines}
    assert not [line for line in lines if "secret" in line or receipt.conversation in line]
