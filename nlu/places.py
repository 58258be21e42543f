"""Find the Dutch place that a message names, so that a person is sent to the desk nearby.

Pure: names, and the words that may surround one, come from `data/places.yml`. A name is compared letter by
letter with its spaces and hyphens taken out, so `ettenleur` and `Etten - Leur` are one. Names that are everyday words
(Best, Goes, Hoorn) and names with a typo count only where the words around them speak of a place.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from nlu.datafiles import DataFileError, load_mapping
from nlu.placewords import ContextWords, PlaceWord, case_forms, split_words
from nlu.text import is_within_one_edit, normalise, tokens

_LONGEST_TEXT = 2_000  # where somebody lives is said early
_POSTCODE = re.compile(r"(?<![\w-])([1-9]\d{3})\s?[a-zA-Z]{2}(?!\w)")
_DIGITS = re.compile(r"([1-9]\d{3})")
_LONGEST_NAME = 6  # words: Capelle a/d IJssel, with one to spare
_TYPO_LETTERS = 6  # a shorter name is one letter away from too many words
_SURE_LETTERS = 8  # from here a preposition or a capital is enough to believe a typo


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality, and the words of the message that name it or a town in it."""

    municipality: str
    province: str
    matched: str


@dataclass(frozen=True, slots=True)
class Municipality:
    """One row of `data/places.yml`; `names` are its own name, other names, and the towns in it."""

    name: str
    province: str
    lat: float
    lon: float
    names: tuple[str, ...]


class _Kind(IntEnum):
    TYPO = 1
    CASE_FORM = 2
    EXACT = 3


@dataclass(frozen=True, slots=True)
class _Name:
    key: str
    word_count: int
    owner: Municipality


class PlaceFinder:
    """Find municipalities by name or by coordinates."""

    def __init__(
        self,
        municipalities: Sequence[Municipality],
        context: ContextWords,
        ordinary: Iterable[str] = (),
        never: Iterable[str] = (),
        postcodes: Iterable[tuple[int, int, str]] = (),
    ) -> None:
        """Index the names.

        Args:
            municipalities: At least one.
            context: Words that make the name beside them a place.
            ordinary: Names that are everyday words too.
            never: Everyday words that look like a slip in a name.
            postcodes: First and last four digits, and the municipality that they are in.
        """
        self._municipalities = tuple(municipalities)
        self._context = context
        self._ordinary = frozenset(map(_key, ordinary))
        self._never = frozenset(map(_key, never))
        owners = {municipality.name: municipality for municipality in self._municipalities}
        self._postcodes = [(first, last, owners[name]) for first, last, name in postcodes]
        self._exact: dict[str, _Name] = {}
        for municipality in self._municipalities:
            for name in municipality.names:
                self._exact.setdefault(_key(name), _Name(_key(name), len(tokens(name)), municipality))
        self._forms: dict[str, _Name] = {}
        self._by_letter: dict[str, list[_Name]] = {}
        for key, entry in self._exact.items():
            if key in self._ordinary:
                continue
            if entry.word_count == 1:
                for form in case_forms(key):
                    self._forms.setdefault(form, entry)
            if len(key) >= _TYPO_LETTERS:
                self._by_letter.setdefault(key[0], []).append(entry)

    @classmethod
    def from_data(cls, data_dir: Path | str) -> "PlaceFinder":
        """Read `places.yml` in the data folder.

        Raises:
            DataFileError: The file is missing, has another shape, or gives one name to two municipalities.
        """
        path = Path(data_dir) / "places.yml"
        content = load_mapping(path)
        municipalities = [_municipality(path, row) for row in content.get("municipalities") or []]
        if not municipalities:
            raise DataFileError(path, "There are no `municipalities`.", "Restore the list.")
        _refuse_shared_names(path, municipalities)
        try:
            context = ContextWords(**content.get("context") or {})
        except TypeError as error:
            raise DataFileError(path, f"`context` cannot be read ({error}).", "Keep its six lists.") from error
        try:
            postcodes = list(_postcodes(content.get("postcodes") or {}, {item.name for item in municipalities}))
        except (ValueError, TypeError) as error:
            raise DataFileError(
                path, f"`postcodes` cannot be read ({error}).", "Write `Breda: [4811-4839, 4841]`."
            ) from None
        ordinary, never = content.get("ordinary_words") or [], content.get("never_places") or []
        return cls(municipalities, context, ordinary, never, postcodes)

    def find(self, text: str) -> Place | None:
        """Return the place that the message names, or None.

        Of several, an exact name goes before a guess, where somebody lives before where they work, and the first said
        before the next.
        """
        cleaned = normalise(text, _LONGEST_TEXT)
        words = split_words(cleaned)
        if not words:
            return None
        best: tuple[tuple[int, bool], _Name, str] | None = None  # the rank, the name, the words of the message
        start = 0
        while start < len(words):
            match = self._match_at(words, start)
            if match is None:
                start += 1
                continue
            kind, name, end = match
            rank = (int(kind), _Surroundings(self._context, words, start, end).is_home)
            if best is None or rank > best[0]:
                best = (rank, name, cleaned[words[start].start : words[end - 1].end])
            start = end
        return (
            self._by_postcode(cleaned) if best is None else Place(best[1].owner.name, best[1].owner.province, best[2])
        )

    def _by_postcode(self, text: str) -> Place | None:
        """Return the municipality of a postcode; four digits alone are one only when there is nothing else."""
        found = _POSTCODE.search(text) or _DIGITS.fullmatch(text.strip())
        if found is None:
            return None
        digits = int(found[1])
        for first, last, owner in self._postcodes:
            if first <= digits <= last:
                return Place(owner.name, owner.province, found[0].strip())
        return None

    def nearest(self, lat: float, lon: float) -> Place:
        """Return the municipality whose centre is nearest; `matched` is its name. Degrees, WGS 84.

        Somebody near a border of municipalities may get the neighbour; somebody abroad gets the nearest Dutch one.
        """
        shrink = math.cos(math.radians(lat))  # a degree of longitude is shorter than one of latitude
        nearest = min(self._municipalities, key=lambda m: math.hypot(m.lat - lat, (m.lon - lon) * shrink))
        return Place(nearest.name, nearest.province, nearest.name)

    def _match_at(self, words: Sequence[PlaceWord], start: int) -> tuple[_Kind, _Name, int] | None:
        """Return the surest match that begins at this word, the longest of equals, with the word it ends before."""
        ends = range(min(len(words), start + _LONGEST_NAME), start, -1)
        windows = [(end, "".join(word.key for word in words[start:end])) for end in ends]
        for kind in sorted(_Kind, reverse=True):
            for end, key in windows:
                around = _Surroundings(self._context, words, start, end)
                for name in self._candidates(kind, key, end - start):
                    if self._is_believable(kind, name, around):
                        return kind, name, end
        return None

    def _candidates(self, kind: _Kind, key: str, word_count: int) -> Iterator[_Name]:
        if kind is _Kind.EXACT:
            name = self._exact.get(key)
            # Two words that happen to make a short name together (`go es`) are no name.
            if name and (word_count in (1, name.word_count) or len(key) >= _SURE_LETTERS):
                yield name
        elif key in self._ordinary or key in self._never:
            return
        elif kind is _Kind.CASE_FORM:
            if word_count == 1 and key in self._forms:
                yield self._forms[key]
        elif len(key) >= _TYPO_LETTERS - 1:
            close = [
                name
                for name in self._by_letter.get(key[0], ())
                if word_count in (1, name.word_count) and is_within_one_edit(key, name.key)
            ]
            if len({name.owner.name for name in close}) == 1:  # between two places we do not choose
                yield close[0]

    def _is_believable(self, kind: _Kind, name: _Name, around: "_Surroundings") -> bool:
        if kind is _Kind.EXACT:
            return name.key not in self._ordinary or around.makes_a_word_a_place
        if around.is_alone or around.is_lived_in:
            return True
        if kind is _Kind.CASE_FORM:
            return around.follows_preposition or around.has_capital
        if around.follows_preposition and around.has_capital:
            return True
        return len(name.key) >= _SURE_LETTERS and (around.follows_preposition or around.has_capital)


class _Surroundings:
    """What the words around words `start` to `end` say about them."""

    def __init__(self, context: ContextWords, words: Sequence[PlaceWord], start: int, end: int) -> None:
        self._context = context
        self._before, self._name, self._after = words[:start], words[start:end], words[end:]

    @property
    def has_capital(self) -> bool:
        return self._name[0].has_capital

    @property
    def follows_preposition(self) -> bool:
        return bool(self._before) and self._before[-1].key in self._context.leading

    @property
    def is_lived_in(self) -> bool:
        """Whether `I live in` or `municipality of` stands before the name."""
        if not self.follows_preposition:
            return False
        return self._before[-1].key in self._context.labels or any(
            word.key in self._context.living for word in self._before[-5:]
        )

    @property
    def is_home(self) -> bool:
        return self.follows_preposition and any(word.key in self._context.home for word in self._before[-5:])

    @property
    def is_alone(self) -> bool:
        return all(word.key in self._context.filler for word in (*self._before, *self._after))

    @property
    def makes_a_word_a_place(self) -> bool:
        """Whether even an everyday word must be a place here."""
        before_is_small = all(word.key in self._context.leading for word in self._before)
        after_is_country = all(word.key in self._context.countries for word in self._after)
        if before_is_small and after_is_country:
            return True
        country_follows = bool(self._after) and self._after[0].key in self._context.countries
        if self.has_capital and (self.follows_preposition or country_follows):
            return True
        return self.is_lived_in and self._name[-1].ends_clause


def _postcodes(listed: dict[str, list[Any]], known: set[str]) -> Iterator[tuple[int, int, str]]:
    for name, ranges in listed.items():
        if name not in known:
            raise ValueError(f"there is no municipality {name}")
        for written in ranges:
            first, _, last = str(written).partition("-")
            yield int(first), int(last or first), name


def _key(name: str) -> str:
    return "".join(tokens(str(name)))


def _municipality(path: Path, row: Any) -> Municipality:
    try:
        name, others = str(row["name"]), (*row.get("aliases", ()), *row.get("towns", ()))
        return Municipality(name, str(row["province"]), float(row["lat"]), float(row["lon"]), (name, *map(str, others)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        mend = "Give name, province, lat, lon and, as lists, aliases and towns."
        raise DataFileError(path, f"This municipality cannot be read: {row!r} ({error!r}).", mend) from error


def _refuse_shared_names(path: Path, municipalities: Iterable[Municipality]) -> None:
    owners: dict[str, str] = {}
    for municipality in municipalities:
        for name in municipality.names:
            owner = owners.setdefault(_key(name), municipality.name)
            if owner != municipality.name:
                problem = f"{name!r} belongs to both {owner} and {municipality.name}."
                raise DataFileError(path, problem, "Keep it with the one that people mean.")
