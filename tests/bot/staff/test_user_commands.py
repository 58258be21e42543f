"""`zorgbrug user` as an operator runs it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli_user import user_app
from bot.settings import PROJECT, Settings
from bot.staff.accounts import AccountPolicy, Accounts
from bot.store.engine import Store
from tests.bot.staff.conftest import EMAIL, NAME, PASSWORD

ANNA = (
    "--email",
    EMAIL,
    "--name",
    NAME,
    "--role",
    "worker",
    "--desk",
    "win-breda",
    "--desk",
    "workinnl",
    "--lang",
    "pl",
)


class Terminal:
    """Runs `zorgbrug user …` on an installation of the test."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.environment = {"ZORGBRUG_VAR": str(var), "ZORGBRUG_DATA": str(PROJECT / "data")}

    def run(self, *arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(user_app, list(arguments), env=self.environment)
        return result.exit_code, result.output

    def accounts(self, store: Store) -> Accounts:
        settings = Settings.load(_env_file=None, var=self.var)
        return Accounts(store, settings.secrets.sealer(), AccountPolicy.of(settings))


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.chdir(tmp_path)  # away from the .env of whoever runs the tests
    for name in ("ZORGBRUG_PUBLIC_URL", "ZORGBRUG_PORT", "ZORGBRUG_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return Terminal(tmp_path / "var")


def test_the_link_of_a_new_account_lets_the_person_set_a_password(terminal: Terminal) -> None:
    async def use(token: str) -> bool:
        store = Store(f"sqlite+aiosqlite:///{terminal.var / 'zorgbrug.db'}")
        accounts = terminal.accounts(store)
        await accounts.accept_invitation(token, PASSWORD)
        member = await accounts.member_of((await accounts.log_in(EMAIL, PASSWORD)).token)
        await store.close()
        return member is not None and member.desks == {"win-breda", "workinnl"} and member.langs == ("pl",)

    code, output = terminal.run("add", *ANNA)
    link, _, token = output.strip().rpartition("/")
    assert (code, link) == (0, "http://localhost:8080/console/invite")
    assert asyncio.run(use(token))


def test_the_link_has_the_address_that_people_use(terminal: Terminal) -> None:
    terminal.environment["ZORGBRUG_PUBLIC_URL"] = "https://chat.example.nl/"
    assert terminal.run("add", *ANNA)[1].startswith("https://chat.example.nl/console/invite/")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"--desk": "win-paris"}, "There is no WIN-punt win-paris; there are "),
        ({"--lang": "xx"}, "There is no language xx; there are nl, en, pl"),
        ({"--role": "boss"}, "There is no role 'boss'; take one of worker, supervisor, editor, admin."),
        ({"--email": "anna"}, "'anna' is no e-mail address"),
        ({"--desk": ""}, "A worker belongs to at least one WIN-punt"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_1(terminal: Terminal, changes: dict[str, str], says: str) -> None:
    given = {"--email": EMAIL, "--name": NAME, "--role": "worker", "--desk": "win-breda", "--lang": "pl", **changes}
    code, output = terminal.run("add", *(word for pair in given.items() if pair[1] for word in pair))
    assert code == 1
    assert output.startswith(says)
    assert len(output.strip().splitlines()) == 1


def test_the_same_person_twice_is_told_to_reset(terminal: Terminal) -> None:
    terminal.run("add", *ANNA)
    code, output = terminal.run("add", *ANNA)
    assert code == 1
    assert "already" in output


def test_accounts_are_listed_disabled_and_reset(terminal: Terminal) -> None:
    assert "no accounts yet" in terminal.run("list")[1]
    terminal.run("add", *ANNA)
    assert terminal.run("list") == (0, f"{EMAIL}  {NAME}  worker  invited  -  win-breda,workinnl  pl\n")
    assert terminal.run("disable", EMAIL) == (0, f"{EMAIL} is shut out.\n")
    assert "  disabled  " in terminal.run("list")[1]
    code, output = terminal.run("reset", EMAIL)
    assert code == 0
    assert "/console/invite/" in output
    assert "  invited  " in terminal.run("list")[1]


@pytest.mark.parametrize("command", ["disable", "reset"])
def test_an_account_that_is_not_there_is_told(terminal: Terminal, command: str) -> None:
    assert terminal.run(command, EMAIL) == (1, f"There is no account of {EMAIL}.\n")


def test_the_commands_hang_under_zorgbrug() -> None:
    from bot.cli import app

    assert "disable" in CliRunner().invoke(app, ["user", "--help"]).output
