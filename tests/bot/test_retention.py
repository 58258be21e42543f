"""What has lain idle for longer than the setting goes, in Rasa and in the store; what is newer stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Bot
from bot.conversations.rasa import RasaClient
from bot.conversations.retention import Retention
from bot.store.engine import Store
from bot.store.models import Base, Conversation, Escalation, Feedback, Inbox, Outbox
from tests.bot.fakes import FakeRasa, KeepingChannel

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAYS = 30


async def fill(store: Store, name: str, last_at: datetime) -> None:
    """Write a conversation with a row of every kind."""

    async def write(session: AsyncSession) -> None:
        session.add(Conversation(id=name, channel="test", address=name, created_at=last_at, last_at=last_at))
        await session.flush()
        message = Inbox(
            conversation_id=name, channel="test", external_id=name, content={"kind": "text", "text": "hoi"},
            received_at=last_at, next_attempt_at=last_at, status="done",
        )  # fmt: skip
        session.add(message)
        await session.flush()
        reply = Outbox(
            conversation_id=name, inbox_id=message.id, reply={"text": "dag"}, created_at=last_at,
            next_attempt_at=last_at, status="done",
        )  # fmt: skip
        session.add(reply)
        await session.flush()
        session.add(Feedback(outbox_id=reply.id, conversation_id=name, lang="nl", is_helpful=True, created_at=last_at))
        session.add(
            Escalation(
                id=name,
                conversation_id=name,
                message_id=name,
                reason="asked",
                lang="nl",
                has_consent=True,
                created_at=last_at,
            )
        )

    await store.run(write)


async def rows(store: Store) -> dict[str, int]:
    async def count(session: AsyncSession) -> dict[str, int]:
        tables = Base.metadata.sorted_tables
        return {table.name: await session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}

    return await store.read(count)


def retention(store: Store, rasa: FakeRasa) -> Retention:
    return Retention(store, RasaClient(rasa.url, rasa.url, "a-long-random-secret-text", 1.0), DAYS)


async def test_an_idle_conversation_goes_with_all_that_belongs_to_it(store: Store, rasa: FakeRasa) -> None:
    await fill(store, "old", NOW - timedelta(days=DAYS, seconds=1))
    assert await retention(store, rasa).sweep(NOW) == 1
    assert set((await rows(store)).values()) == {0}
    assert rasa.erased == ["old"]


async def test_a_conversation_within_its_days_stays_whole(store: Store, rasa: FakeRasa) -> None:
    await fill(store, "new", NOW - timedelta(days=DAYS))
    assert await retention(store, rasa).sweep(NOW) == 0
    assert set((await rows(store)).values()) == {1}
    assert rasa.erased == []


async def test_nothing_goes_from_the_store_before_rasa_has_forgotten_it(store: Store, rasa: FakeRasa) -> None:
    await fill(store, "old", NOW - timedelta(days=DAYS + 1))
    await rasa.stop()
    assert await retention(store, rasa).sweep(NOW) == 0
    assert set((await rows(store)).values()) == {1}
    await rasa.start()
    assert await retention(store, rasa).sweep(NOW) == 1


async def test_a_person_who_writes_again_while_rasa_forgets_is_kept(store: Store, rasa: FakeRasa) -> None:
    await fill(store, "old", NOW - timedelta(days=DAYS + 1))
    client = RasaClient(rasa.url, rasa.url, "a-long-random-secret-text", 1.0)

    class WritesMeanwhile(RasaClient):
        def __init__(self) -> None:
            pass

        async def erase(self, conversation: str) -> None:
            await client.erase(conversation)

            async def write(session: AsyncSession) -> None:
                found = await session.get(Conversation, conversation)
                assert found is not None
                found.last_at = NOW

            await store.run(write)

    assert await Retention(store, WritesMeanwhile(), DAYS).sweep(NOW) == 0
    assert set((await rows(store)).values()) == {1}


async def test_the_running_bot_sweeps(bot: Bot, channel: KeepingChannel, rasa: FakeRasa) -> None:
    await fill(bot.store, "old", datetime.now(UTC) - timedelta(days=DAYS + 1))
    await bot._forget_the_idle()
    assert set((await rows(bot.store)).values()) == {0}
