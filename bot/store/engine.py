"""The connection to the message store: set up right, retried when locked, migrated at start."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from bot.errors import StoreUnavailable

T = TypeVar("T")

LOCK_WAIT_SECONDS = 1.0
ATTEMPTS = 3
PAUSE_SECONDS = 0.1
_READ_ONLY = "zorgbrug_read_only"


class Store:
    """Gives sessions on the database; every unit of work is one transaction."""

    def __init__(self, url: str, lock_wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        self._url = url
        self._is_sqlite = make_url(url).get_backend_name() == "sqlite"
        arguments: dict[str, Any] = {"connect_args": {"timeout": lock_wait_seconds}} if self._is_sqlite else {}
        # Parameters hold what people wrote; the text of an error may end up in a log.
        self.engine: AsyncEngine = create_async_engine(url, hide_parameters=True, **arguments)
        if self._is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _set_up_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._readers = async_sessionmaker(self.engine.execution_options(**{_READ_ONLY: True}), expire_on_commit=False)

    async def migrate(self) -> None:
        """Bring the tables to the newest form, making the database if there is none.

        Raises:
            StoreUnavailable: The database cannot be opened or stays locked.
        """
        if self._is_sqlite and (file := make_url(self._url).database):
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        await self._retrying(self._upgrade)

    async def _upgrade(self) -> None:
        async with self.engine.connect() as connection:
            await connection.run_sync(lambda sync: run_migration(sync, "head"))

    async def read(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Do a unit of work that only reads; it does not wait for writers.

        Raises:
            StoreUnavailable: The database stayed away.
        """
        return await self._retrying(lambda: _within(self._readers, work))

    async def run(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Do a unit of work in one transaction, again if the database was locked; `work` may run more than once.

        Raises:
            StoreUnavailable: It stayed locked or away.
        """
        return await self._retrying(lambda: _within(self._sessions, work))

    async def _retrying(self, work: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await work()
            except (OperationalError, InterfaceError) as error:
                if attempt == ATTEMPTS:
                    raise StoreUnavailable(_reason(error)) from error
                await asyncio.sleep(PAUSE_SECONDS * attempt * (0.5 + random.random()))
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


async def _within(sessions: async_sessionmaker[AsyncSession], work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    async with sessions.begin() as session:
        return await work(session)


def run_migration(connection: Any, revision: str) -> None:
    """Bring the database to a revision (`head`, `base` or an id), up or down."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    (command.downgrade if revision == "base" else command.upgrade)(config, revision)


def _set_up_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # we begin ourselves, see below
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A deferred transaction that reads and then writes fails when another wrote between; IMMEDIATE waits its turn.
    # What only reads needs no transaction, and each statement is a hop to the thread of the connection.
    if not connection.get_execution_options().get(_READ_ONLY):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _reason(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0] if error.orig else type(error).__name__
