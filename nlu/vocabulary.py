"""Which words of the patterns a typed word may stand for: itself, its stem, a typo away, Cyrillic in Latin letters.

`nlu.patterns` builds patterns on the numbers that this module gives to pattern words.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from nlu.text import is_within_one_edit, tokens
from nlu.transliteration import bulgarian_to_cyrillic, to_native_script

_RANGE = re.compile(r"(\d+)-(\d+)")
_CACHED_WORDS = 20_000
_SHORTEST_STEM = 5  # a typo is forgiven from this length on: shorter words turn into other words too easily
_SHORTEST_WORD = 6
_SHORTEST_TYPED = 5
# Latin letters do not tell а from ъ, or у from ъ ("mazh", "muzh"), and й, я and ю are written in many ways.
_SOUNDS = str.maketrans({"ъ": "а", "у": "а", "й": "и", "я": "иа", "ю": "иа", "щ": "шт", "ь": ""})
# Russian and Ukrainian in Latin letters lose the soft sign and mix ы, й, і and и.
_EAST_SLAVIC = ("ru", "uk")
_EAST_SOUNDS = str.maketrans(
    {
        "ъ": "",
        "ь": "",
        "'": "",
        "ы": "и",
        "й": "и",
        "і": "и",
        "ї": "и",
        "э": "е",
        "ё": "е",
        "є": "е",
        "ґ": "г",
        "щ": "ш",
        "я": "иа",
        "ю": "иу",
    }
)
# Arabic is typed with or without hamza and dots, and Iraqis and Moroccans write their q as a Persian g.
_ARABIC = re.compile("[\u0621-\u06ff]")
_ARABIC_LETTERS = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "گ": "ق", "چ": "ك", "ڤ": "ف"}
)


class Vocabulary:
    """All pattern words, each with a number, and the way from a typed word to the numbers it may stand for."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._languages: list[str] = []
        self._commonness: list[float] = []
        self._written = _Index()
        self._sounding = _Index()
        self._arabic = _Index()
        self._east_sounding = {lang: _Index() for lang in _EAST_SLAVIC}
        self._ranges: list[tuple[float, float, int]] = []
        self._never_typos: set[str] = set()
        self._cache: dict[str, frozenset[int]] = {}

    def add(self, written: str, lang: str) -> int:
        """Return the number of a pattern word: `word`, `stem*`, `word!` (no typos forgiven) or `1-12` (a number).

        Raises:
            ValueError: The word is none of these; the message says why.
        """
        known = self._numbers.get((written, lang))
        if known is not None:
            return known
        number = len(self._languages)
        bounds = _RANGE.fullmatch(written.rstrip("!"))
        if bounds:
            self._ranges.append((float(bounds[1]), float(bounds[2]), number))
        else:
            self._add_word(written, lang, number)
        self._numbers[written, lang] = number
        self._languages.append(lang)
        self._commonness.append(2.0 ** -len(written))
        self._cache.clear()
        return number

    def _add_word(self, written: str, lang: str, number: int) -> None:
        is_exact = written.endswith("!")
        is_stem = written.rstrip("!").endswith("*")
        parts = tokens(written.rstrip("*!"))
        if len(parts) != 1:
            raise ValueError(f"`{written}` is not one word")
        word = parts[0]
        if is_stem and len(word) < 2:
            raise ValueError(f"`{written}` fits nearly any word")
        self._written.add(word, number, is_stem, may_have_typo=not is_exact)
        if lang == "bg":
            self._sounding.add(word.translate(_SOUNDS), number, is_stem, may_have_typo=not is_exact)
        elif lang == "ar":
            self._arabic.add(_arabic_stem(_arabic_letters(word)), number, is_stem, may_have_typo=False)
        elif lang in _EAST_SLAVIC and len(sound := word.translate(_EAST_SOUNDS)) > 1:
            self._east_sounding[lang].add(sound, number, is_stem, may_have_typo=False)

    def commonness(self, numbers: Iterable[int]) -> float:
        """Return a rough measure of how often one of these pattern words is met: short words are common words."""
        return sum(self._commonness[number] for number in numbers)

    def never_typos(self, words: Iterable[str]) -> None:
        """Take these words for what they are, never for a typo of a pattern word."""
        self._never_typos.update(word for text in words for word in tokens(text))

    def look_up(self, word: str) -> frozenset[int]:
        """Return the numbers of the pattern words that a folded word may stand for."""
        found = self._cache.get(word)
        if found is None:
            if len(self._cache) >= _CACHED_WORDS:
                self._cache.clear()
            found = self._cache[word] = frozenset(self._find(word))
        return found

    def _find(self, word: str) -> set[int]:
        if word[0].isdecimal() and word.replace(".", "", 1).isdecimal():
            value = float(word)
            return {number for low, high, number in self._ranges if low <= value <= high} | self._written.find(word)
        may_have_typo = len(word) >= _SHORTEST_TYPED and word not in self._never_typos
        numbers = self._written.find(word)
        if may_have_typo:
            # A word that stands in a pattern of a language is no typo there ("slikken" is not a mistyped "stikken").
            known = {self._languages[number] for number in self._written.words.get(word, ())}
            numbers |= {number for number in self._written.find_typo(word) if self._languages[number] not in known}
        if _ARABIC.match(word):
            for spelling in _arabic_readings(word):
                numbers |= self._arabic.find(spelling)
        if word.isascii():
            for lang, index in self._east_sounding.items():
                numbers |= index.find(to_native_script(word, lang, stay=frozenset()).translate(_EAST_SOUNDS))
            for spelling in {word, word.replace("j", "zh")}:
                sound = bulgarian_to_cyrillic(spelling).translate(_SOUNDS)
                numbers |= self._sounding.find(sound)
                if may_have_typo and len(word) > _SHORTEST_WORD:  # so many spellings that only long words stay apart
                    numbers |= self._sounding.find_typo(sound)
        return numbers


def _arabic_letters(word: str) -> str:
    """Return an Arabic word in the letters that all spell alike: without hamza, with one h, one y and one q."""
    return word.translate(_ARABIC_LETTERS)


def _arabic_stem(word: str) -> str:
    """Return an Arabic word without its article."""
    return word[2:] if word.startswith("ال") and len(word) > 4 else word


def _arabic_readings(word: str) -> set[str]:
    """Return what an Arabic word may be without the small words that are written onto it: and, in, for, as, the."""
    found = {_arabic_letters(word)}
    for prefixes in ("وف", "بلك"):
        found |= {item[1:] for item in found if item[0] in prefixes and len(item) > 3}
    found |= {item[1:] for item in found if item.startswith("لل") and len(item) > 4}
    return found | {_arabic_stem(item) for item in found}


class _Index:
    """Words and stems by spelling; stems also by every spelling that lost one letter, which is how typos are found."""

    def __init__(self) -> None:
        self.words: dict[str, set[int]] = defaultdict(set)
        self._stems: dict[str, set[int]] = defaultdict(set)
        self._with_loss: dict[str, set[tuple[str, bool, int]]] = defaultdict(set)

    def add(self, word: str, number: int, is_stem: bool, may_have_typo: bool) -> None:
        (self._stems if is_stem else self.words)[word].add(number)
        if may_have_typo and len(word) >= (_SHORTEST_STEM if is_stem else _SHORTEST_WORD):
            for shorter in _with_one_lost(word):
                self._with_loss[shorter].add((word, is_stem, number))

    def find(self, word: str) -> set[int]:
        found = set(self.words.get(word, ()))
        for end in range(2, len(word) + 1):
            stems = self._stems.get(word[:end])
            if stems:
                found |= stems
        return found

    def find_typo(self, word: str) -> set[int]:
        found = set()
        for end in range(_SHORTEST_STEM - 1, min(len(word), 24) + 1):
            beginning = word[:end]
            for shorter in _with_one_lost(beginning):
                for candidate, is_stem, number in self._with_loss.get(shorter, ()):
                    is_whole = end == len(word)
                    if (is_stem or is_whole) and _is_likely_typo(candidate, beginning, is_whole):
                        found.add(number)
        return found


def _is_likely_typo(meant: str, typed: str, is_whole: bool) -> bool:
    """Return whether `typed`, a word or the beginning of one, is `meant` with a slip of the finger."""
    if meant[0] != typed[0] or not is_within_one_edit(meant, typed):
        return False
    is_swap = sorted(meant) == sorted(typed)
    if not is_whole and meant[-1] != typed[-1] and not is_swap:
        return False  # only the beginning is alike: another word
    # A short stem with another letter is mostly another word; swapped and lost letters are typos.
    return is_swap or len(meant) > _SHORTEST_STEM or len(typed) < len(meant)


def _with_one_lost(word: str) -> Iterator[str]:
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
