"""Make nlu/letters.bin, from which the language identifier knows ten languages by their letters and words.

Run by hand, rarely: `pip install wordfreq==3.1.1` into an environment of its own, then from the root
`python -m scripts.make_letter_model`. Nothing of wordfreq is needed to run Zorgbrug.

Source of the frequencies: Robyn Speer, wordfreq 3.0 (2022), doi 10.5281/zenodo.7199437; its data is CC BY-SA 4.0, and
so is the file made here.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import sys
from array import array
from collections import Counter
from collections.abc import Iterator

import wordfreq

from nlu.letter_model import (
    LEAST_GROUP,
    LEAST_WORD,
    LEVELS,
    LONGEST,
    MODEL_FILE,
    NATS_PER_LEVEL,
    NATS_PER_STEP,
    hashed,
    letter_groups,
    pack_levels,
)
from nlu.text import fold
from nlu.transliteration import romanise

SCRIPTS = {
    # Sixteen at most: a word's levels are one number of 64 bits.
    "LATIN": (
        "nl",
        "en",
        "pl",
        "ro",
        "tr",
        "es",
        "bg-Latn",
        "uk-Latn",
        "ru-Latn",
        "ar-Latn",
        "fr",
        "pt",
        "hu",
        "lt",
        "de",
        "it",
    ),
    "CYRILLIC": ("bg", "uk", "ru"),
}
WORDS = 20_000  # the most frequent of each language
POWER = 0.5  # a word counts for its letters by the root of its frequency, or a few words would say everything
FOLDED = 0.5  # how often people leave the diacritics out
LEAST_COUNT = 0.006  # a letter group rarer than this in every class is left out
_WORD = re.compile(r"[^\W\d_]+")


def words_of(name: str) -> Counter[str]:
    """Return the spellings of a class with their share of all words."""
    lang, _, is_latin = name.partition("-")
    found: Counter[str] = Counter()
    frequencies = wordfreq.get_frequency_dict(lang, wordlist="small")
    most = sorted(frequencies.items(), key=lambda item: -item[1])
    for word, share in [item for item in most if _WORD.fullmatch(item[0])][:WORDS]:
        folded = fold(word)
        if is_latin:
            spellings = romanise(folded, lang)
            for spelling in spellings:
                found[spelling.replace("'", "")] += share / len(spellings)
        else:
            found[word] += share
            if folded != word:
                found[folded] += share * FOLDED
    total = sum(found.values())
    return Counter({word: share / total for word, share in found.items() if word})


def table_of(classes: tuple[str, ...]) -> Iterator[array[int]]:
    """Yield the four arrays of a script's table: groups, their steps, words, their levels."""
    words = [words_of(name) for name in classes]
    counts = [group_counts(each) for each in words]
    kept = sorted({group for each in counts for group, count in each.items() if count >= LEAST_COUNT}, key=hashed)
    totals = [sizes_of(each) for each in counts]
    yield array("I", map(hashed, kept))
    steps = bytearray()
    for group in kept:
        for each, total in zip(counts, totals, strict=True):
            share = each.get(group, 0.0) / (total[len(group)] or 1.0)
            height = max(math.log(share) - LEAST_GROUP, 0.0) if share else 0.0
            steps.append(min(round(height / NATS_PER_STEP), 255))
    yield array("B", steps)
    spelled = sorted({word for each in words for word in each}, key=hashed)
    yield array("I", map(hashed, spelled))
    yield array("Q", (pack_levels([level_of(each.get(word, 0.0)) for each in words]) for word in spelled))


def group_counts(words: Counter[str]) -> Counter[str]:
    """Return how much each letter group counts."""
    counts: Counter[str] = Counter()
    for word, share in words.items():
        for group in letter_groups(word):
            counts[group] += share**POWER
    return counts


def sizes_of(counts: Counter[str]) -> list[float]:
    """Return the sum of the counts for each length of group."""
    sums = [0.0] * (LONGEST + 1)
    for group, count in counts.items():
        sums[len(group)] += count
    return sums


def level_of(share: float) -> int:
    """Return the level of a word's share; see `LEAST_WORD`."""
    return 0 if not share else max(1, min(LEVELS, round((math.log(share) - LEAST_WORD) / NATS_PER_LEVEL)))


def main() -> None:
    header: dict[str, object] = {}
    body = b""
    for script, classes in SCRIPTS.items():
        parts = list(table_of(classes))
        header[script] = {"classes": classes, "parts": [(part.typecode, len(part)) for part in parts]}
        body += b"".join(part.tobytes() for part in parts)
        print(script, [len(part) for part in parts], file=sys.stderr)
    MODEL_FILE.write_bytes(gzip.compress(json.dumps(header).encode() + b"\n" + body, mtime=0))
    print(f"{MODEL_FILE.name}: {MODEL_FILE.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
