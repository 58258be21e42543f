"""The console's own words in Dutch and English, from `data/console/<lang>.yml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from bot.errors import BotError

LANGUAGES = ("nl", "en")


class ConsoleTextsUnusable(BotError):
    """A file of texts is missing or does not fit the other one."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"data/console/{path.name}: {reason}.")


class ConsoleTexts:
    """Gives a text by language and key; a missing key is an error, never silently another language."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._texts = texts

    @classmethod
    def load(cls, data_dir: Path) -> ConsoleTexts:
        """Read both files.

        Raises:
            ConsoleTextsUnusable: A file is missing, is no flat mapping, or lacks a key that the other has.
        """
        texts = {lang: _read(data_dir / "console" / f"{lang}.yml") for lang in LANGUAGES}
        keys = {key for text in texts.values() for key in text}
        for lang, text in texts.items():
            if missing := sorted(keys - text.keys()):
                raise ConsoleTextsUnusable(data_dir / "console" / f"{lang}.yml", f"lacks {', '.join(missing)}")
        return cls(texts)

    def t(self, lang: str, key: str, /, **values: object) -> str:
        """Return a text, with its placeholders filled in."""
        text = self._texts[lang if lang in self._texts else LANGUAGES[0]][key]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Say whether there is such a text."""
        return key in self._texts[LANGUAGES[0]]


def _read(path: Path) -> dict[str, str]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConsoleTextsUnusable(path, error.strerror or "cannot be read") from error
    except yaml.YAMLError as error:
        raise ConsoleTextsUnusable(path, str(error).splitlines()[0]) from error
    if not isinstance(content, dict) or not all(isinstance(text, str) for text in content.values()):
        raise ConsoleTextsUnusable(path, "must hold one text a key")
    return content
