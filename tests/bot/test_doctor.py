"""What the doctor says of Telegram and of the store; it shows no token and makes nothing."""

from __future__ import annotations

from pathlib import Path

from bot.doctor import Finding, _store, _telegram
from bot.settings import Settings
from bot.store.engine import Store
from tests.bot.bot_api_server import TOKEN, bot_api_server


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
