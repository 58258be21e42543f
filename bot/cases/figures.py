"""The figures of a period: how many cases, why, where, how long people waited, what the bot could not say.

Counts and medians only: nothing here names a person or quotes one. A group of fewer than `FEWEST` people is put under
"other", since a rare language in a small town may well be one person.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.desks import Desks
from bot.store.case_models import Case
from bot.store.models import Outbox

FEWEST = 3
MOST_TOPICS = 15
OTHER = "other"


@dataclass(frozen=True)
class Waiting:
    """Minutes that people waited, while the desk was open: how many, the median, and what 9 in 10 stay under."""

    count: int
    median: float | None
    p90: float | None


@dataclass(frozen=True)
class Figures:
    """One period. Each mapping gives a count by name, the largest first."""

    cases: int
    by_reason: Mapping[str, int]
    by_lang: Mapping[str, int]
    by_place: Mapping[str, int]
    by_desk: Mapping[str, int]
    by_channel: Mapping[str, int]
    by_hour: Mapping[str, int]
    by_outcome: Mapping[str, int]
    by_close_reason: Mapping[str, int]
    first_answer: Waiting
    answered_share: float | None
    answered_inside_hours: float | None
    asked: Mapping[str, int]
    not_answered: Mapping[str, int]

    def tables(self) -> dict[str, Mapping[str, int]]:
        """The counts by name of the table."""
        return {
            "reason": self.by_reason,
            "lang": self.by_lang,
            "place": self.by_place,
            "desk": self.by_desk,
            "channel": self.by_channel,
            "outcome": self.by_outcome,
            "close_reason": self.by_close_reason,
            "asked": self.asked,
            "not_answered": self.not_answered,
            "hour": self.by_hour,
        }


async def read_figures(
    session: AsyncSession, desks: Desks, since: datetime, until: datetime, theirs: Sequence[ColumnElement[bool]] = ()
) -> Figures:
    """Return the figures of the cases that were opened in a period; `theirs` limits them to some desks.

    What the bot could answer is counted over all conversations: it belongs to no desk.
    """
    opened = (Case.opened_at >= since, Case.opened_at < until)
    cases = (await session.scalars(select(Case).where(*opened, *theirs))).all()
    waits = [
        desks.open_seconds(case.desk, case.opened_at, case.first_reply_at) / 60 for case in cases if case.first_reply_at
    ]
    inside = [case for case in cases if case.is_inside_hours]
    return Figures(
        cases=len(cases),
        by_reason=counted(case.reason for case in cases),
        by_lang=rare_together(counted(case.lang for case in cases)),
        by_place=rare_together(counted(case.place or OTHER for case in cases)),
        by_desk=counted(desks.name(case.desk) for case in cases),
        by_channel=counted(case.channel for case in cases),
        by_hour=_by_hour(case.opened_at.astimezone(desks.zone).hour for case in cases),
        by_outcome=counted(case.outcome or "none" for case in cases if case.closed_at),
        by_close_reason=counted(case.close_reason or "none" for case in cases if case.closed_at),
        first_answer=waiting(waits),
        answered_share=_share(sum(case.first_reply_at is not None for case in cases), len(cases)),
        answered_inside_hours=_share(sum(_is_answered_inside(case, desks) for case in inside), len(inside)),
        asked=await _articles(session, "answer", since, until),
        not_answered=await _articles(session, "abstain", since, until),
    )


def waiting(minutes: Sequence[float]) -> Waiting:
    """Return the median and the 90th percentile (nearest rank) of waiting times."""
    if not minutes:
        return Waiting(0, None, None)
    ordered = sorted(minutes)
    return Waiting(len(ordered), statistics.median(ordered), ordered[ceil(0.9 * len(ordered)) - 1])


def counted(names: Iterable[str]) -> dict[str, int]:
    """Return how often each name occurs, the most frequent first."""
    return dict(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))


def rare_together(counts: Mapping[str, int], fewest: int = FEWEST) -> dict[str, int]:
    """Return the counts with those of very few people added up under "other"."""
    shown = {name: count for name, count in counts.items() if count >= fewest and name != OTHER}
    rest = sum(counts.values()) - sum(shown.values())
    return {**shown, OTHER: rest} if rest else shown


def _by_hour(hours: Iterable[int]) -> dict[str, int]:
    counts = Counter(hours)
    return {f"{hour:02d}": counts[hour] for hour in range(24)}


def _is_answered_inside(case: Case, desks: Desks) -> bool:
    return case.first_reply_at is not None and desks.is_open(case.desk, case.first_reply_at)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


async def _articles(session: AsyncSession, kind: str, since: datetime, until: datetime) -> dict[str, int]:
    """Return how often the bot gave an article; of what it could not answer, the article that came nearest."""
    article = Outbox.reply["article"] if kind == "answer" else Outbox.reply[("candidates", 0, "article")]
    name = func.coalesce(article.as_string(), "none")
    within = (Outbox.created_at >= since, Outbox.created_at < until, Outbox.staff_id.is_(None))
    found = select(name, func.count()).where(*within, Outbox.reply["kind"].as_string() == kind).group_by(name)
    rows = (await session.execute(found.order_by(func.count().desc(), name).limit(MOST_TOPICS))).all()
    return {str(row[0]): int(row[1]) for row in rows}
