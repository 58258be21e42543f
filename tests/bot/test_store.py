"""The message store: its migrations, its settings for SQLite, what it does when locked."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import StoreUnavailable
from bot.store.engine import Store, run_migration
from bot.store.models import Base, Conversation, Inbox, Outbox

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def a_conversation(identifier: str = "c1") -> Conversation:
    return Conversation(id=identifier, channel="web", address=identifier, created_at=NOW, last_at=NOW)


def a_message(external_id: str, conversation: str = "c1") -> Inbox:
    return Inbox(
        conversation_id=conversation, channel="web", external_id=external_id, content={"kind": "text", "text": "hoi"},
        received_at=NOW, next_attempt_at=NOW,
    )  # fmt: skip


async def test_the_migrations_make_exactly_the_tables_of_the_models(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

    async with store.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_down_leaves_nothing_and_up_again_works(store: Store) -> None:
    def tables(connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}

    async with store.engine.begin() as connection:
        await connection.run_sync(lambda sync: run_migration(sync, "base"))
        assert await connection.run_sync(tables) == set()
        await connection.run_sync(lambda sync: run_migration(sync, "head"))
        assert "outbox" in await connection.run_sync(tables)


async def test_migrating_twice_keeps_what_is_there(store: Store) -> None:
    async def add(session: AsyncSession) -> None:
        session.add(a_conversation())

    await store.run(add)
    await store.migrate()
    assert await store.read(lambda session: session.scalar(select(func.count()).select_from(Conversation))) == 1


async def test_sqlite_runs_with_wal_foreign_keys_and_overwritten_deletes(store: Store) -> None:
    async with store.engine.connect() as connection:
        values = {}
        for name in ("journal_mode", "foreign_keys", "secure_delete"):
            values[name] = (await connection.execute(text(f"PRAGMA {name}"))).scalar()
    assert values == {"journal_mode": "wal", "foreign_keys": 1, "secure_delete": 1}


async def test_the_same_external_id_on_one_channel_is_refused(store: Store) -> None:
    async def add(session: AsyncSession) -> None:
        session.add(a_conversation())
        await session.flush()
        session.add_all([a_message("1"), a_message("1")])

    with pytest.raises(IntegrityError):
        await store.run(add)
    assert await store.read(lambda session: session.scalar(select(func.count()).select_from(Inbox))) == 0


async def test_a_conversation_that_goes_takes_its_replies_along(store: Store) -> None:
    async def add(session: AsyncSession) -> None:
        session.add(a_conversation())
        await session.flush()
        session.add(Outbox(conversation_id="c1", reply={}, created_at=NOW, next_attempt_at=NOW))

    async def remove(session: AsyncSession) -> int | None:
        await session.execute(text("DELETE FROM conversation"))
        return await session.scalar(select(func.count()).select_from(Outbox))

    await store.run(add)
    assert await store.run(remove) == 0


async def test_instants_come_back_in_utc_and_naive_ones_are_refused(store: Store) -> None:
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))

    async def add(session: AsyncSession) -> None:
        conversation = a_conversation()
        conversation.last_at = summer
        session.add(conversation)

    async def add_naive(session: AsyncSession) -> None:
        conversation = a_conversation("c2")
        conversation.last_at = datetime(2026, 7, 1)
        session.add(conversation)

    await store.run(add)
    last_at = await store.read(lambda session: session.scalar(select(Conversation.last_at)))
    assert last_at is not None
    assert last_at.isoformat() == "2026-07-01T10:00:00+00:00"
    with pytest.raises(StatementError, match="time zone"):
        await store.run(add_naive)


async def test_a_short_lock_is_waited_out(store: Store, database: Path) -> None:
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    async def add(session: AsyncSession) -> None:
        session.add(a_conversation())

    writing = asyncio.create_task(store.run(add))
    await asyncio.sleep(0.15)
    holder.execute("ROLLBACK")
    await writing
    holder.close()


async def test_a_lasting_lock_is_said_clearly_and_reading_goes_on(store: Store, database: Path) -> None:
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    async def add(session: AsyncSession) -> None:
        session.add(a_conversation())

    with pytest.raises(StoreUnavailable, match="locked"):
        await store.run(add)
    assert await store.read(lambda session: session.scalar(select(func.count()).select_from(Conversation))) == 0
    holder.close()
