"""The message store on SQLite and on PostgreSQL alike: its migrations with data in them, its guards, its types."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.case_models import Attachment, Case, Note
from bot.store.engine import Store, run_migration
from bot.store.models import Base, Conversation, Feedback, Inbox, Outbox
from bot.store.staff_models import AuditEntry, Invitation, Staff, StaffDesk, StaffSession

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WORDS = {"kind": "text", "text": "Где врач? 👩🏽‍⚕️ 'quoted' \\ back", "nested": [1, None, {"a": 0.5}]}


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'zorgbrug.db'}"
    server = request.getfixturevalue("postgres")
    return str(server.url(server.new_database()))


@pytest.fixture
async def any_store(any_url: str) -> AsyncIterator[Store]:
    store = Store(any_url)
    await store.migrate()
    yield store
    await store.close()


def a_conversation(identifier: str = "c1") -> Conversation:
    return Conversation(id=identifier, channel="web", address=identifier, created_at=NOW, last_at=NOW)


def a_message(external_id: str = "m1", conversation: str = "c1") -> Inbox:
    return Inbox(
        conversation_id=conversation, channel="web", external_id=external_id, content=WORDS, received_at=NOW,
        next_attempt_at=NOW,
    )  # fmt: skip


def a_reply(conversation: str = "c1") -> Outbox:
    return Outbox(conversation_id=conversation, reply=WORDS, created_at=NOW, next_attempt_at=NOW)


def a_staff_member() -> Staff:
    return Staff(email="a@b.nl", name="Anna", role="counsellor", langs=["nl", "pl"], created_at=NOW)


def a_case() -> Case:
    return Case(
        conversation_id="c1", request_id="1", reason="asked", lang="pl", channel="web", has_consent=True,
        is_inside_hours=True, desk="breda", assigned_to=1, opened_at=NOW, waiting_since=NOW,
    )  # fmt: skip


async def fill(session: AsyncSession) -> None:
    """Put a row into every table."""
    for row in (
        a_conversation(), a_staff_member(), a_message(), a_reply(), a_case(),
        Feedback(outbox_id=1, conversation_id="c1", article="gp", lang="pl", is_helpful=True, created_at=NOW),
        Note(case_id=1, staff_id=1, text="called back", created_at=NOW),
        Attachment(inbox_id=1, case_id=1, media_type="image/jpeg", sealed=b"\x00\xff sealed"),
        StaffDesk(staff_id=1, desk="breda"), StaffSession(digest="d", staff_id=1, created_at=NOW, last_at=NOW),
        Invitation(digest="d", staff_id=1, expires_at=NOW),
        AuditEntry(at=NOW, staff_id=1, case_id=1, act="case_opened", details={"status": "waiting"}),
    ):  # fmt: skip
        session.add(row)
        await session.flush()


async def count(store: Store, table: type[Base]) -> int:
    found = await store.read(lambda session: session.scalar(select(func.count()).select_from(table)))
    return int(found or 0)


async def migrate_to(store: Store, revision: str) -> None:
    async with store.engine.begin() as connection:
        await connection.run_sync(lambda sync: run_migration(sync, revision))


async def execute(store: Store, statement: str) -> None:
    async with store.engine.begin() as connection:
        await connection.execute(text(statement))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


async def test_the_migrations_make_exactly_the_tables_of_the_models(any_store: Store) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))

    async with any_store.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_escalations_of_the_first_version_become_cases_and_go_back_to_them(any_url: str) -> None:
    store = Store(any_url)
    await migrate_to(store, "0001")
    await execute(
        store,
        "INSERT INTO conversation (id, channel, address, created_at, last_at) "
        "VALUES ('c1', 'web', 'c1', '2026-11-01 09:00:00+00', '2026-11-01 09:00:00+00')",
    )
    await execute(
        store,
        "INSERT INTO escalation (id, conversation_id, message_id, reason, place, lang, has_consent, win_point, "
        "created_at) VALUES ('e1', 'c1', '7', 'asked for a person', 'Breda', 'pl', TRUE, 'breda', "
        "'2026-11-01 09:00:00+00')",
    )
    await migrate_to(store, "0002")
    case = await store.read(lambda session: session.scalar(select(Case)))
    assert case is not None
    assert (case.request_id, case.channel, case.desk, case.has_consent) == ("7", "web", "breda", True)
    assert case.opened_at == datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
    await migrate_to(store, "-1")
    async with store.engine.connect() as connection:
        kept = (await connection.execute(text("SELECT message_id, place, has_consent FROM escalation"))).one()
        assert (kept[0], kept[1], bool(kept[2])) == ("7", "Breda", True)
    await store.close()


async def test_with_data_in_every_table_it_goes_down_to_nothing_and_up_again(any_store: Store) -> None:
    await any_store.run(fill)
    for table in Base.registry.mappers:
        if "lease" not in table.class_.__tablename__:
            assert await count(any_store, table.class_) == 1, table.class_.__tablename__
    await migrate_to(any_store, "base")
    async with any_store.engine.connect() as connection:
        assert await connection.run_sync(tables) == set()
    await any_store.migrate()
    await any_store.run(fill)


async def test_several_processes_may_migrate_at_once(postgres: Any) -> None:
    url = postgres.url(postgres.new_database())
    stores = [Store(url) for _ in range(4)]
    await asyncio.gather(*(store.migrate() for store in stores))
    assert await count(stores[0], Conversation) == 0
    for store in stores:
        await store.close()


async def test_the_audit_log_refuses_every_change(any_store: Store) -> None:
    await any_store.run(fill)
    changes = ["UPDATE audit SET act = 'x'", "DELETE FROM audit"]
    if any_store.is_shared:
        changes.append("TRUNCATE audit")  # SQLite does not know it
    for change in changes:
        with pytest.raises(DBAPIError, match="only ever added to"):
            await execute(any_store, change)
    assert await count(any_store, AuditEntry) == 1


async def test_what_people_wrote_comes_back_exactly(any_store: Store) -> None:
    await any_store.run(fill)
    assert await any_store.read(lambda session: session.scalar(select(Inbox.content))) == WORDS
    assert await any_store.read(lambda session: session.scalar(select(Staff.langs))) == ["nl", "pl"]
    assert await any_store.read(lambda session: session.scalar(select(Attachment.sealed))) == b"\x00\xff sealed"


async def test_instants_come_back_in_utc_and_naive_ones_are_refused(any_store: Store) -> None:
    async def add(session: AsyncSession, at: datetime) -> None:
        session.add(Conversation(id=at.isoformat(), channel="web", address=at.isoformat(), created_at=NOW, last_at=at))

    summer = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    await any_store.run(lambda session: add(session, summer))
    last_at = await any_store.read(lambda session: session.scalar(select(Conversation.last_at)))
    assert last_at is not None
    assert last_at.isoformat() == "2026-07-01T10:00:00.123456+00:00"
    with pytest.raises(StatementError, match="time zone"):
        await any_store.run(lambda session: add(session, datetime(2026, 7, 1)))


async def test_what_belongs_to_a_conversation_goes_with_it_and_what_is_counted_stays(any_store: Store) -> None:
    await any_store.run(fill)
    await execute(any_store, "DELETE FROM conversation")
    assert [await count(any_store, table) for table in (Outbox, Feedback, Inbox, Case)] == [0, 0, 1, 1]
    assert await any_store.read(lambda session: session.scalar(select(Case.conversation_id))) is None


async def test_ids_rise_and_are_never_given_again(any_store: Store) -> None:
    async def add(session: AsyncSession, external_id: str) -> int:
        row = a_message(external_id)
        session.add(row)
        await session.flush()
        return row.id

    async def begin(session: AsyncSession) -> None:
        session.add(a_conversation())

    await any_store.run(begin)
    first = await any_store.run(lambda session: add(session, "a"))
    second = await any_store.run(lambda session: add(session, "b"))
    await execute(any_store, "DELETE FROM inbox")
    assert await any_store.run(lambda session: add(session, "c")) > second > first


async def test_two_connections_that_insert_the_same_message_at_once_make_one_row(any_store: Store) -> None:
    async def begin(session: AsyncSession) -> None:
        session.add(a_conversation())

    async def add(session: AsyncSession) -> None:
        session.add(a_message("same"))

    await any_store.run(begin)
    results = await asyncio.gather(*(any_store.run(add) for _ in range(4)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["IntegrityError"] * 3 + ["NoneType"]
    assert isinstance(next(result for result in results if result), IntegrityError)
    assert await count(any_store, Inbox) == 1
