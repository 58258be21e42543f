"""A problem in a content file: where it is, what is wrong, how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.errors import ContentErrors


@dataclass(frozen=True, order=True)
class Problem:
    """One thing for an editor to mend. `file` is relative to the project, `line` counts from 1."""

    file: str
    line: int
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}; {self.mend}"


def raise_if_any(problems: Sequence[Problem]) -> None:
    """Raise all problems together, in the order of the files.

    Raises:
        ContentErrors: There is at least one.
    """
    if problems:
        raise ContentErrors(sorted(set(problems)))
