"""Answers, emergency replies and contact cards as a person gets to see them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from knowledge.base import KnowledgeBase
from knowledge.cards import compose_contact
from knowledge.locales import Locales
from knowledge.replies import (
    Button,
    EmergencyKind,
    Link,
    article_buttons,
    compose_answer,
    compose_emergency,
    shorten,
    tel,
)
from tests.knowledge.conftest import change

TODAY = date(2026, 11, 23)
LANGUAGES = ("nl", "en", "pl", "ro", "bg", "uk", "ar", "tr", "es", "ru")


def test_an_answer_has_text_sources_numbers_buttons_and_thumbs(knowledge: KnowledgeBase, locales: Locales) -> None:
    reply = compose_answer(knowledge, locales, "gp-register", "nl", TODAY)
    assert reply.kind == "answer"
    assert reply.text.startswith("Schrijf u in bij een huisarts. Dat is gratis.\n\n1. Zoek een huisarts")
    assert reply.footer == (
        "Bron: LHV, Rijksoverheid, gecontroleerd op 20 november 2026. Algemene informatie, geen medisch advies."
    )
    assert [link.url for link in reply.links] == [
        "tel:08006464644", "https://www.gpinfo.nl/gp-register", "https://www.rijksoverheid.nl/gp-register",
    ]  # fmt: skip
    assert [button.payload for button in reply.buttons] == [
        "desk:gp-register", "article:dentist", "article:deductible", "human",
    ]  # fmt: skip
    assert reply.feedback


def test_a_draft_translation_says_that_no_person_has_checked_it(knowledge: KnowledgeBase, locales: Locales) -> None:
    reply = compose_answer(knowledge, locales, "gp-register", "pl", TODAY)
    assert reply.lang == "pl"
    assert locales.t("pl", "answer.draft") in reply.footer


def test_yearly_figures_stand_in_the_text_as_the_language_writes_them(
    knowledge: KnowledgeBase, locales: Locales
) -> None:
    assert "385 euro (2026)" in compose_answer(knowledge, locales, "deductible", "pl", TODAY).text
    next_year = compose_answer(knowledge, locales, "deductible", "en", date(2027, 1, 1)).text
    assert "€385 (in 2026; for 2027 it is not known yet)" in next_year


@pytest.mark.parametrize(("lang", "shown", "key"), [("ro", "en", "answer.fallback_en"), ("uk", "en", None)])
def test_a_language_without_the_article_gets_another_and_is_told_so(
    knowledge: KnowledgeBase, locales: Locales, lang: str, shown: str, key: str | None
) -> None:
    reply = compose_answer(knowledge, locales, "dentist", lang, TODAY)
    assert reply.lang == shown
    assert key is None or reply.text.startswith(locales.t(lang, key))


def test_without_english_the_dutch_text_comes(data_dir: Path, locales: Locales) -> None:
    (data_dir / "kb/dentist/en.md").unlink()
    reply = compose_answer(KnowledgeBase.load(data_dir), locales, "dentist", "en", TODAY)
    assert reply.lang == "nl"
    assert reply.text.startswith(locales.t("en", "answer.fallback_nl"))


def test_only_texts_of_the_status_asked_for_are_shown(knowledge: KnowledgeBase, locales: Locales) -> None:
    reviewed = compose_answer(knowledge, locales, "dentist", "pl", TODAY, least_status="reviewed")
    assert reviewed.lang == "nl"
    verified = compose_answer(knowledge, locales, "dentist", "pl", TODAY, least_status="verified")
    assert verified.kind == "abstain"


def test_an_expired_article_is_never_shown(data_dir: Path, locales: Locales) -> None:
    change(data_dir / "kb/dentist/article.yml", "2027-11-23", "2026-11-22")
    knowledge = KnowledgeBase.load(data_dir)
    reply = compose_answer(knowledge, locales, "dentist", "en", TODAY)
    assert reply.kind == "abstain"
    assert reply.text == locales.t("en", "answer.expired")
    assert [button.payload for button in reply.buttons] == ["human"]
    assert article_buttons(knowledge, ["dentist", "deductible"], "en", TODAY)[0].payload == "article:deductible"
    assert compose_answer(knowledge, locales, "dentist", "en", date(2026, 11, 22)).kind == "answer"


@pytest.mark.parametrize("lang", [*LANGUAGES, "hu"])
@pytest.mark.parametrize(
    ("kind", "numbers", "articles"),
    [
        ("medical", ["112"], ["emergency-112"]),
        ("suicide", ["113", "0800-0113", "112"], ["suicide-crisis"]),
        ("violence", ["112", "0800-2000"], ["domestic-violence", "sexual-violence"]),
    ],
)
def test_an_emergency_reply_begins_with_the_number_and_says_what_to_say_in_dutch(
    locales: Locales, lang: str, kind: EmergencyKind, numbers: list[str], articles: list[str]
) -> None:
    reply = compose_emergency(locales, lang, kind)
    first = reply.text.splitlines()[0]
    assert numbers[0] in first
    assert len(first) < 140
    assert len(reply.text) < 700
    assert [link.title for link in reply.links] == numbers
    assert all(number in reply.text for number in numbers)
    dutch = locales.t("nl", f"emergency.{kind}.say").split("“")[1].split("”")[0]
    assert dutch in reply.text
    assert [button.payload for button in reply.buttons] == [*(f"article:{article}" for article in articles), "human"]
    assert [candidate.article for candidate in reply.candidates] == articles
    assert reply.emergency == kind


def test_a_red_flag_of_sexual_violence_offers_help_with_that_first(locales: Locales) -> None:
    reply = compose_emergency(locales, "pl", "violence", "sexual_violence")
    assert [button.payload for button in reply.buttons][:2] == ["article:sexual-violence", "article:domestic-violence"]


def test_who_had_an_accident_can_also_read_what_to_do_when_it_was_at_work(locales: Locales) -> None:
    reply = compose_emergency(locales, "pl", "medical", "accident")
    assert [button.payload for button in reply.buttons] == ["article:emergency-112", "article:work-accident", "human"]


def test_every_kind_of_emergency_has_a_reply(locales: Locales) -> None:
    assert {compose_emergency(locales, "en", kind).emergency for kind in get_args(EmergencyKind)} == {
        "medical", "suicide", "violence",
    }  # fmt: skip


def test_a_contact_card_shows_what_is_sure(knowledge: KnowledgeBase, locales: Locales) -> None:
    reply = compose_contact(locales, knowledge.contact("helpline"), "en")
    assert reply.text.splitlines() == [
        "Zorglijn", "Phone: 0800-64 64 644 (free)", "Open: Monday to Friday", "They speak: Dutch, Polish",
    ]  # fmt: skip
    assert [link.url for link in reply.links] == ["tel:08006464644", "https://www.zorglijn.nl"]
    assert "Chatten kan ook." in compose_contact(locales, knowledge.contact("helpline"), "nl").text


def test_a_contact_without_a_checked_number_invents_none(knowledge: KnowledgeBase, locales: Locales) -> None:
    reply = compose_contact(locales, knowledge.contact("gp-post"), "en")
    assert "We do not have a checked phone number." in reply.text
    assert "In Breda. We do not have a checked address." in reply.text
    assert "Open (in Dutch): Dag en nacht" in reply.text
    assert reply.links == ()


def test_phone_numbers_become_numbers_to_tap() -> None:
    assert tel("0800-64 64 644") == "tel:08006464644"
    assert tel("+31 70 333 56 78") == "tel:+31703335678"


def test_a_button_title_is_cut_at_a_word() -> None:
    assert shorten("Kort") == "Kort"
    title = shorten("A doctor in the evening, at night or at the weekend")
    assert title == "A doctor in the evening, at night or at…"
    assert len(title) <= 40


def test_a_payload_that_telegram_would_refuse_is_refused_here() -> None:
    for payload in ("x" * 65, "artykuł:gp"):
        with pytest.raises(ValidationError):
            Button(title="a", payload=payload)
    with pytest.raises(ValidationError):
        Link(title="a", url="javascript:alert(1)")
