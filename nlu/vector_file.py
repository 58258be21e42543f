"""A file of vectors of texts that were embedded before, so that no text is embedded twice.

Publishing writes one; Rasa's training reads it, for it learns from many of the same questions. Texts stand in it as
digests. A file that is missing, damaged or of another encoder costs time, nothing else.
"""

import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def vector_key(text: str, is_query: bool = True) -> str:
    """Return what the vector of a text is kept under; E5 embeds the same text as a question and as a passage."""
    return hashlib.sha256(f"{is_query}:{text}".encode("utf-8", "replace")).hexdigest()[:32]


def read_vectors(path: Path, encoder: str) -> dict[str, np.ndarray]:
    """Return the vectors of a file by key; none if it cannot be read or is of another encoder."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["encoder"]) != encoder:
                return {}
            return dict(zip(map(str, stored["keys"]), stored["vectors"], strict=True))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return {}


def write_vectors(path: Path, encoder: str, vectors: Mapping[str, np.ndarray]) -> None:
    """Write the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    rows = np.stack(list(vectors.values())) if vectors else np.zeros((0, 0), np.float32)
    with draft.open("wb") as file:
        np.savez(file, encoder=np.array(encoder), keys=np.array(list(vectors), dtype="U32"), vectors=rows)
    os.replace(draft, path)
