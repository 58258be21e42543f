"""Languages typed with Latin letters are read in their own script, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.text import fold
from nlu.transliteration import LATIN_WRITTEN, bulgarian_to_cyrillic, romanise, to_native_script


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ne moga da di6am", "не мога да дишам"),
        ("ne moga da disham", "не мога да дишам"),
        ("4ovek", "човек"),
        ("6te umra", "ще умра"),
        ("shte umra", "ще умра"),
        ("iskam da se ubiq", "искам да се убия"),
        ("moj maj", "мой маж"),
        ("Wuzduh xleb", "вуздух хлеб"),
        ("bebe na 6 sedmici", "бебе на 6 седмици"),
        ("вече на кирилица 112", "вече на кирилица 112"),
    ],
)
def test_latin_bulgarian_is_read_as_cyrillic(text: str, expected: str) -> None:
    assert bulgarian_to_cyrillic(text) == expected


@pytest.mark.parametrize(
    ("lang", "latin", "native"),
    [
        ("bg", "moj huisarts v Breda", "мой huisarts в бреда"),
        ("bg", "kade e bolnicata", "каде е болницата"),
        ("ru", "mne nuzhen vrach", "мне нужен врач"),
        ("ru", "moy rebenok bolen", "мой ребенок болен"),
        ("ru", "gde blizhayshaya apotheek", "где ближайшая apotheek"),
        ("uk", "meni potriben likar", "мені потрібен лікар"),
        ("uk", "de moya dytyna", "де моя дитина"),
        ("ar", "3ndi waja3", "عندي واجاع"),
        ("ar", "wain el mustashfa", "واين ل موستاشفا"),
    ],
)
def test_a_message_is_read_in_the_script_of_its_language(lang: str, latin: str, native: str) -> None:
    assert to_native_script(latin, lang) == native


@pytest.mark.parametrize(
    ("lang", "text"), [("pl", "szukam lekarza"), ("ru", "где BSN"), ("ar", "وين ال huisarts"), ("bg", "търся huisarts")]
)
def test_what_needs_no_other_script_stays_as_it_is(lang: str, text: str) -> None:
    assert to_native_script(text, lang) == text


@pytest.mark.parametrize(("lang", "word"), [("bg", "болница"), ("ru", "больница"), ("uk", "лікарня"), ("ar", "طبيب")])
def test_a_word_has_several_latin_spellings(lang: str, word: str) -> None:
    spellings = romanise(word, lang)
    assert len(set(spellings)) >= 2
    assert all(spelling.isascii() for spelling in spellings)


@given(st.text(), st.sampled_from(LATIN_WRITTEN))
def test_every_text_can_be_read(text: str, lang: str) -> None:
    assert isinstance(to_native_script(text, lang), str)
    assert isinstance(bulgarian_to_cyrillic(fold(text)), str)
