"""Where each piece of content was read, so that a problem can name its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from knowledge.problems import Problem

Key = tuple[str, ...]  # ("article", id), ("text", id, lang), ("contact", id), ("fact", name)
Location = tuple[str | int, ...]  # the way to a value in a YAML file, as pydantic gives it


@dataclass(frozen=True)
class Origin:
    """One file, or one entry of it: its name and the lines of its values."""

    file: str
    lines: Mapping[Location, int] = field(default_factory=dict)
    body_line: int = 1

    def line(self, location: Location) -> int:
        """Return the line of a value, or of the nearest thing around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def problem(self, location: Location, what: str, mend: str) -> Problem:
        """Return a problem with the value at this location."""
        return Problem(self.file, self.line(location), what, mend)

    def body_problem(self, text: str, body: str, what: str, mend: str) -> Problem:
        """Return a problem with the first place in the body that holds a text."""
        offset = max(body.find(text), 0)
        return Problem(self.file, self.body_line + body.count("\n", 0, offset), what, mend)


class Origins:
    """The origins of all content, and the problems met while reading it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._known: dict[Key, Origin] = {}

    def add(self, key: Key, origin: Origin) -> None:
        """Remember where a piece of content stands."""
        self._known[key] = origin

    def of(self, *key: str) -> Origin:
        """Return where a piece stands; for one that was not read from a file, its name."""
        return self._known.get(key, Origin("/".join(key)))
