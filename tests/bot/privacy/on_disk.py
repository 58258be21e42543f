"""Reads what a store has on the disk: a copy of the files that got into wrong hands."""

from __future__ import annotations

from pathlib import Path


def bytes_on_disk(database: Path) -> bytes:
    """Return the bytes of a SQLite database, its log and its index, one after the other."""
    files = sorted(database.parent.glob(f"{database.name}*"))
    assert database in files
    return b"".join(file.read_bytes() for file in files)
