"""The web API: tokens, messages, events that resume, history, and what it says to bad requests."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from bot.conversations.addresses import find_conversation
from bot.store.case_models import Attachment, Case
from bot.store.models import Conversation
from bot.web.tokens import COOKIE
from knowledge.replies import Reply
from nlu.languages import OURS
from tests.bot.conftest import Service
from tests.bot.fakes import FakeRasa

QUESTION = "How do I find a doctor in the Netherlands?"


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=service.url, timeout=15.0, trust_env=False) as client:
        yield client


@pytest.fixture
async def token(client: httpx.AsyncClient) -> str:
    answer = await client.post("/api/conversations")
    client.cookies.clear()
    return str(answer.json()["token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def read_events(
    client: httpx.AsyncClient, token: str, count: int, **headers: str
) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the first events of a new stream as (name, id, data), without the typing signs."""
    events: list[tuple[str, str, dict[str, Any]]] = []
    fields: dict[str, str] = {}
    async with (
        asyncio.timeout(5),
        client.stream("GET", "/api/events", headers={**bearer(token), **headers}) as stream,
    ):
        assert stream.status_code == 200
        async for line in stream.aiter_lines():
            name, _, value = line.partition(": ")
            if line and name:
                fields[name] = value
            elif fields.get("event") == "reply":
                events.append((fields["event"], fields.get("id", ""), json.loads(fields["data"])))
                if len(events) == count:
                    return events
            fields = fields if line else {}
    return events


async def ask(client: httpx.AsyncClient, token: str, identifier: str = "", **body: Any) -> httpx.Response:
    message = {"id": identifier or str(uuid.uuid4()), **(body or {"text": QUESTION})}
    return await client.post("/api/messages", json=message, headers=bearer(token))


async def test_a_question_is_answered_over_the_event_stream(client: httpx.AsyncClient, token: str) -> None:
    listening = asyncio.create_task(read_events(client, token, 1))
    await asyncio.sleep(0.1)
    answer = await ask(client, token, "m-1")
    assert (answer.status_code, answer.json()) == (202, {"id": "m-1", "lang": "en"})
    name, identifier, data = (await listening)[0]
    assert (name, data["text"], data["reply_to"]) == ("reply", f"echo: {QUESTION}", "m-1")
    assert identifier == str(data["id"])


async def test_the_page_hears_that_an_answer_is_on_its_way(
    client: httpx.AsyncClient, token: str, rasa: FakeRasa
) -> None:
    rasa.delay_seconds = 0.2
    async with asyncio.timeout(5), client.stream("GET", "/api/events", headers=bearer(token)) as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == ": here"
        await ask(client, token)
        seen = [await anext(lines) for _ in range(3)]
    assert "event: typing" in seen


async def test_a_page_that_comes_back_gets_what_it_missed_and_nothing_twice(
    client: httpx.AsyncClient, token: str
) -> None:
    for number in range(3):
        await ask(client, token, text=f"question number {number}")
    first = await read_events(client, token, 3)
    assert [data["text"] for _, _, data in first] == [f"echo: question number {number}" for number in range(3)]
    rest = await read_events(client, token, 2, **{"Last-Event-ID": first[0][1]})
    assert [identifier for _, identifier, _ in rest] == [first[1][1], first[2][1]]


async def test_the_same_message_sent_again_is_taken_once(client: httpx.AsyncClient, token: str, rasa: FakeRasa) -> None:
    for _ in range(3):
        assert (await ask(client, token, "same")).status_code == 202
    await read_events(client, token, 1)
    assert rasa.texts == [QUESTION]


async def test_two_people_may_choose_the_same_id(client: httpx.AsyncClient, rasa: FakeRasa) -> None:
    for _ in range(2):
        token = (await client.post("/api/conversations")).json()["token"]
        await ask(client, token, "1")
        assert (await read_events(client, token, 1))[0][2]["reply_to"] == "1"
    assert len(rasa.texts) == 2


async def test_the_history_shows_both_sides_in_order(client: httpx.AsyncClient, token: str) -> None:
    await ask(client, token, "m-1")
    await read_events(client, token, 1)
    await ask(client, token, "m-2", payload="help")
    await read_events(client, token, 2)
    history = (await client.get("/api/history", headers=bearer(token))).json()
    assert [(item["from"], item.get("text") or item.get("payload")) for item in history["messages"]] == [
        ("person", QUESTION), ("bot", f"echo: {QUESTION}"), ("person", "help"), ("bot", "echo: /help"),
    ]  # fmt: skip
    assert history["messages"][0]["id"] == "m-1"
    assert history["lang"] == "en"


async def test_a_location_is_taken(client: httpx.AsyncClient, token: str, rasa: FakeRasa) -> None:
    await ask(client, token, location={"lat": 51.59, "lon": 4.78})
    await read_events(client, token, 1)
    assert rasa.texts == ['/give_place{"place": "Breda"}']


async def test_the_language_of_the_page_is_a_first_guess(client: httpx.AsyncClient, rasa: FakeRasa) -> None:
    token = (await client.post("/api/conversations", json={"lang": "bg-BG"})).json()["token"]
    await ask(client, token, payload="help")
    await read_events(client, token, 1)
    assert rasa.received[0]["metadata"]["lang"] == "bg"


async def test_the_cookie_is_kept_from_scripts_and_other_sites_and_opens_the_conversation(
    client: httpx.AsyncClient,
) -> None:
    cookie = (await client.post("/api/conversations")).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert (await client.get("/api/history")).status_code == 200


@pytest.mark.parametrize("path", ["/api/history", "/api/events", "/api/messages"])
@pytest.mark.parametrize("kind", ["none", "made up", "of another conversation, signed by none"])
async def test_nothing_of_a_conversation_is_given_without_its_token(
    client: httpx.AsyncClient, token: str, path: str, kind: str
) -> None:
    address, signature = token.split(".")
    wrong = {"none": "", "made up": "abc.def"}.get(kind, f"{'0' * len(address)}.{signature}")
    method = "POST" if path == "/api/messages" else "GET"
    headers = bearer(wrong) if wrong else {}
    answer = await client.request(method, path, headers=headers, json={"id": "1", "text": "x"})
    assert (answer.status_code, answer.json()["error"]) == (401, "no_conversation")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"id": "1", "text": "caf\xe9"}', "not_utf8"),
        (b'{"id": "1", "text": ', "not_json"),
        (b"[" * 5000, "not_json"),
        (b"[1]", "bad_request"),
        (b'{"text": "no id"}', "bad_request"),
        (b'{"id": "1"}', "bad_request"),
        (b'{"id": "1", "text": "a", "payload": "b"}', "bad_request"),
        (b'{"id": "1", "text": 5}', "bad_request"),
        (b'{"id": "with space", "text": "x"}', "bad_request"),
        (b'{"id": "1", "location": {"lat": 200, "lon": 4}}', "bad_request"),
        (b'{"id": "1", "location": {"lat": NaN, "lon": 4}}', "bad_request"),
        (b'{"id": "1", "payload": ""}', "bad_request"),
    ],
)
async def test_a_bad_request_is_refused_with_a_clear_sentence(
    client: httpx.AsyncClient, token: str, body: bytes, error: str
) -> None:
    answer = await client.post("/api/messages", content=body, headers=bearer(token))
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert len(answer.json()["message"]) > 10


async def test_half_of_an_emoji_is_mended_not_refused(client: httpx.AsyncClient, token: str, rasa: FakeRasa) -> None:
    body = b'{"id": "1", "text": "Where is the doctor \\ud83d now"}'
    assert (await client.post("/api/messages", content=body, headers=bearer(token))).status_code == 202
    await read_events(client, token, 1)
    assert rasa.texts[0].startswith("Where is the doctor")


async def test_a_text_of_twenty_thousand_characters_gets_a_friendly_answer(
    client: httpx.AsyncClient, token: str, rasa: FakeRasa
) -> None:
    await ask(client, token, text="How do I find it? " * 1111)
    assert (await read_events(client, token, 1))[0][2]["kind"] == "abstain"
    assert rasa.texts == []


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_request_that_is_too_large_is_refused(client: httpx.AsyncClient, token: str, is_chunked: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b"x" * 1024

    body: Any = chunks() if is_chunked else b"x" * 80 * 1024
    answer = await client.post("/api/messages", content=body, headers=bearer(token))
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


async def test_a_locked_database_gives_a_friendly_503_and_the_message_can_be_sent_again(
    client: httpx.AsyncClient, token: str, database: Any
) -> None:
    holder = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    # In a thread: the service shares our event loop and may be about to commit, which it must be let do.
    await asyncio.to_thread(holder.execute, "BEGIN IMMEDIATE")
    answer = await ask(client, token, "m-1")
    assert (answer.status_code, answer.json()["error"]) == (503, "busy")
    assert "send it again" in answer.json()["message"]
    holder.execute("ROLLBACK")
    holder.close()
    assert (await ask(client, token, "m-1")).status_code == 202
    assert (await read_events(client, token, 1))[0][2]["reply_to"] == "m-1"


async def test_after_an_erasure_the_last_word_is_heard_and_the_token_opens_nothing(
    client: httpx.AsyncClient, service: Service, token: str, rasa: FakeRasa
) -> None:
    rasa.answer = lambda message: [Reply(kind="privacy", lang="en", text="It is done.", effect="erase")]
    listening = asyncio.create_task(read_events(client, token, 1))
    await asyncio.sleep(0.1)
    await ask(client, token, payload="yes")
    _, _, data = (await listening)[0]
    assert (data["text"], data["effect"]) == ("It is done.", "erase")
    await asyncio.sleep(0.2)
    assert (await client.get("/api/history", headers=bearer(token))).json()["error"] == "conversation_gone"
    left = await service.bot.store.read(lambda session: session.scalar(select(func.count()).select_from(Conversation)))
    assert left == 0


async def test_the_last_word_of_an_erasure_waits_for_the_page_to_come_back(
    client: httpx.AsyncClient, token: str, rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.web.RETRY_LAST_WORD_SECONDS", 0.1)
    rasa.answer = lambda message: [Reply(kind="privacy", lang="en", text="It is done.", effect="erase")]
    await ask(client, token, payload="yes")
    await asyncio.sleep(0.3)
    assert (await read_events(client, token, 1))[0][2]["text"] == "It is done."


async def test_too_many_open_pages_of_one_conversation_are_turned_away(
    client: httpx.AsyncClient, service: Service, token: str
) -> None:
    from bot.channels.web import MOST_STREAMS

    address = token.split(".")[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.channels.web.MOST_STREAMS", 0)
        async with client.stream("GET", "/api/events", headers=bearer(token)) as stream:
            assert "too_many" in (await stream.aread()).decode()
    assert MOST_STREAMS > 0
    assert not service.bot.web._open[address]


@pytest.mark.parametrize("lang", OURS)
async def test_the_page_has_its_strings_in_every_served_language(client: httpx.AsyncClient, lang: str) -> None:
    ui = (await client.get(f"/api/ui/{lang}")).json()
    english = (await client.get("/api/ui/en")).json()
    assert ui["lang"] == lang
    assert ui["direction"] == ("rtl" if lang == "ar" else "ltr")
    assert ui["strings"].keys() == english["strings"].keys()
    assert "{number}" in ui["strings"]["call"]
    assert {item["code"] for item in ui["languages"]} == set(OURS)


async def test_the_page_of_someone_with_another_language_is_in_english(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/ui/vi-VN")).json()["lang"] == "en"
    assert (await client.get("/api/ui/pl-PL")).json()["lang"] == "pl"


@pytest.mark.parametrize("path", ["/", "/static/chat.js", "/api/history", "/nothing-here", "/health"])
async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


async def test_errors_are_json_with_a_sentence(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing-here")
    assert answer.status_code == 404
    assert answer.json().keys() == {"error", "message"}


PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.mark.parametrize(
    ("picture", "status"),
    [(PICTURE, 202), (b"<svg onload=alert(1)>", 400), (b"", 400), (PICTURE + bytes(9 << 20), 413)],
)
async def test_a_photo_is_taken_only_when_it_is_a_picture_that_is_not_too_large(
    client: httpx.AsyncClient, token: str, picture: bytes, status: int
) -> None:
    answer = await client.post("/api/photos?id=p1", content=picture, headers=bearer(token))
    assert answer.status_code == status


async def test_a_photo_to_the_bot_is_not_kept_and_the_person_hears_that_it_cannot_read_it(
    client: httpx.AsyncClient, service: Service, token: str
) -> None:
    answer = await client.post("/api/photos?id=p1", content=PICTURE, headers=bearer(token))
    assert answer.json() == {"id": "p1", "is_kept": False}
    (_, _, reply), *_ = await read_events(client, token, 1)
    assert reply["kind"] == "abstain"
    assert (
        await service.bot.store.read(lambda session: session.scalar(select(func.count()).select_from(Attachment)))
    ) == 0


async def test_health_and_readiness(client: httpx.AsyncClient, rasa: FakeRasa) -> None:
    assert (await client.get("/health")).json() == {"status": "ok"}
    ready = await client.get("/ready")
    assert (ready.status_code, ready.json()["parts"]) == (200, {"store": True, "rasa": True, "actions": True})
    await rasa.stop()
    ready = await client.get("/ready")
    assert (ready.status_code, ready.json()["parts"]) == (503, {"store": True, "rasa": False, "actions": False})


# -- the internal API -------------------------------------------------------------------------------------------------


def an_escalation(token: str, **more: Any) -> dict[str, Any]:
    return {"message_id": "7", "reason": "asked", "place": "Breda", "lang": "pl", "consent": True, **more}


async def conversation_id(service: Service, token: str) -> str:
    store, sealer, address = service.bot.store, service.bot.sealer, token.split(".")[0]
    found = await store.read(lambda session: find_conversation(session, sealer, "web", address))
    assert found is not None
    return found.id


async def test_an_escalation_is_kept_once(client: httpx.AsyncClient, service: Service, token: str) -> None:
    headers = bearer(service.bot_token)
    body = an_escalation(token, conversation=await conversation_id(service, token))
    first = await client.post("/internal/escalations", json=body, headers=headers)
    second = await client.post("/internal/escalations", json=body, headers=headers)
    assert (first.status_code, first.json()["created"]) == (201, True)
    assert (second.json()["id"], second.json()["created"]) == (first.json()["id"], False)
    assert first.json()["desk"] == "WIN-punt West-Brabant, Breda"
    kept = (await service.bot.store.read(lambda session: session.scalars(select(Case)))).all()
    assert [(row.place, row.desk, row.has_consent) for row in kept] == [("Breda", "win-breda", True)]


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic é"])
async def test_the_internal_api_needs_its_token(client: httpx.AsyncClient, token: str, given: str) -> None:
    headers = {"Authorization": given.encode("latin-1")}
    answer = await client.post("/internal/escalations", json=an_escalation(token), headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "not_allowed")


async def test_an_escalation_of_a_conversation_that_is_gone_is_refused(
    client: httpx.AsyncClient, service: Service, token: str
) -> None:
    body = an_escalation(token, conversation="gone")
    answer = await client.post("/internal/escalations", json=body, headers=bearer(service.bot_token))
    assert (answer.status_code, answer.json()["error"]) == (404, "no_conversation")
