"""Which numbers are what they look like: the check digits of BSN and IBAN. Pure."""

from __future__ import annotations

# Signs in an IBAN by country. Source: SWIFT, IBAN Registry.
_LENGTHS = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ DZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_LENGTH_BY_COUNTRY = {country: length for length, countries in _LENGTHS.items() for country in countries.split()}


def is_bsn(digits: str) -> bool:
    """Say whether these digits, 0 to 9 and nothing else, can be a BSN.

    Eight or nine digits, with 9·d1 + 8·d2 + … + 2·d8 − 1·d9 divisible by 11; one of eight has a zero before it.
    Source: RvIG and Logius, the eleven test of the BSN.
    """
    if len(digits) not in (8, 9) or not digits.strip("0") or (len(digits) == 8 and digits.startswith("0")):
        return False
    *first, last = (int(digit) for digit in digits.zfill(9))
    return (sum(digit * weight for digit, weight in zip(first, range(9, 1, -1), strict=True)) - last) % 11 == 0


def length_of_iban(country: str) -> int | None:
    """Return how many signs an IBAN of a country has, or None when the country has none."""
    return _LENGTH_BY_COUNTRY.get(country.upper())


def is_iban(code: str) -> bool:
    """Say whether letters and digits without spaces are an IBAN. Source: ISO 13616, remainder 1 modulo 97."""
    if not code.isascii() or not code.isalnum() or len(code) != length_of_iban(code[:2]):
        return False
    return int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 == 1
