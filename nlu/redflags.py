"""Find words that mean danger: somebody may die, kill themselves or be attacked.

Pure and quick, so the bot can answer with 112 before anything else runs. The words stand in `data/redflags/`, one file a
language; all of them are searched in every message, because people mix languages. Where a message is truly unclear the
detector fires: a needless 112 reply costs a moment, a missed one may cost a life.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from nlu.datafiles import DataFileError, load_mapping
from nlu.patterns import DEFAULT_WINDOW, Pattern, PatternError, PatternReader, Phrase, Reading, Span
from nlu.text import MAX_LENGTH, fold, normalise
from nlu.vocabulary import Vocabulary

Kind = Literal["medical", "suicide", "violence"]
# Who writes that he took pills to die needs the answer for suicide; who is beaten and bleeds needs the ambulance.
_URGENCY: tuple[Kind, ...] = ("suicide", "medical", "violence")
_GUARDS = ("negation", "informational", "hypothetical", "past", "present", "now", "idioms", "contrast", "never_typos")
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


@dataclass(frozen=True, eq=False)
class _Category:
    name: str
    kind: Kind
    lexicon: "_Lexicon"
    unless: tuple[Phrase, ...]


@dataclass(frozen=True, eq=False)
class _Lexicon:
    lang: str
    guards: dict[str, tuple[Phrase, ...]]
    idioms: tuple[Pattern, ...]
    patterns: list[tuple[_Category, Pattern]] = field(default_factory=list)


class _Message(NamedTuple):
    """The words of a message, with the number of the sentence and of the clause that each stands in."""

    words: list[str]
    sentences: list[int]
    clauses: list[int]


class RedFlagDetector:
    """Finds red flags with the lexicons of all languages at once."""

    def __init__(self, lexicons: list[_Lexicon], vocabulary: Vocabulary) -> None:
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
        return cls([_read_lexicon(path, vocabulary) for path in paths], vocabulary)

    def find(self, text: str) -> RedFlag | None:
        """Return the most urgent red flag of a message in any language, or None."""
        message = _read_message(text)
        reading = Reading(self._vocabulary, message.words, message.sentences)
        indexes = {index for number in reading.numbers() for index in self._by_word.get(number, ())}
        for index in sorted(indexes):
            category, pattern = self._patterns[index]
            for spans in reading.matches(pattern):
                if not _is_explained_away(spans, category, reading, message):
                    low, high = min(spans).start, max(span.end for span in spans)
                    phrase = " ".join(message.words[low:high])
                    return RedFlag(category.kind, category.name, category.lexicon.lang, phrase)
        return None


def _of_kind(lexicon: _Lexicon, kind: Kind) -> Iterator[tuple[_Category, Pattern]]:
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


def _is_explained_away(spans: tuple[Span, ...], category: _Category, reading: Reading, message: _Message) -> bool:
    """Return whether the words around a match say that nobody is in danger now."""
    lexicon = category.lexicon
    low, high = min(spans).start, max(span.end for span in spans) - 1
    sentences = set(message.sentences[low : high + 1])
    clauses = _clauses(reading, message, lexicon)

    def near(phrases: tuple[Phrase, ...]) -> Iterator[Span]:
        return (
            span for phrase in phrases for span in reading.spans(phrase) if message.sentences[span.start] in sentences
        )

    def said(guard: str) -> Iterator[Span]:
        return near(lexicon.guards[guard])

    if any(near(category.unless)):
        return True
    if any(
        _overlaps(span, part)
        for idiom in lexicon.idioms
        for found in reading.matches(idiom)
        for span in found
        for part in spans
    ):
        return True
    for span in said("negation"):
        is_free = not any(_overlaps(span, part) for part in spans)
        if is_free and any(span.end == part.start and clauses[span.start] == clauses[part.start] for part in spans):
            return True
    if any(low - 5 <= span.end and span.start <= high + 2 for span in said("now")):
        return False
    if_words = [span for span in said("hypothetical") if clauses[span.start] == clauses[low] or span.end == low]
    is_present = not if_words and any(low - 2 <= span.end and span.start <= high + 1 for span in said("present"))
    if is_present:
        return False
    if any(said("past")):
        return True
    # A question after the fact ("he has chest pain, what does 112 cost") does not undo the fact; "if" before it does.
    return any(if_words or clauses[span.start] <= clauses[high] for span in said("informational"))


def _overlaps(left: Span, right: Span) -> bool:
    return left.start < right.end and right.start < left.end


def _clauses(reading: Reading, message: _Message, lexicon: _Lexicon) -> list[int]:
    """Return the clause numbers, with a new clause wherever a word such as `but` begins one."""
    breaks = {span.start for phrase in lexicon.guards["contrast"] for span in reading.spans(phrase)}
    if not breaks:
        return message.clauses
    added, clauses = 0, []
    for position, clause in enumerate(message.clauses):
        added += position in breaks
        clauses.append(clause + added)
    return clauses


def _read_lexicon(path: Path, vocabulary: Vocabulary) -> _Lexicon:
    content = load_mapping(path)
    problems = [f"unknown key `{key}`" for key in content if key not in ("words", "guards", "categories")]
    parts = {key: content.get(key) or {} for key in ("words", "guards", "categories")}
    problems += [
        f"`{key}` must hold names with their values" for key, part in parts.items() if not isinstance(part, dict)
    ]
    if problems:
        raise _mistakes(path, problems)
    reader = PatternReader(vocabulary, path.stem, parts["words"])
    guards = {name: _entries(parts["guards"], name, "guards", problems) for name in _GUARDS}
    problems += [f"guards: unknown guard `{name}`" for name in parts["guards"] if name not in _GUARDS]
    phrases = {name: _phrases(reader, guards[name], f"guards.{name}", problems) for name in _GUARDS if name != "idioms"}
    idioms = [_pattern(reader, entry, {}, f"guards.idioms[{n}]", problems) for n, entry in enumerate(guards["idioms"])]
    vocabulary.never_typos(str(entry) for entry in guards["never_typos"])
    lexicon = _Lexicon(path.stem, phrases, tuple(filter(None, idioms)))
    for name, body in parts["categories"].items():
        _read_category(reader, name, body, lexicon, problems)
    if problems:
        raise _mistakes(path, problems)
    return lexicon


def _read_category(reader: PatternReader, name: str, body: Any, lexicon: _Lexicon, problems: list[str]) -> None:
    where = f"categories.{name}"
    if not isinstance(body, dict) or body.get("kind") not in get_args(Kind):
        problems.append(f"{where}: needs `kind`: {', '.join(get_args(Kind))}")
        return
    unknown = set(body) - {"kind", "patterns", "unless", "within", "across_sentences"}
    problems += [f"{where}: unknown key `{key}`" for key in sorted(map(str, unknown))]
    unless = _phrases(reader, _entries(body, "unless", where, problems), f"{where}.unless", problems)
    category = _Category(name, body["kind"], lexicon, unless)
    entries = _entries(body, "patterns", where, problems)
    if not entries:
        problems.append(f"{where}: needs `patterns`")
    for number, entry in enumerate(entries):
        pattern = _pattern(reader, entry, body, f"{where}.patterns[{number}]", problems)
        if pattern:
            lexicon.patterns.append((category, pattern))


def _entries(body: dict[str, Any], key: str, where: str, problems: list[str]) -> list[Any]:
    entries = body.get(key, [])
    if isinstance(entries, list):
        return entries
    problems.append(f"{where}.{key}: must be a list")
    return []


def _phrases(reader: PatternReader, entries: list[Any], where: str, problems: list[str]) -> tuple[Phrase, ...]:
    phrases = []
    for number, entry in enumerate(entries):
        try:
            phrases.append(reader.phrase(entry))
        except PatternError as error:
            problems.append(f"{where}[{number}]: {error}")
    return tuple(phrases)


def _pattern(
    reader: PatternReader, entry: Any, body: dict[str, Any], where: str, problems: list[str]
) -> Pattern | None:
    try:
        return reader.pattern(entry, body.get("within", DEFAULT_WINDOW), bool(body.get("across_sentences", False)))
    except PatternError as error:
        problems.append(f"{where}: {error}")
        return None


def _mistakes(path: Path, problems: list[str]) -> DataFileError:
    return DataFileError(path, "; ".join(problems) + ".", "The top of the file says how it is written.")
