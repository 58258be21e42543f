"""The roles of the staff and what each may do. Pure: `bot.staff.accounts` says who is logged in."""

from __future__ import annotations

from dataclasses import dataclass

WORKER, SUPERVISOR, EDITOR, ADMIN = "worker", "supervisor", "editor", "admin"
ROLES = (WORKER, SUPERVISOR, EDITOR, ADMIN)


@dataclass(frozen=True)
class Member:
    """A person of the staff who is logged in, or a colleague.

    `desks` are the WIN-punten they belong to, `langs` the languages they speak. While `must_set_up_totp` they may do
    nothing but set up the second factor; whoever serves them pages sees to that.
    """

    id: int
    name: str
    email: str
    role: str
    desks: frozenset[str]
    langs: tuple[str, ...]
    ui_lang: str
    is_totp_on: bool
    must_set_up_totp: bool

    @property
    def may_see_cases(self) -> bool:
        """Whether cases are this person's work at all."""
        return self.role in (WORKER, SUPERVISOR, ADMIN)

    @property
    def sees_all_desks(self) -> bool:
        """Whether cases of other WIN-punten than their own are shown as well."""
        return self.role == ADMIN

    @property
    def may_supervise(self) -> bool:
        """Whether they may step into a conversation, take a case from somebody and see the figures."""
        return self.role in (SUPERVISOR, ADMIN)

    @property
    def may_edit_content(self) -> bool:
        """Whether they may change articles."""
        return self.role in (EDITOR, ADMIN)

    @property
    def may_manage_staff(self) -> bool:
        """Whether they may invite, disable and reset accounts."""
        return self.role == ADMIN
