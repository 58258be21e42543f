"""Words, letter groups and ideas of a text as weighted features (TF-IDF), for the classifier.

Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval (2008), 6.2 and 6.4 (sublinear tf, cosine).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.terms import Thesaurus
from knowledge.text import pieces

MIN_TEXTS = 2  # a piece that one text alone has cannot teach anything

Sparse = tuple[NDArray[np.int64], NDArray[np.float32]]  # columns and their values


@dataclass(frozen=True)
class TextFeatures:
    """Columns for pieces first, then for ideas; each block has unit length times its weight."""

    vocabulary: Mapping[str, int]
    piece_idf: NDArray[np.float32]
    idea_idf: NDArray[np.float32]
    thesaurus: Thesaurus
    piece_weight: float
    idea_weight: float

    @classmethod
    def fit(cls, texts: Sequence[str], thesaurus: Thesaurus, piece_weight: float, idea_weight: float) -> TextFeatures:
        """Learn which pieces there are and how rare each piece and idea is."""
        seen = Counter(piece for text in texts for piece in set(pieces(text)))
        kept = sorted(piece for piece, count in seen.items() if count >= MIN_TEXTS)
        ideas = Counter(idea for text in texts for idea in thesaurus.find(text))
        return cls(
            vocabulary={piece: column for column, piece in enumerate(kept)},
            piece_idf=np.array([_idf(len(texts), seen[piece]) for piece in kept], dtype=np.float32),
            idea_idf=np.array([_idf(len(texts), ideas[idea]) for idea in thesaurus.terms], dtype=np.float32),
            thesaurus=thesaurus,
            piece_weight=piece_weight,
            idea_weight=idea_weight,
        )

    def __len__(self) -> int:
        return len(self.piece_idf) + len(self.idea_idf)

    @property
    def is_piece(self) -> int:
        """Columns below this number are pieces."""
        return len(self.piece_idf)

    def of(self, text: str) -> Sparse:
        """Return the features of one text."""
        counts = Counter(self.vocabulary[piece] for piece in pieces(text) if piece in self.vocabulary)
        columns = np.fromiter(counts, dtype=np.int64, count=len(counts))
        tf = np.fromiter((1.0 + math.log(count) for count in counts.values()), dtype=np.float32, count=len(counts))
        values = _to_length(tf * self.piece_idf[columns], self.piece_weight)
        numbers = {idea: number for number, idea in enumerate(self.thesaurus.terms)}
        found = np.array([numbers[idea] for idea in self.thesaurus.find(text)], dtype=np.int64)
        ideas = _to_length(self.idea_idf[found], self.idea_weight)
        return np.concatenate([columns, found + self.is_piece]), np.concatenate([values, ideas])


def _idf(texts: int, count: int) -> float:
    return math.log((1 + texts) / (1 + count)) + 1.0


def _to_length(values: NDArray[np.float32], length: float) -> NDArray[np.float32]:
    norm = float(np.linalg.norm(values))
    return values * np.float32(length / norm) if norm else values
