"""Where a person is reached, kept so that the store alone does not tell it.

A conversation is found by the keyed hash of channel and address; the address itself is stored encrypted, since a reply
needs it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.engine import Store
from bot.store.models import Conversation
from bot.store.sealing import CannotUnseal, Sealer

BATCH = 500


def named(channel: str, address: str) -> str:
    """Return what the hash is taken of: the same number on two channels is two conversations."""
    return f"{channel}:{address}"


async def find_conversation(
    session: AsyncSession, sealer: Sealer, channel: str, address: str, *, for_update: bool = False
) -> Conversation | None:
    """Return the conversation at an address, whichever of the keys it was stored with; the newest key goes first."""
    found = _at(sealer, channel, address).limit(1)
    conversation: Conversation | None = await session.scalar(found.with_for_update() if for_update else found)
    return conversation


async def find_conversations(
    session: AsyncSession, sealer: Sealer, channel: str, address: str
) -> Sequence[Conversation]:
    """Return every conversation at an address: there are two when bots with different keys ran at once."""
    return (await session.scalars(_at(sealer, channel, address))).all()


def _at(sealer: Sealer, channel: str, address: str) -> Select[Any]:
    digests = sealer.digests(named(channel, address))
    found = select(Conversation).where(Conversation.channel == channel, Conversation.address.in_(digests))
    return found.order_by((Conversation.address == digests[0]).desc())


def set_address(sealer: Sealer, conversation: Conversation, address: str) -> None:
    """Write the address into a conversation."""
    conversation.address = sealer.digest(named(conversation.channel, address))
    conversation.address_sealed = sealer.seal(address)


def address_of(sealer: Sealer, conversation: Conversation) -> str:
    """Return the address again.

    Raises:
        CannotUnseal: The key that it was stored with is missing.
    """
    return sealer.unseal(conversation.address_sealed) if conversation.address_sealed else conversation.address


def mend_address(sealer: Sealer, conversation: Conversation, address: str) -> None:
    """Encrypt the address anew when the key that it was stored with is gone: the person has just told it again."""
    try:
        address_of(sealer, conversation)
    except CannotUnseal:
        conversation.address_sealed = sealer.seal(address)


async def seal_old_addresses(store: Store, sealer: Sealer) -> int:
    """Hash and encrypt the addresses that an older version stored as they are; return how many there were."""

    async def seal(session: AsyncSession) -> int:
        old = select(Conversation).where(Conversation.address_sealed.is_(None)).limit(BATCH)
        rows = (await session.scalars(old.with_for_update())).all()
        for row in rows:
            set_address(sealer, row, row.address)
        return len(rows)

    total = 0
    while done := await store.run(seal):
        total += done
    if total:
        await store.forget_deleted()
    return total
