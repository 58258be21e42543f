"""The texts of the assistant in every language, from `data/locales/<lang>.yml`.

Flat dotted keys. A missing key is an error: a person never gets English by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Formatter

import yaml

from knowledge.errors import LocaleProblem

FALLBACK = "en"


class Locales:
    """Texts by language and key."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._texts = {lang: dict(keys) for lang, keys in texts.items()}

    @classmethod
    def load(cls, data_dir: Path) -> Locales:
        """Read every `data/locales/<lang>.yml`.

        Raises:
            LocaleProblem: A file is not a flat list of `key: "text"` lines.
        """
        texts = {path.stem: _read(path) for path in sorted((data_dir / "locales").glob("*.yml"))}
        if FALLBACK not in texts:
            raise LocaleProblem(FALLBACK, "(file)", f"the file is missing in {data_dir / 'locales'}; put it back")
        return cls(texts)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have a file."""
        return tuple(sorted(self._texts))

    def nearest(self, lang: str) -> str:
        """Return the language to use for someone: their own, its base (`pl` for `pl-PL`), or English."""
        for tag in (lang, lang.split("-")[0].lower()):
            if tag in self._texts:
                return tag
        return FALLBACK

    def has(self, lang: str, key: str) -> bool:
        """Say whether a language has a key."""
        return key in self._texts.get(lang, {})

    def keys(self, lang: str) -> tuple[str, ...]:
        """Return the keys of one language, in the order of its file."""
        return tuple(self._texts.get(lang, {}))

    def raw(self, lang: str, key: str) -> str:
        """Return the text of a key with its placeholders unfilled.

        Raises:
            LocaleProblem: The language or key is missing.
        """
        try:
            return self._texts[lang][key]
        except KeyError:
            raise LocaleProblem(lang, key, "this key is missing; add it, with the placeholders of en.yml") from None

    def t(self, lang: str, key: str, **values: object) -> str:
        """Return the text of a key with its values filled in.

        Raises:
            LocaleProblem: The language or key is missing, or the text wants a value that was not given.
        """
        text = self.raw(lang, key)
        try:
            return text.format(**values)
        except (KeyError, IndexError, ValueError) as error:
            raise LocaleProblem(lang, key, f"cannot be filled in ({error!r}); use the placeholders of en.yml") from None

    def problems(self, languages: Iterable[str]) -> list[str]:
        """Return, as sentences, where languages differ from English in keys or placeholders."""
        found = []
        english = self._texts[FALLBACK]
        for lang in languages:
            texts = self._texts.get(lang, {})
            file = f"data/locales/{lang}.yml"
            found += [f"{file}: {key} is missing; translate it from en.yml." for key in english if key not in texts]
            found += [
                f"{file}: {key} is not in en.yml; remove it or add it there." for key in texts if key not in english
            ]
            for key in english.keys() & texts.keys():
                wanted, given = _placeholders(english[key]), _placeholders(texts[key])
                if wanted != given:
                    found.append(f"{file}: {key} has placeholders {sorted(given)}, en.yml has {sorted(wanted)}.")
        return sorted(found)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _read(path: Path) -> dict[str, str]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LocaleProblem(path.stem, "(file)", f"is not readable YAML: {error}") from error
    if not isinstance(loaded, dict):
        raise LocaleProblem(path.stem, "(file)", 'holds no lines of the form `key: "text"`')
    for key, text in loaded.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise LocaleProblem(path.stem, str(key), 'is not text; write `key: "text"` with quotes')
    return loaded
