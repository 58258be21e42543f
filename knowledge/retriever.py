"""Decide what a question is about: answer, ask which article is meant, or abstain.

`Retriever` puts the encoder before the model; `decide` is the pure core.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from knowledge.encoder import Encoder
from knowledge.errors import EncoderMismatch
from knowledge.passages import NONE, searchable
from knowledge.replies import Candidate
from knowledge.retrieval_settings import RetrievalSettings, Thresholds
from knowledge.scoring import SearchModel
from knowledge.text import words

MOST_CANDIDATES = 3
LEAST_SHOWN = 0.05  # a nearest topic below this is no help to anyone


@dataclass(frozen=True)
class Decision:
    """What to do with a question. `candidates` are at most three articles, best first, with calibrated scores."""

    kind: Literal["answer", "clarify", "abstain"]
    candidates: tuple[Candidate, ...]
    outside: float = 0.0  # the probability that the question is none of ours

    @property
    def best(self) -> float:
        """Return the score of the best article, 0.0 without one."""
        return self.candidates[0].score if self.candidates else 0.0


class Searchable(Protocol):
    """The part of a snapshot that the retriever uses."""

    @property
    def name(self) -> str:
        """For messages."""

    @property
    def encoder_name(self) -> str:
        """The encoder that made the vectors."""

    @property
    def model(self) -> SearchModel:
        """The trained search model."""

    @property
    def settings(self) -> RetrievalSettings:
        """Weights and thresholds."""


class Embedding(BaseModel, frozen=True):
    """A vector that somebody else made of a text, and of which: Rasa embeds a message before an action searches it.

    Attributes:
        encoder: Name of the encoder.
        text: SHA-256 of the text as it was embedded, in hexadecimal.
        vector: The unit vector: float32, little-endian, in base64.
    """

    encoder: str
    text: str
    vector: str

    def of(self, text: str, encoder: str) -> NDArray[np.float32] | None:
        """Return the vector when it is of this text and encoder, else None."""
        if self.encoder != encoder or self.text != hashlib.sha256(text.encode()).hexdigest():
            return None
        return np.frombuffer(base64.b64decode(self.vector), dtype="<f4")


class Retriever:
    """Searches one snapshot."""

    def __init__(self, snapshot: Searchable, encoder: Encoder) -> None:
        """Take a snapshot and the encoder in use.

        Raises:
            EncoderMismatch: The snapshot's vectors were made by another encoder.
        """
        if snapshot.encoder_name != encoder.name:
            raise EncoderMismatch(snapshot.name, snapshot.encoder_name, encoder.name)
        self._snapshot = snapshot
        self._encoder = encoder

    def search(
        self, text: str, lang: str, priors: Mapping[str, float] | None = None, embedding: Embedding | None = None
    ) -> Decision:
        """Return what the question is about.

        Args:
            text: As the person wrote it, in any language and of any length.
            lang: Its language; one without articles still finds those of the others.
            priors: What the conversation suggests, 0.0 to 1.0: article ids, `faq` or `out_of_scope`.
            embedding: What somebody has embedded already; used where it is of just this text.
        """
        question = searchable(text, lang)
        if not words(question):
            return Decision("abstain", ())
        known = embedding.of(question, self._encoder.name) if embedding else None
        vector = self._encoder.encode_query([question])[0] if known is None else known
        model, settings = self._snapshot.model, self._snapshot.settings
        chances = model.weigh(model.parts(vector, question, lang), settings.weights, priors)
        ranked = sorted(zip(model.labels, map(float, chances), strict=True), key=lambda item: -item[1])
        return decide(ranked, settings.thresholds)


def decide(ranked: Sequence[tuple[str, float]], thresholds: Thresholds) -> Decision:
    """Answer when one article stands out, abstain when none does or none of ours is likelier, ask otherwise."""
    articles = [(label, score) for label, score in ranked if label != NONE]
    none = next((score for label, score in ranked if label == NONE), 0.0)
    candidates = tuple(Candidate(article=label, score=min(score, 1.0)) for label, score in articles[:MOST_CANDIDATES])
    best = candidates[0].score if candidates else 0.0
    if best < thresholds.abstain or best < none:
        return Decision("abstain", tuple(item for item in candidates if item.score >= LEAST_SHOWN), none)
    if best >= thresholds.answer:
        return Decision("answer", candidates, none)
    return Decision("clarify", candidates, none)
