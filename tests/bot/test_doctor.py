"""What the doctor says of the channels and of the stores; it shows no token and makes nothing."""

from __future__ import annotations

from pathlib import Path

from bot.doctor import Finding, _redis, _store, _telegram, _whatsapp
from bot.settings import Settings
from bot.store.engine import Store
from tests.bot.bot_api_server import TOKEN, bot_api_server
from tests.bot.graph_api_server import graph_api_server, whatsapp_settings
from tests.servers import RedisServer


def settings(tmp_path: Path, **given: object) -> Settings:
    return Settings.load(_env_file=None, var=tmp_path, **given)


async def telegram(tmp_path: Path, token: str, url: str) -> Finding:
    return await _telegram(settings(tmp_path, telegram_token=token, telegram_api_url=url))


async def test_a_token_that_telegram_knows_is_fine(tmp_path: Path) -> None:
    async with bot_api_server() as server:
        assert (await telegram(tmp_path, TOKEN, server.url)).level == "ok"


async def test_a_telegram_that_is_away_or_refuses_the_token_is_a_problem_and_the_token_is_not_shown(
    tmp_path: Path,
) -> None:
    away = await telegram(tmp_path, TOKEN, "http://127.0.0.1:9")
    async with bot_api_server() as server:
        refused = await telegram(tmp_path, "1:wrong", server.url)
    assert away.is_problem
    assert "out of reach" in away.says
    assert refused.is_problem
    assert "ZORGBRUG_TELEGRAM_TOKEN" in refused.says
    assert TOKEN not in away.says + refused.says


async def test_without_a_token_telegram_is_off_and_that_is_no_problem(tmp_path: Path) -> None:
    assert (await _telegram(settings(tmp_path, telegram_token=""))).level == "note"


async def test_looking_for_the_store_does_not_make_it(tmp_path: Path, database: Path, store: Store) -> None:
    assert (await _store(settings(tmp_path))).level == "ok"  # the fixture made it there
    assert (await _store(settings(tmp_path / "other"))).level == "note"
    assert not (tmp_path / "other").exists()


async def test_a_whatsapp_number_that_answers_is_fine_and_a_missing_template_is_named(tmp_path: Path) -> None:
    async with graph_api_server() as server:
        known = whatsapp_settings(server.url)
        bare = await _whatsapp(settings(tmp_path, **known))
        ready = await _whatsapp(settings(tmp_path, **known, whatsapp_template="answer_waiting"))
    assert (bare.level, ready.level) == ("note", "ok")
    assert "template" in bare.says


async def test_a_whatsapp_that_is_away_or_refuses_the_token_is_a_problem_and_the_token_is_not_shown(
    tmp_path: Path,
) -> None:
    away = await _whatsapp(settings(tmp_path, **whatsapp_settings("http://127.0.0.1:9")))
    async with graph_api_server() as server:
        wrong = {**whatsapp_settings(server.url), "whatsapp_token": "wrong-token"}
        refused = await _whatsapp(settings(tmp_path, **wrong))
    assert (away.level, refused.level) == ("problem", "problem")
    assert "wrong-token" not in refused.says


async def test_a_redis_is_found_or_missed(tmp_path: Path, redis_server: RedisServer) -> None:
    assert (await _redis(settings(tmp_path, redis_url=redis_server.url))).level == "ok"
    away = await _redis(settings(tmp_path, redis_url="redis://:secret@127.0.0.1:9/0"))
    assert away.is_problem
    assert "secret" not in away.says
