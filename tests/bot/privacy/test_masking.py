"""What identifies a person goes from a text, wherever it stands; numbers that everybody may know stay."""

from __future__ import annotations

import time
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Text
from bot.conversations.messages import rasa_message, stored_content
from bot.privacy.masking import BSN, PUBLIC_NUMBERS, PUBLIC_PREFIX, mask, mask_identity
from bot.privacy.numbers import is_bsn, is_iban
from bot.settings import PROJECT
from knowledge.loading import load_contacts
from knowledge.origins import Origins

EASTERN_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@st.composite
def bsns(draw: st.DrawFn) -> str:
    """Return a number of eight or nine digits that passes the eleven test."""
    first = draw(st.integers(1_000_000, 99_999_999))
    weighted = sum(int(digit) * weight for digit, weight in zip(f"{first:08}", range(9, 1, -1), strict=True))
    last = weighted % 11
    if last == 10:
        return draw(bsns())
    number = f"{first}{last}"
    return number if draw(st.booleans()) or len(number) == 8 else f"{number:0>9}"


@st.composite
def written_in_groups(draw: st.DrawFn) -> str:
    """Return one with the same gap between its groups, as people write it."""
    number, gap = draw(bsns()), draw(st.sampled_from([" ", ".", "-", " - ", "\u00a0", "\u2011"]))
    sizes = draw(st.sampled_from([(3, 3), (4, 2), (2, 2, 2), (3, 2, 2), (5,)]))
    cuts = [0, *accumulate(sizes), len(number)]
    return gap.join(number[first:last] for first, last in pairwise(cuts))


@given(bsns(), st.text(), st.text())
def test_a_bsn_in_one_piece_is_masked_wherever_it_stands(number: str, before: str, after: str) -> None:
    # Next to a digit, or behind the + of a country, it is part of another number.
    text = f"{before.rstrip('+0123456789').rstrip()}\n{number}\n{after}"
    for masked in (mask(text), mask_identity(text)):
        assert number not in masked
        assert "\n[BSN]\n" in masked


@given(bsns())
@pytest.mark.parametrize("around", ["bsn{}", "{}bsn", "({})", "BSN:{},", "12 {} 3", "{}/1990", "nr. 7 - {}", "_{}_"])
def test_a_bsn_is_found_between_letters_signs_and_other_numbers(around: str, number: str) -> None:
    assert mask_identity(around.format(number)) == around.format(BSN)


@given(written_in_groups())
@pytest.mark.parametrize(
    "around", ["{}", "mijn bsn is {}, wat nu?", "ik heb {} en 2 kinderen", "burgerservicenummer{}!"]
)
def test_a_bsn_in_groups_is_masked(around: str, number: str) -> None:
    assert mask_identity(around.format(number)) == around.format(BSN)


@given(bsns())
def test_eastern_arabic_digits_are_digits(number: str) -> None:
    assert mask(f"رقمي هو {number.translate(EASTERN_ARABIC)} شكرا") == f"رقمي هو {BSN} شكرا"


@given(st.text(st.sampled_from("0123456789 .-+@/()abNL٣€,:[]\n")))
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)
    assert mask_identity(mask_identity(text)) == mask_identity(text)


@given(st.text(st.characters(exclude_categories=["Nd"], exclude_characters="@")))
def test_a_text_without_digits_and_addresses_stays_as_it_is(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("111222333", "[BSN]"),
        ("mijn bsn: 1112.22.333", "mijn bsn: [BSN]"),
        ("111 222 333 2 kinderen", "[BSN] 2 kinderen"),
        ("1 1 1 2 2 2 3 3 3", "[BSN]"),
        ("111222333 111222333", "[BSN] [BSN]"),
        ("123456789", "123456789"),
        ("1112223330", "1112223330"),
        ("NL91 ABNA 0417 1643 00", "[IBAN]"),
        ("nl91abna0417164300 en meer", "[IBAN] en meer"),
        ("ibanNL91ABNA0417164300", "iban[IBAN]"),
        ("NL٩١ABNA٠٤١٧١٦٤٣٠٠", "[IBAN]"),
        ("PL61109010140000071219812874", "[IBAN]"),
        ("GB83WEST12345698765432", "GB83WEST12345698765432"),
        ("pisz na Anna.Nowak+x@poczta.example.pl.", "pisz na [e-mail]."),
        ("111222333@example.nl", "[e-mail]"),
        ("bel 06 12345678", "bel [telefoon]"),
        ("0612345678 of 06-12 34 56 78", "[telefoon] of [telefoon]"),
        ("+31 (0)6 12345678", "[telefoon]"),
        ("0031612345678", "[telefoon]"),
        ("+48 512 345 678", "[telefoon]"),
        ("+40 721 234 567 lub 0048512345678", "[telefoon] lub [telefoon]"),
        ("+380501234567", "[telefoon]"),
        ("٠٦١٢٣٤٥٦٧٨", "[telefoon]"),
        ("076 123 45 67", "[telefoon]"),
        ("06 11122233 en +31 111222333", "[telefoon] en [telefoon]"),
    ],
)
def test_what_a_person_is_known_by_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "112 of 113, of 0800-0113",
        "0900-8844",
        "0800-64 64 644",
        "088 112 2 112",
        "+31 88 0767 000",
        "12-03-1990 en 1990-03-12",
        "10-11-2025 10:30",
        "2019-2027, 2011/2012",
        "€ 12.345.678 of 10.000.000 euro",
        "385 euro in 2026",
        "4811 AB 12",
        "open 10.00-17.30 en 10.00 - 12.30",
        "@zorgbrug en iemand @ thuis",
    ],
)
def test_numbers_that_are_nobodys_stay(text: str) -> None:
    assert mask(text) == text


def test_every_number_of_the_contacts_stays() -> None:
    contacts = load_contacts(PROJECT / "data", Origins()).values()
    numbers = {number for item in contacts for number in (item.phone, item.phone_alt) if number}
    assert numbers
    # One that is masked belongs into PUBLIC_NUMBERS, as 0 and nine digits.
    assert {number for number in numbers if mask(f"bel {number} nu") != f"bel {number} nu"} == set()
    assert all(len(number) == 10 and not number.startswith(PUBLIC_PREFIX) for number in PUBLIC_NUMBERS)


def test_phone_and_address_are_stored_and_identity_numbers_are_not() -> None:
    text = "bsn 111222333, NL91ABNA0417164300, 0612345678, anna@example.nl"
    stored = stored_content(Text(text=text), text, None)
    assert stored == {"kind": "text", "text": "bsn [BSN], [IBAN], 0612345678, anna@example.nl"}
    assert rasa_message(stored) == stored["text"]


@pytest.mark.parametrize("text", ["a" * 60_000, "1 " * 30_000, "@" * 60_000, "0612345678 " * 5_000, "NL91 " * 12_000])
def test_a_very_long_message_takes_no_long_time(text: str) -> None:
    started = time.perf_counter()
    mask(text)
    assert time.perf_counter() - started < 3.0


def test_check_digits() -> None:
    assert is_bsn("111222333")
    assert is_bsn("11122239") == is_bsn("011122239")
    assert not any(map(is_bsn, ["000000000", "", "1112223333", "08000543"]))
    assert is_iban("GB82WEST12345698765432")
    assert not is_iban("GB82WEST1234569876543")
