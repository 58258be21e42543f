"""The content that ships: whole, and without a single problem that the checks know."""

from __future__ import annotations

import pytest

from knowledge.base import KnowledgeBase
from knowledge.checks import check
from knowledge.retrieval_settings import RetrievalSettings, load_terms
from knowledge.text import fold
from tests.knowledge.conftest import DATA

ARTICLES = {
    "emergency-112", "out-of-hours-gp", "emergency-department", "gp-role", "gp-register", "gp-find-full", "gp-passerby",
    "gp-digital", "insurance-duty", "insurance-take-out", "insurance-basic-cover", "insurance-deductible",
    "insurance-allowance", "insurance-via-employer", "insurance-job-loss", "uninsured-care", "bill-received",
    "registration-brp-rni", "bsn", "medicine-pharmacy", "dentist", "pregnancy-midwife", "mental-health", "win-point",
}  # fmt: skip


@pytest.fixture(scope="module")
def shipped() -> KnowledgeBase:
    return KnowledgeBase.load(DATA)


def test_every_article_is_there_in_every_served_language(shipped: KnowledgeBase) -> None:
    assert shipped.articles.keys() >= ARTICLES
    served = set(shipped.served_languages)
    for article in shipped.articles.values():
        assert set(article.translations) | set(article.awaiting) == served, article.id
        assert {"nl", "en", "pl", "ro"} <= set(article.translations), article.id


def test_the_checks_find_nothing(shipped: KnowledgeBase) -> None:
    assert [str(problem) for problem in check(shipped)] == []


def test_nothing_claims_to_be_verified_by_a_person_who_is_not_named(shipped: KnowledgeBase) -> None:
    texts = [text for article in shipped.articles.values() for text in article.translations.values()]
    assert [text.title for text in texts if text.status == "verified"] == []


def test_every_article_has_a_dutch_sentence_for_the_desk(shipped: KnowledgeBase) -> None:
    assert [item.id for item in shipped.articles.values() if not item.translations["nl"].say_in_dutch] == []


def test_the_words_of_search_are_written_as_search_sees_them() -> None:
    terms = load_terms(DATA)
    assert [form for forms in terms.values() for form in forms if fold(form) != form] == []
    assert RetrievalSettings.load(DATA).thresholds.answer > RetrievalSettings.load(DATA).thresholds.abstain
