"""What the tests of the staff share: a store, a clock that stands still, accounts with cheap hashing."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher
from cryptography.fernet import Fernet
from sqlalchemy import select

from bot.staff.accounts import AccountPolicy, Accounts
from bot.staff.roles import Member
from bot.store.engine import Store
from bot.store.sealing import Sealer
from bot.store.staff_models import AuditEntry

EMAIL, NAME, PASSWORD = "anna@example.nl", "Anna Kowalska", "klaproos fiets regenboog"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    """The time, which moves only when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    async def migrate() -> None:
        store = Store(f"sqlite+aiosqlite:///{path}")
        await store.migrate()
        await store.close()

    path = tmp_path_factory.mktemp("store") / "zorgbrug.db"
    asyncio.run(migrate())
    return path


@pytest.fixture
async def store(migrated: Path, tmp_path: Path) -> AsyncIterator[Store]:
    shutil.copy(migrated, tmp_path / "zorgbrug.db")
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'zorgbrug.db'}")
    yield store
    await store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Office:
    """Accounts on a store, and what tests do again and again with them."""

    store: Store
    clock: Clock
    accounts: Accounts

    async def hire(
        self, email: str = EMAIL, name: str = NAME, role: str = "worker", desks: Sequence[str] = ("win-breda",)
    ) -> Member:
        token = await self.accounts.invite(email, name, role, desks, ["pl", "nl"])
        await self.accounts.accept_invitation(token, PASSWORD)
        member = await self.accounts.member_of((await self.accounts.log_in(email, PASSWORD)).token)
        assert member is not None
        return member

    async def add_second_factor(self, member: Member) -> pyotp.TOTP:
        """Turn it on, and let the step of the code that was used for it pass."""
        totp = pyotp.parse_uri(await self.accounts.begin_totp(member.id))
        assert isinstance(totp, pyotp.TOTP)
        assert await self.accounts.finish_totp(member.id, totp.at(self.clock.now))
        self.clock.pass_by(seconds=60)
        return totp

    async def audit(self) -> list[AuditEntry]:
        found = await self.store.read(lambda session: session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
        return list(found)

    async def acts(self) -> list[str]:
        return [entry.act for entry in await self.audit()]


def an_office(
    store: Store, clock: Clock, policy: AccountPolicy | None = None, hasher: PasswordHasher = CHEAP
) -> Office:
    sealer = Sealer([Fernet.generate_key().decode()], ["a-long-random-text"])
    return Office(store, clock, Accounts(store, sealer, policy or AccountPolicy(), clock, hasher=hasher))


@pytest.fixture
def office(store: Store, clock: Clock) -> Office:
    return an_office(store, clock)
