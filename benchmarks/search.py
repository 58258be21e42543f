"""Time the search: one question of the published snapshot, and an index of 100,000 passages.

Run from the root, with a published snapshot: `.venv/bin/python -m benchmarks.search`. With `--parse` each question is
also parsed by the Rasa server, which must run (`zorgbrug up`), and both together are timed.
"""

import argparse
import statistics
import time
from pathlib import Path

import httpx
import numpy as np

from bot.settings import Settings
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


def main(var: Path, data: Path, with_parse: bool) -> None:
    encoder = load_encoder()
    retriever = Retriever(SnapshotReader(var / "snapshots", encoder.name).current(), encoder)
    questions = [(item.text, item.lang) for item in read_questions(data)]
    retriever.search("huisarts", "nl")
    median, late = times(lambda number: retriever.search(*questions[number % len(questions)]), ROUNDS)
    print(f"one question, embedding included: median {median:.1f} ms, p95 {late:.1f} ms")
    if with_parse:
        settings = Settings.load()
        parse = f"{settings.rasa_base_url}/model/parse?token={settings.secrets.rasa_token}"
        with httpx.Client(trust_env=False) as client:

            def both(number: int) -> None:
                text, lang = questions[-1 - number]  # others than above: Rasa remembers vectors
                client.post(parse, json={"text": text, "metadata": {"lang": lang}}).raise_for_status()
                retriever.search(text, lang)

            median, late = times(both, ROUNDS)
        print(f"parse and search of one question: median {median:.1f} ms, p95 {late:.1f} ms")
    random = np.random.default_rng(1)
    vectors = unit(random.standard_normal((LARGE, encoder.dim)).astype(np.float32))
    index = VectorIndex.build(vectors)
    median, late = times(lambda number: index.search(vectors[number], NEAREST), ROUNDS)
    print(f"{LARGE} passages, the {NEAREST} nearest: median {median:.1f} ms, p95 {late:.1f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--var", type=Path, default=Path("var"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--parse", action="store_true")
    options = parser.parse_args()
    main(options.var, options.data, options.parse)
