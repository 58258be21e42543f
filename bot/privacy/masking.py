"""Takes identity numbers, e-mail addresses and phone numbers out of a text. Pure.

BSN: eight or nine digits that pass the eleven test, in one piece wherever they stand, or in groups with spaces, dots or
dashes between. Left alone on purpose: 112, 113, free and service numbers, the numbers of `data/contacts`, dates, years,
hours, amounts and postcodes, since questions are full of them. Digits of every script count as digits.

Whatever is replaced can make something else readable, so both functions go on until nothing changes: masking twice is
the same as masking once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from bot.privacy.numbers import is_bsn, is_iban, length_of_iban

BSN, IBAN, EMAIL, PHONE = "[BSN]", "[IBAN]", "[e-mail]", "[telefoon]"
# Numbers of organisations in data/contacts that look like a person's; a test compares the two.
PUBLIC_NUMBERS = frozenset({"0703335678", "0736899090"})
PUBLIC_PREFIX = "088"  # companies and authorities only

Span = tuple[int, int]

# Every space but a line break, the invisible joiners, dots, and the dashes that keyboards make.
_GAP = r"(?:[^\S\n\r]|[\u200b-\u200d\u2060.\-\u2010-\u2015\u2212/]){0,3}"
_MAY_HOLD = re.compile(r"[\d@]")
_SEQUENCE = re.compile(rf"\d(?:{_GAP}\d)*")
_GROUP = re.compile(r"\d+")
_IBAN_START = re.compile(rf"[A-Za-z]{{2}}(?={_GAP}\d{_GAP}\d)")
_LOCAL_PART, _DOMAIN = re.compile(r"[\w.+%'-]"), re.compile(r"[\w-]+(?:\.[\w-]+)+")

_INTERNATIONAL = re.compile(rf"(?<![\d+])(?:\+|(?<![:.,])00)[1-9](?:[()]?{_GAP}[()]?\d){{8,14}}(?!\d)")
_NATIONAL = re.compile(rf"(?<![\d+])0[1-9](?:[()]?{_GAP}[()]?\d){{8}}(?!\d)")
_MOBILE_OR_ABROAD = ("06", "+", "00")

_YEAR, _DAY, _MONTH = r"(?:19|20)\d\d", r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_HOUR = r"(?:[01]?\d|2[0-4])[.:][0-5]\d"
_MONEY = r"\d{1,3}(?:[. ]\d{3})+"
_HARMLESS = tuple(
    re.compile(rf"(?<!\d)(?:{pattern})(?!\d)", re.IGNORECASE)
    for pattern in (
        rf"{_DAY}([ .\-/]){_MONTH}\1{_YEAR}",
        rf"{_YEAR}([ .\-/]){_MONTH}\1{_DAY}",
        rf"{_YEAR}\s?[ \-–/]\s?{_YEAR}",
        rf"{_HOUR}\s?[\-–]\s?{_HOUR}",
        rf"(?:€|EUR|euro)\s?{_MONEY}",
        rf"{_MONEY}(?:,\d\d|,-)?\s?(?:€|EUR|euro)",
        rf"(?:0[89]00|090[69])(?:{_GAP}\d){{7}}",
        rf"(?:0[89]00|090[69])(?:{_GAP}\d){{4}}",
    )
)


def mask(text: str) -> str:
    """Return the text with BSN, IBAN, e-mail addresses and phone numbers replaced by their names."""
    return _until_stable(text, (_replace_ibans, _replace_emails, _replace_bsns, _replace_phones))


def mask_identity(text: str) -> str:
    """Return the text without what must never be stored at all: BSN and IBAN."""
    return _until_stable(text, (_replace_ibans, _replace_bsns))


def _until_stable(text: str, steps: tuple[Callable[[str], str], ...]) -> str:
    """Repeat the steps until they change nothing; each replacement takes digits or an @ away, so this ends."""
    before = None
    while text != before and _MAY_HOLD.search(text):
        before = text
        for step in steps:
            text = step(text)
    return text


def _replace_ibans(text: str) -> str:
    return _replaced(text, _ibans(_with_plain_digits(text)), IBAN)


def _replace_emails(text: str) -> str:
    return _replaced(text, _emails(text), EMAIL)


def _replace_bsns(text: str) -> str:
    plain = _without_the_harmless(text)
    return _replaced(text, _bsns(_blanked(plain, _phones(plain))), BSN)


def _replace_phones(text: str) -> str:
    plain = _without_the_harmless(text)
    return _replaced(text, (span for span in _phones(plain) if not _is_public(plain[slice(*span)])), PHONE)


def _ibans(text: str) -> Iterator[Span]:
    end = 0
    for match in _IBAN_START.finditer(text):
        length = length_of_iban(match[0])
        if match.start() < end or length is None:
            continue
        signs = re.compile(rf"[A-Za-z]{{2}}(?:{_GAP}[A-Za-z0-9]){{{length - 2}}}", re.ASCII).match(text, match.start())
        if signs and is_iban("".join(filter(str.isalnum, signs[0]))):
            end = signs.end()
            yield signs.span()


def _emails(text: str) -> Iterator[Span]:
    """Yield e-mail addresses, read outwards from each @: a pattern from the left takes long over long words."""
    end = 0
    for at in (place for place, sign in enumerate(text) if sign == "@"):
        first, domain = at, _DOMAIN.match(text, at + 1)
        while first > end and _LOCAL_PART.match(text[first - 1]):
            first -= 1
        if text[end:first].endswith(BSN):
            first -= len(BSN)  # 123456782@… was stored without its number
        if domain and first < at:
            end = domain.end()
            yield first, end


def _bsns(text: str) -> Iterator[Span]:
    for sequence in _SEQUENCE.finditer(text):
        groups = [match.span() for match in _GROUP.finditer(text, *sequence.span())]
        end = 0
        for index, (first, _) in enumerate(groups):
            if first >= end:
                ends = _ends(text, groups[index : index + 9], is_all=index == 0 and len(groups) <= 9)
                end = next((last for last in ends if is_bsn(_digits(text[first:last]))), 0)
                if end:
                    yield first, end


def _ends(text: str, groups: list[Span], *, is_all: bool) -> Iterator[int]:
    """Yield where a number that begins with the first group may end.

    Several groups are one number when they are all there is, or have the same sign between each two of them: so a
    number is found beside another ("1234.56.782 2 kinderen"), and few are made up out of neighbours.
    """
    yield groups[0][1]
    if is_all:
        yield groups[-1][1]
    gaps = [text[before[1] : after[0]] for before, after in pairwise(groups)]
    for gap, (_, end) in zip(gaps, groups[1:], strict=True):
        if gap != gaps[0]:
            return
        yield end


def _phones(text: str) -> list[Span]:
    """Return what is written as a phone number, the public ones too."""
    abroad = [match.span() for match in _INTERNATIONAL.finditer(text) if not _is_rather_a_bsn(match[0])]
    rest = _blanked(text, abroad)
    national = [match.span() for match in _NATIONAL.finditer(rest) if not _is_rather_a_bsn(match[0])]
    return sorted(abroad + national)


def _is_rather_a_bsn(number: str) -> bool:
    """Say whether a BSN is in it as it stands; after 06 or the code of a country eight or nine digits are a phone's."""
    parts = [] if number.startswith(_MOBILE_OR_ABROAD) else _GROUP.findall(number)
    return any(map(is_bsn, [_digits(number), *parts]))


def _is_public(number: str) -> bool:
    digits = re.sub(r"\A(?:\+|00)310?", "0", re.sub(r"[^\d+]", "", number))
    return digits in PUBLIC_NUMBERS or digits.startswith(PUBLIC_PREFIX)


def _with_plain_digits(text: str) -> str:
    """Return the text with digits of every script as 0 to 9, each sign in its place."""
    return text if text.isascii() else "".join(str(int(sign)) if sign.isdecimal() else sign for sign in text)


def _without_the_harmless(text: str) -> str:
    """Return the text with plain digits, and letters for the numbers that are no person's."""
    text = _with_plain_digits(text)
    for pattern in _HARMLESS:
        text = _blanked(text, (match.span() for match in pattern.finditer(text)))
    return text


def _blanked(text: str, spans: Iterable[Span]) -> str:
    """Return a text of the same length with letters where the spans are."""
    return _put_together(text, ((first, last, "x" * (last - first)) for first, last in spans))


def _replaced(text: str, spans: Iterable[Span], name: str) -> str:
    return _put_together(text, ((first, last, name) for first, last in spans))


def _put_together(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    parts, end = [], 0
    for first, last, new in changes:
        parts += [text[end:first], new]
        end = last
    return "".join([*parts, text[end:]])


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))
