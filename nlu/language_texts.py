"""What the language identifier reads from `data/`: words, sentences, and the words that tell nothing."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nlu.datafiles import DataFileError, load_mapping
from nlu.faq_examples import read_questions
from nlu.text import fold, tokens
from nlu.transliteration import LATIN_WRITTEN, is_in_latin_letters, romanise

_LONGEST_WORD = 30  # no word of ours is longer, and a line of xxxx should cost nothing


class NeutralWords:
    """The words that say nothing of a language: Dutch terms, words of all languages, numbers and names of places."""

    def __init__(
        self,
        dutch_terms: Iterable[str],
        dutch_stems: Iterable[str],
        international: Iterable[str],
        names: Iterable[str],
    ) -> None:
        self._dutch = frozenset(dutch_terms)
        self._dutch_stems = tuple(dutch_stems)
        self._international = frozenset(international)
        self._names = {tuple(tokens(name)) for name in names}
        self._longest = max(map(len, self._names), default=0)

    @classmethod
    def from_data(cls, folder: Path) -> "NeutralWords":
        """Read data/languages/neutral.yml and the names in data/places.yml."""
        listed = load_mapping(folder / "languages" / "neutral.yml")
        places = load_mapping(folder / "places.yml")
        ordinary = {fold(str(word)) for word in places.get("ordinary_words", ())}
        names = [
            str(name)
            for place in places["municipalities"]
            for name in (place["name"], *place.get("aliases", ()), *place.get("towns", ()))
            if fold(str(name)) not in ordinary
        ]
        return cls(tokens(listed["dutch_terms"]), tokens(listed["dutch_stems"]), tokens(listed["international"]), names)

    def remove(self, words: list[str]) -> tuple[list[str], int]:
        """Return the words that tell something, and how many Dutch terms there were among the others."""
        telling: list[str] = []
        dutch = 0
        position = 0
        while position < len(words):
            size = self._name_at(words, position)
            word = words[position]
            if not size:
                is_dutch = word in self._dutch or word.startswith(self._dutch_stems)
                dutch += is_dutch
                if not is_dutch and word not in self._international and any(map(str.isalpha, word)):
                    telling.append(word[:_LONGEST_WORD])
            position += size or 1
        return telling, dutch

    def _name_at(self, words: list[str], position: int) -> int:
        sizes = range(min(self._longest, len(words) - position), 0, -1)
        return next((size for size in sizes if tuple(words[position : position + size]) in self._names), 0)


def latin(lang: str) -> str:
    """Return the class of a language typed with Latin letters; outside the identifier it is the language itself."""
    return f"{lang}-Latn"


def outside(name: str) -> str:
    """Return the language of a class."""
    return name.partition("-")[0]


def read_language_texts(
    folder: Path, languages: Iterable[str]
) -> tuple[dict[str, list[str]], dict[str, list[list[str]]]]:
    """Return, for each class, its listed words, and the words of each of its sentences and training examples.

    Of the articles' questions only those typed with Latin letters are read: the other classes have texts enough.
    """
    words: dict[str, list[str]] = {}
    lines: dict[str, list[list[str]]] = {}
    questions = read_questions(folder, langs=LATIN_WRITTEN)
    for lang in languages:
        path = folder / "languages" / f"{lang}.yml"
        content = load_mapping(path)
        if set(content) != {"words", "sentences"}:
            raise DataFileError(path, f"It holds {sorted(content)}.", "Write `words` and `sentences`, as in nl.yml.")
        words[lang] = sorted(set(tokens(content["words"])))
        examples = [*map(fold, content["sentences"].splitlines()), *_training_examples(folder / "nlu" / lang)]
        own = [line for line in examples if not is_in_latin_letters(line, lang)]
        lines[lang] = [tokens(line) for line in own] + [[word] for word in words[lang]]
        if lang in LATIN_WRITTEN:
            typed = [
                line for line in (*examples, *map(fold, questions.get(lang, ()))) if is_in_latin_letters(line, lang)
            ]
            typed += [spelling for line in [*own, *words[lang]] for spelling in romanise(line, lang)]
            lines[latin(lang)] = [tokens(line) for line in typed]
            words[latin(lang)] = sorted({spelling for word in words[lang] for spelling in romanise(word, lang)})
    return words, lines


def _training_examples(folder: Path) -> Iterable[str]:
    for path in sorted(folder.glob("*.yml")):
        blocks: list[dict[str, Any]] = load_mapping(path)["nlu"]
        for block in blocks:
            yield from (fold(line.removeprefix("- ")) for line in str(block["examples"]).splitlines())
