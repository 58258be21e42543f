"""Make the search model from passages and their vectors: some seconds, at publishing, never while serving."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from knowledge.features import TextFeatures
from knowledge.index import VectorIndex
from knowledge.passages import NONE, Passage, searchable
from knowledge.retrieval_settings import RetrievalSettings
from knowledge.scoring import Linear, SearchModel, unit
from knowledge.terms import Thesaurus

Matrix = NDArray[np.float32]
MOST_ROUNDS = 300
TOLERANCE = 1e-3  # more changes no decision and takes minutes


def train(
    passages: Sequence[Passage], vectors: Matrix, thesaurus: Thesaurus, settings: RetrievalSettings
) -> SearchModel:
    """Return a search model over passages of at least two labels.

    Args:
        passages: All that is searched, negatives included.
        vectors: Their unit-length embeddings, one row a passage.
        thesaurus: The ideas to look for.
        settings: Weights of the feature blocks and the regularisation.
    """
    order = sorted(range(len(passages)), key=lambda number: passages[number].article)
    passages = [passages[number] for number in order]
    languages = np.array([passage.lang for passage in passages])
    means = _language_means(passages, vectors[order], languages)
    centred = unit(vectors[order] - np.array([means[lang] for lang in languages]))
    texts = [searchable(passage.text, passage.lang) for passage in passages]
    features = TextFeatures.fit(texts, thesaurus, settings.piece_weight, settings.idea_weight)
    matrix = _feature_matrix(texts, features)
    labels, starts = np.unique([passage.article for passage in passages], return_index=True)
    names = [passage.article for passage in passages]
    free = settings.inverse_regularisation
    with ThreadPoolExecutor() as both:
        meaning = both.submit(_classify, centred, names, free.meaning)
        wording = both.submit(_classify, matrix, names, free.wording)
    return SearchModel(
        labels=tuple(str(label) for label in labels),
        starts=np.append(starts, len(passages)).astype(np.int64),
        means=means,
        features=features,
        meaning=meaning.result(),
        wording=wording.result(),
        index=VectorIndex.build(centred),
    )


def _language_means(passages: Sequence[Passage], vectors: Matrix, languages: NDArray[np.str_]) -> dict[str, Matrix]:
    is_question = np.array([passage.kind != "negative" for passage in passages])
    means = {}
    for lang in np.unique(languages):
        rows = (languages == lang) & is_question
        means[str(lang)] = vectors[rows if rows.any() else languages == lang].mean(axis=0)
    return means


def _feature_matrix(texts: Sequence[str], features: TextFeatures) -> csr_matrix:
    rows = [features.of(text) for text in texts]
    ends = np.cumsum([0] + [len(columns) for columns, _ in rows])
    columns = np.concatenate([item for item, _ in rows])
    values = np.concatenate([item for _, item in rows]).astype(np.float32)
    return csr_matrix((values, columns, ends), shape=(len(texts), len(features)))


def _classify(inputs: Matrix | csr_matrix, articles: Sequence[str], inverse: float) -> Linear:
    """Fit a multinomial logistic regression; two labels get the same shape as many."""
    classifier = LogisticRegression(C=inverse, max_iter=MOST_ROUNDS, tol=TOLERANCE).fit(inputs, articles)
    coefficients, intercepts = classifier.coef_, classifier.intercept_
    if len(classifier.classes_) == 2:
        coefficients, intercepts = np.vstack([-coefficients, coefficients]) / 2, np.array([-1, 1]) * intercepts / 2
    return Linear(np.ascontiguousarray(coefficients.T, dtype=np.float32), intercepts.astype(np.float32))


def has_negatives(model: SearchModel) -> bool:
    """Whether the model learned what is not ours."""
    return NONE in model.labels
