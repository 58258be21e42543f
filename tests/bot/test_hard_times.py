"""What happens when the machine fails us: a full disk, a clock that jumps, updates that were edited or come late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, update
from telegram import Update

from bot.app import Bot
from bot.channels.base import IncomingMessage, Text
from bot.channels.telegram import content_of
from bot.conversations.records import is_due
from bot.errors import StoreUnavailable
from bot.store.engine import Store
from bot.store.models import Inbox
from tests.bot.fakes import FakeRasa, KeepingChannel
from tests.bot.test_store import a_conversation, a_message

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def hello(key: str = "1", text: str = "How do I find a doctor in the Netherlands?") -> IncomingMessage:
    return IncomingMessage(channel="test", address="anna", external_id=key, content=Text(text=text))


async def test_on_a_full_disk_nothing_is_acknowledged_and_nothing_is_half_stored(tmp_path: Path) -> None:
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'small.db'}", lock_wait_seconds=0.1)
    await store.migrate()

    @event.listens_for(store.engine.sync_engine, "connect")
    def limit(connection, record):  # type: ignore[no-untyped-def]
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size instead: no page more

    await store.engine.dispose()

    async def fill(session):  # type: ignore[no-untyped-def]
        session.add(a_conversation())
        await session.flush()
        session.add_all(a_message(str(number)) for number in range(2000))

    with pytest.raises(StoreUnavailable, match="full"):
        await store.run(fill)
    assert await store.read(lambda session: session.scalar(select(func.count()).select_from(Inbox))) == 0
    await store.close()


async def test_a_message_put_off_by_a_clock_that_was_wrong_is_answered_all_the_same(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    rasa.delay_seconds = 0.3
    await bot.core.accept(hello())
    ahead = update(Inbox).values(next_attempt_at=datetime.now(UTC) + timedelta(days=400))
    await bot.store.run(lambda session: session.execute(ahead))
    await channel.wait_for_text("echo: How do I find a doctor in the Netherlands?")


@pytest.mark.parametrize(
    ("put_off", "is_it"),
    [(timedelta(0), True), (timedelta(seconds=30), False), (timedelta(minutes=19), False), (timedelta(hours=1), True)],
)
def test_only_a_pause_that_we_never_make_counts_as_a_wrong_clock(put_off: timedelta, is_it: bool) -> None:
    assert is_due(NOW + put_off, NOW) is is_it


async def test_what_comes_out_of_order_keeps_the_order_in_which_it_came(
    bot: Bot, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    for key, text in (("9", "my second question about insurance"), ("8", "my first question about insurance")):
        await bot.core.accept(hello(key, text))
    await channel.wait_for_text("echo: my first question about insurance")
    assert rasa.texts == ["my second question about insurance", "my first question about insurance"]


@pytest.mark.parametrize("kind", ["edited_message", "deleted_business_messages", "my_chat_member"])
def test_an_edited_or_deleted_telegram_message_changes_nothing(kind: str) -> None:
    user = {"id": 1, "is_bot": False, "first_name": "A"}
    chat = {"id": 1, "type": "private"}
    member = {"user": user, "status": "kicked", "until_date": 0}
    content = {
        "edited_message": {"message_id": 5, "date": 1_790_000_000, "chat": chat, "from": user, "text": "changed"},
        "deleted_business_messages": {"business_connection_id": "b", "chat": chat, "message_ids": [5]},
        "my_chat_member": {
            "chat": chat, "from": user, "date": 1_790_000_000, "old_chat_member": member, "new_chat_member": member,
        },
    }[kind]  # fmt: skip
    assert content_of(Update.de_json({"update_id": 1, kind: content}, None)) is None
