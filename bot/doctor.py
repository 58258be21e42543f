"""What `zorgbrug doctor` looks at: what is configured, reachable, expired."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import httpx
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.settings import Settings
from bot.training import MODEL_NAME, inputs_digest, training_inputs
from knowledge.errors import KnowledgeError

Level = Literal["ok", "note", "problem"]
LOW_DISK_BYTES = 1024**3
EXPIRES_SOON_DAYS = 30
REACH_SECONDS = 3.0


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    level: Level
    what: str
    says: str

    @property
    def mark(self) -> str:
        """A word for the start of the line."""
        return {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}[self.level]

    @property
    def is_problem(self) -> bool:
        """Whether someone should act on it."""
        return self.level == "problem"


async def examine(settings: Settings) -> list[Finding]:
    """Return the findings in the order in which a person would check them."""
    today = datetime.now(UTC).date()
    findings = [_disk(settings), _model(settings), *_knowledge(settings, today)]
    findings += [await _telegram(settings), await _whatsapp(settings), await _store(settings)]
    if settings.redis_url:
        findings.append(await _redis(settings))
    findings += [finding async for finding in _processes(settings)]
    return findings


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.var if settings.var.exists() else settings.data).free
    level: Level = "ok" if free > LOW_DISK_BYTES else "problem"
    return Finding(level, "disk", f"{free / 1024**3:.1f} GB free" + ("" if level == "ok" else "; make room soon"))


def _model(settings: Settings) -> Finding:
    stamp = settings.var / "models" / f"{MODEL_NAME}.inputs"
    if not stamp.exists():
        return Finding("problem", "Rasa model", "not trained; run `zorgbrug train`")
    if stamp.read_text() != inputs_digest(training_inputs(settings.data)):
        return Finding("note", "Rasa model", "older than its training data; run `zorgbrug train` and restart")
    return Finding("ok", "Rasa model", "trained on the present data")


def _knowledge(settings: Settings, today: date) -> list[Finding]:
    from knowledge.base import KnowledgeBase
    from knowledge.snapshots import SnapshotReader

    findings = []
    try:
        snapshot = SnapshotReader(settings.var / "snapshots").current()
        findings.append(
            Finding(
                "ok",
                "snapshot",
                f"{len(snapshot.knowledge.articles)} articles, built {snapshot.manifest.built_at:%Y-%m-%d %H:%M} UTC",
            )
        )
    except KnowledgeError as problem:
        findings.append(Finding("problem", "snapshot", str(problem)))
    try:
        articles = KnowledgeBase.load(settings.data).articles.values()
    except KnowledgeError as problem:
        return [*findings, Finding("problem", "articles", str(problem))]
    expired = sorted(article.id for article in articles if article.valid_until < today)
    soon = sorted(item.id for item in articles if 0 <= (item.valid_until - today).days <= EXPIRES_SOON_DAYS)
    if expired:
        findings.append(Finding("problem", "articles", f"expired and no longer shown: {', '.join(expired)}"))
    if soon:
        findings.append(Finding("note", "articles", f"expire within {EXPIRES_SOON_DAYS} days: {', '.join(soon)}"))
    if not expired and not soon:
        findings.append(Finding("ok", "articles", "none expired"))
    return findings


async def _telegram(settings: Settings) -> Finding:
    if settings.telegram_token is None:
        return Finding("note", "Telegram", "off: no ZORGBRUG_TELEGRAM_TOKEN (see README)")
    address = f"{settings.telegram_api_url.rstrip('/')}/bot{settings.telegram_token.get_secret_value()}/getMe"
    try:
        async with httpx.AsyncClient(timeout=REACH_SECONDS) as client:
            status = (await client.post(address)).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The type alone: the address holds the token.
        return Finding("problem", "Telegram", f"out of reach ({type(error).__name__}); is there a way to the internet?")
    if status in (401, 404):
        return Finding("problem", "Telegram", "does not know ZORGBRUG_TELEGRAM_TOKEN; take it from @BotFather again")
    if status != 200:
        return Finding("problem", "Telegram", f"answers with status {status}; try again later")
    return Finding("ok", "Telegram", f"knows the token; messages come by {settings.telegram_mode}")


async def _whatsapp(settings: Settings) -> Finding:
    if settings.whatsapp_token is None:
        return Finding("note", "WhatsApp", "off: no ZORGBRUG_WHATSAPP_TOKEN (see docs/whatsapp.md)")
    base = settings.whatsapp_api_url.rstrip("/")
    address = f"{base}/v{settings.whatsapp_api_version}/{settings.whatsapp_phone_id}"
    headers = {"Authorization": f"Bearer {settings.whatsapp_token.get_secret_value()}"}
    try:
        async with httpx.AsyncClient(timeout=REACH_SECONDS) as client:
            status = (await client.get(address, headers=headers)).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Finding("problem", "WhatsApp", f"out of reach ({type(error).__name__}); is there a way to the internet?")
    if status in (400, 401, 403, 404):
        return Finding("problem", "WhatsApp", "refuses ZORGBRUG_WHATSAPP_TOKEN or ZORGBRUG_WHATSAPP_PHONE_ID")
    if status != 200:
        return Finding("problem", "WhatsApp", f"answers with status {status}; try again later")
    template = "" if settings.whatsapp_template else "; no template, so nobody hears of a reply after 24 hours"
    return Finding("ok" if settings.whatsapp_template else "note", "WhatsApp", f"knows the token and number{template}")


async def _redis(settings: Settings) -> Finding:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    try:
        client = Redis.from_url(settings.redis_url, socket_connect_timeout=REACH_SECONDS, socket_timeout=REACH_SECONDS)
        async with client:
            await client.ping()
    except (RedisError, OSError, ValueError) as error:
        # The type alone: the address may hold a password.
        return Finding("problem", "Redis", f"does not answer ({type(error).__name__}); check ZORGBRUG_REDIS_URL")
    return Finding("ok", "Redis", "answers")


async def _store(settings: Settings) -> Finding:
    url = make_url(settings.store_url)
    where = url.drivername
    if _is_missing_file(url):
        # To connect would make an empty file.
        return Finding("note", "message store", "none yet; the bot makes it when it starts")
    engine = create_async_engine(settings.store_url)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("select 1"))
        return Finding("ok", "message store", f"{where} answers")
    except Exception as error:
        return Finding(
            "problem", "message store", f"{where} does not answer ({type(error).__name__}); check ZORGBRUG_DATABASE_URL"
        )
    finally:
        await engine.dispose()


def _is_missing_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and bool(url.database) and not Path(str(url.database)).exists()


async def _processes(settings: Settings) -> AsyncIterator[Finding]:
    token = settings.secrets.rasa_token
    servers = settings.rasa_base_urls
    addresses = {
        "bot": f"{settings.bot_base_url}/health",
        **{"Rasa" if len(servers) == 1 else f"Rasa at {url}": f"{url}/status?token={token}" for url in servers},
        "action server": f"{settings.actions_base_url}/health",
    }
    async with httpx.AsyncClient(timeout=REACH_SECONDS, trust_env=False) as client:
        for name, address in addresses.items():
            try:
                (await client.get(address)).raise_for_status()
                yield Finding("ok", name, "answers")
            except httpx.HTTPError as error:
                yield Finding("note", name, f"does not answer ({type(error).__name__}); it runs with `make run`")
