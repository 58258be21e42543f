"""How much one person may send in a minute. In memory: a restart forgives."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Literal

WINDOW_SECONDS = 60.0
MOST_SENDERS = 10_000

Verdict = Literal["fine", "first_too_many", "too_many"]


class RateLimiter:
    """Counts messages per sender over the last minute."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._told: dict[str, float] = {}

    def judge(self, sender: str) -> Verdict:
        """Count one message; the first one too many in a minute is told apart, so it can be answered once."""
        now = self._clock()
        times = self._seen.setdefault(sender, deque())
        self._seen.move_to_end(sender)
        while times and now - times[0] >= WINDOW_SECONDS:
            times.popleft()
        self._forget_the_oldest()
        if len(times) < self._per_minute:
            times.append(now)
            return "fine"
        if now - self._told.get(sender, -WINDOW_SECONDS) < WINDOW_SECONDS:
            return "too_many"
        self._told[sender] = now
        return "first_too_many"

    def _forget_the_oldest(self) -> None:
        while len(self._seen) > MOST_SENDERS:
            sender, _ = self._seen.popitem(last=False)
            self._told.pop(sender, None)
