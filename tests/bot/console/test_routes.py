"""Every route of the application, asked by everybody: nothing answers that should not.

`MAY` says who may what; a route that is not in it fails the first test. A refusal must leave no trace in the store.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr

from bot.app import create_app
from bot.console.guard import COOKIE, Guard
from bot.settings import Settings
from bot.staff.accounts import AccountPolicy, Accounts
from bot.store.case_models import Attachment
from bot.store.models import Inbox
from tests.bot.cases.conftest import Person
from tests.bot.conftest import Content
from tests.bot.console.conftest import PASSWORD
from tests.bot.fakes import serving

# Who knocks. `half` gave the password and still owes the code; `unready` is a supervisor who must set up a second
# factor first; `elsewhere` is a worker of another WIN-punt than the case's.
VISITORS = ("nobody", "half", "unready", "editor", "elsewhere", "worker", "supervisor", "admin")
ALL = frozenset(VISITORS)
MEMBERS = ALL - {"nobody", "half"}
CASE_STAFF = frozenset({"elsewhere", "worker", "supervisor", "admin"})
THIS_CASE = CASE_STAFF - {"elsewhere"}
SUPERVISORS = frozenset({"supervisor", "admin"})
# Nobody by being of the staff: these ask for the token of a conversation, or for a secret between machines.
OTHER_SECRET = frozenset[str]()

MAY = {
    "GET /": ALL,
    "GET /health": ALL,  # this and the next two from the machine itself; see the test of them
    "GET /ready": ALL,
    "GET /metrics": ALL,
    "GET /api/ui/{lang}": ALL,
    "POST /api/conversations": ALL,
    "POST /api/messages": OTHER_SECRET,
    "POST /api/photos": OTHER_SECRET,
    "POST /api/typing": OTHER_SECRET,
    "GET /api/events": OTHER_SECRET,
    "GET /api/history": OTHER_SECRET,
    "POST /internal/escalations": OTHER_SECRET,
    "POST /telegram/webhook": OTHER_SECRET,
    "GET /whatsapp/webhook": OTHER_SECRET,
    "POST /whatsapp/webhook": OTHER_SECRET,
    "MOUNT /static": ALL,
    "MOUNT /console/static": ALL,
    "GET /console/login": ALL,
    "POST /console/login": ALL,
    "GET /console/invite/{token}": ALL,
    "POST /console/invite/{token}": ALL,
    "GET /console/second-factor": frozenset({"half"}),
    "POST /console/second-factor": frozenset({"half"}),
    "GET /console/account": MEMBERS,
    "POST /console/account/language": MEMBERS,
    "POST /console/account/password": MEMBERS,
    "POST /console/account/totp": MEMBERS,
    "POST /console/account/totp/confirm": MEMBERS,
    "GET /console/": CASE_STAFF,
    "GET /console/queue": CASE_STAFF,
    "GET /console/events": CASE_STAFF,
    "GET /console/cases/{case_id}": THIS_CASE,
    "GET /console/cases/{case_id}/part": THIS_CASE,
    "GET /console/cases/{case_id}/photos/{inbox_id}": THIS_CASE,
    "GET /console/cases/{case_id}/preview/{kind}/{name}": THIS_CASE,
    "POST /console/cases/{case_id}/{act}": THIS_CASE,
    "POST /console/cases/{case_id}/signs/typing": THIS_CASE,
    "POST /console/cases/{case_id}/signs/translate": THIS_CASE,
    "GET /console/conversations": SUPERVISORS,
    "POST /console/conversations/{conversation}/step-in": SUPERVISORS,
    "GET /console/figures": SUPERVISORS,
    "GET /console/figures.csv": SUPERVISORS,
    "POST /console/logout": ALL,
}
# The acts on a case, in an order in which the first of each can be done.
ACTS = {
    "claim": THIS_CASE,
    "note": THIS_CASE,
    "reply": THIS_CASE,
    "article": THIS_CASE,
    "ready": THIS_CASE,
    "take": SUPERVISORS,
    "release": THIS_CASE,
    "transfer": THIS_CASE,
    "close": THIS_CASE,
}
WITHOUT_SESSION = ("POST /console/login", "POST /console/invite/{token}")
FORMS = {
    "/console/login": {"email": "nobody@win.example", "password": "not the right one"},
    "/console/invite/{token}": {"password": "one two three four", "again": "something else"},
    "/console/second-factor": {"code": "000000"},
    "/console/account/language": {"lang": "en"},
    "/console/account/password": {"old": "x", "password": "y", "again": "z"},
    "/console/account/totp/confirm": {"code": "000000"},
}
CASE_FORM = {"text": "Bună ziua", "lang": "ro", "name": "gp-register", "desk": "win-roosendaal", "reason": "solved"}
SENT_TO = {"nobody": "/console/login", "half": "/console/second-factor", "unready": "/console/account"}
SERVED = (200, 201, 202, 204, 303, 400, 401, 404, 409)  # a wrong password is 401 and an unknown link 404


@dataclass
class House:
    """The whole application on a real port, behind https as far as it knows, with a case and an invitation."""

    url: str
    app: FastAPI
    settings: Settings
    accounts: Accounts
    guard: Guard
    values: dict[str, str]

    async def session_of(self, visitor: str) -> str:
        """Return the session cookie of a visitor, who is hired first."""
        if visitor == "nobody":
            return ""
        role = {"elsewhere": "worker", "half": "worker", "unready": "supervisor"}.get(visitor, visitor)
        desks = () if role == "admin" else ("win-breda",) if visitor == "elsewhere" else ("win-roosendaal",)
        email = f"{visitor}@win.example"
        await self.accounts.accept_invitation(
            await self.accounts.invite(email, visitor.title(), role, desks, ("ro",)), PASSWORD
        )
        token = (await self.accounts.log_in(email, PASSWORD)).token
        if visitor in ("half", "supervisor", "admin"):
            member = await self.accounts.member_of(token)
            assert member is not None
            totp = pyotp.parse_uri(await self.accounts.begin_totp(member.id))
            assert isinstance(totp, pyotp.TOTP)
            assert await self.accounts.finish_totp(member.id, totp.now(), token)
        return (await self.accounts.log_in(email, PASSWORD)).token if visitor == "half" else token

    def state(self) -> list[object]:
        """Return what no refused request may change."""
        with sqlite3.connect(self.settings.var / "zorgbrug.db") as store:
            return [
                store.execute(query).fetchall()
                for query in (
                    "select id, status, assigned_to, desk, close_reason from support_case",
                    "select id, role, password_hash, totp_sealed, is_totp_on, ui_lang, is_disabled from staff",
                    "select id, is_with_human from conversation",
                    "select count(*) from outbox where staff_id is not null union all select count(*) from note",
                )
            ]


@pytest.fixture
async def house(settings: Settings, content: Content, tmp_path: Path) -> AsyncIterator[House]:
    nowhere = "http://127.0.0.1:9"
    everything = settings.model_copy(
        update={
            "public_url": "https://zorgbrug.example",
            "totp_required_for_supervisors": True,
            "openings_per_minute": 1000,
            "telegram_token": SecretStr("123456:test-token"),
            "telegram_mode": "webhook",
            "telegram_webhook_secret": SecretStr("a-secret-of-telegram"),
            "telegram_api_url": nowhere,
            "whatsapp_token": SecretStr("a-token"),
            "whatsapp_phone_id": "1234",
            "whatsapp_app_secret": SecretStr("an-app-secret"),
            "whatsapp_verify_token": SecretStr("a-verify-token"),
            "whatsapp_api_url": nowhere,
        }
    )
    app = create_app(everything, content)
    bot = app.state.bot
    accounts = Accounts(bot.store, bot.sealer, AccountPolicy.of(everything))
    async with serving(app) as url:
        case = await Person(bot).asks_for_a_person()
        elsewhere = await Person(bot, "marek").says("jak zapisać się do lekarza?")

        async def add_photo(session):  # type: ignore[no-untyped-def]
            inbox = Inbox(
                channel="test", external_id="photo", content={"kind": "unsupported"}, case_id=case,
                received_at=datetime.now(UTC), next_attempt_at=datetime.now(UTC), status="done",
            )  # fmt: skip
            session.add(inbox)
            await session.flush()
            sealed = bot.sealer.seal_bytes(b"\x89PNG")
            session.add(Attachment(inbox_id=inbox.id, case_id=case, media_type="image/png", sealed=sealed))
            return inbox.id

        values = {
            "case_id": str(case),
            "inbox_id": str(await bot.store.run(add_photo)),
            "kind": "ready",
            "name": "please_wait",
            "conversation": elsewhere.conversation,
            "token": await accounts.invite("new@win.example", "New", "worker", (), ()),
            "lang": "ro",
            "act": "claim",
        }
        guard = Guard(accounts, everything.secrets.web_secret, is_https=True)
        yield House(url, app, everything, accounts, guard, values)


@dataclass
class Visitor:
    """Somebody's browser, which sends its cookie and what forms carry."""

    house: House
    session: str
    client: httpx.AsyncClient

    async def ask(
        self,
        route: str,
        headers: dict[str, str] | None = None,
        form_token: str | None = None,
        case_form: dict[str, str] | None = None,
        **values: str,
    ) -> tuple[int, str]:
        """Ask a route; return the status and where it sends to. Every answer has the security headers."""
        method, _, template = route.partition(" ")
        path = template.format(**{**self.house.values, **values})
        if method == "MOUNT":
            method, path = "GET", f"{path}/{'console.css' if 'console' in path else 'icon.svg'}"
        token = self.house.guard.form_token(self.session) if form_token is None else form_token
        form = {"form_token": token, **(case_form or FORMS.get(template, {}))} if "/console/" in path else {}
        async with self.client.stream(
            method, path,
            headers={"Cookie": f"{COOKIE}={self.session}" if self.session else "", **(headers or {})},
            data=form if method == "POST" and form else None,
        ) as answer:  # fmt: skip
            kind = answer.headers.get("content-type", "")
            text = "" if kind.startswith("text/event-stream") else (await answer.aread()).decode(errors="replace")
        assert_is_guarded(answer, text)
        return answer.status_code, answer.headers.get("location", "")


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=house.url, trust_env=False, timeout=15.0) as client:
        yield client


def assert_is_guarded(answer: httpx.Response, text: str) -> None:
    """Every answer says what a browser may do with it, and no page holds a script or style of its own."""
    where = f"{answer.request.method} {answer.request.url.path}"
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy, where
    for needed in ("default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert needed in policy, where
    assert answer.headers["x-content-type-options"] == "nosniff", where
    assert answer.headers["x-frame-options"] == "DENY", where
    assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin"), where
    assert answer.headers["strict-transport-security"].startswith("max-age="), where
    if "/console" in where and answer.headers.get("content-type", "").startswith("text/html"):
        assert answer.headers["cache-control"] == "no-store", where
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text), where


def routes_of(app: FastAPI) -> set[str]:
    found = set()
    for route in iter_route_contexts(app.routes):
        methods = getattr(route, "methods", None) or {"MOUNT"}
        found |= {f"{method} {route.path}" for method in methods - {"HEAD"}}
    return found


def is_refusal(route: str, visitor: str, status: int, location: str) -> bool:
    """Say whether an answer is the refusal that this visitor gets there."""
    may = MAY[route]
    if may is OTHER_SECRET:
        return status in (401, 403)
    if route.endswith("/second-factor"):
        return (status, location) == (303, "/console/login")
    if visitor in SENT_TO:
        wanted = (401, "") if route.endswith("/events") else (303, SENT_TO[visitor])
        return (status, location) == wanted
    return status == (404 if may is THIS_CASE and visitor == "elsewhere" else 403)


async def test_every_route_has_its_entry(house: House) -> None:
    routes = routes_of(house.app)
    assert routes - MAY.keys() == set(), "say in MAY who may use these"
    assert MAY.keys() - routes == set(), "these are gone"


@pytest.mark.parametrize("name", VISITORS)
async def test_nothing_answers_that_should_not(house: House, client: httpx.AsyncClient, name: str) -> None:
    visitor = Visitor(house, await house.session_of(name), client)
    await assert_acts_are_kept(house, visitor, name)
    for route, may in MAY.items():
        if route not in routes_of(house.app) or route.endswith("{act}"):
            continue
        before = house.state()
        status, location = await visitor.ask(route)
        if name in may:
            assert status in SERVED, f"{name} may {route}, and got {status}"
            is_sent_away = location in SENT_TO.values() and not route.startswith("POST /console/account")
            assert not is_sent_away or route == "POST /console/logout", f"{name} may {route}, and is sent to {location}"
        else:
            assert is_refusal(route, name, status, location), f"{name} may not {route}, and got {status} {location}"
            assert house.state() == before, f"{name} may not {route}, and changed something"


async def assert_acts_are_kept(house: House, visitor: Visitor, name: str) -> None:
    """Ask for every act on a case."""
    route = "POST /console/cases/{case_id}/{act}"
    for act, may in ACTS.items():
        before = house.state()
        if act in ("transfer", "close") and name in may:
            await visitor.ask(route, act="claim")
        form = CASE_FORM | ({"name": "please_wait"} if act == "ready" else {})
        status, location = await visitor.ask(route, act=act, case_form=form)
        if name in may:
            assert status == 303, f"{name} may {act}, and got {status}"
            assert location not in SENT_TO.values(), f"{name} may {act}, and is sent to {location}"
        else:
            # Whoever may not take any case at all is told so before anybody looks for this one.
            is_no_supervisor = (act, status) == ("take", 409) and name in ("worker", "elsewhere")
            assert is_no_supervisor or is_refusal(route, name, status, location), f"{name} {act}: {status} {location}"
            assert house.state() == before, f"{name} may not {act}, and changed something"


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


async def test_a_form_that_is_not_from_our_own_page_is_refused(house: House, client: httpx.AsyncClient) -> None:
    whole = Visitor(house, await house.session_of("admin"), client)
    half = Visitor(house, await house.session_of("half"), client)
    posts = [route for route in MAY if route.startswith("POST /console/")]
    before = house.state()
    for route in posts:
        visitor = half if route.endswith("/second-factor") else whole
        for headers in FOREIGN:
            assert await visitor.ask(route, headers) == (403, ""), f"{route} with {headers}"
        if route not in WITHOUT_SESSION:
            for token in ("", "0" * 64, house.guard.form_token("somebody else's session")):
                assert await visitor.ask(route, form_token=token) == (403, ""), f"{route} with the form token {token!r}"
    assert house.state() == before
    assert await house.accounts.member_of(whole.session) is not None, "still logged in"


async def test_nobody_on_the_internet_sees_how_the_service_fares(house: House, client: httpx.AsyncClient) -> None:
    through_the_proxy = {"X-Forwarded-For": "203.0.113.7"}
    visitor = Visitor(house, await house.session_of("admin"), client)
    for path in ("/health", "/ready", "/metrics"):
        assert await visitor.ask(f"GET {path}", through_the_proxy) == (401, "")
        token = {"Authorization": f"Bearer {house.settings.secrets.internal_token}", **through_the_proxy}
        assert (await visitor.ask(f"GET {path}", token))[0] == 200


async def test_a_form_of_our_own_page_is_taken(house: House, client: httpx.AsyncClient) -> None:
    visitor = Visitor(house, await house.session_of("worker"), client)
    own = {"Origin": house.url, "Sec-Fetch-Site": "same-origin"}
    assert await visitor.ask("POST /console/account/language", own) == (303, "/console/account")
    by_header = {**own, "X-Form-Token": house.guard.form_token(visitor.session)}
    assert (await visitor.ask("POST /console/cases/{case_id}/signs/typing", by_header, form_token=""))[0] == 204


async def test_a_photo_of_one_case_is_not_shown_through_another(house: House, client: httpx.AsyncClient) -> None:
    visitor = Visitor(house, await house.session_of("worker"), client)
    other = await Person(house.app.state.bot, "ion").asks_for_a_person()
    photo = "GET /console/cases/{case_id}/photos/{inbox_id}"
    assert (await visitor.ask(photo))[0] == 200
    assert (await visitor.ask(photo, case_id=str(other)))[0] == 404


@pytest.mark.parametrize("is_https", [True, False])
async def test_cookies_are_kept_from_scripts_and_other_sites(
    settings: Settings, content: Content, *, is_https: bool
) -> None:
    own = settings.model_copy(update={"public_url": "https://zorgbrug.example" if is_https else ""})
    app = create_app(own, content)
    accounts = Accounts(app.state.bot.store, app.state.bot.sealer, AccountPolicy.of(own))
    async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        token = await accounts.invite("ioana@win.example", "Ioana", "worker", (), ())
        await accounts.accept_invitation(token, PASSWORD)
        login = await client.post("/console/login", data={"email": "ioana@win.example", "password": PASSWORD})
        chat = await client.post("/api/conversations")
    for answer, path in ((login, "/console"), (chat, "/")):
        (cookie,) = answer.headers.get_list("set-cookie")
        marks = {mark.strip().lower() for mark in cookie.split(";")[1:]}
        assert {"httponly", "samesite=strict", f"path={path}"} <= marks
        assert ("secure" in marks) is is_https
        assert ("strict-transport-security" in answer.headers) is is_https
