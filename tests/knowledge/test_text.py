"""What search makes of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.passages import searchable
from knowledge.terms import Thesaurus
from knowledge.text import LONGEST_QUESTION, fold, pieces, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Łóżko", "lozko"), ("Țânțar", "tantar"), ("België", "belgie"), ("ЗЪБ", "зъб"), ("Какъв й", "какъв й")],
)
def test_diacritics_go_and_cyrillic_stays(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_only_a_language_with_a_script_of_its_own_is_rewritten() -> None:
    assert searchable("nqmam lekar", "bg") == "нямам лекар"
    assert searchable("huisarts zoeken", "nl") == "huisarts zoeken"
    assert searchable("търся huisarts в Breda", "bg") == "търся huisarts в Breda"


def test_of_a_story_the_beginning_and_the_end_are_searched_with() -> None:
    searched = searchable("mijn tandarts " + "bla " * 500 + "wat kost dat?", "nl")
    assert searched.startswith("mijn tandarts")
    assert searched.endswith("wat kost dat?")
    assert len(searched) == LONGEST_QUESTION


def test_a_shout_is_read_as_a_voice() -> None:
    assert searchable("IK HEB KIESPIJN", "nl") == "ik heb kiespijn"
    assert searchable("mijn BSN", "nl") == "mijn BSN"


def test_letter_groups_bear_a_typing_error() -> None:
    right, wrong = set(pieces("huisarts")), set(pieces("huisartz"))
    assert len(right & wrong) > 0.5 * len(right)


@given(st.text(max_size=2000), st.sampled_from(["nl", "bg", "uk", ""]))
def test_any_text_can_be_searched_with(text: str, lang: str) -> None:
    searched = searchable(text, lang)
    assert len(searched) <= 2 * LONGEST_QUESTION
    assert all(words(word) for word in words(searched))


def test_one_idea_is_found_under_all_its_words() -> None:
    thesaurus = Thesaurus({"deductible": ["eigen risico*", "wklad* wlasn*"], "gp": ["huisarts*", "gp"], "empty": []})
    assert thesaurus.find("Ile wynosi wkład własny?") == ["deductible"]
    assert thesaurus.find("eigen risico bij de huisartsenpost") == ["deductible", "gp"]
    assert thesaurus.find("gps in mijn auto") == []
