"""What `zorgbrug kb check` looks at, beyond what the models refuse. Every problem is returned, none stops the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlparse

from knowledge import figures
from knowledge.base import KnowledgeBase
from knowledge.checks_whole import check_whole
from knowledge.glossary import find_other_renderings
from knowledge.models import Article, Source, Translation
from knowledge.origins import Origin
from knowledge.problems import Problem
from knowledge.readability import find_hard_reading

SOURCE_LANGUAGE = "nl"
FEWEST_QUESTIONS = 8
FEWEST_STEPS, MOST_STEPS = 3, 6
LONGEST_SHORT_ANSWER = 350
LONGEST_LAST_PARAGRAPH = 300
LONGEST_UNCHECKED_DAYS = 400

# Test copies of real sites and copies of official text: good to find a page, never to show to people.
COPY_DOMAINS = frozenset(
    {
        "mindd.dev",
        "moetiknaardedokter.nl",
        "bloghong.com",
        "stvan.nl",
        "openkamer.org",
        "rijksopenheid.nl",
        "scribd.com",
    }
)
_COMPARED = {
    "figure": figures.figures,
    "phone": figures.phones,
    "page": figures.pages,
    "placeholder": figures.placeholders,
}
_TEST_PREFIXES = ("acceptance.", "accep-", "accept.", "acc.", "test.", "staging.", "prod-", "localhost")


def check(knowledge: KnowledgeBase, today: date | None = None) -> list[Problem]:
    """Return every problem in the content, in the order of the files.

    Args:
        knowledge: Read from `data/`, so that problems can name file and line.
        today: The day to hold dates against; without it dates are not looked at, since content goes out of date
            without anyone touching it and must not stop a set-up.
    """
    problems = [problem for article in knowledge.articles.values() for problem in _check_article(knowledge, article)]
    problems += check_whole(knowledge)
    for contact in knowledge.contacts.values():
        problems += _check_sources(contact.sources, knowledge.origins.of("contact", contact.id))
    if today is not None:
        problems += _check_dates(knowledge, today)
    return sorted(set(problems))


def source_hash(translation: Translation) -> str:
    """Return the hash that `translated_from` holds: of everything in the source text that a translation renders."""
    parts = (translation.title, translation.body, translation.say_in_dutch or "")
    return hashlib.sha256("\n\n".join(parts).encode()).hexdigest()[:16]


def _check_article(knowledge: KnowledgeBase, article: Article) -> Iterator[Problem]:
    origin = knowledge.origins.of("article", article.id)
    if not article.sources:
        yield origin.problem(("sources",), "there is no source", "name the page that the facts rest on")
    yield from _check_sources(article.sources, origin)
    for index, other in enumerate(article.related):
        where = ("related", index)
        if other == article.id:
            yield origin.problem(where, "the article is related to itself", "remove the line")
        elif other not in knowledge.articles:
            yield origin.problem(where, f"there is no article {other}", "correct the id or remove the line")
    if len(set(article.related)) < len(article.related):
        yield origin.problem(("related",), "an article stands here twice", "remove one")
    for index, name in enumerate(article.contacts):
        if name not in knowledge.contacts:
            mend = "correct the id, or add the contact to data/contacts"
            yield origin.problem(("contacts", index), f"there is no contact {name}", mend)
    for lang in knowledge.served_languages:
        if lang not in article.translations and lang not in article.awaiting:
            mend = f"write data/kb/{article.id}/{lang}.md, or name {lang} under `awaiting`"
            yield origin.problem((), f"there is no {lang}.md", mend)
    for index, lang in enumerate(article.awaiting):
        if lang not in knowledge.served_languages:
            yield origin.problem(("awaiting", index), f"{lang} is no language that we serve", "take it out")
    for lang, translation in article.translations.items():
        text_origin = knowledge.origins.of("text", article.id, lang)
        if lang not in knowledge.languages:
            yield text_origin.problem(
                (), f"{lang} is no language of ours", "add it to data/languages.yml or rename the file"
            )
        yield from _check_text(knowledge, lang, translation, text_origin)
        if lang != SOURCE_LANGUAGE and SOURCE_LANGUAGE in article.translations:
            yield from _check_translation(knowledge, article, lang, translation, text_origin)


def _check_text(knowledge: KnowledgeBase, lang: str, text: Translation, origin: Origin) -> Iterator[Problem]:
    if len(text.questions) < FEWEST_QUESTIONS:
        what = f"there are {len(text.questions)} questions, at least {FEWEST_QUESTIONS}"
        yield origin.problem(("questions",), what, "add more ways in which people ask")
    if len(text.short_answer) > LONGEST_SHORT_ANSWER:
        what = f"the short answer has {len(text.short_answer)} characters, at most {LONGEST_SHORT_ANSWER}"
        yield origin.body_problem(text.paragraphs[0], text.body, what, "move details to the steps")
    steps = len(text.steps)
    if not FEWEST_STEPS <= steps <= MOST_STEPS:
        what = f"there are {steps} steps, {FEWEST_STEPS} to {MOST_STEPS}"
        yield origin.body_problem("1. ", text.body, what, "write each step on a line of its own, `1. …`")
    last = text.paragraphs[-1]
    if len(last) > LONGEST_LAST_PARAGRAPH and not last.startswith("1. ") and last != text.paragraphs[0]:
        what = f"the last paragraph has {len(last)} characters, at most {LONGEST_LAST_PARAGRAPH}"
        yield origin.body_problem(last, text.body, what, "shorten it")
    for name in sorted(figures.placeholders(text.body) - knowledge.facts.keys()):
        mend = "correct the name, or add the figure to data/facts.yml"
        yield origin.body_problem(f"{name}", text.body, f"there is no figure {name!r}", mend)
    for braces in figures.broken_braces(text.body):
        yield origin.body_problem(braces, text.body, f"`{braces}` is no placeholder", "write {{ name }}")
    yield from _check_typed_facts(knowledge, text, origin)
    for mark in ("**", "](", "\n#", "http://", "https://", "<"):
        if mark in text.body:
            what = f"the text has {mark.strip()!r}"
            yield origin.body_problem(mark, text.body, what, "write plain text; links go under sources in article.yml")
    for finding in find_hard_reading(text.body, lang):
        yield origin.body_problem(finding.sentence, text.body, finding.what, finding.mend)
    if text.status != "draft":
        for name in ("reviewed_by", "reviewed_on"):
            if not getattr(text, name):
                yield origin.problem(
                    ("status",), f"the status is {text.status} without {name}", f"say {name}, or write draft"
                )


def _check_typed_facts(knowledge: KnowledgeBase, text: Translation, origin: Origin) -> Iterator[Problem]:
    values = {
        figures.normal_amount(str(value)): name
        for name, fact in knowledge.facts.items()
        if fact.unit == "EUR"
        for value in fact.by_year.values()
    }
    for part in (text.body, text.title):
        for amount in sorted(figures.amounts(part)):
            name = values.get(figures.normal_amount(amount))
            if name is not None:
                what = f"the yearly figure {amount} is typed"
                yield origin.body_problem(amount, text.body, what, f"write {{{{ {name} }}}}")
    known = {
        digits
        for contact in knowledge.contacts.values()
        for phone in contact.phones
        for digits in figures.phones(phone)
    }
    for phone in sorted(figures.phones(text.body) - known):
        yield origin.body_problem(
            figures.as_typed(phone, text.body),
            text.body,
            f"phone {phone} is in no contact",
            "add it to data/contacts first",
        )


def _check_translation(
    knowledge: KnowledgeBase, article: Article, lang: str, text: Translation, origin: Origin
) -> Iterator[Problem]:
    source = article.translations[SOURCE_LANGUAGE]
    ours, theirs = f"{text.title}\n{text.body}", f"{source.title}\n{source.body}"
    for noun, find in _COMPARED.items():
        for item in sorted(find(theirs) - find(ours)):
            yield origin.body_problem("", text.body, f"{noun} {item} of nl.md is missing", "copy the source's")
        for item in sorted(find(ours) - find(theirs)):
            where = figures.as_typed(item, text.body)
            yield origin.body_problem(where, text.body, f"{noun} {item} is not in nl.md", "copy the source's")
    english = article.translations.get("en")
    if english is not None and lang != "en":
        terms = figures.dutch_terms(f"{english.title}\n{english.body}", theirs)
        for term in figures.lacks(ours, terms):
            what = f"the Dutch term {term!r} is missing"
            yield origin.body_problem("", text.body, what, "put it in brackets behind its translation, as in en.md")
    if text.translated_from and text.translated_from != source_hash(source):
        mend = "bring the translation up to date, then run `zorgbrug kb stamp`"
        yield origin.problem(("translated_from",), "nl.md has changed since this was translated", mend)
    yield from find_other_renderings(knowledge.glossary, lang, text.body, origin)
    for name in ("say_sounds", "say_means"):
        if source.say_in_dutch and not getattr(text, name):
            mend = "write it for the sentence of say_in_dutch in nl.md"
            yield origin.problem(("title",), f"{name} is missing", mend)
    for region in sorted(source.regional.keys() ^ text.regional.keys()):
        yield origin.problem(("regional",), f"what holds in {region} is not in both texts", "translate it")
    if text.say_in_dutch:
        yield origin.problem(("say_in_dutch",), "say_in_dutch belongs in nl.md alone", "remove it here")


def _check_sources(sources: tuple[Source, ...], origin: Origin) -> Iterator[Problem]:
    for index, source in enumerate(sources):
        host = urlparse(source.url).hostname or ""
        is_copy = any(host == domain or host.endswith(f".{domain}") for domain in COPY_DOMAINS)
        if is_copy or host.startswith(_TEST_PREFIXES) or "-cd." in host:
            what = f"{host} is a test site or a copy"
            yield origin.problem(("sources", index), what, "name the official page instead")


def _check_dates(knowledge: KnowledgeBase, today: date) -> Iterator[Problem]:
    for article in knowledge.articles.values():
        origin = knowledge.origins.of("article", article.id)
        if article.is_expired(today):
            what = f"valid_until {article.valid_until} has gone by, the article is no longer shown"
            yield origin.problem(("valid_until",), what, "check the sources and set a new date")
        for index, source in enumerate(article.sources):
            if (today - source.checked_on).days > LONGEST_UNCHECKED_DAYS:
                what = f"{source.url} was looked at {(today - source.checked_on).days} days ago"
                yield origin.problem(("sources", index), what, "look whether it still holds, and write the new day")
            if source.checked_on > today:
                yield origin.problem(
                    ("sources", index), f"checked_on {source.checked_on} is yet to come", "write the day of checking"
                )
        for lang, text in article.translations.items():
            if text.reviewed_on and text.reviewed_on > today:
                text_origin = knowledge.origins.of("text", article.id, lang)
                yield text_origin.problem(
                    ("reviewed_on",), f"{text.reviewed_on} is yet to come", "write the day of the review"
                )
