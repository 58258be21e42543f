"""What one would pick instead of our search: the encoder alone, BM25, and a plain Rasa bot."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.comparison.figures import Outcome
from knowledge.encoder import Encoder
from knowledge.fitting import Question
from knowledge.passages import Passage
from knowledge.text import clean, words

MOST = 3
RASA_TIMEOUT_SECONDS = 60 * 60
RASA_SCRIPT = "benchmarks.rasa_rival"


class RivalFailed(Exception):
    """A rival could not be measured."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} could not be measured: {reason}")


def encoder_alone(
    questions: Sequence[Question], passages: Sequence[Passage], vectors: NDArray[np.float32], encoder: Encoder
) -> list[Outcome]:
    """Rank articles by the cosine of the question and their closest passage, and nothing else.

    Args:
        questions: What is asked.
        passages: What is searched.
        vectors: Unit-length embeddings of the passages, shape (n, dim).
        encoder: The encoder that made them.
    """
    asked = np.concatenate([encoder.encode_query([clean(item.text)]) for item in questions])
    return _by_best_passage(questions, passages, asked @ vectors.T)


def bm25(questions: Sequence[Question], passages: Sequence[Passage]) -> list[Outcome]:
    """Rank articles by the BM25 score of their best passage over folded words, all languages together."""
    import bm25s  # type: ignore[import-untyped]

    index = bm25s.BM25()
    index.index([words(passage.text) for passage in passages], show_progress=False)
    scores = np.stack([index.get_scores(words(item.text)) for item in questions])
    return _by_best_passage(questions, passages, scores)


def rasa_bot(questions: Sequence[Question], passages: Sequence[Passage], python: Path, root: Path) -> list[Outcome]:
    """Train DIET and a ResponseSelector on the same questions in the Rasa environment, and ask them.

    Raises:
        RivalFailed: Rasa did not train, or not in time.
    """
    training = [
        {"text": passage.text, "article": passage.article}
        for passage in passages
        if passage.kind in ("title", "question")
    ]
    negatives = [{"text": passage.text, "article": None} for passage in passages if passage.kind == "negative"]
    with tempfile.TemporaryDirectory() as folder:
        task = Path(folder) / "task.json"
        task.write_text(
            json.dumps({"training": training + negatives, "questions": [item.text for item in questions]}),
            encoding="utf-8",
        )
        command = [str(python), "-m", RASA_SCRIPT, str(task)]
        try:
            done = subprocess.run(
                command, cwd=root, capture_output=True, text=True, check=False, timeout=RASA_TIMEOUT_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise RivalFailed("The Rasa bot", f"it trained longer than {RASA_TIMEOUT_SECONDS // 60} minutes") from None
        if done.returncode:
            raise RivalFailed("The Rasa bot", (done.stderr.strip().splitlines() or ["no reason given"])[-1])
        answers = json.loads(task.with_suffix(".out.json").read_text(encoding="utf-8"))
    return [
        Outcome(item, answer["kind"], tuple(map(tuple, answer["ranked"])))
        for item, answer in zip(questions, answers, strict=True)
    ]


def _by_best_passage(
    questions: Sequence[Question], passages: Sequence[Passage], scores: NDArray[np.float32]
) -> list[Outcome]:
    labels = sorted({passage.article for passage in passages if passage.article})
    columns = {label: [] for label in labels}  # type: dict[str, list[int]]
    for number, passage in enumerate(passages):
        if passage.article:
            columns[passage.article].append(number)
    best = np.stack([scores[:, columns[label]].max(axis=1) for label in labels], axis=1)
    order = np.argsort(-best, axis=1)[:, :MOST]
    return [
        Outcome(item, "answer", tuple((labels[column], float(row[column])) for column in top))
        for item, row, top in zip(questions, best, order, strict=True)
    ]
