"""Time the search: one question of the published snapshot, and an index of 100,000 passages.

Run from the root, with a published snapshot: `.venv/bin/python -m benchmarks.search`. The parse of Rasa is measured
by `benchmarks.web_latency`, which goes the whole way of a message.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from knowledge.encoder import load_encoder
from knowledge.fitting import read_questions
from knowledge.index import VectorIndex
from knowledge.retriever import Retriever
from knowledge.scoring import NEAREST, unit
from knowledge.snapshots import SnapshotReader

LARGE = 100_000
ROUNDS = 200


def times(work, rounds: int) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Return median and 95th percentile in milliseconds."""
    taken = []
    for number in range(rounds):
        started = time.perf_counter()
        work(number)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken), float(np.percentile(taken, 95))


def main(var: Path, data: Path) -> None:
    encoder = load_encoder()
    retriever = Retriever(SnapshotReader(var / "snapshots", encoder.name).current(), encoder)
    questions = [(item.text, item.lang) for item in read_questions(data)]
    retriever.search("huisarts", "nl")
    median, late = times(lambda number: retriever.search(*questions[number % len(questions)]), ROUNDS)
    print(f"one question, embedding included: median {median:.1f} ms, p95 {late:.1f} ms")
    random = np.random.default_rng(1)
    vectors = unit(random.standard_normal((LARGE, encoder.dim)).astype(np.float32))
    index = VectorIndex.build(vectors)
    median, late = times(lambda number: index.search(vectors[number], NEAREST), ROUNDS)
    print(f"{LARGE} passages, the {NEAREST} nearest: median {median:.1f} ms, p95 {late:.1f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--var", type=Path, default=Path("var"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    options = parser.parse_args()
    main(options.var, options.data)
