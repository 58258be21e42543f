"""What the tests of the bot share: a store and a whole bot in a temporary folder, beside a Rasa that does as told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.app import Bot, Content, create_app
from bot.settings import PROJECT, Settings
from bot.store.engine import Store
from tests.bot.fakes import FakeRasa, KeepingChannel, serving

DATA = PROJECT / "data"

MakeBot = Callable[..., Bot]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "zorgbrug.db"


@pytest.fixture
async def store(database: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite+aiosqlite:///{database}", lock_wait_seconds=0.1)
    await store.migrate()
    yield store
    await store.close()


@pytest.fixture(scope="session")
def content() -> Content:
    return Content.load(DATA)


@pytest.fixture
async def rasa() -> AsyncIterator[FakeRasa]:
    rasa = FakeRasa()
    await rasa.start()
    yield rasa
    await rasa.stop()


@pytest.fixture
def channel() -> KeepingChannel:
    return KeepingChannel()


@pytest.fixture
def settings(tmp_path: Path, rasa: FakeRasa) -> Settings:
    return Settings.load(
        _env_file=None,
        var=tmp_path,
        data=DATA,
        rasa_url=rasa.url,
        actions_url=rasa.url,
        apology_after_seconds=0.4,
        rasa_timeout_seconds=2.0,
        telegram_token=None,
    )


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.app.SWEEP_SECONDS", 0.05)
    monkeypatch.setattr("bot.conversations.inbox.SHORTEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr("bot.conversations.inbox.LONGEST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr("bot.conversations.outbox.FIRST_PAUSE_SECONDS", 0.05)


@pytest.fixture
async def bot(settings: Settings, content: Content, channel: KeepingChannel) -> AsyncIterator[Bot]:
    bot = Bot(settings, content)
    bot.channels[channel.name] = channel
    await bot.start()
    yield bot
    await bot.stop()


@dataclass
class Service:
    """The whole HTTP application on a real port."""

    url: str
    bot: Bot
    bot_token: str


@pytest.fixture
async def service(settings: Settings, content: Content) -> AsyncIterator[Service]:
    app = create_app(settings, content)
    async with serving(app) as url:
        yield Service(url, app.state.bot, settings.secrets.internal_token)
