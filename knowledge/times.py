"""A day and an hour as people of a language write them; the forms are those of Unicode CLDR, which Babel carries."""

from __future__ import annotations

from datetime import datetime

from babel.dates import format_datetime, get_datetime_format


def written_time(moment: datetime, lang: str) -> str:
    """Return a local time as people of a language write it, with the day's name: `wtorek 24 listopada, 09:00`."""
    day = format_datetime(moment, "EEEE d MMMM", locale=lang)
    joined = get_datetime_format("medium", locale=lang)
    return str(joined).format(format_datetime(moment, "HH:mm", locale=lang), day).replace("'", "")
