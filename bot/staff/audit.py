"""The log of what was done to cases and accounts; the database keeps every row as it was written."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.staff_models import AuditEntry


def note(
    session: AsyncSession,
    act: str,
    *,
    staff_id: int | None = None,
    case_id: int | None = None,
    now: datetime,
    **details: str | int | bool | None,
) -> None:
    """Add an entry to the audit log, in the same transaction as the act itself.

    Args:
        session: The transaction of the act.
        act: What was done, in the past tense: `claimed`, `login_failed`; at most 32 characters.
        staff_id: Who did it; of an act on an account, whose account it is.
        case_id: The case it was done to.
        now: When.
        details: Ids and names of states, never what anybody wrote, nor a name or an address. What is None is left out.
    """
    known = {name: value for name, value in details.items() if value is not None}
    session.add(AuditEntry(at=now, staff_id=staff_id, case_id=case_id, act=act, details=known))
