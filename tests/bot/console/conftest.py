"""The console over HTTP: an application on a real port, and members of the staff who are logged in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.app import create_app
from bot.settings import PROJECT, Settings
from bot.staff.accounts import AccountPolicy, Accounts
from tests.bot.cases.conftest import Person
from tests.bot.conftest import Content, Service
from tests.bot.fakes import serving

PASSWORD = "een heel lang wachtwoord"


@dataclass
class Browser:
    """Somebody's browser: it keeps cookies, and sends forms as a page of ours does."""

    client: httpx.AsyncClient
    token: str = ""

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"/console{path}")

    async def post(self, path: str, **form: str) -> httpx.Response:
        return await self.client.post(f"/console{path}", data={"form_token": self.token, **form})

    async def log_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        answer = await self.post("/login", email=email, password=password)
        if answer.status_code == 303:
            page = await self.get("/account")
            found = re.search(r'data-form-token="(\w+)"', page.text)
            self.token = found[1] if found else ""
        return answer


OpenBrowser = Callable[[], Awaitable[Browser]]
LogIn = Callable[..., Awaitable[Browser]]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """The settings of the other tests, with the published articles in reach where there are any."""
    if (PROJECT / "var" / "snapshots").exists():
        (tmp_path / "snapshots").symlink_to(PROJECT / "var" / "snapshots")
    return settings.model_copy(update={"totp_required_for_supervisors": False})


@pytest.fixture
async def console(settings: Settings, content: Content) -> AsyncIterator[Service]:
    app = create_app(settings, content)
    async with serving(app) as url:
        yield Service(url, app.state.bot, settings.secrets.internal_token)


@pytest.fixture
async def open_browser(console: Service) -> AsyncIterator[OpenBrowser]:
    async with AsyncExitStack() as stack:

        async def open_one() -> Browser:
            client = httpx.AsyncClient(base_url=console.url, trust_env=False, timeout=10.0)
            return Browser(await stack.enter_async_context(client))

        yield open_one


@pytest.fixture
def accounts(console: Service) -> Accounts:
    return Accounts(console.bot.store, console.bot.sealer, AccountPolicy(is_totp_required_for_supervisors=False))


@pytest.fixture
def log_in(accounts: Accounts, open_browser: OpenBrowser) -> LogIn:
    async def log_in(
        name: str = "Ioana", role: str = "worker", desks: tuple[str, ...] = ("win-roosendaal",)
    ) -> Browser:
        email = f"{name.lower()}@win.example"
        await accounts.accept_invitation(await accounts.invite(email, name, role, desks, ("ro",)), PASSWORD)
        browser = await open_browser()
        assert (await browser.log_in(email)).status_code == 303
        return browser

    return log_in


@pytest.fixture
def person(console: Service) -> Person:
    """Somebody on the web chat's core; the channel of the tests is not there, so replies wait in the outbox."""
    return Person(console.bot)
