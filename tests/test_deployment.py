"""The container files and the operators' page name only files and settings that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from actions.settings import ActionSettings
from bot.settings import PREFIX, Secrets, Settings

ROOT = Path(__file__).resolve().parents[1]
KNOWN = {PREFIX + name.upper() for name in (*Settings.model_fields, *ActionSettings.model_fields)}


@pytest.mark.parametrize(
    "file", ["Dockerfile", "compose.yaml", "compose.scale.yaml", ".env.example", "docs/operators.md", "README.md"]
)
def test_every_setting_that_is_named_exists(file: str) -> None:
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+", (ROOT / file).read_text(encoding="utf-8")))
    assert named - KNOWN == set()


def test_every_setting_of_the_bot_is_explained_to_operators() -> None:
    explained = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert {name for name in KNOWN if f"`{name}`" not in explained} == set()


def test_the_images_copy_only_what_there_is() -> None:
    lines = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    sources = [source for line in lines for source in line.split()]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_each_container_gets_the_secrets_that_it_needs_and_rasa_no_other() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    secrets = {name: {key for key in service["environment"] if key in KNOWN} for name, service in services.items()}
    assert {PREFIX + name.upper() for name in Secrets.model_fields} <= secrets["bot"]
    assert "ZORGBRUG_INTERNAL_TOKEN" in secrets["actions"]
    assert secrets["rasa"] == {"ZORGBRUG_RASA_TOKEN", "ZORGBRUG_ACTIONS_URL"}
    assert "env_file" not in services["rasa"]
