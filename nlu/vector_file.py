"""Files of vectors of texts that were embedded before, so that no text is embedded twice.

Publishing writes one; Rasa's training reads it, for it learns from many of the same questions. One comes with the
source, a byte a number, so that a new machine need not embed it all (docs/decisions/0007). Texts stand in them as
digests. A file that is missing, damaged or of another encoder costs time, nothing else.
"""

import hashlib
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

SHIPPED = "vectors.npz"  # in the data folder
PUBLISHED, TRAINED = "snapshots/embeddings.npz", "cache/training.npz"  # in the folder of what is made

_STEPS = 255


def vector_key(text: str, is_query: bool = True) -> str:
    """Return what the vector of a text is kept under; E5 embeds the same text as a question and as a passage."""
    return hashlib.sha256(f"{is_query}:{text}".encode("utf-8", "replace")).hexdigest()[:32]


def read_vectors(path: Path, encoder: str) -> dict[str, np.ndarray]:
    """Return the vectors of a file by key; none if it cannot be read or is of another encoder."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["encoder"]) != encoder:
                return {}
            rows = stored["vectors"]
            if "step" in stored:
                rows = rows * stored["step"] + stored["low"]
                rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            return dict(zip(stored["keys"].astype("U32").tolist(), rows, strict=True))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return {}


def write_vectors(path: Path, encoder: str, vectors: Mapping[str, np.ndarray]) -> None:
    """Write the file, whole or not at all."""
    rows = np.stack(list(vectors.values())) if vectors else np.zeros((0, 0), np.float32)
    _write(path, np.savez, encoder=np.array(encoder), keys=np.array(list(vectors), dtype="U32"), vectors=rows)


def write_small(path: Path, encoder: str, vectors: Mapping[str, np.ndarray]) -> None:
    """Write a file of a quarter of the size, whole or not at all.

    Every number becomes the nearest of 256 steps between the least and the greatest of its column. What is read back
    has unit length, and a cosine of more than 0.9999 with what was written.

    Raises:
        ValueError: There is no vector to write.
    """
    if not vectors:
        raise ValueError("there is no vector to write")
    keys = sorted(vectors)
    rows = np.stack([vectors[key] for key in keys]).astype(np.float32)
    low = rows.min(axis=0)
    step = np.maximum((rows.max(axis=0) - low) / _STEPS, np.float32(1e-9))
    small = np.rint((rows - low) / step).astype(np.uint8)
    _write(
        path,
        np.savez_compressed,
        encoder=np.array(encoder),
        keys=np.array(keys, dtype="S32"),
        vectors=small,
        low=low,
        step=step,
    )


def _write(path: Path, save: Callable[..., None], **arrays: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        save(file, **arrays)
    os.replace(draft, path)
