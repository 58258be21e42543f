"""What is no longer needed goes after its days, in Rasa and in the store; what is newer stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Bot
from bot.conversations.erase import forget_attachments
from bot.conversations.rasa import RasaClient
from bot.conversations.retention import Retention, Swept
from bot.staff.policy import AccountPolicy
from bot.store.case_models import CLAIMED, CLOSED, WAITING, Attachment, Case, Note
from bot.store.engine import Store
from bot.store.models import Base, Conversation, Feedback, Inbox, Outbox
from bot.store.staff_models import Invitation, Staff, StaffSession
from tests.bot.fakes import FakeRasa, KeepingChannel

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAYS, CASE_DAYS = 30, 90
WHOLE = {"conversation", "inbox", "outbox", "feedback", "support_case", "note"}


async def fill(store: Store, name: str, last_at: datetime, **case: Any) -> int:
    """Write a conversation with a row of every kind and a case, closed unless told otherwise; return the case."""

    async def write(session: AsyncSession) -> int:
        session.add(Conversation(id=name, channel="test", address=name, created_at=last_at, last_at=last_at))
        await session.flush()
        support = Case(
            **{
                "conversation_id": name, "reason": "asked", "lang": "nl", "channel": "test", "has_consent": True,
                "is_inside_hours": True, "desk": "win-breda", "opened_at": last_at, "waiting_since": last_at,
                "status": CLOSED, "closed_at": last_at, **case,
            }
        )  # fmt: skip
        session.add(support)
        await session.flush()
        message = Inbox(
            conversation_id=name, channel="test", external_id=name, content={"kind": "text", "text": "hoi"},
            received_at=last_at, next_attempt_at=last_at, status="done", case_id=support.id,
        )  # fmt: skip
        session.add(message)
        await session.flush()
        reply = Outbox(
            conversation_id=name, inbox_id=message.id, reply={"text": "dag"}, created_at=last_at,
            next_attempt_at=last_at, status="done", case_id=support.id,
        )  # fmt: skip
        session.add(reply)
        await session.flush()
        session.add(Feedback(outbox_id=reply.id, conversation_id=name, lang="nl", is_helpful=True, created_at=last_at))
        session.add(Note(case_id=support.id, text="wants an interpreter", created_at=last_at))
        if support.status != CLOSED:
            photo = Attachment(inbox_id=message.id, case_id=support.id, media_type="image/jpeg", sealed=b"sealed")
            session.add(photo)
        return support.id

    return await store.run(write)


async def left(store: Store) -> set[str]:
    """Return the tables that hold anything, but for the log of what the staff did."""

    async def count(session: AsyncSession) -> set[str]:
        tables = [table for table in Base.metadata.sorted_tables if table.name != "audit"]
        return {table.name for table in tables if await session.scalar(select(func.count()).select_from(table))}

    return await store.read(count)


def retention(store: Store, rasa: FakeRasa | RasaClient) -> Retention:
    client = rasa if isinstance(rasa, RasaClient) else client_of(rasa)
    return Retention(store, client, DAYS, CASE_DAYS, AccountPolicy())


def client_of(rasa: FakeRasa) -> RasaClient:
    return RasaClient([rasa.url], rasa.url, "a-long-random-secret-text", 1.0)


async def test_an_idle_conversation_goes_and_its_closed_case_stays_for_the_figures(
    store: Store, rasa: FakeRasa
) -> None:
    await fill(store, "old", NOW - timedelta(days=DAYS, seconds=1))
    assert await retention(store, rasa).sweep(NOW) == Swept(conversations=1)
    assert await left(store) == {"support_case"}
    case = await store.read(lambda session: session.scalar(select(Case)))
    assert case is not None
    assert (case.conversation_id, case.request_id) == (None, None)
    assert rasa.erased == ["old"]


async def test_a_conversation_within_its_days_stays_whole(store: Store, rasa: FakeRasa) -> None:
    await fill(store, "new", NOW - timedelta(days=DAYS))
    assert await retention(store, rasa).sweep(NOW) == Swept()
    assert await left(store) == WHOLE
    assert rasa.erased == []


async def test_nothing_goes_from_the_store_before_rasa_has_forgotten_it(store: Store, rasa: FakeRasa) -> None:
    await fill(store, "old", NOW - timedelta(days=DAYS + 1))
    await rasa.stop()
    assert await retention(store, rasa).sweep(NOW) == Swept(waiting=1)
    assert await left(store) == WHOLE
    await rasa.start()
    assert await retention(store, rasa).sweep(NOW) == Swept(conversations=1)


@pytest.mark.parametrize("status", [WAITING, CLAIMED])
async def test_a_conversation_stays_while_a_case_of_it_is_open(store: Store, rasa: FakeRasa, status: str) -> None:
    await fill(store, "old", NOW - timedelta(days=DAYS + 1), status=status, closed_at=None)
    assert await retention(store, rasa).sweep(NOW) == Swept()
    assert await left(store) == {*WHOLE, "attachment"}


async def test_an_answer_of_the_staff_is_kept_as_long_as_a_question(store: Store, rasa: FakeRasa) -> None:
    wrote = NOW - timedelta(days=1)
    await fill(store, "old", NOW - timedelta(days=DAYS + 1), staff_wrote_at=wrote, closed_at=wrote)
    assert await retention(store, rasa).sweep(NOW) == Swept()
    assert await retention(store, rasa).sweep(wrote + timedelta(days=DAYS, seconds=1)) == Swept(conversations=1)


async def test_a_request_that_nobody_took_up_is_not_kept_for_ever(store: Store, rasa: FakeRasa) -> None:
    opened = NOW - timedelta(days=CASE_DAYS, seconds=1)
    identifier = await fill(store, "old", opened, status=WAITING, closed_at=None)
    assert await retention(store, rasa).sweep(NOW) == Swept(conversations=1)
    assert await left(store) == {"support_case"}
    case = await store.read(lambda session: session.get(Case, identifier))
    assert case is not None
    assert (case.status, case.close_reason) == (CLOSED, "expired")


async def test_a_closed_case_goes_with_its_notes_and_the_conversation_goes_on(store: Store, rasa: FakeRasa) -> None:
    await fill(store, "talks", NOW - timedelta(days=1), closed_at=NOW - timedelta(days=CASE_DAYS, seconds=1))
    assert await retention(store, rasa).sweep(NOW) == Swept(cases=1)
    assert await left(store) == WHOLE - {"support_case", "note"}
    message = await store.read(lambda session: session.scalar(select(Inbox)))
    assert message is not None
    assert message.case_id is None


async def test_a_photo_that_slipped_in_as_its_case_was_closed_goes(store: Store, rasa: FakeRasa) -> None:
    identifier = await fill(store, "talks", NOW, status=CLAIMED, closed_at=None)

    async def close(session: AsyncSession) -> None:
        case = await session.get(Case, identifier)
        assert case is not None
        case.status, case.closed_at = CLOSED, NOW

    await store.run(close)
    assert await retention(store, rasa).sweep(NOW) == Swept(photos=1)
    assert await left(store) == WHOLE


async def test_a_photo_that_was_not_fetched_yet_cannot_be_had_any_more(store: Store) -> None:
    identifier = await fill(store, "talks", NOW, status=CLAIMED, closed_at=None)

    async def send(session: AsyncSession) -> None:
        session.add(
            Inbox(
                conversation_id="talks", channel="test", external_id="photo", received_at=NOW, next_attempt_at=NOW,
                content={"kind": "photo", "file_id": "abc"}, case_id=identifier,
            )
        )  # fmt: skip

    await store.run(send)
    await store.run(lambda session: forget_attachments(session, identifier))
    contents = await store.read(lambda session: session.scalars(select(Inbox.content).order_by(Inbox.id)))
    assert contents.all() == [{"kind": "text", "text": "hoi"}, {"kind": "photo"}]
    assert "attachment" not in await left(store)


async def test_old_logins_and_invitations_of_the_staff_go(store: Store, rasa: FakeRasa) -> None:
    async def write(session: AsyncSession) -> None:
        anna = Staff(email="a@win.example", name="Anna", role="worker", langs={"spoken": []}, created_at=NOW)
        session.add(anna)
        await session.flush()
        for digest, at in (("old", NOW - timedelta(hours=1)), ("new", NOW)):
            session.add(StaffSession(digest=digest, staff_id=anna.id, created_at=at, last_at=at))
        for digest, at in (("old", NOW), ("new", NOW + timedelta(days=1))):
            session.add(Invitation(digest=digest, staff_id=anna.id, expires_at=at))

    await store.run(write)
    assert await retention(store, rasa).sweep(NOW) == Swept(logins=1, invitations=1)
    for table in (StaffSession, Invitation):
        assert (await store.read(lambda session, table=table: session.scalars(select(table.digest)))).all() == ["new"]


async def test_a_person_who_writes_again_while_rasa_forgets_is_kept(store: Store, rasa: FakeRasa) -> None:
    await fill(store, "old", NOW - timedelta(days=DAYS + 1))
    client = client_of(rasa)

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

    assert await retention(store, WritesMeanwhile()).sweep(NOW) == Swept()
    assert await left(store) == WHOLE


async def test_the_running_bot_sweeps(bot: Bot, channel: KeepingChannel, rasa: FakeRasa) -> None:
    await fill(bot.store, "old", datetime.now(UTC) - timedelta(days=DAYS + 1))
    await bot._forget_the_idle()
    assert await left(bot.store) == {"support_case"}
