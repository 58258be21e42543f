"""Which desk serves a place, when it is open, and what is refused in data/desks.yml."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cases.desks import Desks, DesksUnusable
from knowledge.loading import load_contacts
from knowledge.origins import Origins
from knowledge.times import written_time
from tests.bot.conftest import DATA

CONTACTS = load_contacts(DATA, Origins())


@pytest.fixture(scope="module")
def desks() -> Desks:
    return Desks.load(DATA, CONTACTS)


def test_a_place_goes_to_the_desk_that_serves_it_and_any_other_to_the_common_queue(desks: Desks) -> None:
    assert desks.for_place("Halderberge").id == "win-roosendaal"
    assert desks.for_place("Groningen").id == desks.common
    assert desks.for_place(None).id == desks.common


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        (datetime(2026, 11, 24, 10, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 24, 7, 59, tzinfo=UTC), "2026-11-24T09:00:00+01:00"),
        (datetime(2026, 11, 24, 16, 0, tzinfo=UTC), "2026-11-25T09:00:00+01:00"),
        (datetime(2026, 11, 27, 20, 0, tzinfo=UTC), "2026-11-30T09:00:00+01:00"),  # Friday evening
        (datetime(2026, 12, 24, 18, 0, tzinfo=UTC), "2026-12-28T09:00:00+01:00"),  # Christmas, then a weekend
        (datetime(2026, 3, 28, 12, 0, tzinfo=UTC), "2026-03-30T09:00:00+02:00"),  # the clock goes forward in between
    ],
)
def test_a_closed_desk_says_when_it_opens_with_holidays_and_summer_time(
    desks: Desks, moment: datetime, opens: str | None
) -> None:
    found = desks.next_opening("win-breda", moment)
    assert (found.isoformat() if found else None) == opens
    assert desks.is_open("win-breda", moment) is (opens is None)


def test_only_opening_hours_count_as_waiting(desks: Desks) -> None:
    evening, morning = datetime(2026, 11, 23, 15, 0, tzinfo=UTC), datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert desks.open_seconds("win-breda", evening, morning) == 2 * 3600


@pytest.mark.parametrize(
    ("lang", "written"),
    [("pl", "wtorek 24 listopada, 09:00"), ("ro", "marți 24 noiembrie, 09:00"), ("ar", "الثلاثاء 24 نوفمبر، 09:00")],
)
def test_the_opening_is_written_as_people_of_the_language_do(desks: Desks, lang: str, written: str) -> None:
    assert written_time(datetime(2026, 11, 24, 9, 0, tzinfo=desks.zone), lang) == written


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("09:00-17:00", "17:00-09:00"), "ends before it begins"),
        (("09:00-17:00", "all day"), "no span of time"),
        (("mon:", "monday:"), "no day"),
        (("win-veghel", "win-atlantis"), "no WIN-punt win-atlantis"),
        (("Europe/Amsterdam", "Europe/Atlantis"), "no time zone"),
        (("common_desk", "common"), "common"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    text = (DATA / "desks.yml").read_text(encoding="utf-8")
    (tmp_path / "desks.yml").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(DesksUnusable, match=says):
        Desks.load(tmp_path, CONTACTS)
