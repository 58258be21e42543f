"""What the parts of `bot.staff.accounts.Accounts` have in common."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from argon2 import PasswordHasher

from bot.staff.passwords import Passwords
from bot.staff.policy import AccountPolicy, Strangers
from bot.store.engine import Store
from bot.store.sealing import Sealer


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


class AccountWork:
    """Holds the store and the rules.

    Args:
        store: Where accounts are.
        sealer: Encrypts the secrets of second factors.
        policy: How long logins last and what locks an account.
        now: The clock.
        hasher: Hashes passwords; tests pass a cheap one.
    """

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        policy: AccountPolicy,
        now: Callable[[], datetime] = utc_now,
        *,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._policy = policy
        self._now = now
        self._passwords = Passwords(hasher or PasswordHasher())
        self._strangers = Strangers()
