"""Settings and secrets: what can be set, what is refused and how, and secrets made once."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.errors import SecretsUnusable, SettingsProblem
from bot.settings import PROJECT, Settings, load_secrets
from bot.store.sealing import CannotUnseal

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
    tokens = {name: LONG for name in ("rasa_token", "internal_token", "web_secret", "hash_keys")}
    settings = load(var=tmp_path, **tokens, seal_keys=Fernet.generate_key().decode())
    assert settings.secrets.rasa_token == LONG
    assert not (tmp_path / "secrets.json").exists()


@pytest.mark.parametrize("missing", [("seal_keys", "hash_keys"), ("hash_keys",)])
def test_a_file_of_an_older_version_gets_the_keys_it_lacks_and_keeps_the_rest(
    tmp_path: Path, missing: tuple[str, ...]
) -> None:
    path = tmp_path / "secrets.json"
    older = {name: value for name, value in load_secrets(path).model_dump().items() if name not in missing}
    path.write_text(json.dumps(older))
    made = load_secrets(path)
    assert older.items() <= made.model_dump().items()
    assert load_secrets(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_first_key_writes_and_all_of_them_read(tmp_path: Path) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    before = load(var=tmp_path, seal_keys=old, hash_keys=LONG).secrets.sealer()
    after = load(var=tmp_path, seal_keys=f"{new}, {old}", hash_keys=f"{LONG}er,{LONG}").secrets.sealer()
    assert after.unseal(before.seal("0612345678")) == "0612345678"
    assert after.digests("0612345678")[1] == before.digest("0612345678")
    with pytest.raises(CannotUnseal, match="ZORGBRUG_SEAL_KEYS"):
        before.unseal(after.seal("0612345678"))


def test_a_seal_key_that_is_none_is_refused_with_what_it_must_be(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match="32 bytes in URL-safe base64"):
        load(var=tmp_path, seal_keys="x" * 60).secrets.sealer()


def test_one_secret_of_the_environment_goes_before_the_generated_one(tmp_path: Path) -> None:
    settings = load(var=tmp_path, rasa_token=LONG)
    assert settings.secrets.rasa_token == LONG
    assert settings.secrets.web_secret == load_secrets(tmp_path / "secrets.json").web_secret


def test_a_short_secret_in_the_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match="ZORGBRUG_WEB_SECRET"):
        _ = load(var=tmp_path, web_secret="short").secrets
