"""The rules for logging in, as far as an operator sets them; and counting failures. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.settings import Settings
from bot.staff.roles import ADMIN, SUPERVISOR

# More addresses than can be tried within one lock, at some 20 milliseconds of hashing each: so nobody can push an
# address out of memory to see whether its lock was a stored one.
MOST_STRANGERS = 100_000


@dataclass(frozen=True)
class AccountPolicy:
    """How long a login lasts, how many failures lock an account, and who needs a second factor."""

    idle_minutes: int = 30
    longest_hours: int = 12
    attempts_before_lock: int = 5
    lock_minutes: int = 15
    is_totp_required_for_supervisors: bool = True

    @classmethod
    def of(cls, settings: Settings) -> AccountPolicy:
        """Return the policy that the operator set."""
        return cls(
            idle_minutes=settings.session_idle_minutes,
            longest_hours=settings.session_longest_hours,
            attempts_before_lock=settings.login_attempts,
            lock_minutes=settings.login_lock_minutes,
            is_totp_required_for_supervisors=settings.totp_required_for_supervisors,
        )

    def must_have_totp(self, role: str) -> bool:
        """Say whether somebody of this role needs the second factor."""
        return self.is_totp_required_for_supervisors and role in (SUPERVISOR, ADMIN)

    def is_alive(self, created_at: datetime, last_at: datetime, now: datetime) -> bool:
        """Say whether a session still holds."""
        is_fresh = now - last_at < timedelta(minutes=self.idle_minutes)
        return is_fresh and now - created_at < timedelta(hours=self.longest_hours)


@dataclass(frozen=True)
class Tally:
    """Failures in a row, and until when they lock the account."""

    failed: int = 0
    locked_until: datetime | None = None

    def lock_at(self, now: datetime) -> datetime | None:
        """Return the end of the lock that holds now, if one does."""
        return self.locked_until if self.locked_until is not None and now < self.locked_until else None

    def after_failure(self, policy: AccountPolicy, now: datetime) -> Tally:
        """Return the count with one more; the last one allowed locks, and counting begins anew after that.

        A failure during the lock changes nothing, or somebody else could keep a person out for ever.
        """
        if self.lock_at(now):
            return self
        if self.failed + 1 < policy.attempts_before_lock:
            return Tally(self.failed + 1)
        return Tally(0, now + timedelta(minutes=policy.lock_minutes))


class Strangers:
    """Counts failures of addresses that have no account, so that a lock does not tell which ones have.

    Kept in memory, bounded, by digests: a mistyped address is somebody's too.
    """

    def __init__(self, most: int = MOST_STRANGERS) -> None:
        self._tallies: OrderedDict[str, Tally] = OrderedDict()
        self._most = most

    def tally(self, digest: str) -> Tally:
        """Return the count of an address."""
        return self._tallies.get(digest, Tally())

    def count_failure(self, digest: str, policy: AccountPolicy, now: datetime) -> None:
        """Count one more; the address that was tried longest ago is forgotten when there are too many."""
        self._tallies[digest] = self.tally(digest).after_failure(policy, now)
        self._tallies.move_to_end(digest)
        while len(self._tallies) > self._most:
            self._tallies.popitem(last=False)
