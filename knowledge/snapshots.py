"""Published snapshots: immutable folders, and a pointer that is moved in one step.

`<snapshots>/current` holds the name of the folder in use. Readers look at it on every call (one `stat`) and swap the
whole snapshot; one that is damaged or of another encoder is refused, and the one before it stays in use.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from knowledge.base import KnowledgeBase
from knowledge.errors import EncoderMismatch, KnowledgeError, SnapshotCorrupt, SnapshotNotFound
from knowledge.geography import Centres
from knowledge.model_files import read_model
from knowledge.models import Article, Contact, Fact, Language
from knowledge.retrieval_settings import RetrievalSettings
from knowledge.scoring import SearchModel

logger = logging.getLogger(__name__)

POINTER = "current"
MANIFEST = "manifest.json"
CONTENT = "content.json"
FORMAT = 4  # raise it when the files of a snapshot change shape or meaning

_Stamp = tuple[int, int, int]


class Manifest(BaseModel):
    """What a snapshot is made of. `files` holds the SHA-256 of each other file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    built_at: datetime
    encoder: str
    dim: int
    data_hash: str
    articles: int
    passages: int
    files: dict[str, str]


class StoredContent(BaseModel):
    """`content.json`: the knowledge base and the settings of search."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    articles: dict[str, Article]
    contacts: dict[str, Contact]
    facts: dict[str, Fact]
    languages: dict[str, Language]
    centres: Centres = {}
    settings: RetrievalSettings


@dataclass(frozen=True)
class Snapshot:
    """One published state of the knowledge base, loaded whole."""

    name: str
    manifest: Manifest
    knowledge: KnowledgeBase
    settings: RetrievalSettings
    model: SearchModel

    @property
    def encoder_name(self) -> str:
        """The encoder that made the vectors."""
        return self.manifest.encoder


def read_snapshot(folder: Path) -> Snapshot:
    """Load a snapshot and check every file of it.

    Raises:
        SnapshotCorrupt: A file is missing, changed or unreadable.
    """
    manifest = read_manifest(folder)
    for name, digest in manifest.files.items():
        try:
            found = file_digest(folder / name)
        except OSError as error:
            raise SnapshotCorrupt(folder, f"{name} cannot be read ({error.strerror})") from error
        if found != digest:
            raise SnapshotCorrupt(folder, f"{name} is not the file that was published")
    try:
        content = TypeAdapter(StoredContent).validate_json((folder / CONTENT).read_bytes())
        model = read_model(folder)
    except (ValidationError, ValueError, KeyError, RuntimeError, OSError) as error:
        raise SnapshotCorrupt(folder, f"it cannot be read ({type(error).__name__})") from error
    knowledge = KnowledgeBase(content.articles, content.contacts, content.facts, content.languages, content.centres)
    return Snapshot(folder.name, manifest, knowledge, content.settings, model)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a snapshot.

    Raises:
        SnapshotCorrupt: It is missing, unreadable or of another format.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise SnapshotCorrupt(folder, f"{MANIFEST} cannot be read") from error
    if manifest.format != FORMAT:
        raise SnapshotCorrupt(folder, f"it has format {manifest.format}, this version reads {FORMAT}")
    return manifest


def current_folder(snapshots_dir: Path) -> Path:
    """Return the folder that the pointer names.

    Raises:
        SnapshotNotFound: There is no pointer.
    """
    try:
        name = (snapshots_dir / POINTER).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SnapshotNotFound(snapshots_dir) from error
    return snapshots_dir / Path(name).name


def move_pointer(snapshots_dir: Path, folder: Path) -> None:
    """Make a snapshot the current one, in one step that nobody sees halfway."""
    draft = snapshots_dir / f".{POINTER}.{os.getpid()}"
    draft.write_text(folder.name + "\n", encoding="utf-8")
    os.replace(draft, snapshots_dir / POINTER)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class SnapshotReader:
    """Gives the current snapshot, and the next one as soon as the pointer moves. Safe to share between threads."""

    def __init__(self, snapshots_dir: Path, encoder_name: str | None = None) -> None:
        """Read from a folder; with an encoder name, refuse snapshots of any other encoder."""
        self._dir = snapshots_dir
        self._encoder_name = encoder_name
        self._lock = threading.Lock()
        self._seen: _Stamp | None = None
        self._snapshot: Snapshot | None = None

    def current(self) -> Snapshot:
        """Return the snapshot in use.

        Raises:
            SnapshotNotFound: Nothing was ever published.
            SnapshotCorrupt: The only snapshot is damaged.
            EncoderMismatch: The only snapshot is of another encoder.
        """
        stamp = self._stamp()
        with self._lock:
            if self._snapshot is not None and (stamp is None or stamp == self._seen):
                return self._snapshot
            try:
                self._snapshot = self._load()
            except KnowledgeError as problem:
                if self._snapshot is None:
                    raise
                logger.error("snapshot_refused", extra={"reason": str(problem), "kept": self._snapshot.name})
            self._seen = stamp  # a refused snapshot is not tried again until the pointer moves
            return self._snapshot

    def _load(self) -> Snapshot:
        folder = current_folder(self._dir)
        if self._snapshot is not None and self._snapshot.name == folder.name:
            return self._snapshot
        snapshot = read_snapshot(folder)
        if self._encoder_name not in (None, snapshot.encoder_name):
            raise EncoderMismatch(snapshot.name, snapshot.encoder_name, str(self._encoder_name))
        return snapshot

    def _stamp(self) -> _Stamp | None:
        try:
            status = (self._dir / POINTER).stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size
