"""Several Rasa servers behind one bot: they take turns, and one that is away is passed over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.conversations.rasa import RasaAway, RasaClient, RasaMessage
from bot.errors import SettingsProblem
from bot.settings import Settings
from tests.bot.fakes import FakeRasa


@pytest.fixture
async def other() -> AsyncIterator[FakeRasa]:
    rasa = FakeRasa()
    await rasa.start()
    yield rasa
    await rasa.stop()


@pytest.fixture
async def client(rasa: FakeRasa, other: FakeRasa) -> AsyncIterator[RasaClient]:
    client = RasaClient([rasa.url, other.url], rasa.url, "x" * 16, 2.0)
    yield client
    await client.close()


def a_message(number: int) -> RasaMessage:
    return RasaMessage(
        conversation="c1", message_id=str(number), text=f"{number}", lang="en", answer_lang="en", channel="web",
        is_lang_clear=True, place=None, now=datetime.now(UTC),
    )  # fmt: skip


async def test_the_servers_take_turns(client: RasaClient, rasa: FakeRasa, other: FakeRasa) -> None:
    for number in range(4):
        await client.send(a_message(number))
    assert (rasa.texts, other.texts) == (["0", "2"], ["1", "3"])


async def test_while_one_is_away_the_other_answers_everything(
    client: RasaClient, rasa: FakeRasa, other: FakeRasa
) -> None:
    await rasa.stop()
    for number in range(4):
        assert (await client.send(a_message(number)))[0].text == f"echo: {number}"
    await client.erase("c1")
    assert await client.is_reachable()
    assert (other.texts, other.erased) == (["0", "1", "2", "3"], ["c1"])
    await rasa.start()


async def test_only_when_all_are_away_rasa_is(client: RasaClient, rasa: FakeRasa, other: FakeRasa) -> None:
    await rasa.stop()
    await other.stop()
    with pytest.raises(RasaAway):
        await client.send(a_message(1))
    assert not await client.is_reachable()
    await rasa.start()
    await other.start()


def test_the_addresses_stand_in_one_setting() -> None:
    both = Settings.load(_env_file=None, rasa_url="http://one:5005/, http://two:5005")
    assert both.rasa_base_urls == ["http://one:5005", "http://two:5005"]


def test_shared_trackers_need_shared_locks() -> None:
    tracker = "postgresql://zorgbrug@db/trackers"
    with pytest.raises(SettingsProblem, match="ZORGBRUG_REDIS_URL must be set"):
        Settings.load(_env_file=None, rasa_tracker_url=tracker)
    settings = Settings.load(_env_file=None, rasa_tracker_url=tracker, redis_url="redis://cache/0")
    assert (settings.rasa_endpoints, Settings.load(_env_file=None).rasa_endpoints) == (
        "endpoints-scale.yml", "endpoints.yml",
    )  # fmt: skip
