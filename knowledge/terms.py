"""One idea, many words: `data/terms.yml` says that `karetka`, `линейка` and `ambulance` are the same to search.

This is how a Dutch word or abbreviation (eigen risico, BSN, HAP) finds its article from inside any language, and how
an article is found in a language that it was not written in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from knowledge.text import words

_NON_WORD = r"(?<![^ ])"
_END = r"(?![^ ])"


class Thesaurus:
    """Finds the ideas of `data/terms.yml` in a text."""

    def __init__(self, terms: Mapping[str, Sequence[str]]) -> None:
        """Take the ways to write each idea, all languages together; `*` is the rest of a word."""
        self.terms = {idea: tuple(forms) for idea, forms in terms.items()}
        self._patterns = [(idea, _compile(forms)) for idea, forms in self.terms.items() if forms]

    def find(self, text: str) -> list[str]:
        """Return the ideas that a text names, in the order of the file."""
        folded = " ".join(words(text))
        return [idea for idea, pattern in self._patterns if pattern.search(folded)]


def _compile(forms: Sequence[str]) -> re.Pattern[str]:
    written = {re.escape(" ".join(form.split())).replace(r"\*", r"\w*").replace(r"\ ", " ") for form in forms}
    return re.compile(_NON_WORD + "(?:" + "|".join(sorted(written, key=len, reverse=True)) + ")" + _END)
