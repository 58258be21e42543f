"""Write a search model into the files of a snapshot, and read it back. No pickles: arrays, JSON and a FAISS index."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from knowledge.features import TextFeatures
from knowledge.index import VectorIndex
from knowledge.scoring import Linear, SearchModel
from knowledge.terms import Thesaurus

SEARCH, ARRAYS, INDEX = "search.json", "search.npz", "vectors.faiss"


def write_model(model: SearchModel, folder: Path) -> None:
    """Write the three files of a model."""
    features = model.features
    words = {
        "labels": model.labels,
        "vocabulary": list(features.vocabulary),
        "terms": features.thesaurus.terms,
        "languages": list(model.means),
        "piece_weight": features.piece_weight,
        "idea_weight": features.idea_weight,
    }
    (folder / SEARCH).write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
    np.savez(
        folder / ARRAYS,
        starts=model.starts,
        means=np.array(list(model.means.values()), dtype=np.float32),
        meaning=model.meaning.coefficients,
        meaning_intercepts=model.meaning.intercepts,
        wording=model.wording.coefficients,
        wording_intercepts=model.wording.intercepts,
        piece_idf=features.piece_idf,
        idea_idf=features.idea_idf,
    )
    model.index.write(folder / INDEX)


def read_model(folder: Path) -> SearchModel:
    """Read the model that `write_model` wrote.

    Raises:
        ValueError, KeyError, RuntimeError, OSError: A file is not what it should be.
    """
    words = json.loads((folder / SEARCH).read_text(encoding="utf-8"))
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        loaded = {name: arrays[name] for name in arrays.files}
    features = TextFeatures(
        vocabulary={piece: column for column, piece in enumerate(words["vocabulary"])},
        piece_idf=loaded["piece_idf"],
        idea_idf=loaded["idea_idf"],
        thesaurus=Thesaurus(words["terms"]),
        piece_weight=words["piece_weight"],
        idea_weight=words["idea_weight"],
    )
    return SearchModel(
        labels=tuple(words["labels"]),
        starts=loaded["starts"],
        means=dict(zip(words["languages"], loaded["means"], strict=True)),
        features=features,
        meaning=Linear(loaded["meaning"], loaded["meaning_intercepts"]),
        wording=Linear(loaded["wording"], loaded["wording_intercepts"]),
        index=VectorIndex.read(folder / INDEX),
    )
