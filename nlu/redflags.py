"""Find words that mean danger: somebody may die, kill themselves or be attacked.

Pure and quick, so the bot can answer with 112 before anything else runs. The words stand in `data/redflags/`, one
file a language; all of them are searched in every message, because people mix languages. Where a message is truly
unclear the detector fires: a needless 112 reply costs a moment, a missed one may cost a life.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nlu.datafiles import DataFileError
from nlu.patterns import Pattern, Reading, Span
from nlu.redflag_lexicon import Category, Kind, Lexicon, read_lexicon
from nlu.text import MAX_LENGTH, fold, normalise
from nlu.vocabulary import Vocabulary

# Who writes that he took pills to die needs the answer for suicide; who is beaten and bleeds needs the ambulance.
_URGENCY: tuple[Kind, ...] = ("suicide", "medical", "violence")
_NEAR = 5  # words
_LONGEST_GUARD = 12
_PIECE = re.compile(
    r"(?P<word>\d+[.,]\d+|\d{2,}(?=[^\W\d_])|[0-35789](?=[^\W\d_])|[^\W_]+(?:'[^\W_]+)*)"
    r"|(?P<pause>\.\.+|…|[,:()\"]|\s[-–—]+\s)|(?P<stop>[.!?;])"
)


@dataclass(frozen=True)
class RedFlag:
    """The most urgent danger that a message speaks of, and the words that say so."""

    kind: Kind
    category: str
    lang: str
    phrase: str


class _Message(NamedTuple):
    """The words of a message, with the number of the sentence and of the clause that each stands in."""

    words: list[str]
    sentences: list[int]
    clauses: list[int]


class RedFlagDetector:
    """Finds red flags with the lexicons of all languages at once."""

    def __init__(self, lexicons: list[Lexicon], vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._patterns = [entry for kind in _URGENCY for lexicon in lexicons for entry in _of_kind(lexicon, kind)]
        self._by_word: dict[int, list[int]] = {}
        for index, (_, pattern) in enumerate(self._patterns):
            for number in pattern.trigger:
                self._by_word.setdefault(number, []).append(index)

    @classmethod
    def from_data(cls, data_dir: Path | str) -> "RedFlagDetector":
        """Load every lexicon of `data_dir/redflags`.

        Raises:
            DataFileError: A lexicon is missing or has a mistake; the message names file, key and mend.
        """
        folder = Path(data_dir) / "redflags"
        paths = sorted(folder.glob("*.yml"))
        if not paths:
            raise DataFileError(folder, "No red-flag lexicon (*.yml) here.", "Restore the folder from the repository.")
        vocabulary = Vocabulary()
        return cls([read_lexicon(path, vocabulary) for path in paths], vocabulary)

    def find(self, text: str) -> RedFlag | None:
        """Return the most urgent red flag of a message in any language, or None."""
        message = _read_message(text)
        reading = Reading(self._vocabulary, message.words, message.sentences)
        indexes = {index for number in reading.numbers for index in self._by_word.get(number, ())}
        return _Search(message, reading, [self._patterns[index] for index in sorted(indexes)]).most_urgent()


def _of_kind(lexicon: Lexicon, kind: Kind) -> Iterator[tuple[Category, Pattern]]:
    return ((category, pattern) for category, pattern in lexicon.patterns if category.kind == kind)


def _read_message(text: str) -> _Message:
    # A line break is a pause: people send half sentences on lines of their own.
    lines = (normalise(line) for line in text[:MAX_LENGTH].splitlines())
    folded = re.sub(r"([^\W\d_])\1{2,}", r"\1", fold(" , ".join(lines)))  # "heeelp"
    message = _Message([], [], [])
    sentence = clause = 0
    for piece in _PIECE.finditer(folded):
        if piece.lastgroup == "word":
            message.words.append(piece.group().replace("'", "").replace(",", "."))
            message.sentences.append(sentence)
            message.clauses.append(clause)
        else:
            clause += 1
            sentence += piece.lastgroup == "stop"
    return message


class _Search:
    """One message, searched with all patterns that have a word in it."""

    def __init__(self, message: _Message, reading: Reading, candidates: list[tuple[Category, Pattern]]) -> None:
        self._message = message
        self._reading = reading
        self._candidates = candidates
        self._surroundings: dict[str, _Surroundings] = {}

    def most_urgent(self) -> RedFlag | None:
        for category, pattern in self._candidates:
            for spans in self._reading.matches(pattern):
                if not self._is_explained_away(category, spans) and not self._is_explained_elsewhere(category, spans):
                    low, high = _extent(spans)
                    phrase = " ".join(self._message.words[low:high])
                    return RedFlag(category.kind, category.name, category.lexicon.lang, phrase)
        return None

    def _is_explained_away(self, category: Category, spans: tuple[Span, ...]) -> bool:
        surroundings = self._surroundings_of(category.lexicon)
        return surroundings.is_negated(spans) or self._is_harmless(category, spans)

    def _is_harmless(self, category: Category, spans: tuple[Span, ...]) -> bool:
        surroundings = self._surroundings_of(category.lexicon)
        low, high = _extent(spans)
        said_in = self._message.sentences[low:high]
        # "I have a question about my insurance. My husband is unconscious": the first sentence explains nothing away.
        is_other_matter = any(
            low - _NEAR <= span.end and span.start <= high + _NEAR and self._message.sentences[span.start] in said_in
            for phrase in category.unless
            for span in self._reading.spans(phrase)
        )
        return is_other_matter or surroundings.is_idiom(spans) or surroundings.is_no_news(spans, category.kind)

    def _is_explained_elsewhere(self, category: Category, spans: tuple[Span, ...]) -> bool:
        """Return whether another language knows the same words, and why they are harmless (`infarct` is in three)."""
        low, high = _extent(spans)
        for other, pattern in self._candidates:
            if other.lexicon is category.lexicon or other.kind != category.kind:
                continue
            for found in self._reading.matches(pattern):
                start, end = _extent(found)
                if start < high and low < end and self._is_harmless(other, found):
                    return True
        return False

    def _surroundings_of(self, lexicon: Lexicon) -> "_Surroundings":
        known = self._surroundings.get(lexicon.lang)
        if known is None:
            known = self._surroundings[lexicon.lang] = _Surroundings(lexicon, self._reading, self._message)
        return known


class _Surroundings:
    """What the guards of one lexicon say about a message. Every check is quick, however long the message."""

    def __init__(self, lexicon: Lexicon, reading: Reading, message: _Message) -> None:
        self._sentences = message.sentences
        said = {
            guard: sorted(span for phrase in phrases for span in reading.spans(phrase))
            for guard, phrases in lexicon.guards.items()
        }
        self._clauses = _with_new_clauses(message.clauses, {span.start for span in said["contrast"]})
        self._negations: dict[int, list[Span]] = {}
        for span in said["negation"]:
            self._negations.setdefault(span.end, []).append(span)
        matches = (found for idiom in lexicon.idioms for found in reading.matches(idiom))
        self._idioms = {place for found in matches for span in found for place in range(*span)}
        # "acum" is now in Romanian and "acum cinci ani" five years ago; "I have" is present and "I have had" is not.
        past = {place for span in said["past"] for place in range(*span)}
        self._now, self._present = (
            [span for span in said[guard] if past.isdisjoint(range(*span))] for guard in ("now", "present")
        )
        # One word such as "now" counts near the match, "ten minutes ago" or "now again" in the whole sentence.
        self._now_sentences = {self._sentences[span.start] for span in self._now if span.end - span.start > 1}
        self._past = said["past"]
        self._past_clauses = {self._clauses[span.start] for span in said["past"]}
        self._if_clauses = {self._clauses[span.start] for span in said["hypothetical"]}
        self._if_ends = {span.end for span in said["hypothetical"]}
        self._questions: dict[int, list[Span]] = {}  # by sentence
        for span in said["informational"]:
            self._questions.setdefault(self._sentences[span.start], []).append(span)

    def is_negated(self, spans: tuple[Span, ...]) -> bool:
        """Return whether a word such as `no` stands right before a part of the match, and is no part of it itself."""
        return any(
            self._clauses[negation.start] == self._clauses[part.start] and not _overlaps(negation, spans)
            for part in spans
            for negation in self._negations.get(part.start, ())
        )

    def is_idiom(self, spans: tuple[Span, ...]) -> bool:
        """Return whether the match shares a word with a saying."""
        return any(place in self._idioms for span in spans for place in range(*span))

    def is_no_news(self, spans: tuple[Span, ...], kind: Kind) -> bool:
        """Return whether the match is a general question or long past, and not something that happens now."""
        low, high = _extent(spans)
        clause = self._clauses[low]
        if any(self._clauses[span.start] == clause for span in _near(self._now, low - 5, high + 1)):
            return False
        if self._sentences[low] in self._now_sentences:
            return False
        is_conditional = clause in self._if_clauses or low in self._if_ends
        if any(_overlaps(span, (Span(low, high),)) for span in _near(self._past, low, high)):
            return True
        present = _near(self._present, low - 2, high)
        if not is_conditional and any(self._clauses[span.start] == clause for span in present):
            return False
        if self._past_clauses & {clause, self._clauses[high - 1]}:
            return True
        if kind == "suicide":  # who asks how to die is in danger too
            return False
        # A question after the fact ("he has chest pain, what does 112 cost") does not undo the fact; "if" before does.
        return any(
            is_conditional or self._clauses[question.start] == clause
            for sentence in {self._sentences[low], self._sentences[high - 1]}
            for question in self._questions.get(sentence, ())
        )


def _overlaps(span: Span, others: tuple[Span, ...]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


def _extent(spans: tuple[Span, ...]) -> Span:
    return Span(min(span.start for span in spans), max(span.end for span in spans))


def _near(spans: list[Span], low: int, high: int) -> Iterator[Span]:
    """Return those of the sorted spans that touch the words from `low` to `high`."""
    first = bisect_left(spans, (low - _LONGEST_GUARD,))
    return (span for span in spans[first : bisect_left(spans, (high + 1,))] if span.end >= low)


def _with_new_clauses(clauses: list[int], starts: set[int]) -> list[int]:
    """Return the clause numbers, with a new clause wherever a word such as `but` begins one."""
    added, numbered = 0, []
    for position, clause in enumerate(clauses):
        added += position in starts
        numbered.append(clause + added)
    return numbered
