"""Which language a word looks like: letter groups and words of ten languages, learnt from word frequencies.

`nlu/letters.bin` holds what was learnt; `scripts/make_letter_model.py` makes it. Each language that people also type
with Latin letters has a second class for that (`ru-Latn`). Standard library only; a word takes some 50 microseconds.

Source: Cavnar, Trenkle, N-Gram-Based Text Categorization (1994), for the letter groups.
"""

import gzip
import json
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MODEL_FILE = Path(__file__).with_name("letters.bin")
LONGEST = 5
LEVELS = 15  # a word's frequency in a class, 1 to 15; 0 where the class lacks the word
NATS_PER_LEVEL = 1.0
LEAST_WORD = -16.5  # log-probability of a word that a class lacks; one level up is the rarest word that it has
NATS_PER_STEP = 0.1  # a letter group's log-probability is kept in steps of this
LEAST_GROUP = -13.0  # log-probability of a letter group that a class lacks
_BITS = 4


class LetterModelError(RuntimeError):
    """The file of the letter model is missing or damaged."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} cannot be read ({reason}). Take it from the repository again, "
            "or make it with scripts/make_letter_model.py."
        )
        self.path = path


@dataclass(frozen=True)
class Table:
    """What one script's classes have of each letter group and word; rows in the order of their hashes."""

    classes: tuple[str, ...]
    groups: Sequence[int]
    group_steps: Sequence[int]  # one byte a class and group: steps above `LEAST_GROUP`
    words: Sequence[int]
    word_levels: Sequence[int]  # four bits a class


class LetterModel:
    """Log-probabilities of words in the classes of a script."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self._tables = tables

    @classmethod
    def load(cls, path: Path = MODEL_FILE) -> "LetterModel":
        """Read the model.

        Raises:
            LetterModelError: It is missing or damaged.
        """
        try:
            raw = gzip.decompress(path.read_bytes())
            end = raw.index(b"\n")
            header = json.loads(raw[:end])
            return cls(dict(_read_tables(header, memoryview(raw)[end + 1 :])))
        except (OSError, EOFError, ValueError, KeyError, zlib.error) as error:
            raise LetterModelError(path, type(error).__name__) from error

    def classes(self, script: str) -> tuple[str, ...]:
        """Return the classes of a script (`LATIN`, `CYRILLIC`); none for a script with one language."""
        table = self._tables.get(script)
        return table.classes if table else ()

    def evidence(self, words: Iterable[str], script: str, group_weight: float, word_weight: float) -> dict[str, float]:
        """Return for each class the weighted log-probability of the words, less the mean of all classes."""
        table = self._tables.get(script)
        if table is None:
            return {}
        sums = [0.0] * len(table.classes)
        for word in words:
            _add_groups(sums, table, word, group_weight)
            _add_word(sums, table, word, word_weight)
        mean = sum(sums) / len(sums)
        return {name: total - mean for name, total in zip(table.classes, sums, strict=True)}


def letter_groups(word: str) -> Iterator[str]:
    """Yield the groups of one to `LONGEST` letters of a word whose ends are marked with `_`."""
    padded = f"_{word}_"
    for size in range(1, LONGEST + 1):
        for start in range(len(padded) - size + 1):
            group = padded[start : start + size]
            if group != "_":
                yield group


def hashed(text: str) -> int:
    """Return the number that a word or group is kept under."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def _add_groups(sums: list[float], table: Table, word: str, weight: float) -> None:
    width = len(sums)
    for group in letter_groups(word):
        row = _row(table.groups, hashed(group))
        if row is not None:  # what no class has tells nothing
            for index in range(width):
                sums[index] += weight * NATS_PER_STEP * table.group_steps[row * width + index]


def _add_word(sums: list[float], table: Table, word: str, weight: float) -> None:
    row = _row(table.words, hashed(word))
    if row is None:
        return
    levels = table.word_levels[row]
    for index in range(len(sums)):
        sums[index] += weight * NATS_PER_LEVEL * (levels >> (_BITS * index) & LEVELS)


def _row(keys: Sequence[int], key: int) -> int | None:
    row = bisect_left(keys, key)
    return row if row < len(keys) and keys[row] == key else None


def _read_tables(header: dict[str, dict[str, object]], raw: memoryview) -> Iterator[tuple[str, Table]]:
    start = 0
    for script, entry in header.items():
        parts: list[array[int]] = []
        for code, size in entry["parts"]:  # type: ignore[attr-defined]
            part = array(code)
            stop = start + size * part.itemsize
            part.frombytes(raw[start:stop])
            if len(part) != size:
                raise ValueError("too short")
            parts.append(part)
            start = stop
        yield script, Table(tuple(entry["classes"]), *parts)  # type: ignore[arg-type]


def pack_levels(levels: Sequence[int]) -> int:
    """Return the levels of a word in each class as one number."""
    return sum(level << (_BITS * index) for index, level in enumerate(levels))
