"""Settings and secrets: what can be set, what is refused and how, and secrets made once."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bot.errors import SecretsUnusable, SettingsProblem
from bot.settings import PROJECT, Settings, load_secrets

LONG = "a-long-random-secret-text"


def load(**given: Any) -> Settings:
    return Settings.load(_env_file=None, **given)


def test_a_fresh_clone_needs_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZORGBRUG_TELEGRAM_TOKEN", raising=False)
    settings = load()
    assert settings.data == PROJECT / "data"
    assert settings.store_url.startswith("sqlite+aiosqlite:///")
    assert settings.telegram_token is None


def test_settings_come_from_the_environment_and_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("ZORGBRUG_PORT=9001\nZORGBRUG_RASA_PORT=9002\nZORGBRUG_TELEGRAM_TOKEN=\n")
    monkeypatch.setenv("ZORGBRUG_PORT", "9003")
    settings = Settings.load(_env_file=file)
    assert (settings.port, settings.rasa_base_urls) == (9003, ["http://127.0.0.1:9002"])
    assert settings.telegram_token is None


def test_every_wrong_setting_is_named_and_its_value_is_not_shown() -> None:
    with pytest.raises(SettingsProblem) as problem:
        load(port=0, messages_per_minute="many-secrets")
    assert "ZORGBRUG_PORT" in str(problem.value)
    assert "ZORGBRUG_MESSAGES_PER_MINUTE" in str(problem.value)
    assert "many-secrets" not in str(problem.value)


def test_a_telegram_webhook_needs_an_https_address_and_a_secret() -> None:
    webhook = {"telegram_token": "1:a", "telegram_mode": "webhook"}
    with pytest.raises(SettingsProblem, match="ZORGBRUG_PUBLIC_URL"):
        load(**webhook)
    with pytest.raises(SettingsProblem, match="ZORGBRUG_TELEGRAM_WEBHOOK_SECRET"):
        load(**webhook, public_url="https://chat.example.nl")


def test_a_token_does_not_show_when_settings_are_printed() -> None:
    assert LONG not in repr(load(telegram_token=LONG, rasa_token=LONG))


def test_secrets_are_made_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secrets.json"
    first = load_secrets(path)
    assert load_secrets(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len({first.rasa_token, first.internal_token, first.web_secret}) == 3
    assert [item.name for item in path.parent.iterdir()] == ["secrets.json"]


def test_processes_that_start_at_once_agree_on_the_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(load_secrets, [tmp_path / "secrets.json"] * 8))
    assert len(set(made)) == 1


@pytest.mark.parametrize("content", ["", "{}", '{"rasa_token": "short"}', "not json"])
def test_a_damaged_secrets_file_is_refused_with_what_to_do(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(content)
    with pytest.raises(SecretsUnusable, match="Remove it and start again"):
        load_secrets(path)
    assert path.read_text() == content


def test_secrets_of_the_environment_hold_and_need_no_file(tmp_path: Path) -> None:
    settings = load(var=tmp_path, rasa_token=LONG, internal_token=LONG, web_secret=LONG)
    assert settings.secrets.rasa_token == LONG
    assert not (tmp_path / "secrets.json").exists()


def test_one_secret_of_the_environment_goes_before_the_generated_one(tmp_path: Path) -> None:
    settings = load(var=tmp_path, rasa_token=LONG)
    assert settings.secrets.rasa_token == LONG
    assert settings.secrets.web_secret == load_secrets(tmp_path / "secrets.json").web_secret


def test_a_short_secret_in_the_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match="ZORGBRUG_WEB_SECRET"):
        _ = load(var=tmp_path, web_secret="short").secrets
