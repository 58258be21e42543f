"""What the processes are told: each of the others' addresses and secrets, and nothing of a real service in a trial."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.service import RunningService, process_environment, process_specs, share_settings, temporary_service
from bot.settings import Settings
from bot.supervisor import ProcessSpec, Supervisor


def settings(tmp_path: Path, **given: object) -> Settings:
    return Settings.load(_env_file=None, var=tmp_path, **given)


@pytest.mark.parametrize(
    ("host", "reached_at"),
    [
        ("127.0.0.1", "http://127.0.0.1:9001"),
        ("0.0.0.0", "http://127.0.0.1:9001"),
        ("10.0.0.7", "http://10.0.0.7:9001"),
    ],
)
def test_the_bot_is_asked_for_its_health_where_it_listens(tmp_path: Path, host: str, reached_at: str) -> None:
    bot = process_specs(settings(tmp_path, host=host, port=9001))[-1]
    assert bot.health_url == f"{reached_at}/health"
    assert bot.environment["ZORGBRUG_BOT_URL"] == reached_at


def test_a_process_started_by_hand_knows_the_others_and_keeps_what_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = settings(tmp_path)
    for name in process_environment(mine):
        monkeypatch.setenv(name, "")  # so that monkeypatch puts back what was there
        monkeypatch.delenv(name)
    monkeypatch.setenv("ZORGBRUG_BOT_URL", "http://bot:8080")
    share_settings(mine)
    assert os.environ["ZORGBRUG_INTERNAL_TOKEN"] == mine.secrets.internal_token
    assert os.environ["ZORGBRUG_BOT_URL"] == "http://bot:8080"


async def test_a_trial_never_touches_the_store_or_the_processes_of_the_real_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("models", "snapshots"):
        (tmp_path / name).mkdir()
    for name in ("DATABASE_URL", "RASA_URL", "ACTIONS_URL", "TELEGRAM_TOKEN"):
        monkeypatch.setenv(f"ZORGBRUG_{name}", "https://real.example.nl")
    started: list[ProcessSpec] = []

    async def start(supervisor: Supervisor) -> None:
        started.extend(supervisor._specs)

    monkeypatch.setattr(Supervisor, "start", start)
    running: RunningService
    async with temporary_service(settings(tmp_path), lambda _: None) as running:
        assert running.var != tmp_path
    assert len(started) == 3
    for spec in started:
        seen = {**os.environ, **spec.environment}
        assert "real.example.nl" not in spec.health_url
        assert not [name for name, value in seen.items() if name.startswith("ZORGBRUG_") and "real.example" in value]
