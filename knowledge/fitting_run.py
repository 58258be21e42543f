"""One run of `zorgbrug kb fit`: embed, cross-validate, fit, write, measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.base import KnowledgeBase
from knowledge.encoder import Encoder
from knowledge.fitting import (
    Quality,
    Scored,
    cross_validate,
    fit_decisions,
    fit_weights,
    measure,
    read_questions,
    write_settings,
)
from knowledge.passages import searchable
from knowledge.publishing import embed_passages, searched_passages
from knowledge.retrieval_settings import RetrievalSettings, load_terms
from knowledge.terms import Thesaurus
from knowledge.training import train


@dataclass(frozen=True)
class FitReport:
    """What was fitted, and how good search is with it, by language."""

    settings: RetrievalSettings
    cross_validated: Mapping[str, Quality]
    development: Mapping[str, Quality]


def fit_and_measure(
    data_dir: Path,
    snapshots_dir: Path,
    encoder: Encoder,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> FitReport:
    """Fit on the content of a data folder, write its `retrieval.yml`, and return the figures.

    Raises:
        ContentErrors: The content cannot be read.
    """
    knowledge = KnowledgeBase.load(data_dir)
    settings = RetrievalSettings.load(data_dir)
    thesaurus = Thesaurus(load_terms(data_dir))
    passages = searched_passages(knowledge, data_dir)
    snapshots_dir.mkdir(parents=True, exist_ok=True)
    vectors = embed_passages(passages, encoder, data_dir, snapshots_dir, progress)
    scored, fold_model = cross_validate(passages, vectors, thesaurus, settings)
    weights = fit_weights(scored, settings.weights)
    model = train(passages, vectors, thesaurus, settings)
    development = []
    for question in read_questions(data_dir):
        text = searchable(question.text, question.lang)
        parts = model.parts(encoder.encode_query([text])[0], text, question.lang)
        development.append(Scored(question, model.labels, parts))
    weights, thresholds = fit_decisions([development, scored], model, weights)
    asked = [(item.question, item.ranked(model, weights)) for item in development]
    seen = [(item.question, item.ranked(fold_model, weights)) for item in scored]
    fitted = settings.model_copy(update={"weights": weights, "thresholds": thresholds})
    write_settings(fitted, data_dir / "retrieval.yml")
    return FitReport(fitted, measure(seen, thresholds), measure(asked, thresholds))
