"""The texts of the assistant: filled in, never replaced by another language in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.errors import LocaleProblem
from knowledge.locales import Locales

TEXTS = Locales({"en": {"hi": "Hello {name}", "bye": "Bye"}, "pl": {"hi": "Cześć {name}"}})


def test_a_text_is_filled_in() -> None:
    assert TEXTS.t("pl", "hi", name="Ola") == "Cześć Ola"


@pytest.mark.parametrize(("lang", "key"), [("pl", "bye"), ("uk", "hi")])
def test_a_missing_text_is_an_error_and_not_english(lang: str, key: str) -> None:
    with pytest.raises(LocaleProblem, match=f"data/locales/{lang}.yml"):
        TEXTS.t(lang, key)


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(LocaleProblem, match="placeholders"):
        TEXTS.t("en", "hi")


@pytest.mark.parametrize(("lang", "nearest"), [("pl", "pl"), ("pl-PL", "pl"), ("uk", "en"), ("", "en")])
def test_the_nearest_language_is_the_own_one_or_english(lang: str, nearest: str) -> None:
    assert TEXTS.nearest(lang) == nearest


def test_gaps_and_other_placeholders_are_told() -> None:
    texts = Locales({"en": {"a": "{x}", "b": "B"}, "ro": {"a": "{y}", "c": "C"}})
    assert texts.problems(["ro"]) == [
        "data/locales/ro.yml: a has placeholders ['y'], en.yml has ['x'].",
        "data/locales/ro.yml: b is missing; translate it from en.yml.",
        "data/locales/ro.yml: c is not in en.yml; remove it or add it there.",
    ]


@pytest.mark.parametrize("content", ["- a list", "key: [1]", "key: 5", "a: b: c"])
def test_a_file_that_is_no_flat_list_of_texts_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales" / "en.yml").write_text(content, encoding="utf-8")
    with pytest.raises(LocaleProblem):
        Locales.load(tmp_path)


def test_without_english_there_is_nothing_to_speak(tmp_path: Path) -> None:
    with pytest.raises(LocaleProblem, match="put it back"):
        Locales.load(tmp_path)
