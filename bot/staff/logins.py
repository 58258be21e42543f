"""Logging in and out, and who is logged in.

What refuses somebody is decided in the transaction that counts it: of many guesses at once, those that come after the
lock are refused even when they are right. A failure must be kept, so work returns it and the error is raised after.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import note
from bot.staff.base import AccountWork
from bot.staff.errors import LoginLocked, LoginRefused
from bot.staff.records import (
    count_failure,
    desks_of,
    digest_of,
    find_session,
    find_staff,
    forget_old_sessions,
    forgive,
    member_of,
    normal_email,
    open_session,
    tally_of,
)
from bot.staff.roles import Member
from bot.staff.second_factor import matching_step
from bot.store.staff_models import Staff, StaffSession

NOTED_EVERY = timedelta(minutes=1)  # how often a session's last sign of life is written down


@dataclass(frozen=True)
class LoggedIn:
    """The value for the cookie; while the second factor is needed it opens nothing else."""

    token: str
    needs_second_factor: bool


class Logins(AccountWork):
    """The part of `Accounts` that lets people in."""

    async def log_in(self, email: str, password: str) -> LoggedIn:
        """Begin a session. Text and amount of work are the same whatever it is that refuses somebody.

        Raises:
            LoginRefused: No such account, a wrong password, or a disabled account.
            LoginLocked: Too many failures; the right password does not count for a while either.
        """
        account = await self._store.read(lambda session: find_staff(session, email))
        stranger = digest_of(normal_email(email))
        tally = tally_of(account) if account else self._strangers.tally(stranger)
        self._refuse_locked(tally.lock_at(self._now()))
        stored = account.password_hash if account else None
        is_right = await self._passwords.is_right(stored, password)
        renewed = await self._passwords.renewed(stored, password) if stored and is_right else None
        now = self._now()

        async def begin(session: AsyncSession) -> LoggedIn | datetime | None:
            staff = await find_staff(session, email, is_locking=True)
            if staff is None:
                note(session, "login_failed", now=now, reason="unknown")
                return None
            if until := tally_of(staff).lock_at(now):
                return until
            if not is_right or staff.is_disabled or staff.password_hash != stored:
                reason = "disabled" if staff.is_disabled else "password"
                await count_failure(session, staff, reason, self._policy, now)
                return None
            staff.password_hash = renewed or stored
            await forget_old_sessions(session, self._policy, now)
            token = open_session(session, staff, now)
            note(session, "login_begun" if staff.is_totp_on else "login", staff_id=staff.id, now=now)
            if not staff.is_totp_on:  # else the password alone would buy another five guesses at the code
                forgive(staff)
            return LoggedIn(token, staff.is_totp_on)

        outcome = await self._store.run(begin)
        if isinstance(outcome, LoggedIn):
            return outcome
        if account is None:
            outcome = self._strangers.tally(stranger).lock_at(now)
            self._strangers.count_failure(stranger, self._policy, now)
        self._refuse_locked(outcome)
        raise LoginRefused

    async def confirm_second_factor(self, token: str, code: str) -> bool:
        """Take a code for a login that waits for it. Failures count; the one that locks ends the login."""
        now = self._now()

        async def confirm(session: AsyncSession) -> bool:
            found = await find_session(session, token, self._policy, now, is_done=False, is_locking=True)
            if found is None or tally_of(found[1]).lock_at(now):
                return False
            login, staff = found
            step = self._step(staff, code, now)
            if step is None:
                await count_failure(session, staff, "code", self._policy, now)
                return False
            staff.totp_last_step, login.is_second_factor_done, login.last_at = step, True, now
            forgive(staff)
            note(session, "login", staff_id=staff.id, now=now, second_factor=True)
            return True

        return await self._store.run(confirm)

    async def member_of(self, token: str) -> Member | None:
        """Return who is logged in with a token, wholly; None when nobody is (any more)."""
        found = await self._find(token, is_done=True)
        if found is None:
            return None
        member, last_at, now = found
        if now - last_at >= NOTED_EVERY:
            here = update(StaffSession).where(StaffSession.digest == digest_of(token), StaffSession.last_at < now)
            await self._store.run(lambda session: session.execute(here.values(last_at=now)))
        return member

    async def pending_of(self, token: str) -> Member | None:
        """Return whose login waits for the second factor."""
        found = await self._find(token, is_done=False)
        return found[0] if found else None

    async def log_out(self, token: str) -> None:
        """End one session; one that is over already is no error."""
        now = self._now()

        async def end(session: AsyncSession) -> None:
            login = await session.get(StaffSession, digest_of(token))
            if login is not None:
                await session.delete(login)
                note(session, "logout", staff_id=login.staff_id, now=now)

        await self._store.run(end)

    async def _find(self, token: str, *, is_done: bool) -> tuple[Member, datetime, datetime] | None:
        now = self._now()

        async def find(session: AsyncSession) -> tuple[Member, datetime, datetime] | None:
            found = await find_session(session, token, self._policy, now, is_done=is_done)
            if found is None:
                return None
            login, staff = found
            desks = await desks_of(session, [staff.id])
            return member_of(staff, desks[staff.id], self._policy), login.last_at, now

        return await self._store.read(find)

    def _step(self, staff: Staff, code: str, now: datetime) -> int | None:
        if staff.totp_sealed is None:
            return None
        return matching_step(self._sealer.unseal(staff.totp_sealed), code, now, staff.totp_last_step)

    def _refuse_locked(self, until: datetime | None) -> None:
        if until is not None:
            raise LoginLocked(until)
