"""The measures of the comparison, with how sure they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.fitting import Question

RESAMPLES = 1000
BINS = 10


@dataclass(frozen=True)
class Interval:
    """A share and its 95% bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Outcome:
    """One question and what came of it."""

    question: Question
    kind: str
    ranked: tuple[tuple[str, float], ...]  # articles with their score, best first

    @property
    def article(self) -> str | None:
        """The right article, None where no article is right."""
        return self.question.article

    @property
    def top(self) -> str | None:
        """The article put first."""
        return self.ranked[0][0] if self.ranked else None

    @property
    def confidence(self) -> float:
        """The score of the article put first, 0.0 without one."""
        return self.ranked[0][1] if self.ranked else 0.0

    def is_found(self, k: int) -> bool:
        """Whether a right article is among the first k."""
        return self.question.is_answered_by(article for article, _ in self.ranked[:k])


def mean_over_languages(hits: Mapping[str, Sequence[bool]], seed: int = 0) -> Interval:
    """Return the mean of the languages' shares; questions are drawn anew within each language.

    Source: Efron, Tibshirani, An Introduction to the Bootstrap (1993), 13.3 (percentile interval).
    """
    columns = [np.array(values, dtype=np.float64) for values in hits.values() if len(values)]
    if not columns:
        return Interval(0.0, 0.0, 0.0)
    random = np.random.default_rng(seed)
    drawn = [values[random.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1) for values in columns]
    means = np.mean(drawn, axis=0)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(np.mean([values.mean() for values in columns])), float(low), float(high))


def by_language(outcomes: Sequence[Outcome], k: int) -> dict[str, list[bool]]:
    """Return for each language whether each question in scope was found."""
    found: dict[str, list[bool]] = {}
    for outcome in outcomes:
        if outcome.article is not None:
            found.setdefault(outcome.question.lang, []).append(outcome.is_found(k))
    return found


def share(outcomes: Sequence[Outcome], kind: str, is_in_scope: bool) -> float:
    """Return the share of questions in or out of scope that got a reply of a kind."""
    asked = [outcome for outcome in outcomes if (outcome.article is not None) == is_in_scope]
    return sum(outcome.kind == kind for outcome in asked) / len(asked) if asked else 0.0


def answered_wrongly(outcomes: Sequence[Outcome]) -> float:
    """Return the share of questions in scope that were answered, without a hedge, with another article."""
    asked = [outcome for outcome in outcomes if outcome.article is not None]
    wrong = sum(outcome.kind == "answer" and not outcome.is_found(1) for outcome in asked)
    return wrong / len(asked) if asked else 0.0


def coverage_curve(outcomes: Sequence[Outcome]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coverage and accuracy when only the surest questions are answered, from one to all of them.

    Source: El-Yaniv, Wiener, On the Foundations of Noise-free Selective Classification, JMLR 11 (2010).
    """
    asked = sorted((item for item in outcomes if item.article is not None), key=lambda item: -item.confidence)
    right = np.cumsum([item.is_found(1) for item in asked])
    count = np.arange(1, len(asked) + 1)
    return count / max(len(asked), 1), right / count


def reliability(outcomes: Sequence[Outcome]) -> list[tuple[float, float, int]]:
    """Return for each tenth of the confidence its mean, how often it was right, and how many questions it has."""
    asked = [item for item in outcomes if item.article is not None and item.ranked]
    rows = []
    for number in range(BINS):
        inside = [item for item in asked if min(int(item.confidence * BINS), BINS - 1) == number]
        if inside:
            mean = float(np.mean([item.confidence for item in inside]))
            rows.append((mean, float(np.mean([item.is_found(1) for item in inside])), len(inside)))
    return rows


def calibration_error(outcomes: Sequence[Outcome]) -> float:
    """Return the expected calibration error over ten bins.

    Source: Guo et al., On Calibration of Modern Neural Networks (2017), 2.
    """
    rows = reliability(outcomes)
    total = sum(count for _, _, count in rows)
    return sum(abs(mean - right) * count for mean, right, count in rows) / total if total else 0.0


def confusions(outcomes: Sequence[Outcome], most: int) -> list[tuple[str, str, int]]:
    """Return which article was put first in place of which, the most frequent first."""
    counts: dict[tuple[str, str], int] = {}
    for item in outcomes:
        if item.article is not None and item.top is not None and not item.is_found(1):
            pair = item.article, item.top
            counts[pair] = counts.get(pair, 0) + 1
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return [(wanted, got, count) for (wanted, got), count in ranked[:most]]
