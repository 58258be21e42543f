"""Settings of the bot, from the environment or `.env`, each under `ZORGBRUG_…`; and the secrets made at first start.

The folders default to the project's own `data/` and `var/`, so a fresh clone runs without any setting.
"""

from __future__ import annotations

import json
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Literal

from cryptography.fernet import Fernet
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import SecretsUnusable, SettingsProblem
from bot.store.sealing import Sealer

PROJECT = Path(__file__).resolve().parent.parent
PREFIX = "ZORGBRUG_"
FIRST_SECRETS = {"rasa_token", "internal_token", "web_secret"}  # what the file has held from the beginning


class Secrets(BaseModel, frozen=True):
    """What `var/secrets.json` holds: passwords between our own processes, and the keys of this installation.

    `seal_keys` (Fernet) and `hash_keys` are lists separated by commas, the newest first; see `bot.store.sealing`.
    """

    rasa_token: str = Field(min_length=16)
    internal_token: str = Field(min_length=16)
    web_secret: str = Field(min_length=16)
    seal_keys: str = Field(min_length=44)
    hash_keys: str = Field(min_length=16)

    @classmethod
    def generate(cls) -> Secrets:
        """Return new ones."""
        made = {name: secrets.token_urlsafe(32) for name in cls.model_fields}
        return cls(**{**made, "seal_keys": Fernet.generate_key().decode()})

    def sealer(self) -> Sealer:
        """Return what encrypts and hashes with these keys.

        Raises:
            SettingsProblem: A key is not one.
        """
        seal_keys, hash_keys = ([key.strip() for key in keys.split(",")] for keys in (self.seal_keys, self.hash_keys))
        try:
            return Sealer(seal_keys, hash_keys)
        except ValueError:
            problem = f"{PREFIX}SEAL_KEYS: each key must be 32 bytes in URL-safe base64; see docs/operators.md"
            raise SettingsProblem([problem]) from None


class Settings(BaseSettings):
    """Everything an operator can set; see docs for operators."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=1, le=65535)
    rasa_host: str = "127.0.0.1"
    rasa_port: int = Field(5005, ge=1, le=65535)
    actions_port: int = Field(5055, ge=1, le=65535)
    rasa_url: str = ""
    actions_url: str = ""
    public_url: str = ""
    data: Path = PROJECT / "data"
    var: Path = PROJECT / "var"
    database_url: str = ""
    redis_url: str = ""
    rasa_tracker_url: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    messages_per_minute: int = Field(20, ge=1)
    openings_per_minute: int = Field(60, ge=1)  # conversations, and logins, from one address on the internet
    longest_text: int = Field(2000, ge=100)
    largest_request_bytes: int = Field(64 * 1024, ge=1024)
    retention_days: int = Field(30, ge=1)
    case_retention_days: int = Field(90, ge=1)

    translate_url: str = ""
    translate_key: SecretStr | None = None
    case_claim_minutes: float = Field(15, gt=0)
    case_reply_minutes: float = Field(10, gt=0)

    session_idle_minutes: int = Field(30, ge=1)
    session_longest_hours: int = Field(12, ge=1)
    login_attempts: int = Field(5, ge=1)
    login_lock_minutes: int = Field(15, ge=1)
    totp_required_for_supervisors: bool = True

    rasa_token: SecretStr | None = None
    internal_token: SecretStr | None = None
    web_secret: SecretStr | None = None
    seal_keys: SecretStr | None = None
    hash_keys: SecretStr | None = None

    rasa_timeout_seconds: float = Field(8.0, gt=0)
    apology_after_seconds: float = Field(5.0, gt=0)
    attempts_before_setting_aside: int = Field(4, ge=1)

    telegram_token: SecretStr | None = None
    telegram_mode: Literal["polling", "webhook"] = "polling"
    telegram_webhook_secret: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"

    whatsapp_token: SecretStr | None = None
    whatsapp_phone_id: str = ""
    whatsapp_app_secret: SecretStr | None = None
    whatsapp_verify_token: SecretStr | None = None
    whatsapp_api_url: str = "https://graph.facebook.com"
    whatsapp_api_version: str = Field("26.0", pattern=r"^(1[7-9]|[2-9][0-9])\.0$")
    whatsapp_template: str = ""

    @field_validator(
        *("telegram_token", "telegram_webhook_secret"),
        *("whatsapp_token", "whatsapp_app_secret", "whatsapp_verify_token"),
        *Secrets.model_fields,
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _webhook_is_complete(self) -> Settings:
        if self.telegram_token and self.telegram_mode == "webhook":
            if not self.public_url.startswith("https://"):
                raise ValueError(
                    f"{PREFIX}PUBLIC_URL must be the https:// address of this service for Telegram's webhook"
                )
            if not self.telegram_webhook_secret:
                raise ValueError(f"{PREFIX}TELEGRAM_WEBHOOK_SECRET must be set for Telegram's webhook")
        return self

    @model_validator(mode="after")
    def _whatsapp_is_complete(self) -> Settings:
        names = ("whatsapp_token", "whatsapp_phone_id", "whatsapp_app_secret", "whatsapp_verify_token")
        missing = [PREFIX + name.upper() for name in names if not getattr(self, name)]
        if 0 < len(missing) < len(names):
            raise ValueError(f"{', '.join(missing)} must be set for WhatsApp; see docs/whatsapp.md")
        return self

    @model_validator(mode="after")
    def _shared_trackers_have_locks(self) -> Settings:
        if self.rasa_tracker_url and not self.redis_url:
            raise ValueError(f"{PREFIX}REDIS_URL must be set beside {PREFIX}RASA_TRACKER_URL: Rasa's locks are there")
        return self

    @classmethod
    def load(cls, **overrides: object) -> Settings:
        """Read the settings.

        Raises:
            SettingsProblem: One or more settings are wrong; every one is named.
        """
        try:
            return cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsProblem([_explain(dict(problem)) for problem in error.errors()]) from None

    @property
    def store_url(self) -> str:
        """Where the message store is: SQLite in `var/` unless `ZORGBRUG_DATABASE_URL` says otherwise."""
        return self.database_url or f"sqlite+aiosqlite:///{self.var / 'zorgbrug.db'}"

    @property
    def rasa_base_urls(self) -> list[str]:
        """Addresses of the Rasa servers; one on this machine unless `ZORGBRUG_RASA_URL` says otherwise."""
        given = [url.strip().rstrip("/") for url in self.rasa_url.split(",") if url.strip()]
        return given or [f"http://127.0.0.1:{self.rasa_port}"]

    @property
    def rasa_endpoints(self) -> str:
        """The file that tells Rasa where it keeps conversations: on this machine, or with other Rasa servers."""
        return "endpoints-scale.yml" if self.rasa_tracker_url else "endpoints.yml"

    @property
    def actions_base_url(self) -> str:
        """Address of the action server; on this machine unless `ZORGBRUG_ACTIONS_URL` says otherwise."""
        return self.actions_url or f"http://127.0.0.1:{self.actions_port}"

    @property
    def bot_base_url(self) -> str:
        """Address of the bot for the processes beside it; one that listens everywhere is reached on the loopback."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{self.port}"

    @property
    def is_https(self) -> bool:
        """Whether people reach the service over TLS, so cookies may be marked Secure."""
        return self.public_url.startswith("https://")

    @cached_property
    def secrets(self) -> Secrets:
        """The secrets: those set in the environment (containers), else those generated at first use.

        Raises:
            SecretsUnusable: The file is damaged.
            SettingsProblem: A secret in the environment is too short.
        """
        given = {name: value.get_secret_value() for name in Secrets.model_fields if (value := getattr(self, name))}
        generated = (
            {} if len(given) == len(Secrets.model_fields) else load_secrets(self.var / "secrets.json").model_dump()
        )
        try:
            return Secrets(**{**generated, **given})
        except ValidationError as error:
            names = ", ".join(PREFIX + str(problem["loc"][0]).upper() for problem in error.errors())
            raise SettingsProblem([f"{names}: at least 16 characters are needed; take a long random text"]) from None


def load_secrets(path: Path) -> Secrets:
    """Return the secrets of this installation, making them, or those that an older version lacked, if need be.

    Two processes may do this at once: the file appears whole under its name, and the second one reads the first's.

    Raises:
        SecretsUnusable: The file is there but does not hold the secrets.
    """
    if not path.exists():
        _write_secrets(path, Secrets.generate(), is_new=True)
    try:
        content = json.loads(path.read_bytes())
        known = Secrets.model_validate({**Secrets.generate().model_dump(), **content})
    except (ValidationError, ValueError, TypeError):
        raise SecretsUnusable(path, "does not hold the secrets") from None
    except OSError as error:
        raise SecretsUnusable(path, f"cannot be read ({error.strerror})") from error
    if content.keys() < Secrets.model_fields.keys():
        if not content.keys() >= FIRST_SECRETS:
            raise SecretsUnusable(path, "does not hold the secrets")
        _write_secrets(path, known, is_new=False)
        known = Secrets.model_validate_json(path.read_bytes())
    return known


def _write_secrets(path: Path, made: Secrets, *, is_new: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(made.model_dump(), file, indent=2)
    if not is_new:
        # Written by the process that starts the others, before it starts them, so there is nobody to race with.
        draft.replace(path)
        return
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was quicker; its secrets hold
    finally:
        draft.unlink()


def _explain(problem: dict[str, object]) -> str:
    place = problem["loc"]
    name = PREFIX + str(place[0]).upper() if isinstance(place, tuple) and place else "settings"
    # Never the value itself: it may be a token.
    return f"{name}: {problem['msg']}"
