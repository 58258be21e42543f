"""The shared text helpers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.text import MAX_LENGTH, fold, is_within_one_edit, normalise, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  two\t\n spaces ", "two spaces"),
        ("zero\u200bwidth\u00ad", "zerowidth"),
        ("bell\x07", "bell"),
        ("hurt😭👍🏽 a lot ❤️", "hurt a lot"),
        ("🇳🇱👨‍👩‍👧", ""),
        ("half\ud800pair", "halfpair"),
        ("ﬁne", "fine"),
        ("can’t", "can't"),
        ("39°C", "39°C"),
        ("Łódź 4ovek ж", "Łódź 4ovek ж"),
    ],
)
def test_normalise_cleans_what_people_send(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_normalise_caps_the_length() -> None:
    assert len(normalise("a" * (MAX_LENGTH + 5))) == MAX_LENGTH
    assert normalise("abc def", limit=4) == "abc"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Țânțar ŞŢşţ", "tantar stst"),
        ("ŻÓŁĆ łóżko", "zolc lozko"),
        ("Straße", "strasse"),
        ("İstanbul ışık", "istanbul isik"),
        ("ЙОД Ёж", "йод ёж"),
        ("ѝ а́", "и а"),
    ],
)
def test_fold_takes_off_capitals_and_accents_but_keeps_cyrillic_letters(text: str, expected: str) -> None:
    assert fold(text) == expected


def test_tokens_join_at_an_apostrophe_and_part_at_anything_else() -> None:
    assert tokens("I can’t, s-a dus_la 112!") == ["i", "cant", "s", "a", "dus", "la", "112"]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("borst", "borst", True),
        ("borst", "brost", True),
        ("borst", "bost", True),
        ("borst", "boorst", True),
        ("borst", "worst", True),
        ("borst", "brsot", False),
        ("borst", "bos", False),
    ],
)
def test_one_slip_of_the_finger_is_one_edit(left: str, right: str, expected: bool) -> None:
    assert is_within_one_edit(left, right) is expected
    assert is_within_one_edit(right, left) is expected


@given(st.text())
def test_every_helper_takes_every_string(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    assert all(tokens(text))
