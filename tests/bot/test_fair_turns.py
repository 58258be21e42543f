"""Somebody who writes much keeps nobody else waiting."""

from __future__ import annotations

import asyncio

import pytest

from bot.app import Bot
from tests.bot.cases.conftest import Person
from tests.bot.fakes import FakeRasa, KeepingChannel


async def test_one_question_does_not_wait_for_all_those_of_a_busy_conversation(
    bot: Bot, rasa: FakeRasa, channel: KeepingChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.inbox._lanes, "_places", asyncio.Semaphore(1))
    rasa.delay_seconds = 0.1
    busy, other = Person(bot, "elena"), Person(bot, "marek")
    many = [f"unde găsesc un medic numărul {number}" for number in range(6)]
    for text in many:
        await busy.says(text)
    await other.says("gdzie znajdę lekarza")
    await channel.wait_for_text("echo: gdzie znajdę lekarza")
    assert many[-1] not in rasa.texts
    await channel.wait_for_text(f"echo: {many[-1]}")
    assert [text for text in rasa.texts if text in many] == many
