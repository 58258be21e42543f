"""What the retriever needs of a text: one written form, words and pieces of words.

People type without diacritics, and many Bulgarians type with Latin letters. `nlu.text` cleans messages with more
care; this is the small part that search needs, since `knowledge` imports nothing else of ours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Characters that are searched with: embedding takes a millisecond a word. A longer text is a story, whose subject is
# told first and whose question often comes last.
LONGEST_QUESTION = 400
_LAST_PART = 150
_LONGEST_READ = 20_000
PIECE_LENGTHS = (3, 4, 5)
_FEWEST_CYRILLIC = 3

_WORD = re.compile(r"[^\W_]+")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_LATIN = re.compile(r"[A-Za-z]")
_LETTERS = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "æ": "ae", "œ": "oe", "ı": "i", "ß": "ss"})
_MARKS = re.compile("(?<!и)\u0306|[\u0300-\u0305\u0307-\u036f]")  # the breve of й makes another letter

_BULGARIAN = {
    "sht": "щ", "6t": "щ", "zh": "ж", "sh": "ш", "ch": "ч", "ts": "ц", "tz": "ц", "ya": "я", "ja": "я", "ia": "я",
    "yu": "ю", "ju": "ю", "iu": "ю", "kh": "х", "a": "а", "b": "б", "c": "ц", "d": "д", "e": "е", "f": "ф", "g": "г",
    "h": "х", "i": "и", "j": "ж", "k": "к", "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "q": "я", "r": "р",
    "s": "с", "t": "т", "u": "у", "v": "в", "w": "в", "x": "х", "y": "ъ", "z": "з", "4": "ч", "6": "ш",
}  # fmt: skip
_UNITS = re.compile("|".join(sorted(_BULGARIAN, key=len, reverse=True)))
_LATIN_WORD = re.compile(r"[a-z0-9]*[a-z][a-z0-9]*", re.IGNORECASE)
_SHORT_I = re.compile(r"(?<=[aeou])y(?![aou])|(?<=^[mtk]o)j$")
# Dutch words and names that a Bulgarian writes among the own words, and that must stay what they are.
_STAY_LATIN = frozenset(
    [
        "apotheek", "basisverzekering", "bsn", "brp", "cak", "digid", "eigen", "gemeente", "gp", "hap", "huisarts",
        "huisartsenpost", "risico", "rni", "spoedeisende", "hulp", "seh", "tandarts", "uitzendbureau", "uwv",
        "verloskundige", "verwijzing", "zorgtoeslag", "zorgverzekering", "zorgpas", "passant", "win", "punt",
    ]
)  # fmt: skip


def clean(text: str) -> str:
    """Return the text on one line in NFKC, without control characters, at most `LONGEST_QUESTION` long."""
    normal = unicodedata.normalize("NFKC", text[:_LONGEST_READ])
    kept = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in normal)
    line = " ".join(kept.split())
    if len(line) <= LONGEST_QUESTION:
        return line
    return f"{line[: LONGEST_QUESTION - _LAST_PART - 1]} {line[-_LAST_PART:]}"


def fold(text: str) -> str:
    """Return the text in lower case without diacritics; Cyrillic stays, and й stays itself."""
    lowered = text.casefold().translate(_LETTERS)
    if lowered.isascii():
        return lowered
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", lowered)))


def words(text: str) -> list[str]:
    """Return the folded words of a text."""
    return _WORD.findall(fold(text))


def pieces(text: str) -> Iterator[str]:
    """Yield the words of a text and the letter groups inside them, with `_` for the edge of a word.

    Letter groups bear typing errors, endings, and Dutch compounds (`zorgverzekeringspolis`).
    """
    for word in words(text):
        yield f"_{word}_"
        edged = f"_{word}_"
        for length in PIECE_LENGTHS:
            for start in range(len(edged) - length + 1):
                if len(edged) > length:
                    yield edged[start : start + length]


def is_latin_bulgarian(text: str, lang: str) -> bool:
    """Whether a Bulgarian text is written with Latin letters; Dutch words among Cyrillic ones do not make it so."""
    return lang == "bg" and len(_CYRILLIC.findall(text)) < _FEWEST_CYRILLIC and bool(_LATIN.search(text))


def bulgarian_to_cyrillic(text: str) -> str:
    """Return the text with its Bulgarian words in Cyrillic: `kade e bolnicata`, `каде е болницата`."""
    return _LATIN_WORD.sub(lambda match: _word_to_cyrillic(match.group()), fold(text))


def _word_to_cyrillic(word: str) -> str:
    if word in _STAY_LATIN:
        return word
    return _UNITS.sub(lambda match: _BULGARIAN[match.group()], _SHORT_I.sub("й", word))
