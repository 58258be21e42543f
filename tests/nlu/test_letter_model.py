"""The letter model: what it knows, and what happens without its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlu.letter_model import LetterModel, LetterModelError, letter_groups

MODEL = LetterModel.load()


@pytest.mark.parametrize(
    ("word", "script", "name"),
    [
        ("ziekenhuis", "LATIN", "nl"),
        ("szpitala", "LATIN", "pl"),
        ("doctorul", "LATIN", "ro"),
        ("hastane", "LATIN", "tr"),
        ("enfermedad", "LATIN", "es"),
        ("bolnica", "LATIN", "bg-Latn"),
        ("лікарня", "CYRILLIC", "uk"),
        ("больница", "CYRILLIC", "ru"),
        ("лекарят", "CYRILLIC", "bg"),
        ("médecin", "LATIN", "fr"),
    ],
)
def test_a_word_looks_like_its_language(word: str, script: str, name: str) -> None:
    evidence = MODEL.evidence([word], script, 0.15, 1.3)
    assert max(evidence, key=lambda key: evidence[key]) == name


def test_a_word_that_nobody_has_says_nothing() -> None:
    assert set(MODEL.evidence(["\u4e00\u4e00"], "LATIN", 0.15, 1.3).values()) == {0.0}
    assert MODEL.evidence(["طبيب"], "ARABIC", 0.15, 1.3) == {}


def test_the_groups_of_a_word_know_where_it_ends() -> None:
    assert {"_b", "sn_", "_bsn_", "s"} <= set(letter_groups("bsn"))


@pytest.mark.parametrize("content", [b"", b"not gzip"])
def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letters.bin"
    path.write_bytes(content)
    with pytest.raises(LetterModelError, match="Take it from the repository again"):
        LetterModel.load(path)
