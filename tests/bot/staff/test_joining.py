"""Invitations, and passwords that are good enough."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.staff.accounts import AccountProblem, InvitationOver, LoginRefused, WeakPassword
from bot.staff.passwords import check_password
from bot.store.staff_models import Invitation, Staff
from tests.bot.staff.conftest import EMAIL, NAME, PASSWORD, Office


async def invite(office: Office, **given: str) -> str:
    values = {"email": EMAIL, "name": NAME, "role": "worker", **given}
    return await office.accounts.invite(values["email"], values["name"], values["role"], ["win-breda"], ["pl"])


async def test_an_invited_person_sets_a_password_and_logs_in_with_it(office: Office) -> None:
    token = await office.accounts.invite(" Anna@Example.NL ", "Anna  Kowalska", "worker", ["win-breda"], ["pl", "nl"])
    invited = await office.accounts.read_invitation(token)
    assert invited is not None
    assert (invited.name, invited.email) == (NAME, EMAIL)
    await office.accounts.accept_invitation(token, PASSWORD)
    login = await office.accounts.log_in("ANNA@example.nl", PASSWORD)
    member = await office.accounts.member_of(login.token)
    assert member is not None
    assert (member.role, member.desks, member.langs) == ("worker", frozenset({"win-breda"}), ("pl", "nl"))
    assert await office.acts() == ["invited", "password_set", "login"]


async def test_before_the_password_is_set_nobody_logs_in(office: Office) -> None:
    await invite(office)
    with pytest.raises(LoginRefused):
        await office.accounts.log_in(EMAIL, "")


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("email", {"email": "anna"}),
        ("email", {"email": "anna@"}),
        ("email", {"email": "an na@example.nl"}),
        ("email", {"email": "anna\x00@example.nl"}),
        ("email", {"email": "a" * 250 + "@example.nl"}),
        ("name", {"name": "  "}),
        ("name", {"name": "a" * 81}),
        ("role", {"role": "boss"}),
    ],
)
async def test_what_is_not_usable_is_refused(office: Office, key: str, given: dict[str, str]) -> None:
    with pytest.raises(AccountProblem) as problem:
        await invite(office, **given)
    assert problem.value.key == key
    assert await office.acts() == []


async def test_nobody_is_invited_twice(office: Office) -> None:
    await invite(office)
    with pytest.raises(AccountProblem, match="already"):
        await invite(office, email=EMAIL.upper())


async def test_an_invitation_works_once(office: Office) -> None:
    token = await invite(office)
    await office.accounts.accept_invitation(token, PASSWORD)
    assert await office.accounts.read_invitation(token) is None
    with pytest.raises(InvitationOver):
        await office.accounts.accept_invitation(token, "another good password")
    await office.accounts.log_in(EMAIL, PASSWORD)


async def test_an_invitation_is_over_after_seven_days(office: Office) -> None:
    token = await invite(office)
    office.clock.pass_by(days=7, seconds=-1)
    assert await office.accounts.read_invitation(token) is not None
    office.clock.pass_by(seconds=1)
    assert await office.accounts.read_invitation(token) is None
    with pytest.raises(InvitationOver):
        await office.accounts.accept_invitation(token, PASSWORD)
    assert [line.state for line in await office.accounts.list()] == ["lapsed"]


async def test_what_was_never_an_invitation_is_over(office: Office) -> None:
    for token in ("", "nonsense", "\ud800"):
        assert await office.accounts.read_invitation(token) is None


async def test_a_weak_password_leaves_the_invitation_good(office: Office) -> None:
    token = await invite(office)
    with pytest.raises(WeakPassword):
        await office.accounts.accept_invitation(token, "short")
    await office.accounts.accept_invitation(token, PASSWORD)


async def test_neither_tokens_nor_passwords_are_stored(office: Office) -> None:
    token = await invite(office)
    digest = await office.store.read(lambda session: session.scalar(select(Invitation.digest)))
    assert digest is not None
    assert token not in digest
    await office.accounts.accept_invitation(token, PASSWORD)
    hashed = await office.store.read(lambda session: session.scalar(select(Staff.password_hash)))
    assert hashed is not None
    assert hashed.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("key", "password"),
    [
        ("short", "elf tekens!"),
        ("yours", "anna@example.nl"),
        ("yours", "Anna.Kowalska.1985"),
        ("yours", "anna123456789"),
        ("common", "Wachtwoord2026"),
        ("common", "welkom-welkom-01"),
        ("common", "QwertyUiop123"),
        ("common", "123456789012"),
        ("common", "aaaaaaaaaaaab"),
    ],
)
def test_easily_guessed_passwords_are_refused(key: str, password: str) -> None:
    with pytest.raises(WeakPassword) as problem:
        check_password(password, EMAIL, NAME)
    assert problem.value.key == key


@pytest.mark.parametrize(
    "password", [PASSWORD, "zielony rower 7", "велосипед під дощем", "دراجة تحت المطر", "9Kx!72bTq$4m"]
)
def test_good_passwords_of_any_script_are_taken(password: str) -> None:
    check_password(password, EMAIL, NAME)
