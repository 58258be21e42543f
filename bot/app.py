"""Puts the bot together: store, helpers, workers, channels, and the HTTP application around them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig
from sqlalchemy import select

from bot.cases.deadlines import Deadlines, Patience
from bot.cases.desks import Desks
from bot.cases.news import tell_consoles, tell_typing
from bot.cases.notices import CaseNotices
from bot.cases.photos import MOST_BYTES as MOST_PHOTO_BYTES
from bot.cases.photos import PhotoKeeper
from bot.cases.relay import Relay
from bot.cases.work import CaseWork
from bot.channels.base import Channel
from bot.channels.web import WebChannel
from bot.console.cases import CaseRooms
from bot.console.guard import Guard
from bot.console.library import ConsoleLibrary
from bot.console.pages import Pages
from bot.console.router import add_console
from bot.console.texts import ConsoleTexts
from bot.console.translation import LibreTranslate
from bot.conversations.addresses import seal_old_addresses
from bot.conversations.core import ConversationCore
from bot.conversations.inbox import InboxWorker
from bot.conversations.limits import RateLimiter
from bot.conversations.notices import Notices
from bot.conversations.outbox import OutboxWorker
from bot.conversations.rasa import RasaClient
from bot.conversations.retention import Retention
from bot.conversations.statuses import DeliveryStatuses
from bot.conversations.understanding import Understanding
from bot.errors import StoreUnavailable
from bot.events import Bus, make_bus
from bot.logs import set_up_logging
from bot.settings import Settings
from bot.staff.accounts import AccountPolicy, Accounts
from bot.store.engine import Store
from bot.store.leases import leases_of
from bot.web.api import make_api
from bot.web.guards import FloodGate, SecurityHeaders, SizeLimit, add_error_answers
from bot.web.internal import make_internal_api
from bot.web.operations import make_operations_api
from bot.web.tokens import Tokens
from knowledge.loading import load_contacts, load_languages
from knowledge.locales import Locales
from knowledge.origins import Origins
from knowledge.problems import raise_if_any

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
RETENTION_SWEEP_SECONDS = 3600.0
DEADLINE_SWEEP_SECONDS = 30.0
# FastAPI can export spans and exception texts; nothing about a conversation leaves the machine.
NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
# Meta puts many messages into one call; photos go to a worker only.
LARGER_REQUESTS = {"/whatsapp/webhook": 3 * 1024 * 1024, "/api/photos": MOST_PHOTO_BYTES}
WEB_FILES = Path(__file__).parent / "web" / "static"


@dataclass(frozen=True)
class Content:
    """What the bot itself reads of `data/`; tests give their own."""

    locales: Locales
    notices: Notices
    understanding: Understanding
    case_notices: CaseNotices

    @classmethod
    def load(cls, data_dir: Path) -> Content:
        """Read it.

        Raises:
            KnowledgeError, DataFileError, DesksUnusable: A file is missing or wrong; the message names it.
        """
        origins = Origins()
        languages, contacts = load_languages(data_dir, origins), load_contacts(data_dir, origins)
        raise_if_any(origins.problems)
        texts = Locales.load(data_dir)
        return cls(
            texts,
            Notices(texts, languages, contacts),
            Understanding.from_data(data_dir),
            CaseNotices(texts, contacts, Desks.load(data_dir, contacts)),
        )


class Bot:
    """The running parts, started and stopped in order."""

    def __init__(self, settings: Settings, content: Content) -> None:
        self.store = Store(settings.store_url)
        self.rasa = RasaClient(
            settings.rasa_base_urls,
            settings.actions_base_url,
            settings.secrets.rasa_token,
            settings.rasa_timeout_seconds,
        )
        self.leases = leases_of(self.store)
        self.sealer = settings.secrets.sealer()
        self.bus: Bus = make_bus(settings.redis_url)
        self.web = WebChannel(self.bus)
        self.channels: dict[str, Channel] = _channels(settings, content, self.web)
        self.outbox = OutboxWorker(
            self.store, self.rasa, self.channels, self.sealer, partial(tell_consoles, self.bus), self.leases
        )
        self.desks = content.case_notices.desks
        relay = Relay(content.case_notices)
        self.cases = CaseWork(self.store, content.case_notices, self.bus, self.outbox.wake)
        self.deadlines = Deadlines(
            self.store,
            content.case_notices,
            Patience(settings.case_claim_minutes, settings.case_reply_minutes),
            self.cases.tell,
        )
        self.inbox = InboxWorker(
            self.store,
            self.rasa,
            content.notices,
            self.channels,
            self.outbox.wake,
            relay,
            self.sealer,
            most_attempts=settings.attempts_before_setting_aside,
            apology_after_seconds=settings.apology_after_seconds,
            leases=self.leases,
        )
        self.core = ConversationCore(
            self.store,
            content.understanding,
            content.notices,
            RateLimiter(settings.messages_per_minute, time.monotonic),
            settings.longest_text,
            self.inbox.wake,
            self.outbox.wake,
            relay,
            self.sealer,
            self.cases.tell,
            channels_opened_here=frozenset({self.web.name}),
        )
        self._photos = PhotoKeeper(self.store, self.sealer, self.channels, content.case_notices, self.cases.tell)
        statuses = DeliveryStatuses(self.store, partial(tell_consoles, self.bus))
        for channel in self.channels.values():
            channel.statuses = statuses
        self._retention = Retention(
            self.store, self.rasa, settings.retention_days, settings.case_retention_days, AccountPolicy.of(settings)
        )
        self._sweeping: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Bring the store up to date, then receive and work.

        Raises:
            StoreUnavailable: The store cannot be opened.
        """
        await self.store.migrate()
        await seal_old_addresses(self.store, self.sealer)
        await self.bus.start()
        await self.leases.start()
        self._sweeping = [
            asyncio.create_task(_again_and_again(self._sweep, SWEEP_SECONDS)),
            asyncio.create_task(_again_and_again(self._forget_the_idle, RETENTION_SWEEP_SECONDS)),
            asyncio.create_task(_again_and_again(self._mind_the_cases, DEADLINE_SWEEP_SECONDS)),
        ]
        for channel in self.channels.values():
            await channel.start(self.core)

    async def stop(self) -> None:
        """Stop receiving, then working; whatever is unfinished waits in the store."""
        for channel in self.channels.values():
            await channel.stop()
        await self.bus.close()
        for task in self._sweeping:
            task.cancel()
        await asyncio.gather(*self._sweeping, return_exceptions=True)
        await self.inbox.stop()
        await self.outbox.stop()
        await self.leases.stop()
        await self.rasa.close()
        await self.store.close()

    async def reachable(self) -> dict[str, bool]:
        """Say which parts answer."""
        rasa, actions, store = await asyncio.gather(
            self.rasa.is_reachable(), self.rasa.are_actions_reachable(), self._is_store_reachable()
        )
        return {"store": store, "rasa": rasa, "actions": actions}

    async def _is_store_reachable(self) -> bool:
        try:
            await self.store.read(lambda session: session.scalar(select(1)))
        except StoreUnavailable:
            return False
        return True

    async def _sweep(self) -> None:
        await self.inbox.sweep()
        await self.outbox.sweep()
        await self._photos.sweep()

    async def _mind_the_cases(self) -> None:
        await self.deadlines.sweep(datetime.now(UTC))

    async def _forget_the_idle(self) -> None:
        await self._retention.sweep(datetime.now(UTC))


async def _again_and_again(work: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
    """Do the work for ever. Whatever goes wrong in it, the next time comes: messages wait for these rounds."""
    while True:
        try:
            await work()
        except StoreUnavailable as error:
            logger.error("store_unavailable", extra={"reason": str(error)})
        except Exception as error:
            # Only the type: the text of an exception may quote what a person wrote.
            logger.error("round_failed", extra={"round": work.__name__, "error": type(error).__name__})
        await asyncio.sleep(pause_seconds)


def create_app(settings: Settings, content: Content | None = None) -> FastAPI:
    """Return the application of one bot process.

    Raises:
        SettingsProblem, SecretsUnusable, KnowledgeError, DataFileError: Something it needs is missing or wrong.
    """
    set_up_logging(settings.log_level)
    content = content or Content.load(settings.data)
    bot = Bot(settings, content)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await bot.start()
        logger.info("bot_started", extra={"channels": sorted(bot.channels)})
        yield
        await bot.stop()

    app = FastAPI(
        title="Zorgbrug", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY
    )
    app.state.bot = bot
    add_error_answers(app)
    app.add_middleware(SizeLimit, most_bytes=settings.largest_request_bytes, exceptions=LARGER_REQUESTS)
    app.add_middleware(SecurityHeaders, is_https=settings.is_https)
    tokens = Tokens(settings.secrets.web_secret)
    flood = FloodGate(settings.openings_per_minute)
    app.include_router(
        make_api(
            bot.store,
            bot.core,
            bot.web,
            tokens,
            content.locales,
            content.notices.languages,
            bot.sealer,
            flood,
            bot.cases.tell,
            partial(tell_typing, bot.bus),
            is_https=settings.is_https,
        )
    )
    app.include_router(
        make_internal_api(bot.store, content.case_notices.desks, settings.secrets.internal_token, bot.cases.tell)
    )
    for channel in bot.channels.values():
        if (router := channel.router()) is not None:
            app.include_router(router)
    _add_console(app, bot, settings, content, flood)
    _add_pages(app, bot, settings.secrets.internal_token)
    return app


def _add_console(app: FastAPI, bot: Bot, settings: Settings, content: Content, flood: FloodGate) -> None:
    accounts = Accounts(bot.store, bot.sealer, AccountPolicy.of(settings))
    guard = Guard(accounts, settings.secrets.web_secret, is_https=settings.is_https)
    desks = content.case_notices.desks
    pages = Pages(ConsoleTexts.load(settings.data), guard, content.notices.languages, desks.zone)
    key = settings.translate_key.get_secret_value() if settings.translate_key else None
    rooms = CaseRooms(
        store=bot.store,
        work=bot.cases,
        desks=desks,
        accounts=accounts,
        library=ConsoleLibrary(settings.data, settings.var, content.locales),
        locales=content.locales,
        channels=bot.channels,
        sealer=bot.sealer,
        translator=LibreTranslate(settings.translate_url, key) if settings.translate_url else None,
    )
    add_console(app, rooms, guard, pages, bot.bus, flood)


def _channels(settings: Settings, content: Content, web: WebChannel) -> dict[str, Channel]:
    channels: dict[str, Channel] = {web.name: web}
    if settings.telegram_token is not None:
        from bot.channels.telegram import TelegramChannel  # slow to import, and most trials run without it

        served = [code for code, language in content.notices.languages.items() if language.served]
        telegram = TelegramChannel(settings, content.locales, served)
        channels[telegram.name] = telegram
    if settings.whatsapp_token is not None:
        from bot.channels.whatsapp import WhatsAppChannel

        whatsapp = WhatsAppChannel(settings, content.locales)
        channels[whatsapp.name] = whatsapp
    return channels


def _add_pages(app: FastAPI, bot: Bot, internal_token: str) -> None:
    app.include_router(make_operations_api(bot.store, internal_token, bot.reachable))

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(WEB_FILES / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/static", StaticFiles(directory=WEB_FILES), name="static")
