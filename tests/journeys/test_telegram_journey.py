"""The same conversation over Telegram: python-telegram-bot, a Bot API server, the whole service behind it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from bot.service import RunningService
from tests.bot.bot_api_server import BotApiServer

pytestmark = [pytest.mark.rasa, pytest.mark.asyncio(loop_scope="session")]


def payloads(message: dict[str, Any]) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["callback_data"] for row in rows for button in row]


async def eventually(is_so: Callable[[], bool], timeout_seconds: float = 10.0) -> None:
    async with asyncio.timeout(timeout_seconds):
        while not is_so():
            await asyncio.sleep(0.05)


async def test_a_polish_conversation_over_telegram(service: RunningService, telegram: BotApiServer) -> None:
    async def exchange(count: int = 1) -> dict[str, Any]:
        return (await telegram.wait_for_messages(len(before) + count))[-1]

    before = telegram.sent()
    await telegram.say("/start")
    hello = await exchange()
    assert {"lang:pl", "lang:bg"} <= set(payloads(hello))
    assert "BSN" in hello["text"]

    before = telegram.sent()
    await telegram.say("jak zapisac sie do lekarza rodzinnego w Holandii?")
    answer = await exchange()
    assert "huisarts" in answer["text"]
    assert "<a href=" in answer["text"]
    tapped = next(item for item in payloads(answer) if item.startswith("article:"))
    thumb = next(item for item in payloads(answer) if item.startswith("thumb:up:"))

    before = telegram.sent()
    await telegram.tap(tapped)
    await telegram.tap(thumb)
    await exchange(2)

    before = telegram.sent()
    await telegram.say("moj maz ma silny bol w klatce piersiowej")
    emergency = await exchange()
    assert "112" in emergency["text"]
    await eventually(lambda: telegram.sent("sendContact") != [])
    assert telegram.sent("sendContact")[-1]["phone_number"] == "112"

    before = telegram.sent()
    await telegram.say("/human")
    await exchange()
    before = telegram.sent()
    await telegram.share_location(51.53, 4.46)
    consent = await exchange()
    assert {"yes", "no"} <= set(payloads(consent))
    before = telegram.sent()
    await telegram.tap("yes")
    done = await exchange()
    assert "Roosendaal" in done["text"]
    with sqlite3.connect(service.var / "zorgbrug.db") as store:
        newest = store.execute("select place, lang, desk from support_case order by id desc limit 1").fetchone()
    assert newest == ("Roosendaal", "pl", "win-roosendaal")


async def test_the_same_update_twice_is_answered_once(service: RunningService, telegram: BotApiServer) -> None:
    update = {"update_id": 900_001, "message": telegram._message(text="co to jest BSN")}
    before = len(telegram.sent())
    await telegram.push(dict(update))
    await telegram.wait_for_messages(before + 1)
    await telegram.push(dict(update))
    await telegram.push({"update_id": 900_002, "message": telegram._message(text="dziekuje")})
    await telegram.wait_for_messages(before + 2)
    assert len(telegram.sent()) == before + 2


async def test_deleting_over_telegram_leaves_nothing_in_the_store(
    service: RunningService, telegram: BotApiServer
) -> None:
    before = len(telegram.sent())
    await telegram.push({"update_id": 900_010, "message": telegram._message(text="/delete")})
    await telegram.wait_for_messages(before + 1)
    await telegram.push({"update_id": 900_011, "message": telegram._message(text="tak")})
    await telegram.wait_for_messages(before + 2)
    with sqlite3.connect(service.var / "zorgbrug.db") as store:
        await eventually(
            lambda: store.execute("select count(*) from conversation where channel = 'telegram'").fetchone() == (0,)
        )
    with sqlite3.connect(service.var / "rasa-tracker.db") as tracker:
        assert "klatce" not in str(tracker.execute("select data from events").fetchall())
