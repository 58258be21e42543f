"""Replaces keys: everything that was encrypted or hashed with an older one is written anew with the newest.

Done in batches beside the running service, and safe to break off and run again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from bot.conversations.addresses import address_of, named, seal_old_addresses, set_address
from bot.store.case_models import Attachment
from bot.store.engine import Store
from bot.store.models import Base, Conversation
from bot.store.sealing import CannotUnseal, Sealer
from bot.store.staff_models import Staff

BATCH = 200
PHOTO_BATCH = 10

Row = TypeVar("Row", bound=Base)


@dataclass(frozen=True)
class Rotated:
    """How much was written anew, and what could not be.

    `unreadable` was encrypted with a key that is not here. `twofold` conversations keep their old hash: another one has
    the new hash of the same address already, since a bot with other keys did not find them and began anew.
    """

    conversations: int = 0
    accounts: int = 0
    photos: int = 0
    unreadable: int = 0
    twofold: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether the old keys are needed no more."""
        return not (self.unreadable or self.twofold)


class _Twofold(Exception):
    """Another conversation has the hash already."""


async def rotate(store: Store, sealer: Sealer) -> Rotated:
    """Write everything anew with the newest keys.

    Raises:
        StoreUnavailable: The store stayed locked or away; what was done by then stays done.
    """
    await seal_old_addresses(store, sealer)
    rotation = _Rotation(store, sealer)
    await rotation.run(Conversation, Conversation.id, BATCH, "conversations", rotation.conversation)
    await rotation.run(Staff, Staff.id, BATCH, "accounts", rotation.account, Staff.totp_sealed.is_not(None))
    await rotation.run(Attachment, Attachment.inbox_id, PHOTO_BATCH, "photos", rotation.photo)
    await store.forget_deleted()
    return rotation.done


class _Rotation:
    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer
        self.done = Rotated()

    async def run(
        self,
        table: type[Row],
        key: InstrumentedAttribute[Any],
        most: int,
        name: str,
        renew: Callable[[AsyncSession, Row], Any],
        *wanted: ColumnElement[bool],
    ) -> None:
        """Renew every row of a table, in the order of its key."""
        last: Any = None

        async def batch(session: AsyncSession) -> tuple[Any, Rotated]:
            done = self.done
            later = wanted if last is None else (*wanted, key > last)
            found = select(table).where(*later).order_by(key).limit(most).with_for_update()
            row = None
            for row in (await session.scalars(found)).all():
                try:
                    await renew(session, row)
                except CannotUnseal:
                    done = replace(done, unreadable=done.unreadable + 1)
                except _Twofold:
                    done = replace(done, twofold=done.twofold + 1)
                else:
                    done = replace(done, **{name: getattr(done, name) + 1})
            return (getattr(row, key.key) if row is not None else None), done

        while True:
            last, self.done = await self._store.run(batch)
            if last is None:
                return

    async def conversation(self, session: AsyncSession, row: Conversation) -> None:
        address = address_of(self._sealer, row)
        taken = self._sealer.digest(named(row.channel, address))
        same = select(Conversation.id).where(Conversation.channel == row.channel, Conversation.address == taken)
        if await session.scalar(same.where(Conversation.id != row.id)) is not None:
            row.address_sealed = self._sealer.seal(address)
            raise _Twofold
        set_address(self._sealer, row, address)
        await session.flush()

    async def account(self, session: AsyncSession, row: Staff) -> None:
        if row.totp_sealed is not None:
            row.totp_sealed = self._sealer.reseal(row.totp_sealed)

    async def photo(self, session: AsyncSession, row: Attachment) -> None:
        row.sealed = self._sealer.seal_bytes(self._sealer.unseal_bytes(row.sealed))
