"""How a message stands in its conversation: two questions at once, or half a question that goes on from the last one.

Pure text work. Nothing here knows a language: whether a guess was right is measured by searching with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_FOLLOW_UP = 4  # words; a longer message stands by itself
FEWEST_WORDS = 3  # of a question that can be answered alone
MOST_CUTS = 6  # places at which a message is tried to be cut in two

_WORD = re.compile(r"[^\W_]+")
_END = re.compile(r"[?؟!\n;]+|(?<=\w\w)\.\s")
# "And" between two questions, in the ten languages; also what stands for a comma when people dictate.
_AND = re.compile(
    r"(?:,\s+|\s+)(?:en ook|en|and also|and|oraz|i też|i|a także|si|și|и също|и|та|і|й|а також|و|ve|y también|y|а еще|"
    r"а также|also|ook|też|de asemenea|също|також|أيضا|ayrıca|también|тоже|a|а)\s+",
    re.IGNORECASE,
)

# What half a question begins with ("and for my wife?"); Arabic writes its "and" onto the next word.
_GOES_ON = re.compile(
    r"[\W_]*(?:(?:en|and|what about|how about|oraz|i|a|și|si|şi|dar|и|а|та|і|й|ve|peki ya|y|e|w|wa|u)\s"
    r"|و\s*(?:ل(?!ا?د)|بالنسبة|اذا|إذا|كم|كيف|شو|متى|مين))",
    re.IGNORECASE,
)


def count_words(text: str) -> int:
    """Return how many words a text has."""
    return len(_WORD.findall(text))


def may_follow_up(text: str) -> bool:
    """Whether a message is short enough to lean on the one before."""
    return 0 < count_words(text) <= LONGEST_FOLLOW_UP


def goes_on(text: str) -> bool:
    """Whether a short message begins as one that goes on from the one before."""
    return may_follow_up(text) and _GOES_ON.match(text) is not None


def cuts(text: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to read a message as two questions: at the ends of sentences first, then at "and"."""
    tried = 0
    for pattern in (_END, _AND):
        for match in pattern.finditer(text):
            first, second = text[: match.end()].strip(), text[match.end() :].strip()
            if pattern is _AND:
                first = text[: match.start()].strip()
            if count_words(first) >= FEWEST_WORDS and count_words(second) >= FEWEST_WORDS:
                yield first, second
                tried += 1
                if tried == MOST_CUTS:
                    return
