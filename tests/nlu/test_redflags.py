"""The red-flag detector: what it must never miss, and what must never alarm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nlu.redflags import RedFlagDetector

DATA = Path(__file__).resolve().parents[2] / "data"
DETECTOR = RedFlagDetector.from_data(DATA)
LANGUAGES = ("nl", "en", "pl", "ro", "bg")


def development_set(name: str, lang: str) -> dict[str, list[dict[str, Any]]]:
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load(
        (DATA / "eval" / name / f"{lang}.yml").read_text(encoding="utf-8")
    )
    return loaded


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mijn vader heeft druk op de borst en zweet", "medical"),
        ("my wife cant breathe", "medical"),
        ("maz sie nie rusza i nie oddycha", "medical"),
        ("copilul are convulsii", "medical"),
        ("не мога да дишам", "medical"),
        ("boli me v gardite i ne moga da disham", "medical"),
        ("chce ze soba skonczyc", "suicide"),
        ("ik wil dood", "suicide"),
        ("my husband is beating me", "violence"),
    ],
)
def test_words_of_danger_are_found_in_every_language_and_writing(text: str, kind: str) -> None:
    flag = DETECTOR.find(text)
    assert flag is not None
    assert flag.kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "wat kost een ambulance",
        "does the insurance pay for an ambulance",
        "ile kosztuje karetka",
        "cât costă ambulanța",
        "колко струва линейка",
        "",
        "😀😀😀",
        "\u0000\u200b\ufffd",
    ],
)
def test_a_question_about_costs_or_no_words_at_all_is_no_emergency(text: str) -> None:
    assert DETECTOR.find(text) is None


def test_danger_is_found_at_the_end_of_a_very_long_message() -> None:
    flag = DETECTOR.find("ik heb een vraag over mijn verzekering. " * 480 + "mijn man is bewusteloos")
    assert flag is not None
    assert flag.kind == "medical"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("name", "least"), [("redflags", 0.97), ("redflags_independent", 0.92)])
def test_recall_holds_on_the_development_sets(name: str, least: float, lang: str) -> None:
    positives = development_set(name, lang)["positives"]
    missed = [item["text"] for item in positives if DETECTOR.find(item["text"]) is None]
    assert 1 - len(missed) / len(positives) >= least, missed


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ["redflags", "redflags_independent"])
def test_false_alarms_stay_rare_on_hard_negatives(name: str, lang: str) -> None:
    negatives = development_set(name, lang)["negatives"]
    alarms = [item["text"] for item in negatives if DETECTOR.find(item["text"]) is not None]
    assert len(alarms) / len(negatives) <= 0.10, alarms


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_question_of_the_knowledge_base_raises_an_alarm_by_the_dozen(lang: str) -> None:
    questions = [
        question
        for path in (DATA / "kb").glob(f"*/{lang}.md")
        for question in yaml.safe_load(path.read_text(encoding="utf-8").split("---")[1])["questions"]
    ]
    alarms = [question for question in questions if DETECTOR.find(question) is not None]
    assert len(alarms) / len(questions) <= 0.02, alarms
