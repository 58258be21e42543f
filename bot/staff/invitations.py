"""How somebody joins the staff: an invitation, a link, a password."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import note
from bot.staff.base import AccountWork
from bot.staff.errors import AccountProblem, InvitationOver
from bot.staff.passwords import check_password
from bot.staff.records import (
    LONGEST_EMAIL,
    end_sessions,
    find_invited,
    find_staff,
    forgive,
    make_invitation,
    normal_email,
)
from bot.staff.roles import ROLES
from bot.store.staff_models import Invitation, Staff, StaffDesk

LONGEST_NAME = 80
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


@dataclass(frozen=True)
class Invited:
    """Whom a link invites."""

    name: str
    email: str


class Invitations(AccountWork):
    """The part of `Accounts` by which people join."""

    async def invite(
        self, email: str, name: str, role: str, desks: Iterable[str], langs: Iterable[str], *, by: int | None = None
    ) -> str:
        """Make an account and return the token for its link, which holds for seven days and once.

        Args:
            email: What the person logs in with.
            name: How people in the chat get to know the person.
            role: One of `ROLES`.
            desks: Ids of WIN-punten; the caller knows which there are.
            langs: Languages the person speaks.
            by: Who invites; None from the command line.

        Raises:
            AccountProblem: Something is not usable, or the account is there already.
        """
        address, called = normal_email(email), " ".join(name.split())
        _check(address, called, role)
        belongs, spoken, now = sorted(set(desks)), list(dict.fromkeys(langs)), self._now()

        async def add(session: AsyncSession) -> str:
            if await find_staff(session, address) is not None:
                raise _exists(address)
            staff = Staff(email=address, name=called, role=role, langs={"spoken": spoken}, created_at=now)
            session.add(staff)
            await session.flush()
            session.add_all(StaffDesk(staff_id=staff.id, desk=desk) for desk in belongs)
            note(session, "invited", staff_id=staff.id, now=now, role=role, by=by)
            return await make_invitation(session, staff.id, now)

        try:
            return await self._store.run(add)
        except IntegrityError:  # somebody else has just invited the same person
            raise _exists(address) from None

    async def read_invitation(self, token: str) -> Invited | None:
        """Return whom a link invites, or None when it is over."""
        now = self._now()
        staff = await self._store.read(lambda session: find_invited(session, token, now))
        return Invited(staff.name, staff.email) if staff else None

    async def accept_invitation(self, token: str, password: str) -> None:
        """Set the password of whom a link invites; the link works no more after that.

        Raises:
            InvitationOver: It was used before, or is too old.
            WeakPassword: The password is easily guessed; the link stays good.
        """
        invited = await self.read_invitation(token)
        if invited is None:
            raise InvitationOver
        check_password(password, invited.email, invited.name)
        made = await self._passwords.hash(password)
        now = self._now()

        async def accept(session: AsyncSession) -> None:
            staff = await find_invited(session, token, now, is_locking=True)
            if staff is None:
                raise InvitationOver
            staff.password_hash = made
            forgive(staff)
            await session.execute(delete(Invitation).where(Invitation.staff_id == staff.id))
            await end_sessions(session, staff.id)
            note(session, "password_set", staff_id=staff.id, now=now, invited=True)

        await self._store.run(accept)


def _check(email: str, name: str, role: str) -> None:
    if not _EMAIL.fullmatch(email) or not email.isprintable() or len(email) > LONGEST_EMAIL:
        raise AccountProblem("email", f"{email!r} is no e-mail address; write it like anna@example.nl.")
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise AccountProblem("name", f"A name has 1 to {LONGEST_NAME} characters.")
    if role not in ROLES:
        raise AccountProblem("role", f"There is no role {role!r}; take one of {', '.join(ROLES)}.")


def _exists(email: str) -> AccountProblem:
    return AccountProblem("exists", f"There is an account of {email} already; a reset gives it a new link.")
