"""`zorgbrug privacy`: what is kept of people, from a terminal: forget, show, erase, and replace the keys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.errors import BotError
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.conversations.rasa import RasaClient
    from bot.store.engine import Store

T = TypeVar("T")

privacy_app = typer.Typer(help="What is kept of people: purge, export, erase, and the keys.", no_args_is_help=True)

Channel = Annotated[str, typer.Option(help="web, telegram or whatsapp.")]
Address = Annotated[str, typer.Option(help="Where the person is reached there: a chat id, a number.")]
NowIs = Annotated[str | None, typer.Option("--now-is", hidden=True, help="An instant to take for now, for tests.")]


class BadInput(BotError):
    """What was typed makes no sense."""


class NotAll(BotError):
    """Something was left undone."""


@privacy_app.command()
def purge(now_is: NowIs = None) -> None:
    """Forget what is no longer needed now, instead of within the hour."""
    from bot.conversations.retention import Retention, Swept
    from bot.staff.policy import AccountPolicy

    async def work(settings: Settings, store: Store, rasa: RasaClient) -> Swept:
        policy = AccountPolicy.of(settings)
        retention = Retention(store, rasa, settings.retention_days, settings.case_retention_days, policy)
        return await retention.sweep(_instant(now_is))

    with _clear_errors():
        gone = _run(work)
        typer.echo(
            f"Gone: {gone.conversations} conversations, {gone.cases} cases, {gone.photos} photos, "
            f"{gone.logins} logins, {gone.invitations} invitations."
        )
        if gone.waiting:
            raise NotAll(
                f"{gone.waiting} conversations wait for Rasa, which must forget them first and does not answer. "
                "Start it and give this command again."
            )


@privacy_app.command()
def export(channel: Channel, address: Address) -> None:
    """Print all that is kept of one person, as JSON; see docs/privacy.md before handing it over."""
    from bot.privacy.persons import export_person

    with _clear_errors():
        found = _run(
            lambda settings, store, rasa: export_person(store, settings.secrets.sealer(), channel, address.strip())
        )
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


@privacy_app.command()
def erase(channel: Channel, address: Address) -> None:
    """Erase all that is kept of one person, in Rasa and in the message store."""
    from bot.conversations.rasa import RasaAway
    from bot.privacy.persons import erase_person

    async def work(settings: Settings, store: Store, rasa: RasaClient) -> int:
        try:
            return await erase_person(store, rasa, settings.secrets.sealer(), channel, address.strip())
        except RasaAway as trouble:
            raise NotAll(f"{trouble} Nothing was erased: start it and give this command again.") from None

    with _clear_errors():
        count = _run(work)
    typer.echo(f"Erased: {count} conversation{'' if count == 1 else 's'} with all that belonged to it.")


@privacy_app.command()
def rotate() -> None:
    """Write everything that is encrypted or hashed anew with the newest keys; then the old ones can be removed."""
    from bot.privacy.rotation import rotate as renew

    with _clear_errors():
        done = _run(lambda settings, store, rasa: renew(store, settings.secrets.sealer()))
        typer.echo(f"Renewed: {done.conversations} addresses, {done.accounts} second factors, {done.photos} photos.")
        problems = []
        if done.unreadable:
            problems.append(
                f"{done.unreadable} could not be read with any key that is set. If there are older keys, put them "
                "behind the others and give this command again."
            )
        if done.twofold:
            problems.append(
                f"{done.twofold} conversations stay under the old hash: a bot ran without the new key and began them "
                "anew. Keep the old hash key until they have gone by themselves (ZORGBRUG_RETENTION_DAYS)."
            )
        if problems:
            raise NotAll("\n".join(problems))
    typer.echo("The old keys can be removed now, once every running bot has the new ones.")


@privacy_app.command("new-key")
def new_key() -> None:
    """Print a new key, good for ZORGBRUG_SEAL_KEYS and for ZORGBRUG_HASH_KEYS (one for each)."""
    from cryptography.fernet import Fernet

    typer.echo(Fernet.generate_key().decode())


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except BotError as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None


def _run(work: Callable[[Settings, Store, RasaClient], Awaitable[T]]) -> T:
    from bot.conversations.addresses import seal_old_addresses
    from bot.conversations.rasa import RasaClient
    from bot.store.engine import Store

    async def run() -> T:
        settings = Settings.load()
        sealer = settings.secrets.sealer()
        store = Store(settings.store_url)
        rasa = RasaClient(
            settings.rasa_base_urls,
            settings.actions_base_url,
            settings.secrets.rasa_token,
            settings.rasa_timeout_seconds,
        )
        try:
            await store.migrate()
            await seal_old_addresses(store, sealer)
            return await work(settings, store, rasa)
        finally:
            await rasa.close()
            await store.close()

    return asyncio.run(run())


def _instant(text: str | None) -> datetime:
    try:
        now = datetime.fromisoformat(text) if text else datetime.now(UTC)
    except ValueError:
        raise BadInput(f"{text!r} is no instant; write 2026-11-23T09:00:00+00:00.") from None
    return now if now.tzinfo else now.replace(tzinfo=UTC)
