"""Read the files of `data/redflags/`: what is looked for, and what says that nobody is in danger.

`nlu.redflags` uses the lexicons; the top of `data/redflags/en.yml` says how such a file is written.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from nlu.datafiles import DataFileError, load_mapping
from nlu.patterns import DEFAULT_WINDOW, Pattern, PatternError, PatternReader, Phrase
from nlu.vocabulary import Vocabulary

Kind = Literal["medical", "suicide", "violence"]
_GUARDS = ("negation", "informational", "hypothetical", "past", "present", "now", "idioms", "contrast", "never_typos")


@dataclass(frozen=True, eq=False)
class Category:
    name: str
    kind: Kind
    lexicon: "Lexicon"
    unless: tuple[Phrase, ...]


@dataclass(frozen=True, eq=False)
class Lexicon:
    lang: str
    guards: dict[str, tuple[Phrase, ...]]
    idioms: tuple[Pattern, ...]
    patterns: list[tuple[Category, Pattern]] = field(default_factory=list)


def read_lexicon(path: Path, vocabulary: Vocabulary) -> Lexicon:
    content = load_mapping(path)
    problems = [f"unknown key `{key}`" for key in content if key not in ("words", "guards", "categories")]
    parts = {key: content.get(key) or {} for key in ("words", "guards", "categories")}
    problems += [
        f"`{key}` must hold names with their values" for key, part in parts.items() if not isinstance(part, dict)
    ]
    if problems:
        raise _mistakes(path, problems)
    reader = PatternReader(vocabulary, path.stem, parts["words"])
    strict = PatternReader(vocabulary, path.stem, parts["words"], is_lenient=False)  # a guard must not hide a danger
    guards = {name: _entries(parts["guards"], name, "guards", problems) for name in _GUARDS}
    problems += [f"guards: unknown guard `{name}`" for name in parts["guards"] if name not in _GUARDS]
    phrases = {name: _phrases(strict, guards[name], f"guards.{name}", problems) for name in _GUARDS if name != "idioms"}
    idioms = [_pattern(strict, entry, {}, f"guards.idioms[{n}]", problems) for n, entry in enumerate(guards["idioms"])]
    vocabulary.never_typos(str(entry) for entry in guards["never_typos"])
    lexicon = Lexicon(path.stem, phrases, tuple(filter(None, idioms)))
    for name, body in parts["categories"].items():
        _read_category(reader, strict, name, body, lexicon, problems)
    if problems:
        raise _mistakes(path, problems)
    return lexicon


def _read_category(
    reader: PatternReader, strict: PatternReader, name: str, body: Any, lexicon: Lexicon, problems: list[str]
) -> None:
    where = f"categories.{name}"
    if not isinstance(body, dict) or body.get("kind") not in get_args(Kind):
        problems.append(f"{where}: needs `kind`: {', '.join(get_args(Kind))}")
        return
    unknown = set(body) - {"kind", "patterns", "unless", "within", "across_sentences"}
    problems += [f"{where}: unknown key `{key}`" for key in sorted(map(str, unknown))]
    unless = _phrases(strict, _entries(body, "unless", where, problems), f"{where}.unless", problems)
    category = Category(name, body["kind"], lexicon, unless)
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
