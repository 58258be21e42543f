"""What `zorgbrug kb check` refuses, each with file, line and mend."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from knowledge import figures
from knowledge.base import KnowledgeBase
from knowledge.checks import check, source_hash
from knowledge.readability import find_hard_reading
from knowledge.stamping import stamp
from tests.knowledge.conftest import change

TODAY = date(2026, 11, 23)


def told(data_dir: Path, today: date | None = TODAY) -> str:
    return "\n".join(str(problem) for problem in check(KnowledgeBase.load(data_dir), today))


def test_good_content_has_no_problems(data_dir: Path) -> None:
    assert told(data_dir) == ""


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("pl.md", "0800-64 64 644", "0800-64 64 645", "pl.md:20: phone 08006464645 is not in nl.md; copy the source's"),
        ("pl.md", "o 8:00", "o 9:00", "figure 9 is not in nl.md"),
        ("pl.md", "o 8:00", "rano", "figure 8 of nl.md is missing"),
        ("pl.md", " (huisarts)", "", "the Dutch term 'huisarts' is missing; put it in brackets"),
        ("pl.md", 'translated_from: ""', 'translated_from: "0123"', "nl.md has changed since this was translated"),
        ("pl.md", "status: draft", "status: verified", "the status is verified without reviewed_by"),
        ("pl.md", 'translated_from: ""', 'say_in_dutch: "Hallo"', "say_in_dutch belongs in nl.md alone"),
        ("nl.md", "Dat is gratis", "Dat is **gratis**", "the text has '**'; write plain text"),
        ("nl.md", "Dat is gratis", "Zie https://www.lhv.nl/", "links go under sources"),
        ("nl.md", "Dat is gratis", "Dat kost € 385", "the yearly figure € 385 is typed; write {{ deductible }}"),
        ("nl.md", "Dat is gratis", "Dat kost 580,51 euro", "write {{ birth_contribution }}"),
        ("nl.md", "Dat is gratis", "Dat kost {{ fantasy }}", "there is no figure 'fantasy'"),
        ("nl.md", "Dat is gratis", "Dat kost {{ }}", "there is no figure ''"),
        ("nl.md", "Dat is gratis", "Dat kost {{ de ductible }}", "is no placeholder; write {{ name }}"),
        ("nl.md", "Dat is gratis", "Bel 0900-1234567", "phone 09001234567 is in no contact"),
        ("nl.md", "Dat is gratis", "Dat is gratis " + "en het is goed " * 30, "the short answer has"),
        ("nl.md", "3. Neem uw paspoort mee.", "", "there are 2 steps, 3 to 6"),
        ("nl.md", "8.00 uur.", "8.00 uur. " + "Het is open. " * 30, "the last paragraph has"),
        ("nl.md", '  - "inschrijven huisarts"\n', "", "there are 7 questions, at least 8"),
        ("nl.md", "inschrijven huisarts", "Kost inschrijven geld?", "is also in gp-register/nl.md"),
        ("nl.md", "inschrijven huisarts", "wie betaalt de tandarts", "is also in dentist/nl.md"),
        ("article.yml", "[dentist, deductible]", "[gp-register]", "article.yml:9: the article is related to itself"),
        ("article.yml", "[dentist, deductible]", "[ghost]", "there is no article ghost"),
        ("article.yml", "[dentist, deductible]", "[dentist, dentist]", "an article stands here twice"),
        ("article.yml", "[helpline]", "[ghost]", "there is no contact ghost"),
        ("article.yml", "www.gpinfo.nl", "acceptance.gpinfo.nl", "acceptance.gpinfo.nl is a test site or a copy"),
        ("article.yml", "www.gpinfo.nl", "fr.scribd.com", "name the official page instead"),
        ("article.yml", "2026-11-22", "2026-12-24", "checked_on 2026-12-24 is yet to come"),
        ("article.yml", "2027-11-23", "2026-11-22", "valid_until 2026-11-22 has gone by"),
    ],
)
def test_a_problem_is_told_with_its_mend(data_dir: Path, file: str, old: str, new: str, expected: str) -> None:
    change(data_dir / "kb/gp-register" / file, old, new)
    assert expected in told(data_dir)


def test_no_source_and_no_translation_are_told(data_dir: Path) -> None:
    path = data_dir / "kb/dentist/article.yml"
    text = path.read_text(encoding="utf-8")
    start, end = text.index("sources:"), text.index("valid_until")
    path.write_text(text[:start] + "sources: []\n" + text[end:], encoding="utf-8")
    (data_dir / "kb/dentist/pl.md").unlink()
    (data_dir / "kb/dentist/xx.md").write_text((data_dir / "kb/dentist/en.md").read_text(encoding="utf-8"))
    text = told(data_dir)
    assert "data/kb/dentist/article.yml:5: there is no source" in text
    assert "there is no pl.md; write data/kb/dentist/pl.md" in text
    assert "xx is no language of ours" in text


def test_a_figure_that_a_translation_lost_is_told_as_a_placeholder(data_dir: Path) -> None:
    change(data_dir / "kb/deductible/pl.md", ": {{ deductible }}", "")
    assert "placeholder deductible of nl.md is missing" in told(data_dir)


def test_content_that_went_out_of_date_by_itself_does_not_stop_a_set_up(data_dir: Path) -> None:
    change(data_dir / "kb/dentist/article.yml", "2027-11-23", "2020-01-01")
    assert told(data_dir, today=None) == ""


def test_a_stamp_tells_when_the_source_text_changes(data_dir: Path) -> None:
    assert {path.name for path in stamp(data_dir)} == {"en.md", "pl.md"}
    assert told(data_dir) == ""
    change(data_dir / "kb/dentist/nl.md", "Vraag naar de prijs", "Vraag eerst naar de prijs")
    assert told(data_dir).count("nl.md has changed since") == 2
    assert stamp(data_dir) == []  # never declares the stale ones fresh by itself
    assert [path.name for path in stamp(data_dir, ["dentist"], ["pl"])] == ["pl.md"]
    assert told(data_dir).count("nl.md has changed since") == 1


def test_a_stamp_changes_one_line_and_nothing_else(data_dir: Path) -> None:
    path = data_dir / "kb/dentist/pl.md"
    before = path.read_text(encoding="utf-8")
    digest = source_hash(KnowledgeBase.load(data_dir).articles["dentist"].translations["nl"])
    stamp(data_dir, ["dentist"])
    assert path.read_text(encoding="utf-8") == before.replace('translated_from: ""', f'translated_from: "{digest}"')


def test_long_sentences_and_long_words_are_hard_to_read() -> None:
    assert find_hard_reading("Bel de huisarts. Neem uw pas mee.\n1. Ga er dan heen.", "nl") == []
    long = " ".join(["dit is een zin"] * 8) + "."
    assert find_hard_reading(long, "nl")[0].what.startswith("a sentence has 32 words")
    hard = "Zorgverzekeringsmaatschappijen vergoeden huisartsenconsulten."
    assert "use shorter, plainer words" in [finding.mend for finding in find_hard_reading(hard, "nl")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("van 17.00 tot 8.00 uur", "17:00 - 8:00"),
        ("€ 40.857", "40,857 euro"),
        ("1. Bel\n2. Ga", ""),
        ("37,5 graden", "37.5"),
    ],
)
def test_figures_are_compared_whatever_signs_a_language_uses(one: str, other: str) -> None:
    assert figures.figures(one) == figures.figures(other)


def test_phones_and_pages_are_no_figures() -> None:
    text = "Bel 0800-64 64 644 of +31 88 900 6960, kijk op www.zorg24.nl of bel 112."
    assert figures.figures(text) == {"112"}
    assert figures.phones(text) == {"08006464644", "31889006960"}
    assert figures.pages(text) == {"zorg24.nl"}
