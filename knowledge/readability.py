"""Whether a text is plain enough: short sentences, short words. All limits stand here.

A count is no judge of a text, but a text that breaks these limits is hard for people who read little. Levels were set
from texts that editors found plain (B1), with room to spare.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_SENTENCE_WORDS = 28
MEAN_SENTENCE_WORDS = 13.0
MEAN_WORD_LETTERS: Mapping[str, float] = {"nl": 5.7, "en": 5.3, "pl": 6.8, "ro": 6.0, "bg": 6.2}
MEAN_WORD_LETTERS_ELSEWHERE = 6.8

_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+|\n+")
_STEP_NUMBER = re.compile(r"^\d+\. ", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Finding:
    """One thing that makes a text hard, and the sentence in question where there is one."""

    what: str
    mend: str
    sentence: str = ""


def find_hard_reading(text: str, lang: str) -> list[Finding]:
    """Return what makes a text hard to read; nothing for a plain one."""
    sentences = [part for part in _SENTENCE_END.split(_STEP_NUMBER.sub("", text)) if _WORD.search(part)]
    if not sentences:
        return []
    lengths = [len(_WORD.findall(sentence)) for sentence in sentences]
    found = [
        Finding(f"a sentence has {count} words, at most {LONGEST_SENTENCE_WORDS}", "make two sentences of it", sentence)
        for sentence, count in zip(sentences, lengths, strict=True)
        if count > LONGEST_SENTENCE_WORDS
    ]
    mean = sum(lengths) / len(lengths)
    if mean > MEAN_SENTENCE_WORDS:
        found.append(
            Finding(f"sentences have {mean:.1f} words on average, at most {MEAN_SENTENCE_WORDS:.0f}", "shorten them")
        )
    letters = [len(word) for sentence in sentences for word in _WORD.findall(sentence)]
    limit = MEAN_WORD_LETTERS.get(lang, MEAN_WORD_LETTERS_ELSEWHERE)
    mean = sum(letters) / len(letters)
    if mean > limit:
        found.append(
            Finding(
                f"words have {mean:.1f} letters on average, at most {limit} in {lang}", "use shorter, plainer words"
            )
        )
    return found
