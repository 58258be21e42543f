"""What can go wrong with an account. `key` names the case for whoever words it in another language."""

from __future__ import annotations

from datetime import datetime

from bot.errors import BotError


class AccountProblem(BotError):
    """An act on an account cannot be done as asked."""

    def __init__(self, key: str, says: str) -> None:
        super().__init__(says)
        self.key = key


class WeakPassword(BotError):
    """A new password is too easy to guess; `key` is `short`, `yours` or `common`."""

    def __init__(self, key: str, says: str) -> None:
        super().__init__(says)
        self.key = key


class InvitationOver(BotError):
    """The link was used, is too old, or never was one."""

    def __init__(self) -> None:
        super().__init__("This invitation is over. Ask the person who sent it for a new one.")


class LoginRefused(BotError):
    """No such account, a wrong password, or a disabled account: on purpose nobody can tell which."""

    def __init__(self, says: str = "The e-mail address or the password is not right.") -> None:
        super().__init__(says)


class WrongPassword(LoginRefused):
    """Somebody who is logged in gave a wrong present password."""

    def __init__(self) -> None:
        super().__init__("The present password is not right.")


class LoginLocked(BotError):
    """Too many wrong passwords or codes in a row, so even the right one does not count for a while."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"Too many attempts have failed. Try again after {until:%H:%M} UTC.")
        self.until = until
