"""A bot on its own store, members of the staff, and a person who asks for one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bot.app import Bot
from bot.cases.opening import Request, open_case
from bot.channels.base import IncomingMessage, Payload, Receipt, Text
from bot.conversations.records import locked_conversation
from bot.staff.roles import Member
from bot.store.case_models import Case
from bot.store.models import Conversation
from bot.store.staff_models import Staff, StaffDesk

OPEN = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)  # a Tuesday, 11:00 in the Netherlands


@dataclass
class Person:
    """Somebody who writes on the test channel."""

    bot: Bot
    address: str = "elena"
    channel: str = "test"
    sent: int = 0

    async def says(self, content: str | Payload) -> Receipt:
        self.sent += 1
        message = IncomingMessage(
            channel=self.channel,
            address=self.address,
            external_id=f"{self.address}-{self.sent}",
            content=Text(text=content) if isinstance(content, str) else content,
        )
        return await self.bot.core.accept(message)

    async def taps(self, payload: str) -> Receipt:
        return await self.says(Payload(payload=payload))

    async def asks_for_a_person(
        self, place: str | None = "Roosendaal", *, has_consent: bool = True, now: datetime = OPEN, lang: str = "ro"
    ) -> int:
        """Have the request stored that the hand-off form makes; return the case."""
        receipt = await self.says("vreau să vorbesc cu un om, vă rog frumos")

        async def ask(session):  # type: ignore[no-untyped-def]
            conversation = await locked_conversation(session, receipt.conversation)
            assert conversation is not None
            request = Request("asked", lang, f"{self.address}-{self.sent}", "bsn", place, has_consent)
            return await open_case(session, self.bot.desks, conversation, request, now)

        case, _ = await self.bot.store.run(ask)
        return int(case.id)


AddWorker = Callable[..., Awaitable[Member]]


@pytest.fixture
def person(bot: Bot) -> Person:
    return Person(bot)


@pytest.fixture
def add_worker(bot: Bot) -> AddWorker:
    async def add(name: str = "Ioana", desks: tuple[str, ...] = ("win-roosendaal",), role: str = "worker") -> Member:
        async def store(session):  # type: ignore[no-untyped-def]
            row = Staff(
                email=f"{name.lower()}@win.example", name=name, role=role, langs={"spoken": ["ro"]}, password_hash="x",
                created_at=OPEN, ui_lang="nl",
            )  # fmt: skip
            session.add(row)
            await session.flush()
            session.add_all(StaffDesk(staff_id=row.id, desk=desk) for desk in desks)
            return row

        row = await bot.store.run(store)
        return Member(row.id, name, row.email, role, frozenset(desks), ("ro",), "nl", False, False)

    return add


async def read_case(bot: Bot, case: int) -> Case:
    found = await bot.store.read(lambda session: session.get(Case, case))
    assert found is not None
    return found


async def conversation_of_case(bot: Bot, case: int) -> Conversation:
    identifier = (await read_case(bot, case)).conversation_id
    found = await bot.store.read(lambda session: session.get(Conversation, identifier))
    assert found is not None
    return found
