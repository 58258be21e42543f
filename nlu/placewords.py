"""The small words around a place name, and the endings that languages put on one; for `nlu.places` alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields

from nlu.text import tokens

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_LATIN_ENDINGS = ("u", "ie", "em", "owi", "ul", "ului", "s")
_LATIN_ENDINGS_AFTER_A = ("y", "i", "e", "ie", "ei", "o")
_CYRILLIC_ENDINGS = ("а", "е", "у", "ом", "і")
_CYRILLIC_ENDINGS_AFTER_A = ("ы", "и", "е", "у", "ой", "і")
_SHORTEST_WITH_ENDING = 5


@dataclass(frozen=True, slots=True)
class ContextWords:
    """Words, folded, that tell a place from another word; `context` in `data/places.yml`."""

    prepositions: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    home: frozenset[str] = frozenset()
    work: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    pronouns: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, frozenset("".join(tokens(str(w))) for w in getattr(self, field.name)))

    @property
    def leading(self) -> frozenset[str]:
        """What a name comes straight after."""
        return self.prepositions | self.labels

    @property
    def living(self) -> frozenset[str]:
        """Verbs of being somewhere."""
        return self.home | self.work

    @property
    def filler(self) -> frozenset[str]:
        """What may stand beside a name in a message that says nothing else."""
        return self.leading | self.living | self.countries | self.pronouns


@dataclass(frozen=True, slots=True)
class PlaceWord:
    """One word of a message: its folded form, where it stands, and whether a sign or the end follows it."""

    key: str
    start: int
    end: int
    has_capital: bool
    ends_clause: bool


def split_words(text: str) -> list[PlaceWord]:
    """Return the words of a text that `nlu.text.normalise` has cleaned. In a text all in capitals, none has one."""
    shouts = text.isupper() and " " in text
    words = []
    for match in _WORD.finditer(text):
        end = match.end()
        ends_clause = not text[end:].strip() or text[end] in ".,;:!?)"
        has_capital = match.group().lstrip("'")[0].isupper() and not shouts
        words.append(PlaceWord("".join(tokens(match.group())), match.start(), end, has_capital, ends_clause))
    return words


def case_forms(name: str) -> Iterator[str]:
    """Yield the forms that a folded one-word name takes in Polish, Romanian, Russian and Ukrainian.

    `breda` gives `bredzie` and `bredy`, `utrecht` gives `utrechcie`, `tilburg` gives `tilburgu` and `tilburgul`.
    """
    if len(name) < _SHORTEST_WITH_ENDING:
        return
    stem, last = name[:-1], name[-1]
    if last == "a":
        yield from (stem + ending for ending in _LATIN_ENDINGS_AFTER_A)
        if stem[-1] in "dg":
            yield stem[:-1] + {"d": "dzie", "g": "dze"}[stem[-1]]
    elif last == "а":
        yield from (stem + ending for ending in _CYRILLIC_ENDINGS_AFTER_A)
    elif last.isascii():
        yield from (name + ending for ending in _LATIN_ENDINGS)
        if last in "td":
            yield stem + {"t": "cie", "d": "dzie"}[last]
    else:
        yield from (name + ending for ending in _CYRILLIC_ENDINGS)
