"""The articles and ready texts that a worker can put into a conversation with one click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.console.texts import LANGUAGES
from bot.errors import BotError
from knowledge.base import KnowledgeBase
from knowledge.locales import Locales
from knowledge.replies import Reply, compose_answer
from knowledge.snapshots import SnapshotReader


class ReadyTextsUnusable(BotError):
    """`data/console/ready.yml` is missing or wrong."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"data/console/ready.yml: {reason}.")


class ReadyText(BaseModel):
    """A text that workers send often: its name in the console, and the words in every language of the service."""

    model_config = ConfigDict(extra="forbid")

    title: dict[str, str]
    texts: dict[str, str]


@dataclass(frozen=True)
class ArticleChoice:
    """An article in the list to choose from."""

    id: str
    title: str


class ConsoleLibrary:
    """Reads the published knowledge, so a worker sends what the bot would."""

    def __init__(self, data_dir: Path, var_dir: Path, locales: Locales) -> None:
        self._data_dir = data_dir
        self._reader = SnapshotReader(var_dir / "snapshots")
        self._locales = locales

    @property
    def knowledge(self) -> KnowledgeBase:
        """What is published now."""
        return self._reader.current().knowledge

    def choices(self, ui_lang: str, today: date) -> Sequence[ArticleChoice]:
        """Return the articles that may be shown today, by their title in the worker's language."""
        shown = (
            (item, item.text_for(ui_lang)) for item in self.knowledge.articles.values() if not item.is_expired(today)
        )
        choices = [ArticleChoice(item.id, text[1].title) for item, text in shown if text is not None]
        return sorted(choices, key=lambda choice: choice.title.casefold())

    def article(self, article: str, lang: str, place: str | None, today: date) -> Reply | None:
        """Return an article as the person gets it, without the thumbs and the button to a human; None if unknown."""
        if article not in self.knowledge.articles:
            return None
        reply = compose_answer(self.knowledge, self._locales, article, lang, today, place=place)
        kept = tuple(button for button in reply.buttons if button.payload.startswith("desk:"))
        return reply.model_copy(update={"buttons": kept, "feedback": False})

    def title(self, article: str | None, ui_lang: str) -> str:
        """Return an article's title in the worker's language, or its id when it is not published any more."""
        found = self.knowledge.articles.get(article or "")
        text = found.text_for(ui_lang) if found else None
        return text[1].title if text else (article or "")

    @cached_property
    def ready_texts(self) -> Mapping[str, ReadyText]:
        """The ready texts by id.

        Raises:
            ReadyTextsUnusable: The file is missing or wrong; the message says where.
        """
        path = self._data_dir / "console" / "ready.yml"
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            texts = {name: ReadyText.model_validate(item) for name, item in content.items()}
        except (OSError, yaml.YAMLError, AttributeError) as error:
            raise ReadyTextsUnusable(str(error).splitlines()[0]) from error
        except ValidationError as error:
            raise ReadyTextsUnusable(str(error.errors()[0]["msg"])) from error
        for name, item in texts.items():
            if missing := sorted(
                (set(self._locales.languages) - item.texts.keys()) | (set(LANGUAGES) - item.title.keys())
            ):
                raise ReadyTextsUnusable(f"{name} lacks {', '.join(missing)}")
        return texts

    def ready(self, name: str, lang: str) -> Reply | None:
        """Return a ready text in the person's language, or None when there is none of that name."""
        if name not in self.ready_texts:
            return None
        ui = self._locales.nearest(lang)
        return Reply(kind="handoff", lang=ui, text=self.ready_texts[name].texts[ui])
