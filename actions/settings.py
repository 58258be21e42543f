"""What the action server is told through the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge.models import Status


class ActionSettings(BaseSettings):
    """Settings of the action server; each is an environment variable or a line of `.env`, `ZORGBRUG_<NAME>`."""

    # The same `.env` as the bot reads, so that encoder and status are set once for both.
    model_config = SettingsConfigDict(env_prefix="ZORGBRUG_", env_file=".env", extra="ignore", frozen=True)

    data: Path = Field(default=Path("data"), description="the folder that people edit")
    var: Path = Field(default=Path("var"), description="the folder with the published snapshots")
    encoder: str = Field(default="bundled", description="`bundled`, a hub name, or a local folder")
    served_status: Status = Field(default="draft", description="least status of a text that may be shown")
    bot_url: str = Field(default="http://127.0.0.1:8080", description="where the bot takes escalations")
    internal_token: str = Field(default="", description="what the bot wants to see before it takes one")
    actions_host: str = "127.0.0.1"
    actions_port: int = 5055
