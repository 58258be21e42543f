"""The pieces that are searched: titles and questions in all languages, and what people ask that is not ours.

The answers themselves are not searched: with a dozen questions and more an article they add nothing to what is found
(docs/measurements/answers.md), and as the longest texts they would cost a fifth of the time of publishing.

A negative is a passage with the label `NONE`: to the model it is one more "article", and when it wins, we abstain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from knowledge.facts import PLACEHOLDER
from knowledge.models import Article
from knowledge.text import clean
from nlu.transliteration import to_native_script

NONE = ""  # no article has an empty id, and it sorts before all of them

Kind = Literal["title", "question", "answer", "negative"]

# Rasa intents whose examples have no answer in the knowledge base.
_NEGATIVE_FILES = ("out_of_scope.yml", "smalltalk.yml")


@dataclass(frozen=True)
class Passage:
    """One piece of text that is searched."""

    text: str
    lang: str
    article: str
    kind: Kind


def searchable(text: str, lang: str) -> str:
    """Return a text as it is searched: clean, not shouted, and in the script of its language."""
    cleaned = clean(text)
    if cleaned.isupper():
        cleaned = cleaned.lower()  # the encoder knows few words in capitals
    return to_native_script(cleaned, lang)


def passages_of(articles: Iterable[Article]) -> list[Passage]:
    """Return the passages of all articles, by article, language and place in the text."""
    return [passage for article in articles for passage in _of_article(article)]


def read_negatives(data_dir: Path) -> list[Passage]:
    """Return Rasa's examples of small talk and of what is out of scope; none when the files are not there."""
    found = []
    for folder in sorted(path for path in (data_dir / "nlu").glob("*") if path.is_dir()):
        for name in _NEGATIVE_FILES:
            if (folder / name).exists():
                loaded = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
                found += [Passage(text, folder.name, NONE, "negative") for text in _examples(loaded)]
    return found


def answers_of(articles: Iterable[Article]) -> list[Passage]:
    """Return the short answers, for search that has nothing else to go by."""
    return [
        Passage(PLACEHOLDER.sub("", translation.short_answer), lang, article.id, "answer")
        for article in articles
        for lang, translation in sorted(article.translations.items())
    ]


def _of_article(article: Article) -> Iterator[Passage]:
    for lang, translation in sorted(article.translations.items()):
        yield Passage(translation.title, lang, article.id, "title")
        for question in translation.questions:
            yield Passage(question, lang, article.id, "question")


def _examples(loaded: object) -> Iterator[str]:
    items = loaded.get("nlu", []) if isinstance(loaded, dict) else []
    for item in items:
        for line in str(item.get("examples", "")).splitlines():
            if line.startswith("- "):
                yield line[2:].strip()
