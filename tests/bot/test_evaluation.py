"""The measures themselves, and that the development questions stay apart from what is trained on."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import yaml

from bot.evaluation import load_sets, mean_reciprocal_rank, recall_at_k, render_table
from knowledge.fitting import DEVELOPMENT, INDEPENDENT, Question, read_questions

DATA = Path(__file__).resolve().parents[2] / "data"


def squeezed(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.lower())
    return re.sub(r"\W+", " ", "".join(letter for letter in letters if not unicodedata.combining(letter))).strip()


def test_recall_counts_what_is_among_the_first_k() -> None:
    assert recall_at_k([1, 2, None, 4], 1) == 0.25
    assert recall_at_k([1, 2, None, 4], 3) == 0.5


def test_mrr_is_the_mean_of_one_over_the_rank() -> None:
    assert mean_reciprocal_rank([1, 2, None, 4]) == (1 + 0.5 + 0 + 0.25) / 4


def test_the_table_has_a_column_for_each_language() -> None:
    table = render_table({"languages": {"nl": {"recall_at_1": 0.5, "questions": 3}, "pl": {"recall_at_1": 1.0}}})
    assert table.splitlines()[0].split() == ["nl", "pl"]
    assert "0.500" in table and "1.000" in table  # noqa: PT018


def test_there_are_twenty_questions_and_more_in_every_served_language() -> None:
    questions = load_sets(DATA).questions
    assert set(questions) >= {"nl", "en", "pl", "ro", "bg", "uk", "tr", "es", "ru"}
    assert all(sum(item["article"] is not None for item in items) >= 20 for items in questions.values())


def test_no_development_question_is_trained_on() -> None:
    trained = set()
    for path in (DATA / "kb").glob("*/*.md"):
        front = yaml.safe_load(path.read_text(encoding="utf-8").split("---")[1])
        trained |= {squeezed(question) for question in [*front["questions"], front["title"]]}
    for path in (DATA / "nlu").rglob("*.yml"):
        trained |= {squeezed(line.lstrip("- ")) for line in path.read_text(encoding="utf-8").splitlines()}
    sets = load_sets(DATA)
    asked = [item["text"] for of_set in (sets.questions, sets.questions_independent) for items in of_set.values()
             for item in items]  # fmt: skip
    asked += [item["text"] for kinds in sets.redflags.values() for items in kinds.values() for item in items]
    # One or two words ("gp register") may be the same by chance; a sentence is not.
    shared = sorted(text for text in asked if squeezed(text) in trained and len(text.split()) > 3)
    assert shared == []


def test_the_questions_of_every_set_name_articles_that_there_are() -> None:
    articles = {path.name for path in (DATA / "kb").iterdir()}
    for question in [*read_questions(DATA, DEVELOPMENT), *read_questions(DATA, INDEPENDENT)]:
        assert {question.article, question.also} - {None} <= articles, question.text
        assert question.article or not question.also, question.text


def test_a_second_article_that_is_as_right_counts() -> None:
    question = Question("my bill", "en", "bill-received", "insurance-deductible")
    assert question.is_answered_by(["dentist", "insurance-deductible"])
    assert not question.is_answered_by(["dentist"])
    assert not Question("football", "en", None).is_answered_by(["dentist"])
