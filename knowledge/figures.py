"""Figures, phone numbers, pages and Dutch terms in a text, in a form in which two languages can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable

from knowledge.facts import ANY_BRACES, PLACEHOLDER

_PHONE = re.compile(r"(?<![\d.,])(?:\+\d[\d -]{6,}\d|0\d[\d -]{5,}\d)(?!\d)")
_PAGE = re.compile(r"(?:https?://)?(?:[a-z0-9-]+\.)+(?:nl|com|org|eu|net)\b(?:/[^\s).,]*)?", re.IGNORECASE)
_STEP_NUMBER = re.compile(r"^\d+\. ", re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:[.,:\u00a0 ]\d{3}(?!\d))*(?:[.,:]\d+)*")
_AMOUNT = re.compile(
    r"€\s?(\d[\d.,\u00a0]*\d|\d)|(\d[\d.,\u00a0]*\d|\d)\s?(?:de\s)?(?:€|euro\b|евро|eur\b)", re.IGNORECASE
)
_BRACKETS = re.compile(r"\(([^()]+)\)")


def phones(text: str) -> set[str]:
    """Return the phone numbers as digits; three-digit numbers such as 112 count as figures."""
    return {_digits(found) for found in _PHONE.findall(text)}


def pages(text: str) -> set[str]:
    """Return the web addresses, without scheme and `www.`."""
    return {
        re.sub(r"^https?://|^www\.", "", found.lower()).removeprefix("www.").rstrip("/")
        for found in _PAGE.findall(text)
    }


def figures(text: str) -> set[str]:
    """Return the other numbers as digits, so that 17.00, 17:00 and 17 are one, and 40.857 and 40,857 too."""
    rest = _STEP_NUMBER.sub("", ANY_BRACES.sub(" ", text))
    rest = _PAGE.sub(" ", _PHONE.sub(" ", rest))
    return {_plain(found) for found in _NUMBER.findall(rest)}


def amounts(text: str) -> set[str]:
    """Return the amounts of money that are typed in a text, as they stand."""
    return {match.group().strip() for match in _AMOUNT.finditer(text)}


def placeholders(text: str) -> set[str]:
    """Return the names in `{{ name }}`."""
    return set(PLACEHOLDER.findall(text))


def broken_braces(text: str) -> list[str]:
    """Return braces that are no placeholder."""
    return [found for found in ANY_BRACES.findall(text) if not PLACEHOLDER.fullmatch(found)]


def dutch_terms(english: str, dutch: str) -> set[str]:
    """Return the Dutch terms that an English text shows in brackets, such as `huisarts` in `GP (huisarts)`.

    Terms are recognised by standing in the Dutch text too, so a remark in brackets is none.
    """
    folded = dutch.casefold()
    found = (part.strip() for group in _BRACKETS.findall(english) for part in re.split(r"[,;/]", group))
    return {term for term in found if re.search(rf"\b{re.escape(term.casefold())}", folded) and not term.isdigit()}


def lacks(text: str, terms: Iterable[str]) -> list[str]:
    """Return the terms that a text does not hold, in order."""
    folded = text.casefold()
    return sorted(term for term in terms if term.casefold() not in folded)


def as_typed(digits: str, text: str) -> str:
    """Return a number as it stands in a text, with the signs between its digits; the digits when it is not there."""
    match = re.search(r"\D{0,2}".join(map(re.escape, digits)), text)
    return match.group() if match else digits


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _plain(number: str) -> str:
    without_zeros = re.sub(r"[.,:]00?$", "", number)
    return _digits(without_zeros)


def normal_amount(text: str) -> str:
    """Return an amount as whole digits and cents, so that `€ 142,40`, `142.4` and `142,40 euro` are one."""
    number = re.sub(r"[^\d.,]", "", text)
    match = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", number)
    whole, cents = match.groups() if match else (number, None)
    return f"{_digits(whole)}.{(cents or '0'):0<2}"
