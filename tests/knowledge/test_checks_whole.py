"""Checks across articles: the glossary, orphans, questions that stand twice, reading ease, and the README's tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.base import KnowledgeBase
from knowledge.checks import check
from knowledge.geography import distance_km, nearest_contact
from knowledge.overview import BEGIN, END, overview, with_overview
from knowledge.readability import MEASURES, count_syllables, find_hard_reading

ROOT = Path(__file__).resolve().parents[2]


def problems(data_dir: Path) -> list[str]:
    return [str(problem) for problem in check(KnowledgeBase.load(data_dir))]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_another_word_than_the_glossarys_is_named_with_its_line(data_dir: Path) -> None:
    article = next((data_dir / "kb").glob("*/en.md"))
    article.write_text(article.read_text(encoding="utf-8") + "\nAsk your medic (huisarts).\n", encoding="utf-8")
    (data_dir / "glossary.yml").write_text('huisarts: {en: ["GP"]}\n', encoding="utf-8")
    found = [line for line in problems(data_dir) if "(huisarts) stands behind another word than GP" in line]
    assert len(found) == 1
    (data_dir / "glossary.yml").write_text('huisarts: {en: ["GP", "medic"]}\n', encoding="utf-8")
    assert not [line for line in problems(data_dir) if "stands behind another word" in line]


def test_a_glossary_that_cannot_be_read_is_named(data_dir: Path) -> None:
    (data_dir / "glossary.yml").write_text("huisarts: [GP]\n", encoding="utf-8")
    with pytest.raises(Exception, match=r"data/glossary\.yml"):
        KnowledgeBase.load(data_dir)


def test_the_same_words_in_another_order_are_the_same_question(data_dir: Path) -> None:
    first, second = sorted((data_dir / "kb").glob("*/nl.md"))[:2]
    question = next(line for line in first.read_text(encoding="utf-8").splitlines() if line.startswith('  - "'))
    words = question[5:-1].split()
    turned = " ".join([*words[1:], words[0]])
    change(second, "questions:\n", f'questions:\n  - "{turned}"\n')
    found = [line for line in problems(data_dir) if "is also in" in line]
    assert len(found) == 1
    assert first.parent.name in found[0]


@pytest.mark.parametrize(
    ("word", "lang", "count"),
    [("huisarts", "nl", 2), ("table", "en", 2), ("home", "en", 1), ("больница", "ru", 3), ("ubezpieczenie", "pl", 5)],
)
def test_syllables_are_counted_by_their_vowels(word: str, lang: str, count: int) -> None:
    assert count_syllables(word, lang) == count


@pytest.mark.parametrize("lang", sorted(MEASURES))
def test_an_officials_sentence_is_too_hard_and_a_plain_one_is_not(lang: str) -> None:
    hard = {
        "nl": "Verzekeringsplichtigen dienen onverwijld inschrijvingsformaliteiten te verwezenlijken.",
        "en": "Individuals necessitating specialised hospitalisation require preliminary authorisation.",
        "es": "Obligatoriamente necesitarán autorizaciones administrativas especializadas internacionales.",
        "tr": "Yükümlülüklerinizi gerçekleştirebilmeniz için değerlendirilebilirlik belgelendirmesi gerekmektedir.",
        "ru": "Предварительное освидетельствование осуществляется уполномоченными государственными учреждениями.",
        "pl": "Niezarejestrowanym cudzoziemcom przysługują nieodpłatne świadczenia specjalistyczne uwarunkowane.",
    }
    plain = {
        "nl": "Bel de huisarts. Het kost niets.",
        "en": "Call the doctor. It is free.",
        "es": "Llama al médico. Es gratis.",
        "tr": "Doktoru ara. Bu iş bedava.",
        "ru": "Идите к врачу. Это даром.",
        "pl": "Idź do lekarza. To nic nie kosztuje.",
    }
    assert any("reading ease" in finding.what for finding in find_hard_reading(hard[lang], lang))
    assert not [finding for finding in find_hard_reading(plain[lang], lang) if "reading ease" in finding.what]


def test_the_readme_tells_what_the_content_is() -> None:
    document = (ROOT / "README.md").read_text(encoding="utf-8")
    made = with_overview(document, overview(KnowledgeBase.load(ROOT / "data")))
    assert made == document, "run `zorgbrug kb overview --write README.md`"


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no"):
        with_overview("nothing here", "tables")
    assert with_overview(f"a{BEGIN}old{END}b", "new") == f"a{BEGIN}\n\nnew\n\n{END}b"


def test_a_desk_that_serves_the_place_goes_before_a_nearer_one() -> None:
    shipped = KnowledgeBase.load(ROOT / "data")
    contact, distance = nearest_contact(shipped.contacts.values(), "gp-post", "Moerdijk", shipped.centres) or (
        None,
        None,
    )
    assert contact is not None
    assert contact.id == "hap-breda"
    assert distance is not None
    assert 5 < distance < 40


def test_distances_are_those_of_the_globe() -> None:
    assert distance_km((51.59, 4.78), (51.59, 4.78)) == 0
    assert distance_km((52.37, 4.90), (51.92, 4.48)) == pytest.approx(57.6, abs=1)  # Amsterdam to Rotterdam
