"""A small naive Bayes over letters and words, in pure Python, that tells languages from a few of our own sentences.

The features of a text are its words and the runs of one to four letters in them, with the word ends marked. Texts are
folded first, so that a person who types without diacritics is known as well.

Source: Cavnar, Trenkle, N-Gram-Based Text Categorization (1994), for the features.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

LONGEST = 4
# Rarer than this and a feature counts as unseen; one floor for all keeps a language with few texts from winning.
_FLOOR = 3e-5


def features(words: Iterable[str]) -> Iterator[str]:
    """Yield the letter runs of the words, with `_` at the ends; a run is at most `LONGEST` letters."""
    for word in words:
        padded = f"_{word}_"
        yield f"={word}"
        for size in range(1, LONGEST + 1):
            for start in range(len(padded) - size + 1):
                gram = padded[start : start + size]
                if gram != "_":
                    yield gram


class NgramModel:
    """The log-probability of each feature in each class."""

    def __init__(self, classes: tuple[str, ...], weights: Mapping[str, "array[float]"]) -> None:
        self.classes = classes
        self._weights = weights

    @classmethod
    def train(cls, texts: Mapping[str, Iterable[list[str]]]) -> "NgramModel":
        """Learn from the words of each text of each class."""
        counts = {name: Counter(gram for words in lines for gram in features(words)) for name, lines in texts.items()}
        classes = tuple(sorted(counts))
        totals = {name: [0] * (LONGEST + 2) for name in classes}
        for name in classes:
            for feature, count in counts[name].items():
                totals[name][_kind(feature)] += count
        weights: dict[str, array[float]] = {}
        for feature in set().union(*counts.values()):
            kind = _kind(feature)
            shares = (counts[name][feature] / (totals[name][kind] or 1) for name in classes)
            weights[feature] = array("f", (math.log(max(share, _FLOOR)) for share in shares))
        return cls(classes, weights)

    def evidence(self, words: Iterable[str]) -> dict[str, float]:
        """Return for each class the log-probability of the features that any class knows, less the mean of all."""
        sums = [0.0] * len(self.classes)
        for feature in features(words):
            weight = self._weights.get(feature)
            if weight is not None:
                for index, value in enumerate(weight):
                    sums[index] += value
        mean = sum(sums) / len(sums)
        return {name: total - mean for name, total in zip(self.classes, sums, strict=True)}


def _kind(feature: str) -> int:
    return LONGEST + 1 if feature.startswith("=") else len(feature)
