"""Shared helpers for the texts that people type: clean them, fold them, cut them into words.

Standard library only, and every function is total: any string, broken ones too, gives a string back.
"""

import re
import unicodedata

MAX_LENGTH = 20_000  # more than any channel lets through; beyond it we only protect ourselves

_RUBBISH = {"Cc", "Cf", "Cs", "Co", "Cn"}  # control, invisible, half of a pair, private, unassigned
_APOSTROPHES = dict.fromkeys(map(ord, "’‘ʼ´`′ʹ＇"), "'")
# Letters that Unicode does not take apart into a base and a mark.
_LETTERS = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "þ": "th", "ð": "d"})
# The breve of й and the dots of ё and ї make other letters; all other marks are decoration.
_MARKS = re.compile("(?<![иу])\u0306|(?<![еі])\u0308|[\u0300-\u0305\u0307\u0309-\u036f]")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def normalise(text: str, limit: int = MAX_LENGTH) -> str:
    """Return the text in NFKC, on one line, without invisible characters and emoji, at most `limit` characters.

    Emoji and other pictures become a space, so a message of emoji alone comes back empty.
    """
    cleaned = "".join(map(_clean_character, unicodedata.normalize("NFKC", text[:limit])))
    return " ".join(cleaned.translate(_APOSTROPHES).split())[:limit].rstrip()


def _clean_character(character: str) -> str:
    if character < "\x7f":
        return character if character >= " " else " "
    if "\ufe00" <= character <= "\ufe0f":  # chooses the look of the emoji before it
        return ""
    category = unicodedata.category(character)
    if category in _RUBBISH:
        return " " if category == "Cc" else ""
    if character > "\u2000" and (category == "So" or "\U0001f3fb" <= character <= "\U0001f3ff"):
        return " "
    return character


def fold(text: str) -> str:
    """Return the text in lower case without diacritics: `Țânțar`, `tantar`; `łóżko`, `lozko`; `Straße`, `strasse`.

    Cyrillic stays Cyrillic, and й, ё and ї stay themselves.
    """
    lowered = text.casefold().translate(_LETTERS)
    if lowered.isascii():
        return lowered
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", lowered)))


def tokens(text: str) -> list[str]:
    """Return the words of the folded text. An apostrophe joins (`can't`, `cant`); any other sign parts."""
    return [word.replace("'", "") for word in _WORD.findall(fold(text).translate(_APOSTROPHES))]


def is_within_one_edit(left: str, right: str) -> bool:
    """Return whether one letter added, lost, changed, or swapped with its neighbour makes one word the other."""
    if len(left) > len(right):
        left, right = right, left
    if len(right) - len(left) > 1:
        return False
    start = 0
    while start < len(left) and left[start] == right[start]:
        start += 1
    rest_left, rest_right = left[start:], right[start:]
    if len(left) < len(right):
        return rest_left == rest_right[1:]
    if rest_left[1:] == rest_right[1:]:
        return True
    return rest_left[:2] == rest_right[1::-1] and rest_left[2:] == rest_right[2:]
