"""The measures themselves, and that the development questions stay apart from what is trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

from bot.evaluation import load_sets, mean_reciprocal_rank, recall_at_k, render_table
from knowledge.fitting import DEVELOPMENT, INDEPENDENT, Question, read_questions
from nlu.text import tokens
from nlu.transliteration import to_native_script

DATA = Path(__file__).resolve().parents[2] / "data"
NEARLY_THE_SAME = 0.75  # share of the words of two questions that both have (Jaccard)


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


def learned_from() -> Iterator[tuple[str, str]]:
    """Yield every text that search or Rasa learns from, with its language."""
    for path in (DATA / "kb").glob("*/*.md"):
        front = yaml.safe_load(path.read_text(encoding="utf-8").split("---")[1])
        yield from ((path.stem, str(text)) for text in [*front["questions"], front["title"]])
    for path in (DATA / "nlu").glob("*/*.yml"):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            yield from ((path.parent.name, line.removeprefix("- ")) for line in block["examples"].splitlines())


def words_of(text: str, lang: str) -> frozenset[str]:
    return frozenset(tokens(to_native_script(text, lang)))


def test_no_question_to_measure_with_is_trained_on_nor_one_nearly_like_it() -> None:
    learned: dict[str, list[tuple[frozenset[str], str]]] = {}
    by_word: dict[tuple[str, str], list[int]] = {}
    for lang, text in learned_from():
        known = learned.setdefault(lang, [])
        known.append((words_of(text, lang), text))
        for word in known[-1][0]:
            by_word.setdefault((lang, word), []).append(len(known) - 1)
    copies = []
    for question in [*read_questions(DATA, DEVELOPMENT), *read_questions(DATA, INDEPENDENT)]:
        asked = words_of(question.text, question.lang)
        shared = Counter(number for word in asked for number in by_word.get((question.lang, word), ()))
        for number, count in shared.most_common(3):
            words, text = learned[question.lang][number]
            # One, two or three words ("huisarts vol") may be nearly the same by chance; the same they must not be.
            if words == asked or (len(asked) >= 4 and count / len(words | asked) >= NEARLY_THE_SAME):
                copies.append((question.lang, question.text, text))
    assert copies == []


def test_no_red_flag_to_measure_with_is_trained_on() -> None:
    learned = {words_of(text, lang) for lang, text in learned_from()}
    sets = load_sets(DATA)
    asked = [
        (lang, item if isinstance(item, str) else item["text"])
        for of_set in (sets.redflags, sets.redflags_independent)
        for lang, kinds in of_set.items()
        for items in kinds.values()
        for item in items
    ]
    assert [text for lang, text in asked if len(text.split()) > 3 and words_of(text, lang) in learned] == []


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
