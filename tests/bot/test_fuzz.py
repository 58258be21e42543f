"""Requests that nobody foresaw, to everything that takes input from outside: no answer is a 5xx.

The application runs on a real port in a thread of its own. Examples are the same in every run.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bot.app import Content, create_app
from bot.settings import PROJECT, Settings
from bot.staff.accounts import AccountPolicy, Accounts
from bot.web.api import NewConversation, NewMessage
from tests.bot.cases.conftest import Person
from tests.bot.conftest import DATA
from tests.bot.fakes import FakeRasa, serving

NOWHERE = "http://127.0.0.1:9"
PASSWORD = "een heel lang wachtwoord"
TELEGRAM_SECRET, WHATSAPP_SECRET = "a-secret-of-telegram", "an-app-secret"


def few(count: int) -> examples:
    return examples(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True)
class House:
    """The running application, and what is needed to get past its doors."""

    app: FastAPI
    client: httpx.Client
    url: str
    conversation: str
    case: int
    token: str
    internal_token: str
    form_token: str

    def assert_stands(self, answer: httpx.Response) -> None:
        assert answer.status_code < 500, f"{answer.request.method} {answer.request.url}: {answer.text[:300]}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, content: Content) -> Iterator[House]:
    folder, started, stop = tmp_path_factory.mktemp("fuzz"), Queue[Any](), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_run(folder, content, started, stop)))
    thread.start()
    house = started.get(timeout=60)
    if isinstance(house, BaseException):
        raise house
    with house.client:
        yield house
    stop.set()
    thread.join(20)


async def _run(folder: Path, content: Content, started: Queue[Any], stop: threading.Event) -> None:
    if (PROJECT / "var" / "snapshots").exists():
        (folder / "snapshots").symlink_to(PROJECT / "var" / "snapshots")
    try:
        rasa = FakeRasa()
        await rasa.start()
        own = Settings.load(
            _env_file=None, var=folder, data=DATA, rasa_url=rasa.url,
            actions_url=rasa.url, openings_per_minute=100_000,
            public_url="https://zorgbrug.example", totp_required_for_supervisors=False, login_attempts=1000,
            messages_per_minute=100_000, telegram_token="123456:test-token", telegram_mode="webhook",
            telegram_webhook_secret=TELEGRAM_SECRET, telegram_api_url=NOWHERE, whatsapp_token="a-token",
            whatsapp_phone_id="1234", whatsapp_app_secret=WHATSAPP_SECRET, whatsapp_verify_token="a-verify-token",
            whatsapp_api_url=NOWHERE, log_level="ERROR",
        )  # fmt: skip
        app = create_app(own, content)
        bot = app.state.bot
        accounts = Accounts(bot.store, bot.sealer, AccountPolicy.of(own))
        async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            person = Person(bot)
            case = await person.asks_for_a_person()
            receipt = await person.says("vreau un medic")
            chat = (await client.post("/api/conversations")).json()
            invitation = await accounts.invite("admin@win.example", "Ada", "admin", (), ("ro",))
            await accounts.accept_invitation(invitation, PASSWORD)
            session = (await accounts.log_in("admin@win.example", PASSWORD)).token
            cookie = {"Cookie": f"zorgbrug_staff={session}"}
            page = await client.get("/console/account", headers=cookie)
            found = re.search(r'data-form-token="(\w+)"', page.text)
            assert found is not None
            started.put(
                House(
                    app, httpx.Client(base_url=url, headers=cookie, trust_env=False, timeout=15.0), url,
                    receipt.conversation, case, chat["token"], own.secrets.internal_token, found[1],
                )
            )  # fmt: skip
            while not stop.is_set():
                await asyncio.sleep(0.05)
        await rasa.stop()
    except BaseException as error:
        started.put(error)
        raise


# What is easily got wrong: half pairs of UTF-16, NUL, numbers that no column holds, deep nesting.
odd_texts = st.sampled_from(["", "\0", "\ud800", "x" * 5000, "⟮" * 200, "/start", "helped:yes:999999999999999", "-1"])
texts = odd_texts | st.text(st.characters(), max_size=60)
numbers = st.sampled_from([0, -1, 2**31, 2**53, 2**63, 10**400, 1e308]) | st.integers() | st.floats()
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
bodies = st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode())
deep = st.just(b"[" * 30_000) | st.just(b'{"a":' * 10_000)


def spoiled(whole: Any) -> st.SearchStrategy[bytes]:
    """Generate JSON like a whole document of which up to three places were replaced or left out."""
    places = list(_places(whole))

    @st.composite
    def spoil(draw: st.DrawFn) -> bytes:
        document = copy.deepcopy(whole)
        for _ in range(draw(st.integers(1, 3))):
            *way, last = draw(st.sampled_from(places))
            holder = document
            try:
                for step in way:
                    holder = holder[step]
                if draw(st.booleans()):
                    holder[last] = draw(json_values)
                else:
                    del holder[last]
            except (KeyError, IndexError, TypeError):
                continue  # another spoiling took the place away
        return json.dumps(document).encode()

    return spoil()


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in inner:
        yield (*way, step)
        yield from _places(item, (*way, step))


@pytest.fixture(scope="module")
def web_schema(house: House) -> list[Any]:
    """What the description of the public API offers, but for the stream, which never ends.

    The bodies are read by hand there, so they are filled in from the models.
    """
    description = house.app.openapi()
    for path, model in (("/api/conversations", NewConversation), ("/api/messages", NewMessage)):
        shape = model.model_json_schema(ref_template="#/components/schemas/{model}")
        description.setdefault("components", {}).setdefault("schemas", {}).update(shape.pop("$defs", {}))
        description["paths"][path]["post"]["requestBody"] = {"content": {"application/json": {"schema": shape}}}
    described = schemathesis.openapi.from_dict(description).exclude(path="/api/events")
    return [found.ok() for found in described.get_all_operations()]


@few(100)
@given(data=st.data())
def test_the_web_api_as_described(house: House, web_schema: Any, data: st.DataObject) -> None:
    case = data.draw(st.one_of(*(operation.as_strategy() for operation in web_schema)))
    headers = {"Authorization": f"Bearer {house.token}"}
    answer = case.call(base_url=house.url, headers=headers, timeout=15)
    assert answer.status_code < 500, f"{case.method} {case.path}: {answer.status_code}"


@few(40)
@given(body=bodies | deep | spoiled({"id": "1", "text": "x", "location": {"lat": 1.0, "lon": 2.0}, "payload": "yes"}))
def test_messages_of_any_form(house: House, body: bytes) -> None:
    house.assert_stands(
        house.client.post("/api/messages", content=body, headers={"Authorization": f"Bearer {house.token}"})
    )


@few(25)
@given(last=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40), after=texts | numbers.map(str))
def test_event_streams_from_any_point(house: House, last: str, after: str) -> None:
    for path, query in (("/api/events", "after"), ("/console/events", "case")):
        headers = {"Authorization": f"Bearer {house.token}", "Last-Event-ID": last}
        with house.client.stream(
            "GET", f"{path}?{query}={quote(after, errors='replace')}", headers=headers
        ) as answer:  # fmt: skip
            assert answer.status_code < 500


MESSAGE = {
    "message_id": 1,
    "date": 1_790_000_000,
    "chat": {"id": 4242, "type": "private"},
    "from": {"id": 4242, "is_bot": False, "first_name": "Ania", "language_code": "pl"},
}
UPDATES: list[dict[str, Any]] = [
    {"update_id": 1, "message": {**MESSAGE, "text": "dzień dobry"}},
    {"update_id": 2, "message": {**MESSAGE, "location": {"latitude": 51.5, "longitude": 4.4}}},
    {
        "update_id": 3,
        "message": {**MESSAGE, "photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]},
    },
    {
        "update_id": 4,
        "callback_query": {
            "id": "1",
            "from": MESSAGE["from"],
            "chat_instance": "1",
            "data": "yes",
            "message": {**MESSAGE, "text": "x"},
        },
    },
]


@few(120)
@given(body=st.one_of(bodies, deep, *map(spoiled, UPDATES)))
def test_telegram_updates_of_any_form(house: House, body: bytes) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET}
    house.assert_stands(house.client.post("/telegram/webhook", content=body, headers=headers))


WHATSAPP_POST = {
    "object": "whatsapp_business_account",
    "entry": [
        {
            "id": "1",
            "changes": [
                {
                    "field": "messages",
                    "value": {
                        "messaging_product": "whatsapp",
                        "metadata": {"display_phone_number": "31", "phone_number_id": "1234"},
                        "contacts": [{"wa_id": "31600000000", "profile": {"name": "Ania"}}],
                        "messages": [
                            {
                                "id": "wamid.1",
                                "from": "31600000000",
                                "timestamp": "1790000000",
                                "type": "text",
                                "text": {"body": "dzień dobry"},
                            }
                        ],
                        "statuses": [
                            {
                                "id": "wamid.2",
                                "recipient_id": "31600000000",
                                "status": "read",
                                "timestamp": "1790000000",
                            }
                        ],
                    },
                }
            ],
        }
    ],
}


@few(60)
@given(body=bodies | deep | spoiled(WHATSAPP_POST), is_signed=st.booleans())
def test_whatsapp_posts_of_any_form(house: House, body: bytes, *, is_signed: bool) -> None:
    digest = hmac.new(WHATSAPP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={digest if is_signed else 'é'}".encode()}
    house.assert_stands(house.client.post("/whatsapp/webhook", content=body, headers=headers))
    query = {"hub.mode": "subscribe", "hub.verify_token": body[:20].decode("latin-1"), "hub.challenge": "x"}
    house.assert_stands(house.client.get("/whatsapp/webhook", params=query))


@few(60)
@given(body=st.data())
def test_escalations_of_any_form(house: House, body: st.DataObject) -> None:
    whole = {"conversation": house.conversation, "message_id": "1", "reason": "asked", "lang": "ro", "consent": True}
    whole |= {"place": "Breda", "topic": "bsn"}
    content = body.draw(bodies | deep | spoiled(whole))
    headers = {"Authorization": f"Bearer {house.internal_token}"}
    house.assert_stands(house.client.post("/internal/escalations", content=content, headers=headers))


FIELDS = ("text", "lang", "name", "desk", "reason", "colleague", "code", "source", "target", "old", "password", "again")
segments = st.sampled_from(["1", "claim", "reply", "transfer", "article", "ready", "note", "close", "take", "-1"])
segments |= numbers.map(str) | texts
HASHING = ("/console/login", "/console/account/password")  # each takes a while by design


def _fill(template: str, house: House, draw: st.DrawFn) -> str:
    """Return a path with something in each place: the case that there is, in half of them."""

    def value(match: re.Match[str]) -> str:
        given = str(house.case) if match[1] == "case_id" and draw(st.booleans()) else draw(segments)
        return quote(given, safe="", errors="replace") or "x"

    return re.sub(r"\{(\w+)\}", value, template)


def _console_routes(house: House, method: str) -> list[str]:
    routes = [
        route for route in iter_route_contexts(house.app.routes) if method in (getattr(route, "methods", ()) or ())
    ]
    paths = {route.path for route in routes if route.path.startswith("/console")}
    return sorted(paths - {"/console/logout", "/console/events", *HASHING})


@pytest.mark.parametrize("number", [-1, 0, 2**31, 2**63, 10**30])
def test_ids_that_no_column_holds(house: House, number: int) -> None:
    form = {"form_token": house.form_token, "text": "x"}
    for act in ("claim", "note", "reply", "signs/typing", "signs/translate"):
        house.assert_stands(house.client.post(f"/console/cases/{number}/{act}", data=form))
    for path in ("", "/part", f"/photos/{house.case}", "/preview/ready/please_wait"):
        house.assert_stands(house.client.get(f"/console/cases/{number}{path}"))
    house.assert_stands(house.client.get(f"/console/cases/{house.case}/photos/{number}"))


@few(150)
@given(data=st.data())
def test_forms_of_the_console(house: House, data: st.DataObject) -> None:
    path = _fill(data.draw(st.sampled_from(_console_routes(house, "POST"))), house, data.draw)
    form = data.draw(st.dictionaries(st.sampled_from(FIELDS), texts | segments, max_size=4))
    encoded = {name: value.encode("utf-8", "surrogatepass") for name, value in form.items()}
    house.assert_stands(house.client.post(path, data={"form_token": house.form_token, **encoded}))


@few(40)
@given(
    data=st.data(),
    body=st.binary(max_size=80) | st.just(b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"),
    kind=st.sampled_from(
        ["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x"]
    ),
)
def test_bodies_that_are_no_forms(house: House, data: st.DataObject, body: bytes, kind: str) -> None:
    path = _fill(data.draw(st.sampled_from([*_console_routes(house, "POST"), *HASHING])), house, data.draw)
    headers = {"Content-Type": kind, "X-Form-Token": house.form_token}
    house.assert_stands(house.client.post(path, content=body, headers=headers))


@few(8)
@given(path=st.sampled_from(HASHING), form=st.dictionaries(st.sampled_from(("email", *FIELDS[-3:])), texts, max_size=4))
def test_logins_and_passwords(house: House, path: str, form: dict[str, str]) -> None:
    encoded = {name: value.encode("utf-8", "surrogatepass") for name, value in form.items()}
    house.assert_stands(house.client.post(path, data={"form_token": house.form_token, **encoded}))


QUERIES = ("page", "status", "desk", "lang", "urgent", "age", "days")


@few(80)
@given(data=st.data(), query=st.dictionaries(st.sampled_from(QUERIES), texts | segments, max_size=3))
def test_pages_of_the_console(house: House, data: st.DataObject, query: dict[str, str]) -> None:
    path = _fill(data.draw(st.sampled_from(_console_routes(house, "GET"))), house, data.draw)
    encoded = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in query.items())
    house.assert_stands(house.client.get(f"{path}?{encoded}"))
