"""The red-flag detector: what must raise the alarm, what must not, and what a broken lexicon says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from nlu.datafiles import DataFileError, load_mapping
from nlu.redflags import RedFlagDetector
from nlu.vocabulary import Vocabulary

ROOT = Path(__file__).parents[2]
LANGUAGES = tuple(sorted(path.stem for path in (ROOT / "data" / "redflags").glob("*.yml")))
INDEPENDENT = tuple(sorted(path.stem for path in (ROOT / "data" / "eval" / "redflags_independent").glob("*.yml")))
# The lists alone, as when Rasa is down. What lists and classifier find together: docs/measurements/answers.md.
MEASURED = [("redflags", 0.97, 0.10, lang) for lang in LANGUAGES] + [
    ("redflags_independent", 0.70, 0.15, lang) for lang in INDEPENDENT
]
# Their questions speak of danger by their nature, and may get the emergency answer.
ABOUT_DANGER = {"suicide-crisis", "sexual-violence", "domestic-violence", "emergency-112"}
GOOD = """
words: {person: [he, my husband]}
guards: {negation: [no], informational: [how much], past: [last year], contrast: [but], never_typos: [chestnut]}
categories:
  chest_pain: {kind: medical, patterns: [[pain*, chest], {all: [hurts, chest], within: 4, unless: [gym]}]}
  suicide: {kind: suicide, patterns: [want to die]}
"""


@pytest.fixture(scope="module")
def detector() -> RedFlagDetector:
    return RedFlagDetector.from_data(ROOT / "data")


def cases(folder: Path, key: str) -> list[dict[str, Any]]:
    files = sorted(folder.glob("*.yml"))
    return [case | {"lang": path.stem} for path in files for case in load_mapping(path).get(key, [])]


def small_detector(folder: Path, text: str) -> RedFlagDetector:
    (folder / "redflags").mkdir()
    (folder / "redflags" / "en.yml").write_text(text, encoding="utf-8")
    return RedFlagDetector.from_data(folder)


@pytest.mark.parametrize("case", cases(Path(__file__).parent / "redflags", "positives"), ids=lambda case: case["text"])
def test_a_danger_raises_its_flag(detector: RedFlagDetector, case: dict[str, Any]) -> None:
    assert detector.find(case["text"]) is not None


@pytest.mark.parametrize("case", cases(Path(__file__).parent / "redflags", "negatives"), ids=lambda case: case["text"])
def test_a_harmless_message_raises_none(detector: RedFlagDetector, case: dict[str, Any]) -> None:
    assert detector.find(case["text"]) is None


@pytest.mark.parametrize(("name", "least", "lang"), [(name, least, lang) for name, least, _, lang in MEASURED])
def test_recall_holds_on_the_development_sets(detector: RedFlagDetector, name: str, least: float, lang: str) -> None:
    positives = load_mapping(ROOT / "data" / "eval" / name / f"{lang}.yml")["positives"]
    missed = [case["text"] for case in positives if detector.find(case["text"]) is None]
    assert 1 - len(missed) / len(positives) >= least, missed


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_kind_of_danger_is_right(detector: RedFlagDetector, lang: str) -> None:
    positives = load_mapping(ROOT / "data" / "eval" / "redflags" / f"{lang}.yml")["positives"]
    found = [(case["kind"], flag.kind) for case in positives if (flag := detector.find(case["text"]))]
    assert sum(meant == kind for meant, kind in found) >= 0.90 * len(found)


@pytest.mark.parametrize(("name", "most", "lang"), [(name, most, lang) for name, _, most, lang in MEASURED])
def test_false_alarms_stay_rare_on_hard_negatives(detector: RedFlagDetector, name: str, most: float, lang: str) -> None:
    negatives = load_mapping(ROOT / "data" / "eval" / name / f"{lang}.yml")["negatives"]
    alarms = [case["text"] for case in negatives if detector.find(case["text"]) is not None]
    assert len(alarms) <= most * len(negatives), alarms


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_question_of_the_knowledge_base_raises_an_alarm_by_the_dozen(detector: RedFlagDetector, lang: str) -> None:
    questions = [
        question
        for path in (ROOT / "data" / "kb").glob(f"*/{lang}.md")
        if path.parent.name not in ABOUT_DANGER
        for question in yaml.safe_load(path.read_text(encoding="utf-8").split("---")[1])["questions"]
    ]
    alarms = [question for question in questions if detector.find(question) is not None]
    assert len(alarms) <= 0.02 * len(questions), alarms


@pytest.mark.parametrize(
    "text",
    [
        "wat kost een ambulance",
        "does the insurance pay for an ambulance",
        "ile kosztuje karetka",
        "cât costă ambulanța",
        "колко струва линейка",
    ],
)
def test_a_question_about_costs_is_no_emergency(detector: RedFlagDetector, text: str) -> None:
    assert detector.find(text) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("she took all the pills", "medical"),
        ("she took all the pills, she wants to die", "suicide"),
        ("my husband beats me", "violence"),
        ("my husband beats me and I can't breathe", "medical"),
    ],
)
def test_the_most_urgent_kind_wins(detector: RedFlagDetector, text: str, kind: str) -> None:
    flag = detector.find(text)
    assert flag is not None
    assert flag.kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "NIE MOGĘ ODDYCHAĆ",
        "nie moge oddychac",
        "nie moge odychac",  # a lost letter
        "nie mogę\u200b oddychać 😭",
        "ne moga da di6am",
        "не мога да дишам",
        "hij is bewustelos",
        "my husband heart attak",
        "heeelp he is unconsciouss!!!",
        "my husband\nhas pain\nin his chest",
    ],
)
def test_the_way_of_typing_does_not_hide_a_danger(detector: RedFlagDetector, text: str) -> None:
    assert detector.find(text) is not None


def test_a_flag_says_what_was_found(detector: RedFlagDetector) -> None:
    flag = detector.find("Goedemorgen, mijn man is bewusteloos")
    assert flag is not None
    assert (flag.kind, flag.category, flag.lang, flag.phrase) == ("medical", "unconscious", "nl", "bewusteloos")


def test_another_language_inside_a_message_is_found(detector: RedFlagDetector) -> None:
    assert detector.find("Dzień dobry, mijn vrouw is bewusteloos") is not None


@pytest.mark.parametrize(
    "text", ["", " ", "😭😭", "\x00\x07", "\ud800", "....", "112", "a" * 20_000, "no pain " * 2_500]
)
def test_odd_input_raises_no_flag_and_no_error(detector: RedFlagDetector, text: str) -> None:
    assert detector.find(text) is None


def test_a_danger_in_a_very_long_message_is_found(detector: RedFlagDetector) -> None:
    flag = detector.find("ik heb een vraag over mijn verzekering. " * 480 + "mijn man is bewusteloos")
    assert flag is not None
    assert flag.kind == "medical"


def test_a_pattern_in_any_order_needs_all_its_words_close_together(tmp_path: Path) -> None:
    detector = small_detector(tmp_path, GOOD)
    assert detector.find("my chest is in pain") is not None
    assert detector.find("pain " + "and so on " * 5 + "chest") is None
    assert detector.find("my chest hurts") is not None
    assert detector.find("my chest hurts after the gym") is None


def test_guards_weigh_what_stands_around_a_match(tmp_path: Path) -> None:
    detector = small_detector(tmp_path, GOOD)
    assert detector.find("no pain in my chest") is None
    assert detector.find("no, pain in my chest") is not None
    assert detector.find("how much is care for pain in the chest") is None
    assert detector.find("pain in the chest, how much is an ambulance") is not None
    assert detector.find("last year pain in my chest") is None
    assert detector.find("last year no problem but pain in my chest") is not None
    assert detector.find("how much must i take i want to die") is not None


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("kind: medical, patterns: [[pain*", "kind: urgent, patterns: [[pain*"),
        ("pain*, chest]", "<nothing>, chest]"),
        ("pain*, chest]", "p*, chest]"),
        ("pain*, chest]", "pain*, ch!est]"),
        ("within: 4", "within: 0"),
        ("within: 4", "windows: 4"),
        ("negation: [no]", "negation: no"),
        ("negation: [no]", "negations: [no]"),
        ("words: ", "wordz: "),
        ("person: [he", "person: [<person>"),
    ],
)
def test_a_broken_lexicon_is_refused_with_its_file_and_key(tmp_path: Path, broken: str, says: str) -> None:
    text = GOOD.replace(broken, says).replace("want to die", "<person> want to die")
    with pytest.raises(DataFileError, match=r"en\.yml: .*(categories|guards|words|wordz)"):
        small_detector(tmp_path, text)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("kind: suicide", "kind: sad").replace("negation: [no]", "negation: [true]")
    with pytest.raises(DataFileError) as caught:
        small_detector(tmp_path, text)
    assert "categories.suicide" in str(caught.value)
    assert "guards.negation[0]" in str(caught.value)


def test_no_lexicon_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="redflags"):
        RedFlagDetector.from_data(tmp_path)


def test_a_key_written_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="twice"):
        small_detector(tmp_path, GOOD + "  suicide: {kind: suicide, patterns: [jump]}\n")


@pytest.mark.parametrize("typed", ["مغلي", "المغلي", "والمغلي", "بالمغلي", "ومغلى"])
def test_an_arabic_word_is_known_with_the_small_words_written_onto_it(typed: str) -> None:
    vocabulary = Vocabulary()
    boiling = vocabulary.add("مغلي", "ar")
    assert boiling in vocabulary.look_up(typed)


def test_an_arabic_word_keeps_letters_that_only_look_like_a_small_word() -> None:
    vocabulary = Vocabulary()
    girl = vocabulary.add("نت", "ar")
    assert girl not in vocabulary.look_up("بنت")
