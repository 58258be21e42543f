"""Yearly figures in a text, in the manner of each language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from knowledge.base import KnowledgeBase
from knowledge.errors import UnknownFact
from knowledge.facts import fill_facts, format_fact
from knowledge.locales import Locales
from knowledge.models import Fact

URL = "https://www.rijksoverheid.nl/zorg"


def euros(by_year: dict[int, str]) -> Fact:
    values = {year: Decimal(value) for year, value in by_year.items()}
    return Fact(unit="EUR", source=URL, checked_on=date(2026, 1, 6), by_year=values)


@pytest.mark.parametrize(
    ("lang", "value", "text"),
    [
        ("nl", "385", "€ 385 (2026)"),
        ("en", "385", "€385 (2026)"),
        ("pl", "385", "385 euro (2026)"),
        ("ro", "385", "385 de euro (2026)"),
        ("ro", "12", "12 euro (2026)"),
        ("ro", "115", "115 euro (2026)"),
        ("ro", "100", "100 de euro (2026)"),
        ("nl", "142.4", "€ 142,40 (2026)"),
        ("en", "142.40", "€142.40 (2026)"),
        ("ro", "142.40", "142,40 de euro (2026)"),
        ("nl", "40857", "€ 40.857 (2026)"),
        ("en", "40857", "€40,857 (2026)"),
        ("pl", "40857", "40\u00a0857 euro (2026)"),
        ("pl", "4085", "4085 euro (2026)"),
    ],
)
def test_an_amount_is_written_as_the_language_writes_it(locales: Locales, lang: str, value: str, text: str) -> None:
    assert format_fact(euros({2026: value}), locales, lang, 2026) == text


def test_bulgarian_names_the_euro_in_cyrillic(locales: Locales) -> None:
    assert format_fact(euros({2026: "385"}), locales, "bg", 2026).startswith("385 евро (2026")


def test_after_new_year_the_known_figure_is_shown_and_said_to_be_of_last_year(locales: Locales) -> None:
    fact = euros({2025: "375", 2026: "385"})
    assert format_fact(fact, locales, "en", 2026) == "€385 (2026)"
    assert format_fact(fact, locales, "en", 2027) == "€385 (in 2026; for 2027 it is not known yet)"


def test_a_figure_known_ahead_is_not_used_before_its_year(locales: Locales) -> None:
    fact = euros({2026: "385", 2027: "460"})
    assert format_fact(fact, locales, "en", 2026) == "€385 (2026)"
    assert format_fact(fact, locales, "en", 2027) == "€460 (2027)"


def test_days_and_percentages_have_their_own_words(locales: Locales) -> None:
    days = euros({2026: "30"}).model_copy(update={"unit": "days"})
    percent = euros({2026: "4.5"}).model_copy(update={"unit": "percent"})
    assert format_fact(days, locales, "en", 2026) == "30 days (2026)"
    assert format_fact(percent, locales, "nl", 2026) == "4,5% (2026)"


def test_placeholders_are_filled_wherever_they_stand(knowledge: KnowledgeBase, locales: Locales) -> None:
    text = fill_facts("{{deductible}} en {{ deductible }}", knowledge.facts, locales, "nl", date(2026, 5, 1))
    assert text == "€ 385 (2026) en € 385 (2026)"


def test_a_figure_that_is_not_there_is_an_error_and_never_a_gap(knowledge: KnowledgeBase, locales: Locales) -> None:
    with pytest.raises(UnknownFact, match=r"data/facts\.yml"):
        fill_facts("{{ fantasy }}", knowledge.facts, locales, "nl", date(2026, 5, 1))
