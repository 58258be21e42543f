"""Content files: what is read, and how an editor hears what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.base import KnowledgeBase
from knowledge.errors import ContentErrors, UnknownArticle, UnknownContact
from tests.knowledge.conftest import change


def problems_of(data_dir: Path) -> list[str]:
    with pytest.raises(ContentErrors) as caught:
        KnowledgeBase.load(data_dir)
    return [str(problem) for problem in caught.value.problems]


def test_an_article_is_read_with_all_its_languages(knowledge: KnowledgeBase) -> None:
    article = knowledge.article("gp-register")
    assert sorted(article.translations) == ["en", "nl", "pl"]
    assert article.translations["nl"].short_answer == "Schrijf u in bij een huisarts. Dat is gratis."
    assert article.translations["nl"].steps[2] == "Neem uw paspoort mee."
    assert knowledge.served_languages == ("nl", "en", "pl")


def test_an_unknown_id_says_so(knowledge: KnowledgeBase) -> None:
    with pytest.raises(UnknownArticle, match="kb publish"):
        knowledge.article("nothing")
    with pytest.raises(UnknownContact, match="data/contacts"):
        knowledge.contact("nobody")


def test_a_mistyped_field_is_named_with_file_and_line(data_dir: Path) -> None:
    change(data_dir / "kb/gp-register/article.yml", "risk: low", "rick: low")
    assert problems_of(data_dir) == [
        "data/kb/gp-register/article.yml:1: risk: field required; add this field (see docs/editors.md)",
        "data/kb/gp-register/article.yml:3: rick: extra inputs are not permitted; "
        "remove this field or correct its spelling (see docs/editors.md)",
    ]


def test_every_problem_in_every_file_is_told_at_once(data_dir: Path) -> None:
    change(data_dir / "kb/gp-register/article.yml", "2027-11-23", "next year")
    change(data_dir / "kb/dentist/en.md", "status: draft", "status: perfect")
    change(data_dir / "facts.yml", "unit: EUR", "unit: guilder")
    change(data_dir / "contacts/helplines.yml", '"0800-64 64 644"', '"call us"')
    told = problems_of(data_dir)
    assert len({line.split(":")[0] for line in told}) == 4
    assert any(line.startswith("data/kb/dentist/en.md:12: status") for line in told)
    assert any("write a date as 2026-11-23" in line for line in told)
    assert any("digits, spaces and hyphens" in line for line in told)


@pytest.mark.parametrize(
    ("file", "text", "line", "what"),
    [
        ("kb/dentist/nl.md", "no front matter", 1, "does not begin with fields"),
        ("kb/dentist/nl.md", '---\ntitle: "a"\n---\n', 4, "the text is missing"),
        ("kb/dentist/nl.md", '---\ntitle: "a"\ntitle: "b"\n---\nText.\n', 3, "`title` stands here twice"),
        ("kb/dentist/article.yml", "id: [\n", 2, "expected"),
        ("kb/dentist/article.yml", "", 1, "the file is empty"),
        ("kb/dentist/article.yml", "valid_until: 2026-13-45\n", 1, "month must be"),
        ("contacts/helplines.yml", "id: helpline\n", 1, "not a list of contacts"),
        ("facts.yml", "- deductible\n", 1, "not a list of names"),
    ],
)
def test_a_file_that_is_no_content_is_told_with_its_line(
    data_dir: Path, file: str, text: str, line: int, what: str
) -> None:
    (data_dir / file).write_text(text, encoding="utf-8")
    assert any(told.startswith(f"data/{file}:{line}: ") and what in told for told in problems_of(data_dir))


def test_broken_bytes_and_missing_files_are_told(data_dir: Path) -> None:
    (data_dir / "kb/dentist/nl.md").write_bytes(b"---\ntitle: \xff\n---\n")
    (data_dir / "kb/gp-register/article.yml").unlink()
    (data_dir / "facts.yml").unlink()
    told = "\n".join(problems_of(data_dir))
    assert "data/kb/dentist/nl.md:1: this is not UTF-8 text" in told
    assert "data/kb/gp-register/article.yml:1: this file is missing" in told
    assert "data/facts.yml:1: this file is missing" in told


def test_an_id_must_be_the_name_of_its_folder_and_a_contact_stands_once(data_dir: Path) -> None:
    change(data_dir / "kb/dentist/article.yml", "id: dentist", "id: tooth")
    text = (data_dir / "contacts/helplines.yml").read_text(encoding="utf-8")
    (data_dir / "contacts/more.yml").write_text(text, encoding="utf-8")
    told = "\n".join(problems_of(data_dir))
    assert "write `id: dentist`" in told
    assert "contact helpline is also in data/contacts/helplines.yml" in told


def test_windows_line_ends_are_no_problem(data_dir: Path) -> None:
    path = data_dir / "kb/dentist/nl.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(KnowledgeBase.load(data_dir).articles["dentist"].translations["nl"].steps) == 3
