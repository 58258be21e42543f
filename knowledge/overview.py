"""The table of languages and topics in the README, made from the content so that it promises nothing else."""

from __future__ import annotations

from collections import Counter

from knowledge.base import KnowledgeBase

BEGIN, END = "<!-- content: made by `zorgbrug kb overview --write` -->", "<!-- end of content -->"


def overview(knowledge: KnowledgeBase) -> str:
    """Return the tables as Markdown: the languages that we answer in, the articles a topic, and what is only known."""
    lines = ["| language | own name | script |", "| --- | --- | --- |"]
    for lang in knowledge.served_languages:
        language = knowledge.languages[lang]
        lines.append(f"| {language.english_name} | {language.own_name} | {language.script} |")
    topics: dict[str, list[str]] = {}
    for article in knowledge.articles.values():
        topics.setdefault(article.topic, []).append(article.id)
    lines += ["", "| topic | articles |", "| --- | --- |"]
    lines += [f"| {topic} | {', '.join(sorted(articles))} |" for topic, articles in sorted(topics.items())]
    others = [item.english_name for item in knowledge.languages.values() if not item.served]
    lines += ["", f"Recognised, and answered in English with a sentence that says so: {', '.join(sorted(others))}."]
    return "\n".join(lines)


def counts(knowledge: KnowledgeBase) -> str:
    """Return how much there is in each language, as Markdown."""
    lines = ["| language | articles | still to translate | questions | statuses |", "| --- | --- | --- | --- | --- |"]
    for lang in knowledge.served_languages:
        texts = [item.translations[lang] for item in knowledge.articles.values() if lang in item.translations]
        statuses = ", ".join(f"{count} {status}" for status, count in Counter(text.status for text in texts).items())
        questions = sum(len(text.questions) for text in texts)
        missing = len(knowledge.articles) - len(texts)
        name = knowledge.languages[lang].english_name
        lines.append(f"| {name} | {len(texts)} | {missing} | {questions} | {statuses} |")
    return "\n".join(lines)


def with_overview(document: str, tables: str) -> str:
    """Return a document with the tables between its marks.

    Raises:
        ValueError: The document has no marks.
    """
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there is no `{BEGIN}` with an `{END}` after it")
    return f"{head}{BEGIN}\n\n{tables}\n\n{END}{tail}"
