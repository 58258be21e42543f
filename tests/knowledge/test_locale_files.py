"""The shipped texts of the assistant: complete in every served language."""

from __future__ import annotations

from pathlib import Path

import yaml

from knowledge.locales import Locales

DATA = Path(__file__).resolve().parents[2] / "data"


def served_languages() -> list[str]:
    languages = yaml.safe_load((DATA / "languages.yml").read_text(encoding="utf-8"))
    return [code for code, language in languages.items() if language["served"]]


def test_every_served_language_has_every_text_with_the_same_placeholders() -> None:
    assert Locales.load(DATA).problems(served_languages()) == []


def test_no_text_is_empty_or_left_in_english() -> None:
    locales = Locales.load(DATA)
    same = [
        f"{lang}: {key}"
        for lang in served_languages()
        if lang != "en"
        for key in locales.keys(lang)
        if len(locales.raw(lang, key).split()) > 3 and locales.raw(lang, key) == locales.raw("en", key)
    ]
    assert same == []
