"""The accounts of the staff: one class for whoever serves them, put together from its parts.

Every act is one transaction with its line in the audit log. Passwords are kept as argon2id hashes, the secrets of
second factors encrypted, and of cookies and links only digests.
"""

from __future__ import annotations

from bot.staff.errors import AccountProblem, InvitationOver, LoginLocked, LoginRefused, WeakPassword, WrongPassword
from bot.staff.invitations import Invitations, Invited
from bot.staff.logins import LoggedIn, Logins
from bot.staff.managing import Managing, StaffLine
from bot.staff.own_account import OwnAccount
from bot.staff.policy import AccountPolicy

__all__ = [
    "AccountPolicy",
    "AccountProblem",
    "Accounts",
    "InvitationOver",
    "Invited",
    "LoggedIn",
    "LoginLocked",
    "LoginRefused",
    "StaffLine",
    "WeakPassword",
    "WrongPassword",
]


class Accounts(Invitations, Logins, OwnAccount, Managing):
    """Invite, let in, change, manage; see the parts for each."""
