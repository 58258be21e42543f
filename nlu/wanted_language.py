"""Find the language that somebody asks for by name: "po polsku proszę", "no English, Polish please"."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from nlu.datafiles import DataFileError, load_mapping
from nlu.text import tokens
from nlu.transliteration import bulgarian_to_cyrillic

_REACH = 3  # a "not" refuses a language named in the three words after it


class WantedLanguageFinder:
    """Knows how the languages are called in each other."""

    def __init__(self, stems: Mapping[str, Iterable[str]], negations: Iterable[str]) -> None:
        self._stems = [(stem, lang) for lang, listed in stems.items() for stem in listed]
        self._negations = frozenset(negations)

    @classmethod
    def from_data(cls, data_dir: Path | str) -> "WantedLanguageFinder":
        """Read `languages/names.yml` in the data folder.

        Raises:
            DataFileError: The file is missing or malformed.
        """
        path = Path(data_dir) / "languages" / "names.yml"
        content = load_mapping(path)
        negations = content.pop("negations", None)
        if not isinstance(negations, str) or not all(isinstance(stems, str) for stems in content.values()):
            raise DataFileError(
                path, "It is not lines of words.", "Write `negations: ...` and `<lang>: stem stem ...`."
            )
        return cls({lang: tokens(stems) for lang, stems in content.items()}, tokens(negations))

    def find(self, text: str) -> str | None:
        """Return the code of the language named, of several the last that is not refused; None when none is named."""
        wanted: str | None = None
        refused_until = -1
        for index, word in enumerate(tokens(text)):
            if word in self._negations:
                refused_until = index + _REACH
            elif lang := self._name(word):
                wanted = wanted if index <= refused_until else lang
                refused_until = -1  # one "not" refuses one language
        return wanted

    def _name(self, word: str) -> str | None:
        spellings = (word, bulgarian_to_cyrillic(word))
        return next((lang for stem, lang in self._stems if any(form.startswith(stem) for form in spellings)), None)
