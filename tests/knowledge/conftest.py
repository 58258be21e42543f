"""A small data folder of three articles, and an encoder that needs no model."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.base import KnowledgeBase
from knowledge.locales import Locales
from knowledge.text import pieces

DATA = Path(__file__).resolve().parents[2] / "data"
EXAMPLE = Path(__file__).resolve().parent / "example"


@dataclass
class PieceEncoder:
    """Hashes the letter groups of a text into a vector: texts with words in common are close."""

    name: str = "pieces"
    dim: int = 96
    calls: int = 0

    def encode_query(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls += 1
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for piece in pieces(text):
                vectors[row, crc32(piece.encode()) % self.dim] += 1
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(norms == 0, 1, norms)

    encode_passage = encode_query


@pytest.fixture
def encoder() -> PieceEncoder:
    return PieceEncoder()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A copy of the example that a test may change."""
    folder = tmp_path / "data"
    shutil.copytree(EXAMPLE, folder)
    return folder


@pytest.fixture
def knowledge(data_dir: Path) -> KnowledgeBase:
    return KnowledgeBase.load(data_dir)


@pytest.fixture(scope="session")
def locales() -> Locales:
    return Locales.load(DATA)


def change(path: Path, old: str, new: str) -> None:
    """Replace one text in a file; the test is wrong when the text is not there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
