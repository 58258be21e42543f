"""Photos within a case: fetched once, kept encrypted, refused when too large, and gone with the case."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from bot.app import Bot
from bot.cases.photos import kind_of
from bot.channels.base import FetchFailed, IncomingMessage, Photo
from bot.store.case_models import Attachment
from bot.store.models import Inbox
from tests.bot.cases.conftest import AddWorker, Person
from tests.bot.fakes import KeepingChannel

JPEG = b"\xff\xd8\xff\xe0 a picture"


class PhotoChannel(KeepingChannel):
    """Has files to fetch; an error is raised instead, as often as it stands in the list."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content
        self.troubles: list[FetchFailed] = []
        self.asked: list[str] = []

    async def fetch(self, file_id: str, most_bytes: int) -> bytes:
        self.asked.append(file_id)
        if self.troubles:
            raise self.troubles.pop(0)
        return self.content


@pytest.fixture
def channel() -> PhotoChannel:
    return PhotoChannel(JPEG)


async def send_photo(person: Person, key: str = "photo") -> None:
    photo = Photo(media_type="image/jpeg", file_id="secret-file")
    await person.bot.core.accept(
        IncomingMessage(channel="test", address=person.address, external_id=key, content=photo)
    )


async def attachments(bot: Bot) -> list[Attachment]:
    return list((await bot.store.read(lambda session: session.scalars(select(Attachment)))).all())


async def until_one(bot: Bot) -> Attachment:
    async with asyncio.timeout(5):
        while not (found := await attachments(bot)):
            await asyncio.sleep(0.02)
    return found[0]


async def test_a_photo_within_a_case_is_kept_encrypted_and_goes_when_the_case_is_closed(
    bot: Bot, person: Person, add_worker: AddWorker, channel: PhotoChannel
) -> None:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await bot.cases.claim(case, ioana)
    await send_photo(person)
    kept = await until_one(bot)
    assert JPEG not in kept.sealed
    assert bot.sealer.unseal_bytes(kept.sealed) == JPEG
    await bot.cases.close(case, ioana, "solved")
    assert await attachments(bot) == []


async def test_a_photo_to_the_bot_is_not_fetched_and_its_id_not_kept(
    bot: Bot, person: Person, channel: PhotoChannel
) -> None:
    await send_photo(person)
    await channel.wait_for(1)
    await asyncio.sleep(0.2)
    assert channel.asked == []
    contents = (await bot.store.read(lambda session: session.scalars(select(Inbox.content)))).all()
    assert contents == [{"kind": "photo"}]


async def test_a_photo_that_is_too_large_is_answered_with_what_to_do(
    bot: Bot, person: Person, add_worker: AddWorker, channel: PhotoChannel
) -> None:
    channel.troubles = [FetchFailed("20 MB", is_too_large=True)]
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await bot.cases.claim(case, ioana)
    await send_photo(person)
    async with asyncio.timeout(5):
        while not any("8 MB" in text for text in channel.texts):
            await asyncio.sleep(0.02)
    assert await attachments(bot) == []


async def test_a_photo_that_cannot_be_had_at_once_is_fetched_again(
    bot: Bot, person: Person, add_worker: AddWorker, channel: PhotoChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    monkeypatch.setattr("bot.cases.photos.FIRST_PAUSE", timedelta(milliseconds=1))
    channel.troubles = [FetchFailed("the service is away")]
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await bot.cases.claim(case, ioana)
    await send_photo(person)
    await until_one(bot)
    assert channel.asked == ["secret-file", "secret-file"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (JPEG, "image/jpeg"), (b"\x89PNG\r\n\x1a\n...", "image/png"), (b"RIFF....WEBPVP8", "image/webp"),
        (b"<svg onload=alert(1)>", None), (b"<html>", None), (b"", None),
    ],
)  # fmt: skip
def test_only_pictures_that_a_browser_just_shows_are_kept(content: bytes, kind: str | None) -> None:
    assert kind_of(content) == kind
