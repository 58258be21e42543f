"""Fit how search weighs its parts, and from which score on it answers; `zorgbrug kb fit` writes `data/retrieval.yml`.

Weights come from cross-validation over the questions of the articles, thresholds from those and the development
questions of `data/eval`. Development questions are never trained on: they only help to choose three numbers, two
thresholds and how readily "none of ours" wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from knowledge.passages import NONE, Passage, searchable
from knowledge.retrieval_settings import RetrievalSettings, Thresholds, Weights
from knowledge.retriever import Decision, decide
from knowledge.scoring import Parts, SearchModel, unit
from knowledge.terms import Thesaurus
from knowledge.training import train

Matrix = NDArray[np.float32]

DEVELOPMENT, INDEPENDENT = "questions", "questions_independent"  # folders of data/eval
FOLDS = 5
NEAR_IDENTICAL = 0.75  # cosine of two centred questions that say the same
_NONE_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
# What a decision is worth to the person, for choosing thresholds. A choice costs a tap, and many who read little stop
# there; a wrong answer costs more, but it shows its neighbours as buttons; an answer to a question that is not ours
# costs most.
_RIGHT_ANSWER, _RIGHT_CHOICE, _RIGHT_ABSTENTION = 1.0, 0.5, 1.0
_WRONG_ANSWER, _WRONG_CHOICE, _WRONG_ABSTENTION = -0.6, -0.3, -0.3
_CHOICE_OUT_OF_SCOPE, _ANSWER_OUT_OF_SCOPE = 0.0, -1.0


@dataclass(frozen=True)
class Question:
    """A question with the article that answers it, or None where abstaining is right.

    `also` is another article that would be as right.
    """

    text: str
    lang: str
    article: str | None
    also: str | None = None

    def is_answered_by(self, articles: Iterable[str]) -> bool:
        """Whether an article that answers it is among these."""
        return any(article in (self.article, self.also) for article in articles)


Ranking = tuple[Question, list[tuple[str, float]]]  # a question, and labels with their probability, best first


@dataclass(frozen=True)
class Scored:
    """A question and what each part says of each label."""

    question: Question
    labels: tuple[str, ...]
    parts: Parts

    def ranked(self, model: SearchModel, weights: Weights) -> list[tuple[str, float]]:
        """Return labels with their probability, best first."""
        chances = model.weigh(self.parts, weights)
        return sorted(zip(self.labels, map(float, chances), strict=True), key=lambda item: -item[1])


@dataclass(frozen=True)
class Quality:
    """How well questions of one language are answered."""

    questions: int
    recall_at_1: float
    recall_at_3: float
    answered_right: float  # of the questions that have an article
    answered_wrong: float
    abstained_right: float  # of the questions that have none


def read_questions(data_dir: Path, name: str = DEVELOPMENT) -> list[Question]:
    """Read a set of questions of `data/eval`. Thresholds are fitted on the development questions, on others never."""
    found = []
    for path in sorted((data_dir / "eval" / name).glob("*.yml")):
        for item in yaml.safe_load(path.read_text(encoding="utf-8")) or []:
            found.append(Question(item["text"], path.stem, item["article"], item.get("also")))
    return found


def cross_validate(
    passages: Sequence[Passage], vectors: Matrix, thesaurus: Thesaurus, settings: RetrievalSettings
) -> tuple[list[Scored], SearchModel]:
    """Score each question and negative with a model that has seen neither it nor its translations and near copies.

    Args:
        passages: All passages.
        vectors: Their embeddings; those of questions and negatives were made as questions, so they serve as both.
        thesaurus: The ideas to look for.
        settings: Weights of the feature blocks.

    Returns:
        The scored questions, and one of the models (they weigh alike).
    """
    folds = _folds(passages, vectors)
    scored: list[Scored] = []
    for fold in range(FOLDS):
        kept = [number for number, other in enumerate(folds) if other != fold]
        model = train([passages[number] for number in kept], vectors[kept], thesaurus, settings)
        for number in (number for number, other in enumerate(folds) if other == fold):
            passage = passages[number]
            question = Question(passage.text, passage.lang, passage.article or None)
            text = searchable(passage.text, passage.lang)
            scored.append(Scored(question, model.labels, model.parts(vectors[number], text, passage.lang)))
    return scored, model


def fit_weights(scored: Sequence[Scored], start: Weights) -> Weights:
    """Return the weights under which the right labels are likeliest (conditional logit)."""
    meaning = np.array([item.parts.meaning for item in scored], dtype=np.float64)
    wording = np.array([item.parts.wording for item in scored], dtype=np.float64)
    vector = np.array([item.parts.vector for item in scored], dtype=np.float64)
    labels = scored[0].labels
    gold = np.array([labels.index(item.question.article or NONE) for item in scored])
    is_none = np.array([label == NONE for label in labels], dtype=np.float64)
    rows = np.arange(len(scored))

    def loss(values: NDArray[np.float64]) -> float:
        logits = values[0] * meaning + values[1] * wording + values[2] * vector + values[3] * is_none
        logits -= logits.max(axis=1, keepdims=True)
        chances = logits[rows, gold] - np.log(np.exp(logits).sum(axis=1))
        return float(-chances.mean() + 1e-4 * (values**2).sum())

    first = np.array([start.meaning, start.wording, start.vector, start.none])
    best = minimize(loss, first, bounds=[(0, 5), (0, 5), (0, 30), (-5, 5)], method="L-BFGS-B").x
    names = ("meaning", "wording", "vector", "none")
    return start.model_copy(update={name: round(float(value), 3) for name, value in zip(names, best, strict=True)})


def fit_decisions(
    groups: Sequence[Sequence[Scored]], model: SearchModel, weights: Weights
) -> tuple[Weights, Thresholds]:
    """Return the weight of "none of ours" and the thresholds whose decisions are worth most together.

    Each group counts the same however large: the development questions, easy as most are, and the questions of the
    articles in cross-validation, which were written to be hard.
    """
    choices = []
    for none in _NONE_WEIGHTS:
        tried = weights.model_copy(update={"none": none})
        rankings = [[(item.question, item.ranked(model, tried)) for item in group] for group in groups if group]
        thresholds, worth = fit_thresholds(rankings)
        choices.append((worth, -none, tried, thresholds))
    _, _, fitted, thresholds = max(choices, key=lambda choice: choice[:2])
    return fitted, thresholds


def fit_thresholds(groups: Sequence[Sequence[Ranking]]) -> tuple[Thresholds, float]:
    """Return the thresholds whose decisions are worth most, and that worth; of equal ones, those in the middle."""
    best: list[Thresholds] = []
    top = -np.inf
    for answer, abstain in product(np.arange(0.30, 0.86, 0.05), np.arange(0.05, 0.41, 0.05)):
        if abstain >= answer:
            continue
        thresholds = Thresholds(answer=round(float(answer), 3), abstain=round(float(abstain), 3))
        worth = sum(
            sum(_worth(question, decide(ranked, thresholds)) for question, ranked in group) / len(group)
            for group in groups
        )
        if worth > top:
            best, top = [thresholds], worth
        elif worth == top:
            best.append(thresholds)
    return best[len(best) // 2], float(top)


def measure(rankings: Iterable[Ranking], thresholds: Thresholds) -> Mapping[str, Quality]:
    """Return the quality for each language, and for all under `all`."""
    by_lang: dict[str, list[tuple[Question, Decision, list[str]]]] = {}
    for question, ranked in rankings:
        articles = [label for label, _ in ranked if label != NONE]
        for lang in (question.lang, "all"):
            by_lang.setdefault(lang, []).append((question, decide(ranked, thresholds), articles))
    return {lang: _quality(items) for lang, items in sorted(by_lang.items())}


def write_settings(settings: RetrievalSettings, path: Path) -> None:
    """Write `data/retrieval.yml`, whole or not at all."""
    head = (
        "# How search weighs its parts, and from which score on it answers. Written by `zorgbrug kb fit`:\n"
        "# weights by cross-validation over the questions of the articles, thresholds on those and on data/eval.\n"
    )
    draft = path.with_suffix(".tmp")
    draft.write_text(head + yaml.safe_dump(settings.model_dump(), sort_keys=False), encoding="utf-8")
    draft.replace(path)


def _worth(question: Question, decision: Decision) -> float:
    articles = [candidate.article for candidate in decision.candidates]
    if question.article is None:
        return {"abstain": _RIGHT_ABSTENTION, "clarify": _CHOICE_OUT_OF_SCOPE, "answer": _ANSWER_OUT_OF_SCOPE}[
            decision.kind
        ]
    if decision.kind == "answer":
        return _RIGHT_ANSWER if question.is_answered_by(articles[:1]) else _WRONG_ANSWER
    if decision.kind == "clarify":
        return _RIGHT_CHOICE if question.is_answered_by(articles) else _WRONG_CHOICE
    return _WRONG_ABSTENTION


def _quality(items: Sequence[tuple[Question, Decision, list[str]]]) -> Quality:
    ours = [(question, decision, ranked) for question, decision, ranked in items if question.article is not None]
    rest = [decision for question, decision, _ in items if question.article is None]
    answered = [(question, decision) for question, decision, _ in ours if decision.kind == "answer"]
    right = sum(question.is_answered_by([decision.candidates[0].article]) for question, decision in answered)
    return Quality(
        questions=len(items),
        recall_at_1=_share(sum(question.is_answered_by(ranked[:1]) for question, _, ranked in ours), len(ours)),
        recall_at_3=_share(sum(question.is_answered_by(ranked[:3]) for question, _, ranked in ours), len(ours)),
        answered_right=_share(right, len(ours)),
        answered_wrong=_share(len(answered) - right, len(ours)),
        abstained_right=_share(sum(decision.kind == "abstain" for decision in rest), len(rest)),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _folds(passages: Sequence[Passage], vectors: Matrix) -> list[int]:
    """Return the fold of each question and negative, -1 for the rest, which every model may see.

    Questions at the same place in the lists of an article (often translations of each other) and near copies share
    a fold.
    """
    asked = [number for number, passage in enumerate(passages) if passage.kind in ("question", "negative")]
    parent = {number: number for number in asked}

    def root(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    places: dict[tuple[str, int], list[int]] = {}
    counts: dict[tuple[str, str], int] = {}
    for number in asked:
        key = (passages[number].article, passages[number].lang)
        counts[key] = counts.get(key, 0) + 1
        places.setdefault((passages[number].article, counts[key]), []).append(number)
    for numbers in places.values():
        for left, right in pairwise(numbers):
            parent[root(left)] = root(right)
    centred = _centre(passages, vectors)
    for position, number in enumerate(asked):
        for other in (
            asked[item] for item in np.flatnonzero(centred[asked[:position]] @ centred[number] > NEAR_IDENTICAL)
        ):
            if passages[other].article == passages[number].article:
                parent[root(other)] = root(number)
    groups = sorted({root(number) for number in asked})
    order = np.random.default_rng(0).permutation(len(groups))
    fold_of = {group: int(order[place]) % FOLDS for place, group in enumerate(groups)}
    return [fold_of[root(number)] if number in parent else -1 for number in range(len(passages))]


def _centre(passages: Sequence[Passage], vectors: Matrix) -> Matrix:
    languages = np.array([passage.lang for passage in passages])
    centred = vectors.copy()
    for lang in np.unique(languages):
        centred[languages == lang] -= vectors[languages == lang].mean(axis=0)
    return unit(centred)
