"""What Meta posts to the bot: signed or not, several at once, broken, twice, out of order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels.base import (
    WINDOW_CLOSED,
    Content,
    IncomingMessage,
    Location,
    Payload,
    Photo,
    Receipt,
    Text,
    Unsupported,
)
from bot.channels.whatsapp import WhatsAppChannel
from bot.channels.whatsapp_webhook import WEBHOOK_PATH
from bot.errors import StoreUnavailable
from bot.settings import Settings
from knowledge.locales import Locales
from tests.bot.graph_api_server import (
    PERSON,
    VERIFY_TOKEN,
    Meta,
    message,
    sign,
    status,
    update,
    whatsapp_settings,
)


class ListIntake:
    """Keeps what comes in, without repeats; may refuse for a while, as a locked store does."""

    def __init__(self) -> None:
        self.messages: list[IncomingMessage] = []
        self.refusals = 0

    @property
    def contents(self) -> list[Content]:
        return [message.content for message in self.messages]

    async def accept(self, message: IncomingMessage) -> Receipt:
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailable("locked")
        self.messages.append(message)
        return Receipt(conversation="c", inbox_id=len(self.messages), is_duplicate=False)


class ListSink:
    """Keeps the statuses; may refuse for a while."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str | None]] = []
        self.refusals = 0

    async def delivered(
        self,
        channel: str,
        channel_message_id: str,
        state: Literal["delivered", "read", "failed"],
        why: str | None = None,
    ) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailable("locked")
        self.told.append((channel_message_id, state, why))


@pytest.fixture
async def channel(tmp_path: Path) -> AsyncIterator[WhatsAppChannel]:
    loaded = Settings.load(_env_file=None, var=tmp_path, **whatsapp_settings("http://127.0.0.1:9"))
    channel = WhatsAppChannel(loaded, Locales({"en": {"whatsapp.choose": "Choose", "web.thumbs": "Did this help?"}}))
    yield channel
    await channel.stop()


@pytest.fixture
async def client(channel: WhatsAppChannel) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    router = channel.router()
    assert router is not None
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
        yield client


@pytest.fixture
async def intake(channel: WhatsAppChannel) -> ListIntake:
    intake = ListIntake()
    await channel.start(intake)
    return intake


@pytest.fixture
def sink(channel: WhatsAppChannel) -> ListSink:
    channel.statuses = sink = ListSink()
    return sink


@pytest.fixture
def meta(client: httpx.AsyncClient) -> Meta:
    return Meta(client)


@pytest.mark.parametrize(
    ("mode", "token", "code"),
    [
        ("subscribe", VERIFY_TOKEN, 200),
        ("subscribe", "guess", 403),
        ("subscribe", "gèss", 403),
        ("other", VERIFY_TOKEN, 403),
    ],
)
async def test_the_handshake_needs_our_verify_token(
    client: httpx.AsyncClient, mode: str, token: str, code: int
) -> None:
    asked = {"hub.mode": mode, "hub.verify_token": token, "hub.challenge": "1158201444"}
    answer = await client.get(WEBHOOK_PATH, params=asked)
    assert answer.status_code == code
    assert (answer.text == "1158201444") is (code == 200)


async def test_a_handshake_without_anything_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get(WEBHOOK_PATH)).status_code == 403


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, sign(b"another body"), "sha256=\xe9"])
async def test_a_forged_signature_is_refused_and_nothing_is_stored(
    meta: Meta, intake: ListIntake, signature: str
) -> None:
    forged = await meta.post(update(message("wamid.1", type="text", text={"body": "hoi"})), signature=signature)
    assert forged.status_code == 403
    assert intake.messages == []


async def test_a_signature_under_another_secret_is_refused(meta: Meta, intake: ListIntake) -> None:
    body = json.dumps(update(message("wamid.1", type="text", text={"body": "hoi"}))).encode()
    assert (await meta.post(body, signature=sign(body, "another secret"))).status_code == 403
    assert intake.messages == []


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff{", b"[]", b"null", b"{}", b'{"object": "page", "entry": []}', b'{"entry": [1]}', b"[" * 100_000],
)
async def test_what_is_no_update_is_answered_with_400(meta: Meta, intake: ListIntake, body: bytes) -> None:
    assert (await meta.post(body)).status_code == 400


@pytest.mark.parametrize(
    ("sent", "content"),
    [
        ({"type": "text", "text": {"body": "كيف أجد طبيبًا؟"}}, Text(text="كيف أجد طبيبًا؟")),
        (
            {
                "type": "interactive",
                "interactive": {"type": "button_reply", "button_reply": {"id": "human", "title": "Talk to a person"}},
            },
            Payload(payload="human"),
        ),
        (
            {
                "type": "interactive",
                "interactive": {"type": "list_reply", "list_reply": {"id": "lang:pl", "title": "Polski"}},
            },
            Payload(payload="lang:pl"),
        ),
        ({"type": "button", "button": {"payload": "x", "text": "Show it"}}, Text(text="Show it")),
        (
            {"type": "location", "location": {"latitude": 51.59, "longitude": 4.78, "name": "Breda"}},
            Location(latitude=51.59, longitude=4.78),
        ),
        (
            {"type": "image", "image": {"id": "77", "mime_type": "image/png", "sha256": "x"}},
            Photo(media_type="image/png", file_id="77"),
        ),
        ({"type": "audio", "audio": {"id": "78", "mime_type": "audio/ogg", "voice": True}}, Unsupported(what="voice")),
        ({"type": "sticker", "sticker": {"id": "79"}}, Unsupported(what="sticker")),
        ({"type": "document", "document": {"id": "80"}}, Unsupported(what="document")),
        ({"type": "contacts", "contacts": [{"name": {}}]}, Unsupported(what="contact")),
        ({"type": "request_welcome"}, Payload(payload="start")),
        ({"type": "unsupported", "unsupported": {"type": "gif"}}, Unsupported(what="unknown")),
        ({"type": "unsupported", "errors": [{"code": 131060}], "unsupported": None}, Unsupported(what="unknown")),
    ],
)
async def test_what_people_send_becomes_the_content_of_a_message(
    meta: Meta, intake: ListIntake, sent: dict[str, Any], content: Content
) -> None:
    assert (await meta.post(update(message("wamid.1", **sent)))).status_code == 200
    (taken,) = intake.messages
    assert (taken.channel, taken.address, taken.external_id, taken.content) == ("whatsapp", PERSON, "wamid.1", content)
    assert taken.sent_at.timestamp() == 1_790_000_000


async def test_the_words_under_a_photo_come_first_as_a_message_of_their_own(meta: Meta, intake: ListIntake) -> None:
    image = {"id": "77", "mime_type": "image/jpeg", "caption": "my child swallowed this"}
    await meta.post(update(message("wamid.1", type="image", image=image)))
    assert [(taken.external_id, taken.content) for taken in intake.messages] == [
        ("wamid.1:caption", Text(text="my child swallowed this")),
        ("wamid.1", Photo(media_type="image/jpeg", file_id="77")),
    ]


@pytest.mark.parametrize(
    "sent",
    [
        {"type": "unsupported", "errors": [{"code": 131051, "title": "Message type unknown"}]},
        {"type": "unsupported", "errors": [{"code": 131051}], "unsupported": {"type": "poll_update"}},
        {"type": "edit", "edit": {"original_message_id": "wamid.0", "message": {"type": "text"}}},
        {"type": "revoke", "revoke": {"original_message_id": "wamid.0"}},
        {"type": "reaction", "reaction": {"message_id": "wamid.0", "emoji": "👍"}},
        {"type": "system", "system": {"body": "changed number"}},
        {"type": "text", "text": {"body": "hallo"}, "group_id": "group"},
        {"type": "never heard of"},
    ],
)
async def test_what_asks_for_no_answer_passes_harmlessly(meta: Meta, intake: ListIntake, sent: dict[str, Any]) -> None:
    assert (await meta.post(update(message("wamid.1", **sent)))).status_code == 200
    assert intake.messages == []


async def test_someone_who_hides_the_number_is_known_by_the_user_id(meta: Meta, intake: ListIntake) -> None:
    hidden = {"id": "wamid.1", "from_user_id": "NL.13491208655302741918", "timestamp": "1790000000", "type": "text"}
    await meta.post(update({**hidden, "text": {"body": "hoi"}}))
    assert [taken.address for taken in intake.messages] == ["NL.13491208655302741918"]


async def test_all_messages_of_a_post_are_taken_and_a_broken_one_does_not_stop_the_others(
    meta: Meta, intake: ListIntake
) -> None:
    nowhere = {"latitude": 451.0, "longitude": 4.78}
    first = update(
        message("wamid.1", type="text", text={"body": "one"}),
        message("wamid.2", type="location", location=nowhere),
        {"id": "wamid.3"},
        "not a message",
        message("wamid.4", "48500100201", type="text", text={"body": "two"}),
    )
    second = update(message("wamid.5", type="text", text={"body": "three"}))
    broken = {"field": "messages", "value": {"messages": "?"}}
    other = {"field": "message_template_status_update", "value": {"event": "APPROVED"}}
    changes = [*first["entry"][0]["changes"], broken, other]
    post = {"object": "whatsapp_business_account", "entry": [{"changes": changes}, *second["entry"]]}
    assert (await meta.post(post)).status_code == 200
    assert intake.contents == [Text(text="one"), Text(text="two"), Text(text="three")]
    assert [taken.address for taken in intake.messages] == [PERSON, "48500100201", PERSON]


async def test_what_is_for_another_number_is_passed_over(meta: Meta, intake: ListIntake, sink: ListSink) -> None:
    text = message("wamid.1", type="text", text={"body": "hoi"})
    posted = update(text, phone_id="999", statuses=[status("wamid.sent1", "read")])
    assert (await meta.post(posted)).status_code == 200
    assert (intake.messages, sink.told) == ([], [])


async def test_meta_is_asked_to_repeat_what_the_store_did_not_take(
    meta: Meta, intake: ListIntake, sink: ListSink
) -> None:
    intake.refusals = 1
    assert (await meta.say("hoi")).status_code == 503
    assert (await meta.say("hoi")).status_code == 200
    assert intake.contents == [Text(text="hoi")]
    sink.refusals = 1
    assert (await meta.tell(status("wamid.sent1", "read"))).status_code == 503
    assert (await meta.tell(status("wamid.sent1", "read"))).status_code == 200
    assert sink.told == [("wamid.sent1", "read", None)]


async def test_before_the_start_and_after_the_end_nothing_is_acknowledged(meta: Meta, channel: WhatsAppChannel) -> None:
    assert (await meta.say("hoi")).status_code == 503
    await channel.start(ListIntake())
    await channel.stop()
    assert (await meta.say("hoi")).status_code == 503


async def test_statuses_are_passed_on_once_and_never_backwards(meta: Meta, intake: ListIntake, sink: ListSink) -> None:
    await meta.tell(status("wamid.sent1", "sent"), status("wamid.sent1", "read"))
    await meta.tell(status("wamid.sent1", "delivered"), status("wamid.sent1", "read"))
    await meta.tell(status("wamid.sent2", "delivered"), status("wamid.sent2", "played"))
    assert sink.told == [
        ("wamid.sent1", "read", None),
        ("wamid.sent2", "delivered", None),
        ("wamid.sent2", "read", None),
    ]


async def test_a_failure_is_told_with_its_reason_and_a_closed_window_by_its_name(
    meta: Meta, intake: ListIntake, sink: ListSink
) -> None:
    await meta.tell(status("wamid.sent1", "failed", 131026), status("wamid.sent2", "failed", 131047))
    await meta.tell(status("wamid.sent3", "failed"))
    assert sink.told == [
        ("wamid.sent1", "failed", "131026 (#131026) Message undeliverable"),
        ("wamid.sent2", "failed", WINDOW_CLOSED),
        ("wamid.sent3", "failed", "no reason given"),
    ]


async def test_statuses_that_nobody_wants_are_acknowledged(meta: Meta, intake: ListIntake) -> None:
    assert (await meta.tell(status("wamid.sent1", "failed", 131026))).status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("id", "from", "timestamp", "type", "text", "image", "interactive", "location", "status", "errors", "group_id")
TYPES = st.sampled_from(["text", "image", "interactive", "location", "button", "video"])
ALMOST_MESSAGES = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8)
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.binary(max_size=200) | JSON)
@FUZZ
async def test_signed_garbage_never_makes_an_error_of_ours(meta: Meta, intake: ListIntake, garbage: Any) -> None:
    assert (await meta.post(garbage)).status_code in (200, 400)


@given(st.lists(ALMOST_MESSAGES, max_size=3), TYPES, st.lists(ALMOST_MESSAGES | JSON, max_size=3))
@FUZZ
async def test_almost_messages_never_make_an_error_of_ours_nor_hold_up_a_good_one(
    meta: Meta, intake: ListIntake, almost: list[dict[str, Any]], kind: str, statuses: list[Any]
) -> None:
    intake.messages.clear()
    good = message("wamid.good", type="text", text={"body": "hoi"})
    almost = [{**message("wamid.1", type=kind), **item} for item in almost]
    assert (await meta.post(update(*almost, good, statuses=statuses))).status_code == 200
    assert intake.messages[-1].external_id == "wamid.good"
