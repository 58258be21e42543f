"""What an administrator does with accounts: see them, disable one, begin one anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.records import requeue_case
from bot.staff.audit import note
from bot.staff.base import AccountWork
from bot.staff.errors import AccountProblem
from bot.staff.records import (
    desks_of,
    end_sessions,
    find_staff,
    forgive,
    langs_of,
    make_invitation,
    member_of,
    tally_of,
)
from bot.staff.roles import Member
from bot.store.case_models import CLAIMED, Case
from bot.store.models import Conversation
from bot.store.staff_models import Invitation, Staff, StaffDesk

State = Literal["active", "invited", "lapsed", "locked", "disabled"]


@dataclass(frozen=True)
class StaffLine:
    """One account in the list. `lapsed` was invited and did not come in time: a reset gives a new link."""

    id: int
    name: str
    email: str
    role: str
    desks: tuple[str, ...]
    langs: tuple[str, ...]
    state: State
    is_totp_on: bool


class Managing(AccountWork):
    """The part of `Accounts` for those who manage the staff."""

    async def disable(self, email: str, *, by: int | None = None) -> None:
        """Shut somebody out at once; the cases they had wait for somebody else.

        Raises:
            AccountProblem: There is no such account.
        """
        now = self._now()

        async def disable(session: AsyncSession) -> None:
            staff = await _get(session, email)
            staff.is_disabled = True
            await session.execute(delete(Invitation).where(Invitation.staff_id == staff.id))
            await end_sessions(session, staff.id)
            note(session, "disabled", staff_id=staff.id, now=now, by=by)
            await _give_back_cases(session, staff.id, now)

        await self._store.run(disable)

    async def reset(self, email: str, *, by: int | None = None) -> str:
        """Take away password, second factor, lock and sessions; return the token for a new link.

        Raises:
            AccountProblem: There is no such account.
        """
        now = self._now()

        async def reset(session: AsyncSession) -> str:
            staff = await _get(session, email)
            staff.password_hash = staff.totp_sealed = staff.totp_last_step = None
            staff.is_totp_on = staff.is_disabled = False
            forgive(staff)
            await end_sessions(session, staff.id)
            note(session, "reset", staff_id=staff.id, now=now, by=by)
            return await make_invitation(session, staff.id, now)

        return await self._store.run(reset)

    async def list(self) -> Sequence[StaffLine]:
        """Return all accounts, by name."""
        now = self._now()

        async def read(session: AsyncSession) -> Sequence[StaffLine]:
            people = (await session.scalars(select(Staff).order_by(Staff.name, Staff.id))).all()
            desks = await desks_of(session, [staff.id for staff in people])
            invited = set((await session.scalars(select(Invitation.staff_id).where(Invitation.expires_at > now))).all())
            return [
                StaffLine(
                    id=staff.id,
                    name=staff.name,
                    email=staff.email,
                    role=staff.role,
                    desks=tuple(sorted(desks[staff.id])),
                    langs=langs_of(staff),
                    state=_state(staff, staff.id in invited, now),
                    is_totp_on=staff.is_totp_on,
                )
                for staff in people
            ]

        return await self._store.read(read)

    async def colleagues(self, desk: str) -> Sequence[Member]:
        """Return who can log in and belongs to a WIN-punt, by name."""

        async def read(session: AsyncSession) -> Sequence[Member]:
            can_log_in = (Staff.is_disabled.is_(False), Staff.password_hash.is_not(None))
            there = select(Staff).join(StaffDesk, StaffDesk.staff_id == Staff.id).where(StaffDesk.desk == desk)
            people = (await session.scalars(there.where(*can_log_in).order_by(Staff.name, Staff.id))).all()
            desks = await desks_of(session, [staff.id for staff in people])
            return [member_of(staff, desks[staff.id], self._policy) for staff in people]

        return await self._store.read(read)


def _state(staff: Staff, is_invited: bool, now: datetime) -> State:
    if staff.is_disabled:
        return "disabled"
    if staff.password_hash is None:
        return "invited" if is_invited else "lapsed"
    return "locked" if tally_of(staff).lock_at(now) else "active"


async def _give_back_cases(session: AsyncSession, staff_id: int, now: datetime) -> None:
    theirs = select(Case).where(Case.assigned_to == staff_id, Case.status == CLAIMED).with_for_update()
    for case in (await session.scalars(theirs)).all():
        conversation = await session.get(Conversation, case.conversation_id) if case.conversation_id else None
        requeue_case(case, conversation, now)
        note(session, "released", staff_id=staff_id, case_id=case.id, now=now, reason="disabled")


async def _get(session: AsyncSession, email: str) -> Staff:
    staff = await find_staff(session, email, is_locking=True)
    if staff is None:
        raise AccountProblem("unknown", f"There is no account of {email}.")
    return staff
