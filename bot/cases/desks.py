"""The desks whose staff answer cases: which one serves a place, when it is open, and who takes over.

Pure but for reading `data/desks.yml`. Dutch public holidays come from the `holidays` library; Liberation Day (5 May) is
a day off for most offices only every five years, which that library knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from bot.errors import BotError
from knowledge.models import Contact

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD_DAYS = 21  # the longest row of closed days, with much to spare


class DesksUnusable(BotError):
    """`data/desks.yml` is missing or wrong."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}. Mend it; docs/operators.md says what stands in it.")


def _hours(days: dict[str, str]) -> dict[str, str]:
    for day, text in days.items():
        if day not in DAYS:
            raise ValueError(f"{day} is no day; use {', '.join(DAYS)}")
        opens, closes = _span(text)
        if opens >= closes:
            raise ValueError(f"{day}: {text} ends before it begins")
    return days


def _span(text: str) -> tuple[time, time]:
    opens, _, closes = text.partition("-")
    try:
        return time.fromisoformat(opens.strip()), time.fromisoformat(closes.strip())
    except ValueError:
        raise ValueError(f'{text!r} is no span of time; write "09:00-17:00"') from None


Hours = Annotated[dict[str, str], AfterValidator(_hours)]


class _Desk(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hours: Hours | None = None
    next: tuple[str, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    time_zone: str
    hours: Hours
    desks: dict[str, _Desk]
    common_desk: str


@dataclass(frozen=True)
class Desk:
    """One desk. `languages` are those its staff speak, `next` the desks that take over."""

    id: str
    name: str
    municipalities: frozenset[str]
    languages: tuple[str, ...]
    hours: Mapping[str, str]
    next: tuple[str, ...]


class Desks:
    """All of them."""

    def __init__(self, desks: Mapping[str, Desk], common: str, zone: ZoneInfo) -> None:
        self._desks = desks
        self.common = common
        self.zone = zone

    @classmethod
    def load(cls, data_dir: Path, contacts: Mapping[str, Contact]) -> Desks:
        """Read `data/desks.yml`; every contact of kind `win-point` is a desk.

        Raises:
            DesksUnusable: The file is missing or wrong; the message says where.
        """
        path = data_dir / "desks.yml"
        try:
            content = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
            zone = ZoneInfo(content.time_zone)
        except OSError as error:
            raise DesksUnusable(path, error.strerror or "cannot be read") from error
        except yaml.YAMLError as error:
            raise DesksUnusable(path, str(error).splitlines()[0]) from error
        except ValidationError as error:
            problem = error.errors()[0]
            raise DesksUnusable(path, f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error
        except ZoneInfoNotFoundError as error:
            raise DesksUnusable(path, f"there is no time zone {content.time_zone}") from error
        points = {contact.id: contact for contact in contacts.values() if contact.kind == "win-point"}
        named = {content.common_desk, *content.desks, *(item for desk in content.desks.values() for item in desk.next)}
        if unknown := sorted(named - points.keys()):
            raise DesksUnusable(path, f"there is no WIN-punt {', '.join(unknown)} in data/contacts")
        desks = {}
        for identifier, contact in points.items():
            own = content.desks.get(identifier, _Desk())
            desks[identifier] = Desk(
                id=identifier,
                name=contact.name,
                municipalities=frozenset(contact.municipalities),
                languages=contact.languages,
                hours=own.hours or content.hours,
                next=own.next,
            )
        return cls(desks, content.common_desk, zone)

    def __contains__(self, desk: str) -> bool:
        return desk in self._desks

    def __getitem__(self, desk: str) -> Desk:
        return self._desks[desk]

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, the common desk last."""
        return (*(item for item in self._desks if item != self.common), self.common)

    def for_place(self, place: str | None) -> Desk:
        """Return the desk that serves a municipality, else the common one."""
        serving = (desk for desk in self._desks.values() if place in desk.municipalities)
        return next(serving, self._desks[self.common])

    def name(self, desk: str) -> str:
        """Return how a desk is called; one that is gone from the data keeps its id."""
        return self._desks[desk].name if desk in self._desks else desk

    def is_open(self, desk: str, now: datetime) -> bool:
        """Say whether the staff of a desk answer at an instant."""
        local = now.astimezone(self.zone)
        span = self._span_of(desk, local.date())
        return span is not None and span[0] <= local.timetz().replace(tzinfo=None) < span[1]

    def next_opening(self, desk: str, now: datetime) -> datetime | None:
        """Return when a closed desk opens next, as a local time; None when it is open or never opens."""
        if self.is_open(desk, now):
            return None
        local = now.astimezone(self.zone)
        for days in range(LOOK_AHEAD_DAYS):
            day = local.date() + timedelta(days=days)
            span = self._span_of(desk, day)
            opening = datetime.combine(day, span[0], self.zone) if span else None
            if opening is not None and opening > local:
                return opening
        return None

    def open_seconds(self, desk: str, since: datetime, until: datetime) -> float:
        """Return how long the desk was open between two instants: nobody waits for an answer at night."""
        total, day = 0.0, since.astimezone(self.zone).date()
        while day <= until.astimezone(self.zone).date():
            if span := self._span_of(desk, day):
                opens, closes = (datetime.combine(day, moment, self.zone).astimezone(UTC) for moment in span)
                total += max(0.0, (min(closes, until) - max(opens, since)).total_seconds())
            day += timedelta(days=1)
        return total

    def _span_of(self, desk: str, day: date) -> tuple[time, time] | None:
        hours = self._desks[desk].hours if desk in self._desks else {}
        text = hours.get(DAYS[day.weekday()])
        return None if text is None or day in _holidays(day.year) else _span(text)


def _holidays(year: int) -> holidays.HolidayBase:
    if year not in _KNOWN:
        _KNOWN[year] = holidays.country_holidays("NL", years=year)
    return _KNOWN[year]


_KNOWN: dict[int, holidays.HolidayBase] = {}
