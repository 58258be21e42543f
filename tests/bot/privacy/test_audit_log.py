"""The audit log stays as it was written, until the owner of the database does what docs/operators.md says."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.settings import PROJECT
from bot.staff.audit import note
from bot.store.engine import Store
from bot.store.staff_models import AuditEntry


async def write(store: Store) -> None:
    async def add(session: AsyncSession) -> None:
        for year in (2024, 2026):
            note(session, f"looked_in_{year}", staff_id=1, now=datetime(year, 6, 1, tzinfo=UTC))

    await store.run(add)


async def acts(store: Store) -> list[str]:
    return list((await store.read(lambda session: session.scalars(select(AuditEntry.act)))).all())


async def assert_kept(store: Store) -> None:
    for change in (update(AuditEntry).values(act="nothing"), delete(AuditEntry)):
        with pytest.raises(DBAPIError, match="only ever added to"):
            await store.run(lambda session, change=change: session.execute(change))


async def test_the_application_cannot_change_or_delete_a_line(store: Store) -> None:
    await write(store)
    await assert_kept(store)
    assert await acts(store) == ["looked_in_2024", "looked_in_2026"]


async def test_the_owner_of_the_database_drops_old_lines_as_the_operators_page_says(
    store: Store, database: Path
) -> None:
    await write(store)
    await store.close()  # "Stop the bot first."
    page = (PROJECT / "docs" / "operators.md").read_text(encoding="utf-8")
    found = re.search(r"```sql\n-- SQLite:(.*?)-- PostgreSQL:", page, re.DOTALL)
    assert found is not None
    connection = sqlite3.connect(database)
    connection.executescript(found[1].partition("\n")[2])
    connection.close()
    assert await acts(store) == ["looked_in_2026"]
    await assert_kept(store)
