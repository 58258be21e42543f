"""What the retriever needs of a text: one written form, words and pieces of words.

People type without diacritics. `nlu.text` cleans messages with more care; this is the small part that search needs.
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

_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "æ": "ae", "œ": "oe", "ı": "i", "ß": "ss"})
_MARKS = re.compile("(?<!и)\u0306|[\u0300-\u0305\u0307-\u036f]")  # the breve of й makes another letter


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
