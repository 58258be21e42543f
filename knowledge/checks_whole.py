"""What `zorgbrug kb check` looks at across articles: questions that stand twice, and content that nothing leads to."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge import figures
from knowledge.base import KnowledgeBase
from knowledge.problems import Problem
from knowledge.text import fold, words

# Contacts that people are sent to by their place, whether an article names them or not.
_FOUND_BY_PLACE = frozenset({"win-point", "gp-post"})


def check_whole(knowledge: KnowledgeBase) -> Iterator[Problem]:
    """Yield the problems between articles."""
    yield from _check_duplicate_questions(knowledge)
    yield from _check_orphans(knowledge)


def _check_duplicate_questions(knowledge: KnowledgeBase) -> Iterator[Problem]:
    """Yield questions of one language with the same words, in whatever order and spelling of accents."""
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for article in knowledge.articles.values():
        for lang, text in article.translations.items():
            origin = knowledge.origins.of("text", article.id, lang)
            for index, question in enumerate(text.questions):
                key = (lang, " ".join(sorted(words(fold(question)))))
                where = f"{article.id}/{lang}.md"
                if key in seen:
                    other, as_written = seen[key]
                    what = f"the question {question!r} is also in {other}"
                    if as_written != question:
                        what += f", as {as_written!r}"
                    yield origin.problem(("questions", index), what, "keep it where it fits best")
                seen.setdefault(key, (where, question))


def _check_orphans(knowledge: KnowledgeBase) -> Iterator[Problem]:
    articles = knowledge.articles.values()
    related = {other for article in articles for other in article.related}
    named = {contact for article in articles for contact in article.contacts}
    texts = [text for article in articles for text in article.translations.values()]
    used = {name for text in texts for name in figures.placeholders(text.body)}
    for article in articles:
        if len(knowledge.articles) > 1 and article.id not in related:
            what, mend = "no article leads here", "name it under `related` of an article near to it"
            yield knowledge.origins.of("article", article.id).problem(("id",), what, mend)
    for contact in knowledge.contacts.values():
        if contact.id not in named and contact.kind not in _FOUND_BY_PLACE:
            what, mend = f"no article names {contact.id}", "add it to `contacts` of one, or remove it"
            yield knowledge.origins.of("contact", contact.id).problem(("id",), what, mend)
    for name in sorted(knowledge.facts.keys() - used):
        what, mend = f"no article uses the figure {name}", f"write {{{{ {name} }}}} where it belongs, or remove it"
        yield knowledge.origins.of("fact", name).problem((), what, mend)
