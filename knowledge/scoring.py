"""Score every article for a question: one classifier over its meaning, one over its words, and the closest passages.

Inference alone, in numpy; `knowledge.training` makes the arrays. Raw E5 vectors cluster by language, so each language's
own mean is taken away first: measured here, the nearest vector then finds the article three times as often.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.features import TextFeatures
from knowledge.index import VectorIndex
from knowledge.passages import NONE
from knowledge.retrieval_settings import Weights

Vector = NDArray[np.float32]
CLOSEST = 5  # passages of an article whose mean similarity counts
NEAREST = 512  # passages looked at; an article with none among them gets the last one's similarity


@dataclass(frozen=True)
class Parts:
    """What each part says of each label, before they are weighed together."""

    meaning: Vector
    wording: Vector
    vector: Vector


@dataclass(frozen=True)
class Linear:
    """A multinomial logistic regression; one for meaning and one for words do better than one for both at once."""

    coefficients: NDArray[np.float32]  # (inputs, labels)
    intercepts: Vector

    def log_chances(self, values: Vector, columns: slice | NDArray[np.int64] = slice(None)) -> Vector:
        """Return the log probability of each label, for inputs that are zero but for these columns."""
        logits = values @ self.coefficients[columns] + self.intercepts
        return np.asarray(logits - _log_sum(logits), dtype=np.float32)


@dataclass(frozen=True)
class SearchModel:
    """Everything that search needs of the passages. `labels` are article ids in order, `NONE` among them if trained.

    Passages stand in the order of their labels: those of label i are the rows `starts[i]` up to `starts[i + 1]`.
    """

    labels: tuple[str, ...]
    starts: NDArray[np.int64]
    means: Mapping[str, Vector]
    features: TextFeatures
    meaning: Linear
    wording: Linear
    index: VectorIndex

    def centre(self, vector: Vector, lang: str) -> Vector:
        """Take the mean of the language away; one that we have no passages in borrows the closest mean."""
        mean = self.means.get(lang)
        if mean is None:
            mean = max(
                self.means.values(), key=lambda item: float(item @ vector) / (float(np.linalg.norm(item)) or 1.0)
            )
        return unit(vector - mean)

    def parts(self, vector: Vector, text: str, lang: str) -> Parts:
        """Return what each part says of a question.

        Args:
            vector: Unit-length embedding of the text, shape (dim,).
            text: The question in its searchable form.
            lang: Its language.
        """
        centred = self.centre(vector, lang)
        columns, values = self.features.of(text)
        return Parts(
            meaning=self.meaning.log_chances(centred),
            wording=self.wording.log_chances(values, columns),
            vector=self._best_vector(centred),
        )

    def weigh(self, parts: Parts, weights: Weights, priors: Mapping[str, float] | None = None) -> Vector:
        """Return the probability of each label, in the order of `labels`."""
        logits = weights.meaning * parts.meaning + weights.wording * parts.wording + weights.vector * parts.vector
        boosts = priors or {}
        for number, label in enumerate(self.labels):
            if label == NONE:
                logits[number] += weights.none
                logits[number] += weights.prior * (boosts.get("out_of_scope", 0.0) - boosts.get("faq", 0.0))
            else:
                logits[number] += weights.prior * boosts.get(label, 0.0)
        return np.asarray(np.exp(logits - _log_sum(logits)), dtype=np.float32)

    def _best_vector(self, centred: Vector) -> Vector:
        rows, scores = self.index.search(centred, NEAREST)
        every = np.full(int(self.starts[-1]), scores[-1], dtype=np.float32)
        every[rows] = scores
        ends = zip(self.starts[:-1], self.starts[1:], strict=True)
        return np.array([_mean_of_best(every[start:end]) for start, end in ends], dtype=np.float32)


def _mean_of_best(scores: Vector) -> float:
    """Return the mean of the closest passages; one alone may be a chance hit."""
    if len(scores) > CLOSEST:
        scores = np.partition(scores, -CLOSEST)[-CLOSEST:]
    return float(scores.mean())


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors of unit length; a zero stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(norms == 0, 1, norms), dtype=np.float32)


def _log_sum(logits: Vector) -> float:
    top = float(logits.max())
    return top + float(np.log(np.exp(logits - top).sum()))
