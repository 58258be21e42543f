"""`zorgbrug privacy` as an operator runs it, beside a Rasa that is there or not."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner

from bot.cli_privacy import privacy_app
from bot.conversations.addresses import address_of, find_conversation
from bot.store.case_models import CLAIMED, Attachment
from bot.store.engine import Store
from bot.store.models import Base, Conversation
from bot.store.sealing import Sealer
from bot.store.staff_models import Staff
from tests.bot.fakes import FakeRasa
from tests.bot.privacy.on_disk import bytes_on_disk
from tests.bot.test_retention import fill, left

NOW = datetime.now(UTC)
OLD_SEAL, NEW_SEAL = (Fernet.generate_key().decode() for _ in range(2))
OLD_HASH, NEW_HASH = "an-older-key-for-hashes", "a-newer-key-for-hashes"
ANNA = ("--channel", "test", "--address", "anna")


class Terminal:
    """Runs `zorgbrug privacy …` on an installation of the test."""

    def __init__(self, var: Path, rasa_url: str) -> None:
        self.var = var
        self.environment = {
            "ZORGBRUG_VAR": str(var),
            "ZORGBRUG_RASA_URL": rasa_url,
            "ZORGBRUG_SEAL_KEYS": OLD_SEAL,
            "ZORGBRUG_HASH_KEYS": OLD_HASH,
        }

    def take_keys(self, seal_keys: str, hash_keys: str) -> None:
        self.environment |= {"ZORGBRUG_SEAL_KEYS": seal_keys, "ZORGBRUG_HASH_KEYS": hash_keys}

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Return the exit code, and what was written to standard output and standard error."""
        result = await asyncio.to_thread(CliRunner().invoke, privacy_app, list(arguments), env=self.environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output


@pytest.fixture
async def terminal(tmp_path: Path, rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.chdir(tmp_path)  # away from the .env of whoever runs the tests
    for name in ("ZORGBRUG_DATABASE_URL", "ZORGBRUG_RETENTION_DAYS", "ZORGBRUG_CASE_RETENTION_DAYS"):
        monkeypatch.delenv(name, raising=False)
    return Terminal(tmp_path, rasa.url)


@pytest.fixture
async def kept(terminal: Terminal, store: Store) -> Store:
    """Anna and Boris, each with a message, a reply, a thumb and a case with a note and a photo."""
    for name in ("anna", "boris"):
        await fill(store, name, NOW, status=CLAIMED, closed_at=None)
    sealer = Sealer([OLD_SEAL], [OLD_HASH])

    async def seal(session: AsyncSession) -> None:
        for photo in (await session.scalars(select(Attachment))).all():
            photo.sealed = sealer.seal_bytes(b"a photo")
        row = Staff(
            email="a@win.example", name="Ana", role="worker", langs={"spoken": []}, created_at=NOW,
            totp_sealed=sealer.seal("second factor"),
        )  # fmt: skip
        session.add(row)

    await store.run(seal)
    return store


async def rows(store: Store, table: type[Base]) -> list[Base]:
    return list((await store.read(lambda session: session.scalars(select(table)))).all())


async def test_an_export_holds_everything_of_the_person_and_nothing_of_another(kept: Store, terminal: Terminal) -> None:
    code, output = await terminal.run("export", *ANNA)
    assert code == 0
    [person] = json.loads(output)["conversations"]
    assert (person["channel"], person["address"]) == ("test", "anna")
    assert [message["content"] for message in person["messages"]] == [{"kind": "text", "text": "hoi"}]
    assert person["messages"][0]["photo"] == {
        "media_type": "image/jpeg",
        "base64": base64.b64encode(b"a photo").decode(),
    }
    assert [reply["content"] for reply in person["replies"]] == [{"text": "dag"}]
    assert [thumb["helpful"] for thumb in person["feedback"]] == [True]
    [case] = person["cases"]
    assert (case["status"], [note["text"] for note in case["notes"]]) == (CLAIMED, ["wants an interpreter"])
    assert "boris" not in output


def test_an_export_knows_every_table_that_points_at_a_person() -> None:
    pointing = {
        table.name
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in ("conversation", "inbox", "support_case")
    }
    assert pointing == {
        "inbox",
        "outbox",
        "feedback",
        "support_case",
        "note",
        "attachment",
    }  # a new one belongs into persons.py


async def test_an_erasure_takes_one_person_from_rasa_and_the_store_and_leaves_no_byte(
    kept: Store, terminal: Terminal, rasa: FakeRasa, database: Path
) -> None:
    assert await terminal.run("erase", *ANNA) == (0, "Erased: 1 conversation with all that belonged to it.\n")
    assert set(rasa.erased) == {"anna"}
    assert [row.id for row in await rows(kept, Conversation)] == ["boris"]  # type: ignore[attr-defined]
    assert b"anna" not in bytes_on_disk(database)
    code, output = await terminal.run("export", *ANNA)
    assert (code, output.startswith("Nothing is kept of this person on the channel test.")) == (1, True)


async def test_while_rasa_is_away_nothing_is_erased_and_it_says_so(
    kept: Store, terminal: Terminal, rasa: FakeRasa
) -> None:
    await rasa.stop()
    before = await left(kept)
    code, output = await terminal.run("erase", *ANNA)
    assert code == 1
    assert "Rasa does not answer" in output
    assert "Nothing was erased" in output
    assert await left(kept) == before
    assert len(await rows(kept, Conversation)) == 2
    await rasa.start()
    assert (await terminal.run("erase", *ANNA))[0] == 0


@pytest.mark.parametrize("command", ["export", "erase"])
async def test_somebody_unknown_is_told_in_one_line(terminal: Terminal, rasa: FakeRasa, command: str) -> None:
    code, output = await terminal.run(command, "--channel", "telegram", "--address", "123")
    assert code == 1
    assert output.startswith("Nothing is kept of this person on the channel telegram.")
    assert len(output.splitlines()) == 1
    assert rasa.erased == []


async def test_a_purge_says_what_went(store: Store, terminal: Terminal) -> None:
    await fill(store, "old", NOW - timedelta(days=31))
    await fill(store, "older", NOW - timedelta(days=91))
    await fill(store, "new", NOW)
    gone = "Gone: 2 conversations, 1 cases, 0 photos, 0 logins, 0 invitations.\n"
    assert await terminal.run("purge") == (0, gone)
    assert [row.id for row in await rows(store, Conversation)] == ["new"]  # type: ignore[attr-defined]


async def test_a_purge_keeps_to_the_days_that_are_set(store: Store, terminal: Terminal) -> None:
    terminal.environment |= {"ZORGBRUG_RETENTION_DAYS": "2", "ZORGBRUG_CASE_RETENTION_DAYS": "2"}
    await fill(store, "old", NOW - timedelta(days=3))
    assert (await terminal.run("purge"))[1].startswith("Gone: 1 conversations, 1 cases")


async def test_a_purge_without_rasa_says_what_waits(store: Store, terminal: Terminal, rasa: FakeRasa) -> None:
    await rasa.stop()
    await fill(store, "old", NOW - timedelta(days=31))
    code, output = await terminal.run("purge")
    assert code == 1
    assert "1 conversations wait for Rasa" in output


async def test_after_a_rotation_the_new_keys_alone_read_everything(kept: Store, terminal: Terminal) -> None:
    assert (await terminal.run("export", *ANNA))[0] == 0  # stored under the old keys
    terminal.take_keys(f"{NEW_SEAL},{OLD_SEAL}", f"{NEW_HASH},{OLD_HASH}")
    code, output = await terminal.run("rotate")
    assert code == 0
    assert "Renewed: 2 addresses, 1 second factors, 2 photos.\nThe old keys can be removed now" in output

    new = Sealer([NEW_SEAL], [NEW_HASH])
    found = await kept.read(lambda session: find_conversation(session, new, "test", "anna"))
    assert found is not None
    assert address_of(new, found) == "anna"
    assert [new.unseal_bytes(photo.sealed) for photo in await rows(kept, Attachment)] == [b"a photo"] * 2  # type: ignore[attr-defined]
    assert [new.unseal(staff.totp_sealed) for staff in await rows(kept, Staff)] == ["second factor"]  # type: ignore[attr-defined]
    terminal.take_keys(NEW_SEAL, NEW_HASH)
    assert (await terminal.run("export", *ANNA))[0] == 0
    assert (await terminal.run("rotate"))[0] == 0


async def test_a_rotation_goes_through_more_than_one_batch(
    store: Store, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.privacy.rotation.BATCH", 2)
    for number in range(5):
        await fill(store, f"person{number}", NOW)
    assert "Renewed: 5 addresses" in (await terminal.run("rotate"))[1]


async def test_a_rotation_without_the_old_key_changes_nothing_and_says_what_is_missing(
    kept: Store, terminal: Terminal
) -> None:
    await terminal.run("rotate")
    before = [row.address_sealed for row in await rows(kept, Conversation)]  # type: ignore[attr-defined]
    terminal.take_keys(NEW_SEAL, f"{NEW_HASH},{OLD_HASH}")
    code, output = await terminal.run("rotate")
    assert code == 1
    assert "5 could not be read with any key that is set" in output
    assert "can be removed" not in output
    assert [row.address_sealed for row in await rows(kept, Conversation)] == before  # type: ignore[attr-defined]


async def test_two_conversations_of_one_address_stay_two_and_the_old_hash_key_is_still_needed(
    kept: Store, terminal: Terminal
) -> None:
    await terminal.run("rotate")
    new = Sealer([NEW_SEAL], [NEW_HASH])

    async def begin_anew(session: AsyncSession) -> None:
        session.add(
            Conversation(
                id="anew", channel="test", address=new.digest("test:anna"), address_sealed=new.seal("anna"),
                created_at=NOW, last_at=NOW,
            )
        )  # fmt: skip

    await kept.run(begin_anew)
    terminal.take_keys(f"{NEW_SEAL},{OLD_SEAL}", f"{NEW_HASH},{OLD_HASH}")
    code, output = await terminal.run("rotate")
    assert code == 1
    assert "1 conversations stay under the old hash" in output
    exported = json.loads((await terminal.run("export", *ANNA))[1])
    assert len(exported["conversations"]) == 2
    assert (await terminal.run("erase", *ANNA))[1].startswith("Erased: 2 conversations")


async def test_a_new_key_is_good_for_both_lists(terminal: Terminal) -> None:
    code, output = await terminal.run("new-key")
    key = output.strip()
    assert code == 0
    assert Sealer([key], [key]).unseal(Sealer([key], [key]).seal("x")) == "x"
    assert (await terminal.run("new-key"))[1].strip() != key


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ZORGBRUG_SEAL_KEYS", "x" * 50, "ZORGBRUG_SEAL_KEYS: each key must be 32 bytes"),
        (
            "ZORGBRUG_DATABASE_URL",
            "sqlite+aiosqlite:////proc/nowhere/x.db",
            "The message store does not answer: the folder",
        ),
    ],
)
async def test_what_is_set_wrong_is_a_sentence_and_exit_code_1(
    terminal: Terminal, name: str, value: str, says: str
) -> None:
    terminal.environment[name] = value
    code, output = await terminal.run("rotate")
    assert code == 1
    assert says in output
    assert "Traceback" not in output


async def test_the_commands_hang_under_zorgbrug() -> None:
    from bot.cli import app

    assert "rotate" in CliRunner().invoke(app, ["privacy", "--help"]).output
