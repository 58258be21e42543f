"""What each action answers, over the shipped content."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from rasa_sdk.executor import CollectingDispatcher

from actions.answer import Answer, ChooseArticle, More, ShowDesk
from actions.base import ReplyAction
from actions.handoff_form import SKIPPED, AskLanguage, AskPlace, GivePlace, SubmitHandoff, ValidateHandoffForm
from actions.language import SetLanguage
from actions.medical import Emergency, MedicalAdvice
from actions.privacy import DeleteData
from actions.server import make_executor
from actions.smalltalk import Smalltalk, Stop
from knowledge.replies import Candidate
from knowledge.retriever import Decision
from tests.actions.conftest import DATA, KNOWLEDGE, ListHandoff, ToldLibrary, make_tracker, run

FOUND = tuple(
    Candidate(article=name, score=score)
    for name, score in (("gp-register", 0.6), ("gp-find-full", 0.3), ("gp-role", 0.1))
)
LANGUAGES = KNOWLEDGE.served_languages


async def test_an_answer_comes_in_the_persons_language_and_becomes_the_topic_at_hand(library: ToldLibrary) -> None:
    library.decision = Decision("answer", FOUND)
    reply, slots = await run(Answer(library), make_tracker("jak sie zapisac"))
    assert (reply.kind, reply.article, reply.lang) == ("answer", "gp-register", "pl")
    assert reply.candidates == FOUND
    assert (slots["article"], slots["failures"], slots["language"]) == ("gp-register", 0.0, "pl")


async def test_close_articles_are_offered_as_at_most_three_buttons_and_a_person(library: ToldLibrary) -> None:
    library.decision = Decision("clarify", FOUND)
    reply, _ = await run(Answer(library), make_tracker("lekarz"))
    assert reply.kind == "clarify"
    assert [button.payload for button in reply.buttons] == [
        "article:gp-register", "article:gp-find-full", "article:gp-role", "human",
    ]  # fmt: skip


async def test_the_second_miss_in_a_row_offers_a_person_first(library: ToldLibrary) -> None:
    first, slots = await run(Answer(library), make_tracker("mecz"))
    second, _ = await run(Answer(library), make_tracker("mecz", slots=slots))
    assert first.kind == second.kind == "abstain"
    assert first.buttons[-1].payload == "human"
    assert second.buttons[0].payload == "human"


async def test_an_article_that_is_gone_is_not_answered_with(library: ToldLibrary) -> None:
    reply, _ = await run(ChooseArticle(library), make_tracker(intent="choose_article", entities={"article": "no-such"}))
    assert reply.kind == "abstain"


async def test_the_sentence_for_the_desk_is_dutch(library: ToldLibrary) -> None:
    reply, _ = await run(ShowDesk(library), make_tracker(intent="show_desk", entities={"article": "gp-register"}))
    assert "Ik wil mij inschrijven" in reply.text
    assert reply.lang == "pl"


async def test_more_offers_what_is_related_to_the_topic_at_hand(library: ToldLibrary) -> None:
    reply, _ = await run(More(library), make_tracker(intent="more", slots={"article": "gp-register"}))
    assert "article:gp-find-full" in [button.payload for button in reply.buttons]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("intent", ["ask_diagnosis", "ask_dosage"])
async def test_no_dose_and_no_diagnosis_is_ever_given(library: ToldLibrary, intent: str, lang: str) -> None:
    reply, _ = await run(MedicalAdvice(library), make_tracker(intent=intent, lang=lang))
    assert reply.kind == "medical_advice"
    assert set(re.findall(r"\d+", reply.text)) <= {"112"}
    assert "huisarts" in reply.text


@pytest.mark.parametrize("kind", ["medical", "suicide", "violence"])
async def test_an_emergency_that_only_the_classifier_saw_gets_the_same_reply(library: ToldLibrary, kind: str) -> None:
    reply, _ = await run(Emergency(library), make_tracker(intent=f"emergency_{kind}"))
    assert (reply.kind, reply.emergency) == ("emergency", kind)


async def test_below_an_alarm_of_the_classifier_stands_what_search_is_nearest_to(library: ToldLibrary) -> None:
    library.decision = Decision("answer", FOUND)
    reply, _ = await run(Emergency(library), make_tracker("jak sie zapisac", intent="emergency_medical"))
    assert [button.payload for button in reply.buttons] == ["article:gp-register", "article:emergency-112", "human"]
    assert [item.article for item in reply.candidates] == ["gp-register", "gp-find-full", "gp-role", "emergency-112"]


async def test_a_request_for_a_diagnosis_that_has_an_article_offers_it_first(library: ToldLibrary) -> None:
    library.decision = Decision("answer", FOUND)
    reply, _ = await run(MedicalAdvice(library), make_tracker(intent="ask_diagnosis"))
    assert (reply.kind, reply.buttons[0].payload) == ("medical_advice", "article:gp-register")
    assert reply.candidates == FOUND


async def test_deleting_asks_first_and_then_tells_the_bot_to_erase(library: ToldLibrary) -> None:
    question, slots = await run(DeleteData(library), make_tracker(intent="delete_data"))
    assert [button.payload for button in question.buttons] == ["yes", "no"]
    done, after = await run(Smalltalk(library), make_tracker(intent="affirm", slots=slots))
    assert (done.kind, done.effect, after["delete_pending"]) == ("privacy", "erase", False)


async def test_a_yes_long_after_the_question_deletes_nothing(library: ToldLibrary) -> None:
    reply, _ = await run(Smalltalk(library), make_tracker(intent="affirm", slots={"delete_pending": False}))
    assert reply.effect is None


async def test_stopping_in_the_form_says_that_nobody_was_asked(library: ToldLibrary) -> None:
    reply, _ = await run(Stop(library), make_tracker(intent="stop", lang="en", loop="handoff_form"))
    assert reply.text == library.locales.t("en", "handoff.stopped")


async def test_a_language_that_is_not_served_is_answered_with_those_that_are(library: ToldLibrary) -> None:
    reply, slots = await run(SetLanguage(library), make_tracker(intent="set_language", entities={"language": "hu"}))
    assert [button.payload for button in reply.buttons] == [f"lang:{lang}" for lang in LANGUAGES]
    assert slots["language"] == "pl"


async def test_consent_writes_an_escalation_for_the_win_point_of_the_place(
    library: ToldLibrary, handoff: ListHandoff
) -> None:
    tracker = make_tracker("tak", "affirm", slots={"place": "Etten-Leur", "share_consent": True, "article": "bsn"})
    reply, _ = await run(SubmitHandoff(library, handoff), tracker)
    (request,) = handoff.requests
    assert (request.place, request.lang, request.topic, request.consent) == ("Etten-Leur", "pl", "bsn", True)
    assert request.message_id == "m1"
    assert reply.kind == "handoff"


async def test_without_consent_only_language_place_and_topic_are_passed_on(
    library: ToldLibrary, handoff: ListHandoff
) -> None:
    tracker = make_tracker("nie", "deny", slots={"place": "Breda", "share_consent": False})
    reply, _ = await run(SubmitHandoff(library, handoff), tracker)
    (request,) = handoff.requests
    assert (request.consent, request.place, request.reason) == (False, "Breda", "asked")
    assert "Stadskantoor Breda" in reply.text


async def test_outside_the_hours_the_person_hears_when_there_will_be_an_answer(
    library: ToldLibrary, handoff: ListHandoff
) -> None:
    handoff.opens_at = datetime(2026, 11, 24, 9, 0, tzinfo=ZoneInfo("Europe/Amsterdam"))
    tracker = make_tracker("tak", "affirm", lang="pl", slots={"place": "Breda", "share_consent": True})
    reply, _ = await run(SubmitHandoff(library, handoff), tracker)
    assert "wtorek 24 listopada, 09:00" in reply.text


@pytest.mark.parametrize(
    ("slots", "reason"), [({"failures": 2.0}, "abstained"), ({"article": "homeless-care"}, "topic")]
)
async def test_the_request_says_why_a_person_is_wanted(
    library: ToldLibrary, handoff: ListHandoff, slots: dict[str, Any], reason: str
) -> None:
    tracker = make_tracker("tak", "affirm", lang="nl", slots={"place": "Breda", "share_consent": True, **slots})
    await run(SubmitHandoff(library, handoff), tracker)
    assert handoff.requests[0].reason == reason


async def test_a_handoff_that_cannot_be_stored_gives_the_contact_instead(
    library: ToldLibrary, handoff: ListHandoff
) -> None:
    handoff.is_down = True
    tracker = make_tracker("tak", "affirm", lang="en", slots={"place": SKIPPED, "share_consent": True})
    reply, _ = await run(SubmitHandoff(library, handoff), tracker)
    assert reply.text.startswith(library.locales.t("en", "handoff.failed"))
    assert any("workinnl" in link.url for link in reply.links)


async def test_the_first_question_of_the_form_begins_the_handoff(library: ToldLibrary) -> None:
    first, _ = await run(AskPlace(library), make_tracker(intent="ask_human"))
    again, _ = await run(AskPlace(library), make_tracker("Xyz", "nlu_fallback"))
    assert (first.kind, again.kind) == ("handoff", "form")


async def test_the_form_asks_for_the_language_only_where_it_is_unclear(library: ToldLibrary) -> None:
    slots = ["spoken_language", "place", "share_consent"]
    form, dispatcher, unclear, clear = ValidateHandoffForm(), CollectingDispatcher(), make_tracker(), make_tracker()
    unclear.latest_message["metadata"]["is_lang_clear"] = False
    clear.latest_message["metadata"]["is_lang_clear"] = True
    assert await form.required_slots(slots, dispatcher, unclear, {}) == slots
    assert await form.required_slots(slots, dispatcher, clear, {}) == slots[1:]
    question, _ = await run(AskLanguage(library), make_tracker(intent="ask_human", lang="en"))
    offered = {button.payload for button in question.buttons}
    assert {"lang:ro", "lang:ar", "skip"} <= offered


@pytest.mark.parametrize(("answered", "lang"), [("ro", "ro"), (SKIPPED, "en"), (None, "en")])
async def test_the_language_answered_in_the_form_is_the_one_to_route_by(
    library: ToldLibrary, handoff: ListHandoff, answered: str | None, lang: str
) -> None:
    slots = {"place": "Breda", "share_consent": True, "spoken_language": answered}
    await run(SubmitHandoff(library, handoff), make_tracker("ok", "affirm", lang="en", slots=slots))
    assert handoff.requests[0].lang == lang


@pytest.mark.parametrize(("value", "kept"), [("Breda", "Breda"), ("", None), (SKIPPED, SKIPPED), (None, None)])
async def test_only_a_place_or_a_skip_fills_the_form(value: str | None, kept: str | None) -> None:
    assert await ValidateHandoffForm().validate_place(value, None, make_tracker(intent="give_place"), {}) == {
        "place": kept
    }  # type: ignore[arg-type]


async def test_a_place_outside_the_form_is_noted_with_its_win_point(library: ToldLibrary) -> None:
    reply, slots = await run(GivePlace(library), make_tracker(intent="give_place", entities={"place": "Roosendaal"}))
    assert slots["place"] == "Roosendaal"
    assert "Roosendaal" in reply.text


async def test_a_failing_action_answers_for_itself_and_says_nothing_of_the_person(
    library: ToldLibrary, caplog: pytest.LogCaptureFixture
) -> None:
    library.decision = None  # type: ignore[assignment]
    reply, _ = await run(Answer(library), make_tracker("moje tajne pytanie", lang="en"))
    assert reply.text == library.locales.t("en", "error.action")
    assert "tajne" not in caplog.text


def test_every_action_of_the_domain_is_registered(library: ToldLibrary, handoff: ListHandoff) -> None:
    wanted: set[str] = set()
    for path in Path(DATA, "domain").glob("*.yml"):
        wanted |= set(yaml.safe_load(path.read_text(encoding="utf-8")).get("actions", []))
    registered = {item.name for item in make_executor(library, handoff).list_actions()}
    assert wanted <= registered


@pytest.mark.parametrize(
    ("action", "intent"), [(Smalltalk, "goodbye"), (SetLanguage, "set_language"), (DeleteData, "delete_data")]
)
async def test_a_question_that_was_taken_for_small_talk_is_answered(
    library: ToldLibrary, action: type[ReplyAction], intent: str
) -> None:
    library.decision = Decision("answer", (Candidate(article="gp-register", score=0.9),))
    reply, _ = await run(action(library), make_tracker("lekarz Breda", intent=intent))
    assert (reply.kind, reply.article) == ("answer", "gp-register")


async def test_what_search_is_not_sure_of_stays_small_talk(library: ToldLibrary) -> None:
    library.decision = Decision("answer", FOUND)
    reply, _ = await run(Smalltalk(library), make_tracker("do widzenia", intent="goodbye"))
    assert reply.kind == "smalltalk"


async def test_a_tap_is_never_taken_for_a_question(library: ToldLibrary) -> None:
    library.decision = Decision("answer", (Candidate(article="gp-register", score=0.9),))
    reply, _ = await run(DeleteData(library), make_tracker("/delete_data", intent="delete_data"))
    assert reply.kind == "privacy"
