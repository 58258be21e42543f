"""What the tests of the bot share: a store in a temporary folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.engine import Store


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "zorgbrug.db"


@pytest.fixture
async def store(database: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite+aiosqlite:///{database}", lock_wait_seconds=0.1)
    await store.migrate()
    yield store
    await store.close()
