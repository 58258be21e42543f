"""One whole service for all journeys: three real processes, an empty store, a Bot API server on the loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from bot.service import RunningService, temporary_service
from bot.settings import Settings
from tests.bot.bot_api_server import TOKEN, BotApiServer, bot_api_server
from tests.bot.graph_api_server import GraphApiServer, graph_api_server, whatsapp_settings


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def telegram() -> AsyncIterator[BotApiServer]:
    async with bot_api_server() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def whatsapp() -> AsyncIterator[GraphApiServer]:
    async with graph_api_server() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service(telegram: BotApiServer, whatsapp: GraphApiServer) -> AsyncIterator[RunningService]:
    environment = {"ZORGBRUG_TELEGRAM_TOKEN": TOKEN, "ZORGBRUG_TELEGRAM_API_URL": telegram.url}
    environment |= {f"ZORGBRUG_{name.upper()}": value for name, value in whatsapp_settings(whatsapp.url).items()}
    async with temporary_service(Settings.load(_env_file=None), print, environment) as running:
        yield running
