"""The second factor, another password, the language of the console."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.staff.accounts import AccountPolicy, AccountProblem, LoginLocked, LoginRefused, WeakPassword
from bot.store.engine import Store
from bot.store.staff_models import Staff
from tests.bot.staff.conftest import EMAIL, PASSWORD, Clock, Office, an_office

OTHER = "paardenbloem onder de maan"


async def test_with_a_second_factor_the_password_alone_opens_nothing(office: Office) -> None:
    totp = await office.add_second_factor(await office.hire())
    login = await office.accounts.log_in(EMAIL, PASSWORD)
    assert login.needs_second_factor
    assert await office.accounts.member_of(login.token) is None
    pending = await office.accounts.pending_of(login.token)
    assert pending is not None
    assert pending.email == EMAIL
    assert await office.accounts.confirm_second_factor(login.token, totp.at(office.clock.now))
    member = await office.accounts.member_of(login.token)
    assert member is not None
    assert member.is_totp_on
    assert await office.accounts.pending_of(login.token) is None
    assert (await office.acts())[-2:] == ["login_begun", "login"]


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_phone_may_be_one_step_off(office: Office, steps: int, is_taken: bool) -> None:
    totp = await office.add_second_factor(await office.hire())
    office.clock.pass_by(minutes=5)
    login = await office.accounts.log_in(EMAIL, PASSWORD)
    code = totp.at(office.clock.now, counter_offset=steps)
    assert await office.accounts.confirm_second_factor(login.token, f"{code[:3]} {code[3:]}") is is_taken


async def test_no_code_counts_twice_nor_one_from_before_it(office: Office) -> None:
    totp = await office.add_second_factor(await office.hire())
    code, earlier = totp.at(office.clock.now), totp.at(office.clock.now, counter_offset=-1)
    first, second = [(await office.accounts.log_in(EMAIL, PASSWORD)).token for _ in range(2)]
    assert await office.accounts.confirm_second_factor(first, code)
    assert not await office.accounts.confirm_second_factor(second, code)
    assert not await office.accounts.confirm_second_factor(second, earlier)
    office.clock.pass_by(seconds=30)
    assert await office.accounts.confirm_second_factor(second, totp.at(office.clock.now))


async def test_the_code_that_turned_it_on_does_not_open_a_login(office: Office) -> None:
    member = await office.hire()
    totp = await office.add_second_factor(member)
    office.clock.pass_by(seconds=-60)
    login = await office.accounts.log_in(EMAIL, PASSWORD)
    assert not await office.accounts.confirm_second_factor(login.token, totp.at(office.clock.now))


async def test_wrong_codes_lock_although_the_password_is_right_in_between(office: Office) -> None:
    totp = await office.add_second_factor(await office.hire())
    for _ in range(5):
        login = await office.accounts.log_in(EMAIL, PASSWORD)
        assert not await office.accounts.confirm_second_factor(login.token, "000000")
    assert await office.accounts.pending_of(login.token) is None
    assert not await office.accounts.confirm_second_factor(login.token, totp.at(office.clock.now))
    with pytest.raises(LoginLocked):
        await office.accounts.log_in(EMAIL, PASSWORD)


@pytest.mark.parametrize("code", ["", "abc", "12345", "1234567", "\u0661\u0662\u0663\u0664\u0665\u0666", "9" * 2000])
async def test_odd_codes_are_wrong_codes(office: Office, code: str) -> None:
    await office.add_second_factor(await office.hire())
    login = await office.accounts.log_in(EMAIL, PASSWORD)
    assert not await office.accounts.confirm_second_factor(login.token, code)


async def test_a_secret_is_not_in_force_before_a_code_of_it_came_and_is_stored_sealed(office: Office) -> None:
    member = await office.hire()
    uri = await office.accounts.begin_totp(member.id)
    assert uri.startswith("otpauth://totp/Zorgbrug:")
    assert not (await office.accounts.log_in(EMAIL, PASSWORD)).needs_second_factor
    assert not await office.accounts.finish_totp(member.id, "000000")
    sealed = await office.store.read(lambda session: session.scalar(select(Staff.totp_sealed)))
    assert sealed is not None
    assert uri.split("secret=")[1].split("&")[0] not in sealed


async def test_a_second_factor_in_use_is_not_replaced_by_whoever_is_logged_in(office: Office) -> None:
    member = await office.hire()
    await office.add_second_factor(member)
    with pytest.raises(AccountProblem, match="already"):
        await office.accounts.begin_totp(member.id)
    assert not await office.accounts.finish_totp(member.id, "000000")


async def test_turning_it_on_ends_sessions_that_came_in_without_it(office: Office) -> None:
    import pyotp

    member = await office.hire()
    here, elsewhere = [(await office.accounts.log_in(EMAIL, PASSWORD)).token for _ in range(2)]
    totp = pyotp.parse_uri(await office.accounts.begin_totp(member.id))
    assert isinstance(totp, pyotp.TOTP)
    assert await office.accounts.finish_totp(member.id, totp.at(office.clock.now), keep_token=here)
    assert await office.accounts.member_of(here) is not None
    assert await office.accounts.member_of(elsewhere) is None


@pytest.mark.parametrize(
    ("role", "must"), [("worker", False), ("editor", False), ("supervisor", True), ("admin", True)]
)
async def test_who_supervises_must_set_up_a_second_factor(office: Office, role: str, must: bool) -> None:
    member = await office.hire(role=role)
    assert member.must_set_up_totp is must
    await office.add_second_factor(member)
    (again,) = await office.accounts.colleagues("win-breda")
    assert not again.must_set_up_totp


async def test_an_operator_may_do_without_second_factors(store: Store, clock: Clock) -> None:
    office = an_office(store, clock, AccountPolicy(is_totp_required_for_supervisors=False))
    assert not (await office.hire(role="admin")).must_set_up_totp


async def test_another_password_logs_the_person_out_elsewhere(office: Office) -> None:
    member = await office.hire()
    here, elsewhere = [(await office.accounts.log_in(EMAIL, PASSWORD)).token for _ in range(2)]
    await office.accounts.change_password(member.id, PASSWORD, OTHER, here)
    assert await office.accounts.member_of(here) is not None
    assert await office.accounts.member_of(elsewhere) is None
    with pytest.raises(LoginRefused):
        await office.accounts.log_in(EMAIL, PASSWORD)
    await office.accounts.log_in(EMAIL, OTHER)


async def test_a_weak_new_password_changes_nothing(office: Office) -> None:
    member = await office.hire()
    with pytest.raises(WeakPassword):
        await office.accounts.change_password(member.id, PASSWORD, "Anna Kowalska 1", "")
    await office.accounts.log_in(EMAIL, PASSWORD)


async def test_guessing_the_present_password_locks_as_at_the_door(office: Office) -> None:
    member = await office.hire()
    for _ in range(5):
        with pytest.raises(LoginRefused, match="present password"):
            await office.accounts.change_password(member.id, "a guess", OTHER, "")
    with pytest.raises(LoginLocked):
        await office.accounts.change_password(member.id, PASSWORD, OTHER, "")
    with pytest.raises(LoginLocked):
        await office.accounts.log_in(EMAIL, PASSWORD)


async def test_the_console_is_in_dutch_or_english(office: Office) -> None:
    member = await office.hire()
    assert member.ui_lang == "nl"
    await office.accounts.set_ui_lang(member.id, "en")
    (again,) = await office.accounts.colleagues("win-breda")
    assert again.ui_lang == "en"
    with pytest.raises(AccountProblem):
        await office.accounts.set_ui_lang(member.id, "pl")
