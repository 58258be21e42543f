"""Logging in: what refuses somebody, what locks, how long it lasts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from bot.settings import Settings
from bot.staff.accounts import AccountPolicy, LoginLocked, LoginRefused
from bot.staff.policy import Strangers
from bot.store.engine import Store
from bot.store.staff_models import Staff, StaffSession
from tests.bot.staff.conftest import CHEAP, EMAIL, PASSWORD, Clock, Office, an_office

STRANGER = "nobody@example.nl"


async def fail(office: Office, email: str = EMAIL, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(LoginRefused):
            await office.accounts.log_in(email, "not the password")


async def refusal(office: Office, email: str, password: str) -> str:
    with pytest.raises((LoginRefused, LoginLocked)) as problem:
        await office.accounts.log_in(email, password)
    return f"{type(problem.value).__name__}: {problem.value}"


async def test_nothing_tells_apart_an_unknown_address_a_wrong_password_and_a_disabled_account(office: Office) -> None:
    await office.hire()
    await office.hire("bob@example.nl", "Bob")
    await office.accounts.disable("bob@example.nl")
    await office.accounts.invite("new@example.nl", "New", "worker", [], [])
    tries = [(EMAIL, "wrong"), (STRANGER, "wrong"), ("bob@example.nl", PASSWORD), ("new@example.nl", "")]
    for _ in range(7):  # the lock comes for each at the same time, too
        assert len({await refusal(office, email, password) for email, password in tries}) == 1
    office.clock.pass_by(minutes=15)
    assert len({await refusal(office, email, password) for email, password in tries}) == 1


async def test_an_unknown_address_costs_as_much_work_as_a_known_one(store: Store, clock: Clock) -> None:
    verified = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Any:
            verified.append(str(hash).split("$")[:4])
            return CHEAP.verify(hash, password)

    office = an_office(store, clock, hasher=Counting(time_cost=1, memory_cost=8, parallelism=1))
    await office.hire()
    verified.clear()
    await fail(office)
    await fail(office, STRANGER)
    await fail(office, "a" * 300)
    assert len(verified) == 3
    assert all(parameters == verified[0] for parameters in verified)


@pytest.mark.parametrize("odd", ["", "@", "anna\x00@example.nl", "\ud800@example.nl", "a" * 5000])
async def test_odd_addresses_and_passwords_are_refused_like_any(office: Office, odd: str) -> None:
    await office.hire()
    assert "LoginRefused" in await refusal(office, odd, odd)
    assert "LoginRefused" in await refusal(office, EMAIL, odd)


async def test_five_failures_lock_and_then_the_right_password_does_not_count_either(office: Office) -> None:
    await office.hire()
    await fail(office, times=5)
    with pytest.raises(LoginLocked) as locked:
        await office.accounts.log_in(EMAIL, PASSWORD)
    assert (locked.value.until - office.clock.now).total_seconds() == 15 * 60
    assert [line.state for line in await office.accounts.list()] == ["locked"]
    office.clock.pass_by(minutes=15)
    await office.accounts.log_in(EMAIL, PASSWORD)
    assert "locked" in await office.acts()


async def test_trying_on_does_not_prolong_the_lock(office: Office) -> None:
    await office.hire()
    await fail(office, times=5)
    office.clock.pass_by(minutes=14)
    assert "LoginLocked" in await refusal(office, EMAIL, "wrong")
    office.clock.pass_by(minutes=1)
    await office.accounts.log_in(EMAIL, PASSWORD)


async def test_a_login_in_between_makes_counting_begin_anew(office: Office) -> None:
    await office.hire()
    for _ in range(3):
        await fail(office, times=4)
        await office.accounts.log_in(EMAIL, PASSWORD)


async def test_a_lock_throws_nobody_out_who_is_in_already(office: Office) -> None:
    await office.hire()
    token = (await office.accounts.log_in(EMAIL, PASSWORD)).token
    await fail(office, times=5)
    assert await office.accounts.member_of(token) is not None


@pytest.mark.parametrize("email", [EMAIL, STRANGER])
async def test_many_guesses_at_once_are_not_more_than_five(office: Office, email: str) -> None:
    await office.hire()
    guesses = [office.accounts.log_in(email, f"guess number {number}") for number in range(12)]
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(outcome, LoginRefused) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, LoginLocked) for outcome in outcomes) == 7
    assert "LoginLocked" in await refusal(office, email, PASSWORD)


def test_addresses_without_an_account_take_no_more_than_their_share_of_memory(clock: Clock) -> None:
    strangers, policy = Strangers(most=3), AccountPolicy(attempts_before_lock=1)
    for name in ("a", "b", "c", "d"):
        strangers.count_failure(name, policy, clock.now)
    assert [bool(strangers.tally(name).lock_at(clock.now)) for name in "abcd"] == [False, True, True, True]


async def test_a_session_ends_after_half_an_hour_without_a_sign_of_life(office: Office) -> None:
    await office.hire()
    token = (await office.accounts.log_in(EMAIL, PASSWORD)).token
    for _ in range(4):
        office.clock.pass_by(minutes=29)
        assert await office.accounts.member_of(token) is not None
    office.clock.pass_by(minutes=30)
    assert await office.accounts.member_of(token) is None


async def test_a_session_ends_after_twelve_hours_whatever_happens(office: Office) -> None:
    await office.hire()
    token = (await office.accounts.log_in(EMAIL, PASSWORD)).token
    for _ in range(12 * 3 - 1):
        office.clock.pass_by(minutes=20)
        assert await office.accounts.member_of(token) is not None
    office.clock.pass_by(minutes=20)
    assert await office.accounts.member_of(token) is None


async def test_an_operator_sets_how_long_sessions_last(store: Store, clock: Clock) -> None:
    office = an_office(store, clock, AccountPolicy(idle_minutes=5, longest_hours=1))
    await office.hire()
    token = (await office.accounts.log_in(EMAIL, PASSWORD)).token
    clock.pass_by(minutes=5)
    assert await office.accounts.member_of(token) is None


async def test_a_sign_of_life_is_written_at_most_once_a_minute(office: Office) -> None:
    async def last_at() -> object:
        return await office.store.read(lambda session: session.scalar(select(StaffSession.last_at)))

    token = await office.accounts.invite(EMAIL, "Anna", "worker", [], [])
    await office.accounts.accept_invitation(token, PASSWORD)
    token = (await office.accounts.log_in(EMAIL, PASSWORD)).token
    begun = office.clock.now
    office.clock.pass_by(seconds=59)
    await office.accounts.member_of(token)
    assert await last_at() == begun
    office.clock.pass_by(seconds=1)
    await office.accounts.member_of(token)
    assert await last_at() == office.clock.now


async def test_sessions_that_are_over_are_forgotten_at_the_next_login(office: Office) -> None:
    await office.hire()
    office.clock.pass_by(minutes=31)
    token = (await office.accounts.log_in(EMAIL, PASSWORD)).token
    digests = await office.store.read(lambda session: session.scalars(select(StaffSession.digest)))
    stored = list(digests)
    assert len(stored) == 1
    assert token not in stored[0]


async def test_logging_out_ends_one_session_and_twice_is_no_error(office: Office) -> None:
    await office.hire()
    first, second = [(await office.accounts.log_in(EMAIL, PASSWORD)).token for _ in range(2)]
    await office.accounts.log_out(first)
    await office.accounts.log_out(first)
    assert await office.accounts.member_of(first) is None
    assert await office.accounts.member_of(second) is not None
    assert (await office.acts()).count("logout") == 1


async def test_a_token_that_nobody_gave_out_is_nobody(office: Office) -> None:
    for token in ("", "nonsense", "\ud800"):
        assert await office.accounts.member_of(token) is None
        assert await office.accounts.pending_of(token) is None


async def test_a_hash_of_lesser_parameters_is_renewed_at_login(store: Store, clock: Clock, office: Office) -> None:
    await office.hire()
    better = an_office(store, clock, hasher=PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    await better.accounts.log_in(EMAIL, PASSWORD)
    hashed = await store.read(lambda session: session.scalar(select(Staff.password_hash)))
    assert hashed is not None
    assert "m=16,t=2,p=1" in hashed
    await better.accounts.log_in(EMAIL, PASSWORD)


async def test_letters_made_of_two_parts_are_the_same_password(office: Office) -> None:
    token = await office.accounts.invite(EMAIL, "Anna", "worker", [], [])
    await office.accounts.accept_invitation(token, "cafe\u0301 bij de brug")
    await office.accounts.log_in(EMAIL, "caf\u00e9 bij de brug")


def test_the_operator_s_settings_become_the_policy() -> None:
    given = {"session_idle_minutes": 7, "session_longest_hours": 3, "login_attempts": 4, "login_lock_minutes": 9}
    settings = Settings.load(_env_file=None, **given, totp_required_for_supervisors=False)
    assert AccountPolicy.of(settings) == AccountPolicy(7, 3, 4, 9, False)
    assert AccountPolicy.of(Settings.load(_env_file=None)) == AccountPolicy()
