"""The vector index: which passages are closest to a question.

Exact search (FAISS `IndexFlatIP`): a few thousand passages take under a millisecond, so nothing is approximated.
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

faiss.omp_set_num_threads(1)  # one question at a time: 100,000 passages took 17 ms with two threads and 6 with one


class VectorIndex:
    """Unit-length vectors, found by inner product."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Matrix) -> VectorIndex:
        """Index vectors; row numbers are what `search` gives back."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    @classmethod
    def read(cls, path: Path) -> VectorIndex:
        """Read an index that `write` wrote."""
        return cls(faiss.read_index(str(path)))

    def write(self, path: Path) -> None:
        """Write the index to a file."""
        faiss.write_index(self._index, str(path))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Matrix, limit: int) -> tuple[NDArray[np.int64], Matrix]:
        """Return rows and cosine similarities of the closest passages, best first."""
        scores, rows = self._index.search(vector.reshape(1, -1), min(limit, len(self)))
        return rows[0], scores[0]
