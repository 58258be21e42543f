"""The measures of `zorgbrug eval --compare`, on outcomes that can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bot.comparison.errors import wrong_ones
from bot.comparison.figures import (
    Outcome,
    answered_wrongly,
    by_language,
    calibration_error,
    confusions,
    coverage_curve,
    mean_over_languages,
    reliability,
    share,
)
from bot.comparison.rivals import bm25
from knowledge.fitting import Question
from knowledge.passages import Passage

OUTCOMES = [
    Outcome(Question("a", "pl", "dentist"), "answer", (("dentist", 0.9), ("bsn", 0.1))),
    Outcome(Question("b", "pl", "dentist"), "answer", (("bsn", 0.6), ("dentist", 0.3))),
    Outcome(Question("c", "nl", "bsn"), "clarify", (("bsn", 0.4),)),
    Outcome(Question("d", "nl", "bsn"), "abstain", ()),
    Outcome(Question("e", "nl", None), "answer", (("bsn", 0.7),)),
    Outcome(Question("f", "nl", None), "abstain", ()),
]


def test_a_language_counts_the_same_however_many_questions_it_has() -> None:
    interval = mean_over_languages({"pl": [True] * 90, "nl": [False] * 10})
    assert interval.value == 0.5
    assert interval.low <= 0.5 <= interval.high


def test_the_interval_holds_the_mean_and_narrows_with_more_questions() -> None:
    few = mean_over_languages({"pl": [True, False] * 5})
    many = mean_over_languages({"pl": [True, False] * 500})
    assert few.low < many.low < 0.5 < many.high < few.high


def test_recall_looks_at_the_first_k() -> None:
    assert by_language(OUTCOMES, 1) == {"pl": [True, False], "nl": [True, False]}
    assert by_language(OUTCOMES, 3) == {"pl": [True, True], "nl": [True, False]}


def test_only_an_unhedged_wrong_answer_counts_as_answered_wrongly() -> None:
    assert answered_wrongly(OUTCOMES) == 0.25
    assert share(OUTCOMES, "abstain", is_in_scope=True) == 0.25
    assert share(OUTCOMES, "answer", is_in_scope=False) == 0.5


def test_the_surest_answers_come_first_on_the_coverage_curve() -> None:
    coverage, accuracy = coverage_curve(OUTCOMES)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert accuracy.tolist() == pytest.approx([1.0, 0.5, 2 / 3, 0.5])


def test_a_well_calibrated_scorer_has_no_calibration_error() -> None:
    random = np.random.default_rng(1)
    outcomes = [
        Outcome(Question("x", "pl", "bsn"), "answer", ((("bsn" if random.random() < score else "gp"), score),))
        for score in random.uniform(0.05, 0.95, 4000)
    ]
    assert calibration_error(outcomes) < 0.03
    assert len(reliability(outcomes)) == 10


def test_confusions_and_errors_name_what_was_wanted_and_what_came() -> None:
    assert confusions(OUTCOMES, 5) == [("dentist", "bsn", 1)]
    assert [item.question.text for item in wrong_ones(OUTCOMES)] == ["b", "d", "e"]


def test_bm25_finds_by_words_in_common() -> None:
    passages = [
        Passage("tandarts kosten", "nl", "dentist", "question"),
        Passage("nummer aanvragen gemeente", "nl", "bsn", "question"),
        Passage("huisarts zoeken", "nl", "gp", "question"),
    ]
    outcomes = bm25([Question("wat zijn de kosten van de tandarts", "nl", "dentist")], passages)
    assert outcomes[0].top == "dentist"
