"""Which language somebody asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlu.datafiles import DataFileError
from nlu.wanted_language import WantedLanguageFinder

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("po polsku proszę", "pl"),
        ("kunnen we in het Engels praten", "en"),
        ("nie znam holenderskiego, proszę po polsku", "pl"),
        ("geen Nederlands, liever Engels", "en"),
        ("no English, Polish please", "pl"),
        ("на български моля", "bg"),
        ("na bulgarski molq", "bg"),
        ("vorbește românește", "ro"),
        ("türkçe konuşalım", "tr"),
        ("українською будь ласка", "uk"),
        ("another language", None),
        ("I don't speak Dutch", None),
        ("", None),
    ],
)
def test_the_language_named_is_found_unless_it_is_refused(text: str, wanted: str | None) -> None:
    assert WantedLanguageFinder.from_data(DATA).find(text) == wanted


def test_a_names_file_without_negations_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "languages").mkdir()
    (tmp_path / "languages" / "names.yml").write_text("nl: dutch\n")
    with pytest.raises(DataFileError, match="negations"):
        WantedLanguageFinder.from_data(tmp_path)
