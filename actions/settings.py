"""What the action server is told through the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ActionSettings(BaseSettings, frozen=True):
    """Settings of the action server; each is an environment variable `ZORGBRUG_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="ZORGBRUG_", extra="ignore", populate_by_name=True)

    data: Path = Field(default=Path("data"), description="the folder that people edit")
    var: Path = Field(default=Path("var"), description="the folder with the published snapshots")
    encoder: str = Field(default="bundled", description="`bundled`, a hub name, or a local folder")
    served_status: str = Field(default="draft", description="least status of a text that may be shown")
    bot_url: str = Field(default="http://127.0.0.1:8080", description="where the bot takes escalations")
    internal_token: str = Field(default="", description="what the bot wants to see before it takes one")
    actions_host: str = "127.0.0.1"
    actions_port: int = 5055
