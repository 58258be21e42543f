"""What the staff write to each other keeps to the same rule: no identity number is stored."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from bot.app import Bot
from bot.store.case_models import Note
from tests.bot.cases.conftest import AddWorker, Person
from tests.bot.privacy.on_disk import bytes_on_disk


async def test_a_note_is_stored_without_identity_numbers_and_with_a_number_to_call(
    bot: Bot, person: Person, add_worker: AddWorker, database: Path
) -> None:
    case, worker = await person.asks_for_a_person(), await add_worker()
    await bot.cases.add_note(case, worker, "BSN 111222333, NL91 ABNA 0417 1643 00, call 0612345678")
    texts = await bot.store.read(lambda session: session.scalars(select(Note.text)))
    assert texts.all() == ["BSN [BSN], [IBAN], call 0612345678"]
    assert b"111222333" not in bytes_on_disk(database)
