"""Keys, retention, export, erasure and the audit log's page on PostgreSQL too."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import make_url, select

from bot.conversations.addresses import find_conversation, seal_old_addresses
from bot.conversations.retention import Swept
from bot.privacy.persons import erase_person, export_person
from bot.privacy.rotation import rotate
from bot.settings import PROJECT
from bot.store.case_models import CLAIMED, Attachment
from bot.store.engine import Store
from bot.store.sealing import Sealer
from bot.store.staff_models import AuditEntry
from tests.bot.fakes import FakeRasa
from tests.bot.privacy.test_audit_log import acts, assert_kept, write
from tests.bot.test_retention import CASE_DAYS, DAYS, client_of, fill, left, retention
from tests.servers import PostgresServer

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@pytest.fixture
async def shared(postgres: PostgresServer) -> AsyncIterator[Store]:
    store = Store(str(postgres.url(postgres.new_database())))
    await store.migrate()
    yield store
    await store.close()


async def test_keys_are_replaced_and_a_person_is_exported_and_erased(shared: Store, rasa: FakeRasa) -> None:
    old, both, new = (
        Sealer([OLD], ["old-hash"]),
        Sealer([NEW, OLD], ["new-hash", "old-hash"]),
        Sealer([NEW], ["new-hash"]),
    )
    case = await fill(shared, "anna", NOW, status=CLAIMED, closed_at=None)
    await fill(shared, "boris", NOW)
    assert await seal_old_addresses(shared, old) == 2

    async def seal(session):  # type: ignore[no-untyped-def]
        photo = await session.scalar(select(Attachment).where(Attachment.case_id == case))
        photo.sealed = old.seal_bytes(b"a photo")

    await shared.run(seal)
    done = await rotate(shared, both)
    assert (done.conversations, done.photos, done.is_complete) == (2, 1, True)
    assert await shared.read(lambda session: find_conversation(session, new, "test", "anna")) is not None
    [person] = (await export_person(shared, new, "test", "anna"))["conversations"]
    assert (person["address"], len(person["messages"]), len(person["cases"])) == ("anna", 1, 1)

    assert await erase_person(shared, client_of(rasa), new, "test", "anna") == 1
    noted = select(AuditEntry.act).where(AuditEntry.case_id == case).order_by(AuditEntry.id)
    assert [*await shared.read(lambda session: session.scalars(noted))][-2:] == ["exported", "erased"]
    assert await shared.read(lambda session: find_conversation(session, new, "test", "anna")) is None
    assert await shared.read(lambda session: find_conversation(session, new, "test", "boris")) is not None


async def test_what_is_due_goes(shared: Store, rasa: FakeRasa) -> None:
    await fill(shared, "old", NOW - timedelta(days=DAYS + 1), status=CLAIMED, closed_at=None)
    assert await retention(shared, rasa).sweep(NOW) == Swept()
    assert await retention(shared, rasa).sweep(NOW + timedelta(days=CASE_DAYS)) == Swept(conversations=1)
    assert await left(shared) == {"support_case"}
    assert await retention(shared, rasa).sweep(NOW + timedelta(days=2 * CASE_DAYS + 1)) == Swept(cases=1)
    assert await left(shared) == set()


async def test_the_audit_log_stays_until_its_owner_drops_old_lines(shared: Store) -> None:
    await write(shared)
    await assert_kept(shared)
    page = (PROJECT / "docs" / "operators.md").read_text(encoding="utf-8")
    found = re.search(r"-- PostgreSQL: psql.*?\n(.*?)```", page, re.DOTALL)
    assert found is not None
    url = make_url(shared.engine.url).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    await connection.execute(found[1])
    await connection.close()
    assert await acts(shared) == ["looked_in_2026"]
    await assert_kept(shared)
