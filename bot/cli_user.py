"""`zorgbrug user`: the accounts of the staff from a terminal, above all the first administrator's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.errors import BotError
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.staff.accounts import Accounts

T = TypeVar("T")

user_app = typer.Typer(help="The staff: invite, disable, reset, list.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]
Desks = Annotated[list[str] | None, typer.Option("--desk", help="A WIN-punt's id, such as win-breda; repeatable.")]
Langs = Annotated[list[str] | None, typer.Option("--lang", help="A language they speak, such as pl; repeatable.")]


class BadInput(BotError):
    """What was typed does not fit the data."""


@user_app.command()
def add(
    email: Annotated[str, typer.Option(help="What they log in with.")],
    name: Annotated[str, typer.Option(help="How people in the chat get to know them.")],
    role: Annotated[str, typer.Option(help="worker, supervisor, editor or admin.")],
    desks: Desks = None,
    langs: Langs = None,
) -> None:
    """Invite somebody; prints the link by which they set a password, once and within seven days."""
    with _clear_errors():
        settings = Settings.load()
        _check(settings.data, role, desks or [], langs or [])
        token = _run(settings, lambda accounts: accounts.invite(email, name, role, desks or [], langs or []))
    typer.echo(_link(settings, token))


@user_app.command()
def disable(email: Email) -> None:
    """Shut somebody out at once; their cases go back to the queue."""
    with _clear_errors():
        _run(Settings.load(), lambda accounts: accounts.disable(email))
    typer.echo(f"{email} is shut out.")


@user_app.command()
def reset(email: Email) -> None:
    """Take away password, second factor and lock, and print a new link; lets a disabled person in again."""
    with _clear_errors():
        settings = Settings.load()
        token = _run(settings, lambda accounts: accounts.reset(email))
    typer.echo(_link(settings, token))


@user_app.command("list")
def list_staff() -> None:
    """Show every account."""
    with _clear_errors():
        lines = _run(Settings.load(), lambda accounts: accounts.list())
    for line in lines:
        totp = "second factor" if line.is_totp_on else "-"
        places, spoken = (",".join(items) or "-" for items in (line.desks, line.langs))
        typer.echo(f"{line.email}  {line.name}  {line.role}  {line.state}  {totp}  {places}  {spoken}")
    if not lines:
        typer.echo("There are no accounts yet; make one with `zorgbrug user add`.", err=True)


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except BotError as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None


def _check(data: Path, role: str, desks: Iterable[str], langs: Iterable[str]) -> None:
    from bot.staff.roles import SUPERVISOR, WORKER
    from knowledge.loading import load_contacts, load_languages
    from knowledge.origins import Origins

    points = sorted(item.id for item in load_contacts(data, Origins()).values() if item.kind == "win-point")
    for what, given, known in (("WIN-punt", desks, points), ("language", langs, load_languages(data, Origins()))):
        if unknown := [item for item in given if item not in known]:
            raise BadInput(f"There is no {what} {', '.join(unknown)}; there are {', '.join(known)}.")
    if role in (WORKER, SUPERVISOR) and not list(desks):
        raise BadInput(f"A {role} belongs to at least one WIN-punt: add --desk with one of {', '.join(points)}.")


def _run(settings: Settings, work: Callable[[Accounts], Awaitable[T]]) -> T:
    from bot.staff.accounts import AccountPolicy, Accounts
    from bot.store.engine import Store

    async def run() -> T:
        store = Store(settings.store_url)
        try:
            await store.migrate()
            return await work(Accounts(store, settings.secrets.sealer(), AccountPolicy.of(settings)))
        finally:
            await store.close()

    return asyncio.run(run())


def _link(settings: Settings, token: str) -> str:
    base = settings.public_url.rstrip("/") or f"http://localhost:{settings.port}"
    return f"{base}/console/invite/{token}"
