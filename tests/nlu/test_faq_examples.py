"""The examples of the intent `faq`, made out of the articles."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nlu.datafiles import DataFileError
from nlu.faq_examples import PER_ARTICLE, main


def write_article(data: Path, name: str, lang: str, front_matter: str) -> None:
    folder = data / "kb" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{lang}.md").write_text(f"---\n{front_matter}\n---\nText.\n", encoding="utf-8")


def test_titles_and_questions_become_examples_with_their_language(tmp_path: Path) -> None:
    write_article(tmp_path, "dentist", "pl", 'title: "Dentysta"\nquestions: ["ile kosztuje: plomba?", no, "a [b](c)"]')
    write_article(tmp_path, "bsn", "pl", 'title: "BSN"\nquestions: ["Dentysta"]')
    count = main(tmp_path, tmp_path / "out" / "faq.yml")
    (block,) = yaml.safe_load((tmp_path / "out" / "faq.yml").read_text(encoding="utf-8"))["nlu"]
    texts = [line.removeprefix("- ") for line in block["examples"].splitlines()]
    assert block["intent"] == "faq"
    assert block["metadata"] == {"lang": "pl"}
    assert count == len(texts) == 5
    assert "ile kosztuje: plomba?" in texts
    assert "a (b)(c)" in texts  # brackets would be read as an entity


def test_of_an_article_with_many_questions_the_first_ones_are_taken(tmp_path: Path) -> None:
    write_article(tmp_path, "bsn", "nl", f"title: BSN\nquestions: {[f'vraag {number}' for number in range(40)]}")
    assert main(tmp_path, tmp_path / "faq.yml") == PER_ARTICLE


@pytest.mark.parametrize(
    "text", ["no front matter", "---\ntitle: [\n---\nText.", "---\n---\nText.", "---\nquestions: 5\n---\nText."]
)
def test_a_broken_article_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "kb" / "bsn").mkdir(parents=True)
    (tmp_path / "kb" / "bsn" / "nl.md").write_text(text)
    with pytest.raises(DataFileError, match=r"bsn/nl\.md"):
        main(tmp_path, tmp_path / "faq.yml")
