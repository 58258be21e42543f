"""Yearly figures in a text: `{{ deductible }}` becomes `€ 385 (2026)`, in the manner of each language.

A year that is not known is never guessed: the last known one is shown, and the text says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from knowledge.errors import UnknownFact
from knowledge.locales import Locales
from knowledge.models import Fact

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]*)\s*\}\}")
ANY_BRACES = re.compile(r"\{\{.*?\}\}|\{\{|\}\}")

_NO_BREAK_SPACE = "\u00a0"
# Language: decimal sign, sign between thousands, fewest digits that are grouped.
_SIGNS = {
    "nl": (",", ".", 4),
    "en": (".", ",", 4),
    "pl": (",", _NO_BREAK_SPACE, 5),
    "ro": (",", ".", 4),
    "bg": (",", _NO_BREAK_SPACE, 5),
    "uk": (",", _NO_BREAK_SPACE, 5),
    "ar": (".", ",", 4),
    "tr": (",", ".", 4),
    "es": (",", ".", 5),
    "ru": (",", _NO_BREAK_SPACE, 5),
}
_SMALLEST_WITH_DE = 20


def fill_facts(text: str, facts: Mapping[str, Fact], locales: Locales, lang: str, today: date) -> str:
    """Return the text with every placeholder replaced by its figure for the year of `today`.

    Args:
        text: May hold any number of `{{ name }}`.
        facts: Figures by name.
        locales: Texts for units and years.
        lang: The language of the text; it must have a locale.
        today: Decides the year.

    Raises:
        UnknownFact: A placeholder names no figure.
    """

    def figure(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in facts:
            raise UnknownFact(name)
        return format_fact(facts[name], locales, lang, today.year)

    return PLACEHOLDER.sub(figure, text)


def format_fact(fact: Fact, locales: Locales, lang: str, year: int) -> str:
    """Return one figure with its unit and year; a missing year gives the last one known before it, and says so."""
    known = max((item for item in fact.by_year if item <= year), default=min(fact.by_year))
    value = locales.t(lang, f"facts.{fact.unit.lower()}", amount=_amount(fact, lang, fact.by_year[known]))
    if known == year:
        return locales.t(lang, "facts.in_year", value=value, year=year)
    return locales.t(lang, "facts.not_known_yet", value=value, known=known, year=year)


def format_number(number: Decimal, lang: str, decimals: int = 0) -> str:
    """Return a number with the separators of a language."""
    decimal_sign, thousands_sign, grouped_from = _SIGNS.get(lang, _SIGNS["en"])
    whole, _, fraction = f"{number:.{decimals}f}".partition(".")
    if len(whole) >= grouped_from:
        whole = f"{int(whole):,}".replace(",", thousands_sign)
    return f"{whole}{decimal_sign}{fraction}" if fraction else whole


def _amount(fact: Fact, lang: str, number: Decimal) -> str:
    is_whole = number == number.to_integral_value()
    places = 0 if is_whole else 2 if fact.unit == "EUR" else max(0, -int(number.normalize().as_tuple().exponent))
    text = format_number(number, lang, places)
    if lang == "ro" and fact.unit != "percent" and _takes_de(int(number)):
        return f"{text} de"
    return text


def _takes_de(number: int) -> bool:
    """Romanian counts `19 euro` but `20 de euro`, and so on in every hundred."""
    rest = number % 100
    return number >= _SMALLEST_WITH_DE and (rest == 0 or rest >= _SMALLEST_WITH_DE)
