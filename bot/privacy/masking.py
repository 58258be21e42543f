"""Takes identity numbers and addresses out of a text.

BSN: eight or nine digits that pass the eleven test, 9·d1 + 8·d2 + … + 2·d8 − d9 divisible by 11 (source: RvIG, Logisch
Ontwerp BSN). IBAN: ISO 13616, remainder 1 modulo 97. What is left alone on purpose: short numbers such as 112 and 113,
free and service numbers (0800, 0900, 088), dates, amounts and postcodes, since answers and questions are full of them.
"""

from __future__ import annotations

import re

BSN, IBAN, EMAIL, PHONE = "[BSN]", "[IBAN]", "[e-mail]", "[telefoon]"

_EMAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])", re.ASCII)
_DIGITS = re.compile(r"(?<![\w+])\d(?:[ .\-–/]{0,2}\d){7,8}(?!\w|[ .\-–/]{0,2}\d)")
_PHONE = re.compile(
    r"(?<!\w)(?:\+|00)[1-9]\d?(?:[ .\-()/]{0,2}\d){7,13}(?!\d)|(?<![\w+])0[ \-]?[1-79](?:[ .\-()/]{0,2}\d){8}(?!\d)"
)
_SERVICE = re.compile(r"\A(?:0800|0900|0906|0909|088|085)")
_DATE = re.compile(r"\A\d{1,2}[ .\-/]\d{1,2}[ .\-/](?:19|20)\d{2}\Z|\A(?:19|20)\d{2}[ .\-/]\d{1,2}[ .\-/]\d{1,2}\Z")
_LONGEST_IBAN = 34
_SHORTEST_IBAN = 15


def mask(text: str) -> str:
    """Return the text with BSN, IBAN, e-mail addresses and phone numbers replaced by their names."""
    return _mask_phones(_EMAIL.sub(EMAIL, mask_identity(text)))


def mask_identity(text: str) -> str:
    """Return the text without what must never be stored at all: BSN and IBAN."""
    text = _IBAN.sub(_iban_or_same, text)
    return _DIGITS.sub(_bsn_or_same, text)


def is_bsn(digits: str) -> bool:
    """Say whether eight or nine digits pass the eleven test."""
    if len(digits) not in (8, 9) or not digits.strip("0"):
        return False
    values = [int(digit) for digit in digits.zfill(9)]
    return (
        sum(value * weight for value, weight in zip(values[:8], range(9, 1, -1), strict=True)) - values[8]
    ) % 11 == 0


def _bsn_or_same(match: re.Match[str]) -> str:
    found = match[0]
    digits = "".join(str(int(sign)) for sign in found if sign.isdigit())
    is_date = _DATE.match("".join(str(int(sign)) if sign.isdigit() else sign for sign in found)) is not None
    return BSN if is_bsn(digits) and not is_date else found


def _iban_or_same(match: re.Match[str]) -> str:
    """Mask the longest beginning that is an IBAN: what follows it may be the next word."""
    found = match[0]
    for end in range(len(found), _SHORTEST_IBAN - 1, -1):
        if found[end - 1].isalnum() and _is_iban(re.sub(r"[ -]", "", found[:end]).upper()):
            return IBAN + found[end:]
    return found


def _is_iban(code: str) -> bool:
    if not _SHORTEST_IBAN <= len(code) <= _LONGEST_IBAN:
        return False
    return int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 == 1


def _mask_phones(text: str) -> str:
    def phone_or_same(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match[0])
        return match[0] if _SERVICE.match(digits) else PHONE

    return _PHONE.sub(phone_or_same, text)
