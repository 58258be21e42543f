"""Build a snapshot from `data/` and make it the current one.

Nothing changes for readers until the very last step. Embeddings are kept by the hash of their text, so that after a
change of one article only that article is embedded anew.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.base import KnowledgeBase
from knowledge.encoder import Encoder
from knowledge.errors import KnowledgeError, SnapshotCorrupt
from knowledge.model_files import write_model
from knowledge.passages import Passage, passages_of, read_negatives, searchable
from knowledge.retrieval_settings import RetrievalSettings, load_terms
from knowledge.snapshots import (
    CONTENT,
    FORMAT,
    MANIFEST,
    Manifest,
    StoredContent,
    current_folder,
    file_digest,
    move_pointer,
    read_manifest,
    read_snapshot,
)  # fmt: skip
from knowledge.terms import Thesaurus
from knowledge.training import train
from nlu.vector_file import PUBLISHED, SHIPPED, TRAINED, read_vectors, vector_key, write_small, write_vectors

Matrix = NDArray[np.float32]
Progress = Callable[[int, int], None]  # passages embedded, passages in all

KEPT_SNAPSHOTS = 3
CACHE = "embeddings.npz"
CHUNK = 512  # texts given to the encoder at once: it sorts them, and cores that get texts of like length end together
_FOLDER = "snapshot-"
_DATA_FILES = ("languages.yml", "facts.yml", "terms.yml", "retrieval.yml", "places.yml")
_DATA_FOLDERS = ("kb", "contacts", "nlu")


@dataclass(frozen=True)
class SnapshotInfo:
    """What publishing came to. `is_new` is false when nothing had changed."""

    folder: Path
    is_new: bool
    articles: int
    passages: int
    seconds: float


def build_snapshot(
    data_dir: Path,
    snapshots_dir: Path,
    encoder: Encoder,
    progress: Progress = lambda done, total: None,
    now: datetime | None = None,
) -> SnapshotInfo:
    """Publish the content of a data folder, unless it is what is published already.

    Args:
        data_dir: The folder that people edit.
        snapshots_dir: Where snapshots are kept; made when missing.
        encoder: Makes the vectors; asked only for texts it has not seen.
        progress: Called after each batch of embeddings.
        now: The instant of building; the clock's when None.

    Raises:
        ContentErrors: The content cannot be read; what was published stays as it was.
    """
    started = time.monotonic()
    data_hash = hash_data(data_dir)
    published = _published(snapshots_dir)
    if published is not None:
        folder, manifest = published
        if (manifest.data_hash, manifest.encoder) == (data_hash, encoder.name):
            return SnapshotInfo(folder, False, manifest.articles, manifest.passages, time.monotonic() - started)
    knowledge = KnowledgeBase.load(data_dir)
    settings = RetrievalSettings.load(data_dir)
    passages = searched_passages(knowledge, data_dir)
    vectors = embed_passages(passages, encoder, data_dir, snapshots_dir, progress)
    model = train(passages, vectors, Thesaurus(load_terms(data_dir)), settings)
    built_at = now or datetime.now(UTC)
    snapshots_dir.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=snapshots_dir))
    try:
        write_model(model, draft)
        content = StoredContent(
            articles=dict(knowledge.articles), contacts=dict(knowledge.contacts), facts=dict(knowledge.facts),
            languages=dict(knowledge.languages), centres=dict(knowledge.centres), settings=settings,
        )  # fmt: skip
        (draft / CONTENT).write_text(content.model_dump_json(), encoding="utf-8")
        manifest = Manifest(
            format=FORMAT, built_at=built_at, encoder=encoder.name, dim=encoder.dim, data_hash=data_hash,
            articles=len(knowledge.articles), passages=len(passages),
            files={path.name: file_digest(path) for path in sorted(draft.iterdir())},
        )  # fmt: skip
        (draft / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
        read_snapshot(draft)  # what cannot be read back is never published
        folder = _final_name(snapshots_dir, built_at, data_hash)
        draft.chmod(0o755)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    move_pointer(snapshots_dir, folder)
    _remove_old(snapshots_dir, folder)
    return SnapshotInfo(folder, True, len(knowledge.articles), len(passages), time.monotonic() - started)


def searched_passages(knowledge: KnowledgeBase, data_dir: Path) -> list[Passage]:
    """Return all that a snapshot searches: titles and questions of the articles, and what is none of ours."""
    return [*passages_of(knowledge.articles.values()), *read_negatives(data_dir)]


def hash_data(data_dir: Path) -> str:
    """Return one digest over every file that a snapshot is made from."""
    digest = hashlib.sha256(f"format {FORMAT}\n".encode())
    for path in _data_files(data_dir):
        digest.update(f"{path.relative_to(data_dir).as_posix()}\n{file_digest(path)}\n".encode())
    return digest.hexdigest()


def embed_passages(
    passages: Sequence[Passage],
    encoder: Encoder,
    data_dir: Path,
    snapshots_dir: Path,
    progress: Progress = lambda done, total: None,
) -> Matrix:
    """Return the vectors of passages; what was embedded before with this encoder, here or by us, is read from a file.

    Questions are embedded as questions, so that a person's question meets its like; the rest as passages.
    """
    inputs = [
        (passage.kind in ("question", "negative"), searchable(passage.text, passage.lang)) for passage in passages
    ]
    keys = [vector_key(text, is_query) for is_query, text in inputs]
    cache = snapshots_dir / CACHE
    known = read_vectors(data_dir / SHIPPED, encoder.name) | read_vectors(cache, encoder.name)
    missing = list({key: pair for key, pair in zip(keys, inputs, strict=True) if key not in known}.items())
    done = len(keys) - len(missing)
    for is_query in (True, False):
        encode = encoder.encode_query if is_query else encoder.encode_passage
        part = [(key, text) for key, (kind, text) in missing if kind == is_query]
        for start in range(0, len(part), CHUNK):
            batch = part[start : start + CHUNK]
            for (key, _), vector in zip(batch, encode([text for _, text in batch]), strict=True):
                known[key] = vector
            done += len(batch)
            progress(done, len(keys))
    if missing or not cache.exists():
        write_vectors(cache, encoder.name, {key: known[key] for key in keys})
    return np.array([known[key] for key in keys], dtype=np.float32)


def ship_vectors(encoder: str, data_dir: Path, var: Path) -> int:
    """Write the vectors that publishing and Rasa's last training used to the data folder, and return how many.

    Raises:
        ValueError: Nothing was embedded with this encoder yet.
    """
    used = read_vectors(var / PUBLISHED, encoder) | read_vectors(var / TRAINED, encoder)
    write_small(data_dir / SHIPPED, encoder, used)
    return len(used)


def _data_files(data_dir: Path) -> Iterator[Path]:
    yield from (data_dir / name for name in _DATA_FILES if (data_dir / name).exists())
    for folder in _DATA_FOLDERS:
        yield from sorted(path for path in (data_dir / folder).rglob("*") if path.suffix in (".yml", ".md"))


def _published(snapshots_dir: Path) -> tuple[Path, Manifest] | None:
    """Return the snapshot in use if it is whole; a damaged one is built anew."""
    try:
        folder = current_folder(snapshots_dir)
        return folder, read_snapshot(folder).manifest
    except KnowledgeError:
        return None


def _final_name(snapshots_dir: Path, built_at: datetime, data_hash: str) -> Path:
    name = f"{_FOLDER}{built_at:%Y%m%dT%H%M%S}-{data_hash[:8]}"
    number, folder = 1, snapshots_dir / name
    while folder.exists():
        number += 1
        folder = snapshots_dir / f"{name}-{number}"
    return folder


def _remove_old(snapshots_dir: Path, current: Path) -> None:
    folders = sorted(path for path in snapshots_dir.glob(f"{_FOLDER}*") if path.is_dir() and path != current)

    def built_at(folder: Path) -> float:
        try:
            return read_manifest(folder).built_at.timestamp()
        except SnapshotCorrupt:
            return 0.0

    for folder in sorted(folders, key=built_at)[: -(KEPT_SNAPSHOTS - 1)]:
        shutil.rmtree(folder, ignore_errors=True)
