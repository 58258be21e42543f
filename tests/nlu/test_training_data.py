"""What Rasa learns from: complete in every language, without contradictions, and apart from the measuring texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nlu.languages import OURS
from nlu.text import tokens

DATA = Path(__file__).resolve().parents[2] / "data"
SERVED = tuple(lang for lang, entry in yaml.safe_load((DATA / "languages.yml").read_text()).items() if entry["served"])
WITHOUT_EXAMPLES = {"faq", "choose_article", "show_desk", "show_contact"}  # from the articles; from buttons
INTENTS = yaml.safe_load((DATA / "domain" / "intents.yml").read_text())["intents"]
ACTIONS = yaml.safe_load((DATA / "domain" / "actions.yml").read_text())["actions"]


def examples() -> Iterator[tuple[str, str, str]]:
    for path in sorted((DATA / "nlu").glob("*/*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            assert block["metadata"] == {"lang": path.parent.name}, path
            for line in block["examples"].splitlines():
                yield path.parent.name, block["intent"], line.removeprefix("- ")


@pytest.mark.parametrize("lang", SERVED)
@pytest.mark.parametrize("intent", sorted(set(INTENTS) - WITHOUT_EXAMPLES))
def test_every_intent_has_a_dozen_examples_in_every_language(lang: str, intent: str) -> None:
    assert len({text for found, name, text in examples() if (found, name) == (lang, intent)}) >= 12


def test_no_text_means_two_things() -> None:
    meanings: dict[str, set[str]] = {}
    for _, intent, text in examples():
        meanings.setdefault(" ".join(tokens(text)), set()).add(intent)
    assert {text: intents for text, intents in meanings.items() if len(intents) > 1} == {}


def test_examples_have_only_intents_of_the_domain() -> None:
    assert {intent for _, intent, _ in examples()} <= set(INTENTS)


def test_no_development_question_is_a_training_example() -> None:
    learned = {" ".join(tokens(text)) for _, _, text in examples()}
    for path in sorted((DATA / "eval").glob("questions*/*.yml")):
        asked = {" ".join(tokens(item["text"])) for item in yaml.safe_load(path.read_text(encoding="utf-8"))}
        assert asked.isdisjoint(learned), path


def test_no_text_to_measure_languages_with_is_learned_from() -> None:
    learned = {" ".join(tokens(text)) for _, _, text in examples()}
    for path in (DATA / "eval" / "language" / f"{lang}.yml" for lang in OURS):
        seeds = yaml.safe_load((DATA / "languages" / path.name).read_text(encoding="utf-8"))["sentences"]
        learned |= {" ".join(tokens(line)) for line in seeds.splitlines()}
        sentences = yaml.safe_load(path.read_text(encoding="utf-8"))["sentences"].splitlines()
        assert {" ".join(tokens(line)) for line in sentences}.isdisjoint(learned), path


def test_rules_use_intents_and_actions_of_the_domain() -> None:
    known_intents = {*INTENTS, "nlu_fallback"}
    known_actions = {*ACTIONS, "handoff_form", "action_deactivate_loop"}
    for path in sorted((DATA / "rules").glob("*.yml")):
        for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]:
            for step in rule["steps"]:
                assert step.get("intent", "faq") in known_intents, rule["rule"]
                assert step.get("action", "action_answer") in known_actions, rule["rule"]


def test_every_intent_has_a_rule_and_in_the_form_too() -> None:
    plain: set[str] = set()
    in_form: set[str] = set()
    for path in sorted((DATA / "rules").glob("*.yml")):
        for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]:
            intents = {step["intent"] for step in rule["steps"] if "intent" in step}
            (in_form if {"active_loop": "handoff_form"} in rule.get("condition", []) else plain).update(intents)
    filling = {"affirm", "skip", "give_place", "ask_human"}  # the slots of the form take these
    assert plain == {*INTENTS, "nlu_fallback"}
    assert in_form == plain - filling
