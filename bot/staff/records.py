"""Accounts in the store: finding them, who they are, their sessions and invitations. Each in a caller's transaction."""

from __future__ import annotations

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import note
from bot.staff.policy import AccountPolicy, Tally
from bot.staff.roles import Member
from bot.store.staff_models import Invitation, Staff, StaffDesk, StaffSession

INVITATION_DAYS = 7
LONGEST_EMAIL = 254


def new_token() -> str:
    """Return a secret for a cookie or a link."""
    return secrets.token_urlsafe(32)


def digest_of(text: str) -> str:
    """Return what is stored of a token, or remembered of an address."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def normal_email(email: str) -> str:
    """Return the address as it is stored; people do not mind its case."""
    return email.strip().lower()


async def find_staff(session: AsyncSession, email: str, *, is_locking: bool = False) -> Staff | None:
    """Return the account of an address; with `is_locking` nobody else changes it until the transaction ends."""
    address = normal_email(email)
    if len(address) > LONGEST_EMAIL or not address.isprintable():
        return None  # a database refuses some texts that nobody's address is
    query = select(Staff).where(Staff.email == address)
    return await session.scalar(query.with_for_update() if is_locking else query)


async def desks_of(session: AsyncSession, staff_ids: Collection[int]) -> Mapping[int, frozenset[str]]:
    """Return the WIN-punten that people belong to, by their ids."""
    rows = await session.execute(select(StaffDesk).where(StaffDesk.staff_id.in_(staff_ids)))
    desks: defaultdict[int, set[str]] = defaultdict(set)
    for row in rows.scalars():
        desks[row.staff_id].add(row.desk)
    return {identifier: frozenset(desks[identifier]) for identifier in staff_ids}


def langs_of(staff: Staff) -> tuple[str, ...]:
    """Return the languages that a person speaks."""
    return tuple(staff.langs["spoken"])


def member_of(staff: Staff, desks: frozenset[str], policy: AccountPolicy) -> Member:
    """Return the person as the console knows them."""
    return Member(
        id=staff.id,
        name=staff.name,
        email=staff.email,
        role=staff.role,
        desks=desks,
        langs=langs_of(staff),
        ui_lang=staff.ui_lang,
        is_totp_on=staff.is_totp_on,
        must_set_up_totp=not staff.is_totp_on and policy.must_have_totp(staff.role),
    )


def tally_of(staff: Staff) -> Tally:
    """Return the failures that count against an account."""
    return Tally(staff.failed_logins, staff.locked_until)


async def count_failure(session: AsyncSession, staff: Staff, reason: str, policy: AccountPolicy, now: datetime) -> None:
    """Count a wrong password or code; when it locks the account, logins that are half done end."""
    tally = tally_of(staff).after_failure(policy, now)
    staff.failed_logins, staff.locked_until = tally.failed, tally.locked_until
    note(session, "login_failed", staff_id=staff.id, now=now, reason=reason)
    if tally.lock_at(now):
        note(session, "locked", staff_id=staff.id, now=now)
        half_done = StaffSession.is_second_factor_done.is_(False)
        await session.execute(delete(StaffSession).where(StaffSession.staff_id == staff.id, half_done))


def forgive(staff: Staff) -> None:
    """Forget the failures of somebody who is surely the person."""
    staff.failed_logins, staff.locked_until = 0, None


def open_session(session: AsyncSession, staff: Staff, now: datetime) -> str:
    """Log somebody in, but for a second factor they may have; return the token."""
    token = new_token()
    session.add(
        StaffSession(
            digest=digest_of(token), staff_id=staff.id, created_at=now, last_at=now,
            is_second_factor_done=not staff.is_totp_on,
        )
    )  # fmt: skip
    return token


async def find_session(
    session: AsyncSession, token: str, policy: AccountPolicy, now: datetime, *, is_done: bool, is_locking: bool = False
) -> tuple[StaffSession, Staff] | None:
    """Return a session that holds and whose it is.

    Args:
        session: The caller's transaction.
        token: The cookie's value.
        policy: How long a session lasts.
        now: The present time.
        is_done: Whether to look for one with the second factor done, or for one that waits for it.
        is_locking: Whether to lock the account's row until the transaction ends.
    """
    wanted = (
        StaffSession.digest == digest_of(token),
        StaffSession.is_second_factor_done.is_(is_done),
        Staff.is_disabled.is_(False),
    )
    query = select(StaffSession, Staff).join(Staff, Staff.id == StaffSession.staff_id).where(*wanted)
    row = (await session.execute(query.with_for_update() if is_locking else query)).one_or_none()
    if row is None or not policy.is_alive(row[0].created_at, row[0].last_at, now):
        return None
    return row[0], row[1]


async def end_sessions(session: AsyncSession, staff_id: int, but: str | None = None) -> None:
    """Log somebody out everywhere, but for the browser with a token."""
    theirs = delete(StaffSession).where(StaffSession.staff_id == staff_id)
    await session.execute(theirs if but is None else theirs.where(StaffSession.digest != digest_of(but)))


async def forget_old_sessions(session: AsyncSession, policy: AccountPolicy, now: datetime) -> int:
    """Delete everybody's sessions that hold no more, and return how many there were."""
    is_idle = StaffSession.last_at <= now - timedelta(minutes=policy.idle_minutes)
    is_old = StaffSession.created_at <= now - timedelta(hours=policy.longest_hours)
    result: Any = await session.execute(delete(StaffSession).where(or_(is_idle, is_old)))
    return int(result.rowcount)


async def make_invitation(session: AsyncSession, staff_id: int, now: datetime) -> str:
    """Return the token of a new link; older ones of the person do not work any more."""
    await session.execute(delete(Invitation).where(Invitation.staff_id == staff_id))
    token = new_token()
    expires_at = now + timedelta(days=INVITATION_DAYS)
    session.add(Invitation(digest=digest_of(token), staff_id=staff_id, expires_at=expires_at))
    return token


async def forget_old_invitations(session: AsyncSession, now: datetime) -> int:
    """Delete the links that hold no more, and return how many there were."""
    result: Any = await session.execute(delete(Invitation).where(Invitation.expires_at <= now))
    return int(result.rowcount)


async def find_invited(session: AsyncSession, token: str, now: datetime, *, is_locking: bool = False) -> Staff | None:
    """Return whom a link invites, as long as it holds; with `is_locking` it is used only once at a time."""
    holds = (Invitation.digest == digest_of(token), Invitation.expires_at > now, Staff.is_disabled.is_(False))
    query = select(Staff).join(Invitation, Invitation.staff_id == Staff.id).where(*holds)
    return await session.scalar(query.with_for_update() if is_locking else query)
