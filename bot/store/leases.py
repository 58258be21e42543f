"""Lets one bot process at a time work on a conversation, when several share a database.

A lease is a row with an owner and an end. Its owner moves the end on while it works; when that stops (a crash, a
machine that hangs), the lease ends by itself and another process takes the work up. Only the clock of the database
counts. See docs/decisions/0009-several-replicas.md.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from sqlalchemy import String, delete, func, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from bot.errors import StoreUnavailable
from bot.store.engine import Store
from bot.store.models import Base

logger = logging.getLogger(__name__)

LEASE_SECONDS = 15.0
RENEWALS = 4  # in the time of a lease, so that one which fails ends nothing


class Lease(Base):
    """That a process works on something, until a moment that it keeps moving on."""

    __tablename__ = "lease"
    # A crash of the database empties it, which ends every lease: right, and cheaper than writing it to disk.
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    owner: Mapped[str] = mapped_column(String(32))
    until: Mapped[datetime]


class Leases(Protocol):
    """Who may work on what."""

    def held(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Yield whether the work of this name is ours while the block lasts."""

    async def start(self) -> None:
        """Begin to keep what is held."""

    async def stop(self) -> None:
        """Stop keeping."""


class NoLeases:
    """For a single process: everything is its own."""

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[bool]:
        """Yield True."""
        yield True

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""


class SharedLeases:
    """Leases in the table of a PostgreSQL that several processes share."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owner = uuid.uuid4().hex
        self._held: dict[str, asyncio.Task[Any] | None] = {}
        self._renewing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to keep what is held."""
        self._renewing = asyncio.create_task(self._renew_for_ever(), name="leases")

    async def stop(self) -> None:
        """Stop keeping, and give back what work that was broken off has left."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        with suppress(StoreUnavailable):
            await self._store.run(lambda session: session.execute(delete(Lease).where(Lease.owner == self._owner)))

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[bool]:
        """Yield whether the work of this name is ours; if the lease is lost meanwhile, the block is cancelled.

        Raises:
            StoreUnavailable: Nobody can say.
        """
        if not await self._store.run(lambda session: self._take(session, name)):
            yield False
            return
        self._held[name] = asyncio.current_task()
        try:
            yield True
        finally:
            del self._held[name]
            with suppress(StoreUnavailable):  # it ends by itself
                await self._store.run(lambda session: self._give_back(session, name))

    async def _take(self, session: AsyncSession, name: str) -> bool:
        until = func.now() + timedelta(seconds=LEASE_SECONDS)
        ours = insert(Lease).values(name=name, owner=self._owner, until=until)
        # One of ours that is still there was left by work that ended while the database was away.
        is_free = or_(Lease.until < func.now(), Lease.owner == self._owner)
        taken = ours.on_conflict_do_update(
            index_elements=[Lease.name], set_={"owner": self._owner, "until": until}, where=is_free
        )
        return await session.scalar(taken.returning(Lease.name)) is not None

    async def _give_back(self, session: AsyncSession, name: str) -> None:
        await session.execute(delete(Lease).where(Lease.name == name, Lease.owner == self._owner))

    async def _renew_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        kept_at = loop.time()
        while True:
            await asyncio.sleep(LEASE_SECONDS / RENEWALS)
            # Who takes or gives back while the database is asked is not looked at.
            before = dict(self._held)
            asked_at = loop.time()
            try:
                kept = await self._store.run(partial(self._renew, names=list(before))) if before else []
                kept_at = asked_at
            except StoreUnavailable as error:
                logger.warning("leases_not_renewed", extra={"reason": str(error)})
                kept = list(before) if loop.time() - kept_at < LEASE_SECONDS else []
            for name, task in before.items():
                if name not in kept and task is not None and self._held.get(name) is task:
                    logger.warning("lease_lost")
                    task.cancel()

    async def _renew(self, session: AsyncSession, names: Sequence[str]) -> Sequence[str]:
        """Move the ends on; return what was still ours."""
        # Not after its end: from then on another process may have worked on it, and given it back.
        ours = (Lease.owner == self._owner, Lease.name.in_(names), Lease.until >= func.now())
        until = func.now() + timedelta(seconds=LEASE_SECONDS)
        renewed = update(Lease).where(*ours).values(until=until).returning(Lease.name)
        return (await session.scalars(renewed.execution_options(synchronize_session=False))).all()


def leases_of(store: Store) -> Leases:
    """Return the leases that the store needs: on SQLite there is one process, and nothing is written."""
    return SharedLeases(store) if store.is_shared else NoLeases()
