"""Word patterns that people can edit, and finding them in a text.

A pattern is written so:
- `"krijg/krijgt geen lucht"`: these words in this order, one other word may stand between two of them; `/` parts
  alternatives of one place; `lucht*` is any word that begins so; `lucht!` forgives no typo; `1-12` is a number;
  `<pain>` is any entry of the list `pain` under `words`; `_` joins words within one alternative: `weak/cant_move`.
- `["<pain>", "chest/heart"]`: all of these, in any order, close together.
- `{all: [...], within: 12, unless: [...]}`: the same with its own window (in words), and what must not be near.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nlu.vocabulary import Vocabulary

DEFAULT_WINDOW = 9
_RANGE = re.compile(r"\d+-\d+")
_JOINT = re.compile("[_-]")  # a hyphen parts words in messages too


class PatternError(ValueError):
    """A pattern is not written as the patterns module says."""


class Span(NamedTuple):
    """A stretch of words, `end` not included."""

    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Place:
    """One place in a phrase: single words by number, and longer phrases from a word list."""

    words: frozenset[int]
    phrases: tuple["Phrase", ...] = ()

    def first_words(self) -> frozenset[int]:
        return self.words.union(*(phrase.places[0].first_words() for phrase in self.phrases))


@dataclass(frozen=True, eq=False)
class Phrase:
    """Words in a fixed order. At most `gap` other words stand between two of them."""

    places: tuple[Place, ...]
    gap: int
    first_words: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "first_words", self.places[0].first_words())


@dataclass(frozen=True, eq=False)
class Pattern:
    """Phrases that must stand close together, in any order. `trigger` holds words of which one must be there."""

    phrases: tuple[Phrase, ...]
    unless: tuple[Phrase, ...]
    within: int
    across_sentences: bool
    trigger: frozenset[int]


class PatternReader:
    """Turns what stands in a data file into patterns, for one language."""

    def __init__(
        self, vocabulary: Vocabulary, lang: str, words: Mapping[str, Sequence[Any]], *, is_lenient: bool = True
    ) -> None:
        """`is_lenient` forgives typos, and lets two other words stand between two words instead of one."""
        self._is_lenient = is_lenient
        self._vocabulary = vocabulary
        self._lang = lang
        self._words = words
        self._lists: dict[str, Place] = {}
        self._phrases: dict[str, Phrase] = {}
        self._open: list[str] = []

    def phrase(self, written: Any) -> Phrase:
        """Read words in a fixed order, such as `can't breathe`."""
        if isinstance(written, bool) or not isinstance(written, (str, int)) or not str(written).split():
            raise PatternError(f"`{written}` must be words in quotes")
        words = " ".join(str(written).split())
        if words not in self._phrases:  # one object for the same words, so that they are looked for once
            self._phrases[words] = self._new_phrase(words.split())
        return self._phrases[words]

    def pattern(self, written: Any, within: int = DEFAULT_WINDOW, across_sentences: bool = False) -> Pattern:
        """Read a phrase, a list of phrases, or `{all, within, unless}`."""
        unless: Any = []
        if isinstance(written, dict):
            unknown = set(written) - {"all", "within", "unless"}
            if unknown or "all" not in written:
                raise PatternError(f"a pattern in braces has `all`, `within` and `unless`, not `{sorted(written)}`")
            within, unless, written = written.get("within", within), written.get("unless", []), written["all"]
        parts = written if isinstance(written, list) else [written]
        if not parts or not isinstance(unless, list) or not isinstance(within, int) or within < 1:
            raise PatternError(f"`{written}` is empty, or its `unless` is no list, or its `within` no number")
        phrases = tuple(map(self.phrase, parts))
        places = [place for phrase in phrases for place in phrase.places]
        trigger = min((place.first_words() for place in places), key=self._vocabulary.commonness)
        return Pattern(phrases, tuple(map(self.phrase, unless)), within, across_sentences, trigger)

    def _new_phrase(self, words: Sequence[str]) -> Phrase:
        return Phrase(tuple(map(self._place, words)), gap=2 if self._is_lenient else 1)

    def _place(self, written: str) -> Place:
        numbers: set[int] = set()
        phrases: list[Phrase] = []
        for alternative in written.split("/"):
            if alternative.startswith("<") and alternative.endswith(">"):
                place = self._list(alternative[1:-1])
                numbers |= place.words
                phrases += place.phrases
                continue
            joined = [] if _RANGE.fullmatch(alternative) else _JOINT.split(alternative)
            if len(joined) > 1 and all(joined):
                phrases.append(self._new_phrase(joined))
                continue
            try:
                numbers.add(self._vocabulary.add(alternative if self._is_lenient else f"{alternative}!", self._lang))
            except ValueError as error:
                raise PatternError(f"{error} (in `{written}`)") from error
        return Place(frozenset(numbers), tuple(phrases))

    def _list(self, name: str) -> Place:
        if name in self._lists:
            return self._lists[name]
        if not isinstance(self._words.get(name), list) or not self._words[name]:
            raise PatternError(f"there is no list `{name}` under `words`")
        if name in self._open:
            raise PatternError(f"the list `{name}` uses itself")
        self._open.append(name)
        phrases = [self.phrase(entry) for entry in self._words[name]]
        self._open.pop()
        singles = [phrase.places[0] for phrase in phrases if len(phrase.places) == 1]
        longer = [phrase for phrase in phrases if len(phrase.places) > 1]
        longer += [phrase for place in singles for phrase in place.phrases]
        self._lists[name] = Place(frozenset().union(*(place.words for place in singles)), tuple(longer))
        return self._lists[name]


class Reading:
    """One text, looked up word by word, with the spans of each phrase found once."""

    def __init__(self, vocabulary: Vocabulary, words: Sequence[str], sentences: Sequence[int]) -> None:
        self._sentences = sentences
        self._positions: dict[int, list[int]] = {}  # of pattern words, by number
        self._spans: dict[Phrase, list[Span]] = {}
        self._meanings = [vocabulary.look_up(word) for word in words]
        for position, numbers in enumerate(self._meanings):
            for number in numbers:
                self._positions.setdefault(number, []).append(position)
        self.numbers = frozenset(self._positions)  # of all pattern words in the text

    def spans(self, phrase: Phrase) -> list[Span]:
        """Return where a phrase stands, in the order of the text."""
        if phrase.first_words.isdisjoint(self.numbers):
            return []
        found = self._spans.get(phrase)
        if found is None:
            starts = {start for number in phrase.first_words & self.numbers for start in self._positions[number]}
            found = [Span(start, end) for start in sorted(starts) for end in sorted(self._ends(phrase, start))]
            self._spans[phrase] = found
        return found

    def _ends(self, phrase: Phrase, start: int) -> set[int]:
        """Return where a phrase that begins at `start` may end."""
        ends = {start}
        for index, place in enumerate(phrase.places):
            begins = ends if index == 0 else {end + gap for end in ends for gap in range(phrase.gap + 1)}
            ends = set()
            for begin in begins:
                if begin >= len(self._meanings) or self._sentences[begin] != self._sentences[start]:
                    continue
                meanings = self._meanings[begin]
                if not place.words.isdisjoint(meanings):
                    ends.add(begin + 1)
                for inner in place.phrases:
                    if not inner.first_words.isdisjoint(meanings):
                        ends |= self._ends(inner, begin)
            if not ends:
                break
        return ends

    def matches(self, pattern: Pattern) -> Iterator[tuple[Span, ...]]:
        """Yield where a pattern stands: the spans of its phrases, once for each place of its rarest phrase."""
        columns = []
        for phrase in pattern.phrases:
            columns.append(self.spans(phrase))
            if not columns[-1]:
                return
        columns.sort(key=len)
        for anchor in columns[0]:
            chosen = self._complete(pattern, columns[1:], (anchor,))
            if chosen and not self._is_excluded(pattern, chosen):
                yield chosen

    def _complete(self, pattern: Pattern, columns: list[list[Span]], chosen: tuple[Span, ...]) -> tuple[Span, ...]:
        if not columns:
            return chosen
        low, high = min(span.start for span in chosen), max(span.end for span in chosen)
        column = columns[0]
        near: list[tuple[int, Span]] = []
        for span in column[bisect_left(column, (high - pattern.within,)) :]:
            if span.start > low + pattern.within:
                break
            width = max(high, span.end) - min(low, span.start)
            is_free = all(span.end <= other.start or span.start >= other.end for other in chosen)
            is_same = pattern.across_sentences or self._sentences[span.start] == self._sentences[low]
            if width <= pattern.within and is_free and is_same:
                near.append((width, span))
        for _, span in sorted(near):
            done = self._complete(pattern, columns[1:], (*chosen, span))
            if done:
                return done
        return ()

    def _is_excluded(self, pattern: Pattern, chosen: tuple[Span, ...]) -> bool:
        low, high = min(span.start for span in chosen), max(span.end for span in chosen)
        return any(
            span.end >= low - 4 and span.start <= high + 4 and self._sentences[span.start] == self._sentences[low]
            for phrase in pattern.unless
            for span in self.spans(phrase)
        )
