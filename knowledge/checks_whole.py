"""What `zorgbrug kb check` looks at across articles: questions that stand twice, and articles that nothing leads to."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.base import KnowledgeBase
from knowledge.problems import Problem
from knowledge.text import fold, words


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
    for article in articles:
        if len(knowledge.articles) > 1 and article.id not in related:
            what, mend = "no article leads here", "name it under `related` of an article near to it"
            yield knowledge.origins.of("article", article.id).problem(("id",), what, mend)
