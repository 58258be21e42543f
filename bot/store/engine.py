"""The connection to the message store: set up right, retried when locked, migrated at start."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, event, func, make_url, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from bot.errors import StoreUnavailable

T = TypeVar("T")

LOCK_WAIT_SECONDS = 1.0
ATTEMPTS = 3
PAUSE_SECONDS = 0.1
_READ_ONLY = "zorgbrug_read_only"

# A server elsewhere may be gone without a word, so every wait on it ends.
CONNECT_SECONDS = 3.0
COMMAND_SECONDS = 5.0
# Lanes, requests and rounds of one process together seldom want more at once; see MOST_AT_ONCE of the workers.
MOST_CONNECTIONS = 20
# Classes of SQLSTATE that pass by themselves: connection lost, rolled back for another, out of room, shut down, broken.
PASSING_TROUBLE = ("08", "40", "53", "57", "58")
MIGRATION_LOCK = 112_2026  # any number that nobody else locks in this database


class Store:
    """Gives sessions on the database; every unit of work is one transaction."""

    def __init__(self, url: str, lock_wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        self._url = url
        self._is_sqlite = make_url(url).get_backend_name() == "sqlite"
        arguments = {"connect_args": {"timeout": lock_wait_seconds}} if self._is_sqlite else _for_a_server()
        # Parameters hold what people wrote; the text of an error may end up in a log.
        self.engine: AsyncEngine = create_async_engine(url, hide_parameters=True, **arguments)
        if self._is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _set_up_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._readers = async_sessionmaker(self.engine.execution_options(**{_READ_ONLY: True}), expire_on_commit=False)

    @property
    def is_shared(self) -> bool:
        """Whether other processes may use the same database, on whatever machine."""
        return not self._is_sqlite

    async def migrate(self) -> None:
        """Bring the tables to the newest form, making the database if there is none.

        Raises:
            StoreUnavailable: The database cannot be opened or stays locked.
        """
        if self._is_sqlite and (file := make_url(self._url).database):
            try:
                Path(file).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreUnavailable(f"the folder of {file} cannot be made ({error.strerror})") from error
        await self._retrying(self._upgrade)

    async def _upgrade(self) -> None:
        if self._is_sqlite:
            async with self.engine.connect() as connection:
                await connection.run_sync(lambda sync: run_migration(sync, "head"))
            return
        # A connection of its own: a large table may take longer than any command of the running service.
        arguments = {"connect_args": {"timeout": CONNECT_SECONDS}, "poolclass": NullPool, "hide_parameters": True}
        engine = create_async_engine(self._url, **arguments)
        async with engine.begin() as connection:
            # Replicas that start together take turns; the later ones find nothing to do.
            await connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
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

    async def forget_deleted(self) -> bool:
        """Take what was deleted out of the files too, and say whether that went through.

        SQLite overwrites deleted rows in the database, but its log (WAL) holds them until it is emptied; that waits for
        readers, so it is tried a few times and may have to be done again later. A server does this in its own time, and
        there it is no work.
        """
        if not self._is_sqlite:
            return True
        for _ in range(ATTEMPTS):
            if await self._empty_log():
                return True
            await asyncio.sleep(PAUSE_SECONDS)
        return False

    async def _empty_log(self) -> bool:
        try:
            async with self.engine.connect() as connection:
                alone = await connection.execution_options(**{_READ_ONLY: True})
                row = (await alone.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).one()
        except DBAPIError as error:
            if not _passes_by_itself(error):
                raise
            return False
        return bool(row[0] == 0)

    async def _retrying(self, work: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await work()
            except (DBAPIError, OSError, PoolTimeout) as error:
                if not _passes_by_itself(error):
                    raise
                # What ended in a timeout has waited long enough.
                if attempt == ATTEMPTS or isinstance(error, TimeoutError | PoolTimeout):
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
    """Bring the database up to a revision (`head` or an id), or down (`base`, or `-1` for one step)."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    is_down = revision == "base" or revision.startswith("-")
    (command.downgrade if is_down else command.upgrade)(config, revision)


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


def _for_a_server() -> dict[str, Any]:
    # A connection that died while idle fails at once, and with it the pool is emptied and the work done again; to ask
    # each one beforehand whether it lives would cost every unit of work three more ways to the server and back.
    return {
        "connect_args": {"timeout": CONNECT_SECONDS, "command_timeout": COMMAND_SECONDS},
        "pool_size": MOST_CONNECTIONS // 2,
        "max_overflow": MOST_CONNECTIONS // 2,
        "pool_timeout": COMMAND_SECONDS,
    }


def _passes_by_itself(error: DBAPIError | OSError | PoolTimeout) -> bool:
    if not isinstance(error, DBAPIError) or isinstance(error, OperationalError | InterfaceError):
        return True  # nobody there; the driver gives a refused connection as it is
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or state.startswith(PASSING_TROUBLE)


def _reason(error: DBAPIError | OSError | PoolTimeout) -> str:
    # Never the statement, and of an error of the driver's own no more than the first line.
    text = str(error.orig) if isinstance(error, DBAPIError) and error.orig else type(error).__name__
    return text.splitlines()[0]
