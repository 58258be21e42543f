"""Whether a text is plain enough: short sentences, short words. All limits stand here.

Where a language has a published measure (Flesch and its kin) that is counted too. A count is no judge of a text, but a
text that breaks these limits is hard for people who read little. Levels were set from texts that editors found plain
(B1), with room to spare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

LONGEST_SENTENCE_WORDS = 28
MEAN_SENTENCE_WORDS = 13.0
MEAN_WORD_LETTERS: Mapping[str, float] = {
    "nl": 5.7, "en": 5.3, "pl": 6.8, "ro": 6.0, "bg": 6.2, "uk": 6.4, "ar": 5.4, "tr": 6.8, "es": 5.7, "ru": 6.5,
}  # fmt: skip
MEAN_WORD_LETTERS_ELSEWHERE = 6.8

_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+|\n+")
_STEP_NUMBER = re.compile(r"^\d+\. ", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]+")
_SILENT_E = re.compile(r"(?<=[^aeiouyl])e$")
_LONG_WORD_SYLLABLES = 4  # Polish, Gunning's measure as Jasnopis and others use it


@dataclass(frozen=True)
class Measure:
    """A published measure of reading ease, from words a sentence and syllables a word.

    `limit` is the hardest value that we take; `vowels` mark the syllables, each letter one where `each_vowel` is true.
    """

    name: str
    source: str
    limit: float
    is_ease: bool  # a higher value is easier
    vowels: str
    each_vowel: bool
    score: Callable[[float, float, float], float]  # words a sentence, syllables a word, percent of long words


# For ro, bg, uk and ar we know of no measure that is widely used: sentence and word length stand in for one.
MEASURES: Mapping[str, Measure] = {
    "nl": Measure(
        "Flesch-Douma", "Douma, De leesbaarheid van landbouwbladen (1960)", 55.0, True, "aeiouyàâäèéêëìîïòôöùûü",
        False, lambda words, syllables, _: 206.835 - 0.93 * words - 77.0 * syllables,
    ),
    "en": Measure(
        "Flesch Reading Ease", "Flesch, A new readability yardstick (1948)", 55.0, True, "aeiouy",
        False, lambda words, syllables, _: 206.835 - 1.015 * words - 84.6 * syllables,
    ),
    "es": Measure(
        "Fernández Huerta", "Fernández Huerta, Medidas sencillas de lecturabilidad (1959)", 60.0, True, "aeiouáéíóúü",
        False, lambda words, syllables, _: 206.84 - 60.0 * syllables - 1.02 * words,
    ),
    "tr": Measure(
        "Ateşman", "Ateşman, Türkçede okunabilirliğin ölçülmesi (1997)", 60.0, True, "aeıioöuüâîû",
        True, lambda words, syllables, _: 198.825 - 40.175 * syllables - 2.61 * words,
    ),
    "ru": Measure(
        "Flesch-Oborneva", "Oborneva, Avtomatizatsiya otsenki kachestva vospriyatiya teksta (2005)", 45.0, True,
        "аеёиоуыэюя", True, lambda words, syllables, _: 206.835 - 1.3 * words - 60.1 * syllables,
    ),
    "pl": Measure(
        "FOG", "Gunning, The Technique of Clear Writing (1952), with four syllables for Polish", 11.0, False,
        "aąeęioóuy", False, lambda words, _, long_words: 0.4 * (words + long_words),
    ),
}  # fmt: skip


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
    if too_hard := _find_by_measure(sentences, lang):
        found.append(too_hard)
    return found


def count_syllables(word: str, lang: str) -> int:
    """Return how many syllables a word has, by its vowels; at least one.

    Raises:
        KeyError: The language has no measure.
    """
    measure, letters = MEASURES[lang], word.lower()
    if measure.each_vowel:
        return max(1, sum(letter in measure.vowels for letter in letters))
    if lang == "en":
        letters = _SILENT_E.sub("", letters)
    return max(1, len(re.findall(f"[{measure.vowels}]+", letters)))


def _find_by_measure(sentences: Sequence[str], lang: str) -> Finding | None:
    measure = MEASURES.get(lang)
    if measure is None:
        return None
    words = [word for sentence in sentences for word in _WORD.findall(sentence)]
    syllables = [count_syllables(word, lang) for word in words]
    long_words = 100 * sum(count >= _LONG_WORD_SYLLABLES for count in syllables) / len(words)
    value = measure.score(len(words) / len(sentences), sum(syllables) / len(words), long_words)
    if value >= measure.limit if measure.is_ease else value <= measure.limit:
        return None
    bound = "at least" if measure.is_ease else "at most"
    what = f"reading ease is {value:.0f}, {bound} {measure.limit:.0f} ({measure.name})"
    return Finding(what, "shorten sentences and use plainer words")
