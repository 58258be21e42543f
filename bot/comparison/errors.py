"""`zorgbrug eval --errors`: each wrong answer beside the questions it was nearest to, to see what an editor can add."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bot.comparison.figures import Outcome
from knowledge.base import KnowledgeBase
from knowledge.encoder import load_encoder
from knowledge.passages import searchable
from knowledge.publishing import embed_passages, searched_passages
from knowledge.retrieval_settings import RetrievalSettings, load_terms
from knowledge.terms import Thesaurus
from knowledge.training import train

NEAREST = 4


def wrong_ones(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the questions whose article did not come first, and those out of scope that got one."""
    return [
        item
        for item in outcomes
        if (item.article is None and item.kind == "answer") or (item.article and not item.is_found(1))
    ]


def render_errors(outcomes: Sequence[Outcome], data_dir: Path, snapshots: Path) -> Iterator[str]:
    """Yield a block of lines for each wrong one."""
    wrong = wrong_ones(outcomes)
    knowledge = KnowledgeBase.load(data_dir)
    passages = searched_passages(knowledge, data_dir)
    encoder = load_encoder()
    vectors = embed_passages(passages, encoder, data_dir, snapshots)
    model = train(passages, vectors, Thesaurus(load_terms(data_dir)), RetrievalSettings.load(data_dir))
    centred = np.stack([model.centre(vector, passage.lang) for vector, passage in zip(vectors, passages, strict=True)])
    for item in wrong:
        vector = encoder.encode_query([searchable(item.question.text, item.question.lang)])[0]
        scores = centred @ model.centre(vector, item.question.lang)
        ranked = ", ".join(f"{article} {score:.2f}" for article, score in item.ranked) or "nothing"
        yield f"{item.question.lang}  {item.question.text}"
        yield f"    wanted {item.article or 'to abstain'}; got {item.kind}: {ranked}"
        for row in np.argsort(-scores)[:NEAREST]:
            near = passages[int(row)]
            yield f"    {scores[row]:.2f}  {near.article or 'none of ours'} ({near.lang}): {near.text}"
        yield ""
    yield f"{len(wrong)} of {len(outcomes)} questions."
