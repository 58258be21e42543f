"""Two questions at once, half a question, what is not ours, and a language that we do not speak."""

from __future__ import annotations

import pytest

from actions.answer import Answer
from actions.dialogue import cuts, goes_on, may_follow_up
from actions.handoff_form import GivePlace
from actions.smalltalk import Smalltalk
from knowledge.replies import Candidate
from knowledge.retriever import Decision
from tests.actions.conftest import ToldLibrary, make_tracker, run

DENTIST = Decision("answer", (Candidate(article="dentist", score=0.9), Candidate(article="bsn", score=0.05)))
BSN = Decision("answer", (Candidate(article="bsn", score=0.9), Candidate(article="dentist", score=0.05)))
EITHER = Decision("clarify", (Candidate(article="bsn", score=0.45), Candidate(article="dentist", score=0.4)))
NOTHING = Decision("abstain", ())


class ScriptedLibrary(ToldLibrary):
    """Finds by the first word that the script knows, and remembers what was searched with."""

    def __init__(self, script: dict[str, Decision]) -> None:
        super().__init__()
        self.script = script
        self.searched: list[tuple[str, str]] = []

    def search(self, text, lang, priors=None, embedding=None):  # type: ignore[no-untyped-def]
        self.searched.append((text, lang))
        return next((decision for word, decision in self.script.items() if word in text), NOTHING)


def said(tracker, *texts):  # type: ignore[no-untyped-def]
    tracker.events = [{"event": "user", "text": text} for text in (*texts, tracker.latest_message["text"])]
    return tracker


async def test_two_questions_in_one_message_get_both_answered() -> None:
    library = ScriptedLibrary({"both": EITHER, "zęby": DENTIST, "numer": BSN})
    reply, slots = await run(Answer(library), make_tracker("both jak dostać numer? i gdzie leczyć zęby"))
    assert reply.kind == "clarify"  # the first half still holds "both": in doubt, ask
    library = ScriptedLibrary({"numer i gdzie": EITHER, "zęby": DENTIST, "numer": BSN})
    reply, slots = await run(Answer(library), make_tracker("jak dostać numer i gdzie leczyć zęby"))
    assert reply.kind == "answer"
    assert slots["article"] == "bsn"
    assert "tandarts" in reply.text
    assert "burgerservicenummer" in reply.text


async def test_a_second_question_is_heard_though_the_first_is_plain() -> None:
    whole = Decision("answer", (Candidate(article="bsn", score=0.9), Candidate(article="gp-role", score=0.05)))
    library = ScriptedLibrary({"numer i gdzie": whole, "zęby": DENTIST, "numer": BSN})
    reply, slots = await run(Answer(library), make_tracker("jak mogę dostać numer i gdzie leczyć zęby"))
    assert slots["article"] == "bsn"
    assert "tandarts" in reply.text


async def test_one_doubtful_half_is_no_second_question() -> None:
    library = ScriptedLibrary({"numer i gdzie": EITHER, "numer": BSN})
    reply, _ = await run(Answer(library), make_tracker("jak dostać numer i gdzie leczyć zęby"))
    assert reply.kind == "clarify"


async def test_half_a_question_is_read_together_with_the_one_before() -> None:
    library = ScriptedLibrary({"dentysta": DENTIST})
    tracker = said(make_tracker("a ile kosztuje?", slots={"article": "dentist"}), "gdzie jest dentysta")
    reply, _ = await run(Answer(library), tracker)
    assert (reply.kind, reply.article) == ("answer", "dentist")
    assert library.searched[-1][0] == "gdzie jest dentysta a ile kosztuje?"


async def test_a_short_question_about_something_else_leaves_the_topic() -> None:
    toothache = Decision("clarify", (Candidate(article="bsn", score=0.45), Candidate(article="dentist", score=0.4)))
    library = ScriptedLibrary({"ząb": toothache, "lekarz": DENTIST})
    tracker = said(make_tracker("boli ząb kto płaci", slots={"article": "gp-register"}), "jak znaleźć lekarza")
    reply, _ = await run(Answer(library), tracker)
    assert reply.kind == "clarify"
    assert all("lekarza" not in text for text, _ in library.searched)


async def test_a_message_that_begins_with_and_goes_on_from_the_one_before() -> None:
    library = ScriptedLibrary({"dentysta": DENTIST, "dzieci": EITHER})
    tracker = said(make_tracker("a dla dzieci?", slots={"article": "dentist"}), "ile kosztuje dentysta")
    reply, _ = await run(Answer(library), tracker)
    assert (reply.kind, reply.article) == ("answer", "dentist")


@pytest.mark.parametrize(
    "text",
    ["en voor mijn vrouw?", "and for my wife?", "a dla dzieci?", "și pentru copii?", "si pentru copii", "а за децата?",
     "а для дитини?", "а для жены?", "ve eşim için?", "y para mi mujer?", "¿y cuánto cuesta?", "ولزوجتي؟", "و كم؟"],
)  # fmt: skip
def test_half_a_question_that_goes_on_is_known_in_ten_languages(text: str) -> None:
    assert goes_on(text)


@pytest.mark.parametrize(
    "text",
    ["dentist for my wife", "وين الدكتور", "ولادة في المستشفى", "apotheek", "irritated skin",
     "and I would like to know what it costs"],
)  # fmt: skip
def test_a_question_of_its_own_does_not_go_on(text: str) -> None:
    assert not goes_on(text)


async def test_what_is_surely_not_ours_leans_on_nothing() -> None:
    outside = Decision("abstain", (), outside=0.97)
    library = ScriptedLibrary({"mecz": outside, "dentysta": DENTIST})
    tracker = said(make_tracker("kto wygrał mecz", slots={"article": "dentist"}), "gdzie jest dentysta")
    reply, _ = await run(Answer(library), tracker)
    assert reply.kind == "abstain"
    assert "W tym nie mogę Ci pomóc" in reply.text


async def test_a_correction_is_followed_though_it_begins_with_no() -> None:
    library = ScriptedLibrary({"dentysta": DENTIST})
    reply, slots = await run(Smalltalk(library), make_tracker("nie, chodziło mi o dentysta", intent="deny"))
    assert (reply.article, slots["article"]) == ("dentist", "dentist")


async def test_a_greeting_with_a_question_in_it_is_answered() -> None:
    library = ScriptedLibrary({"dentysta": DENTIST})
    reply, _ = await run(Smalltalk(library), make_tracker("dzień dobry gdzie jest dentysta", intent="greet"))
    assert reply.article == "dentist"


async def test_a_language_that_we_do_not_speak_is_told_so_once_and_answered_in_english(library: ToldLibrary) -> None:
    library.decision = DENTIST
    tracker = make_tracker("où est le dentiste", lang="fr")
    reply, slots = await run(Answer(library), tracker)
    assert reply.lang == "en"
    assert reply.text.startswith("Je ne parle pas encore français")
    again, _ = await run(Answer(library), make_tracker("merci le dentiste", lang="fr", slots=slots))
    assert not again.text.startswith("Je ne parle")


async def test_the_nearest_post_is_named_for_the_place_that_was_told(library: ToldLibrary) -> None:
    topic = {"article": "out-of-hours-gp"}
    tracker = make_tracker("Etten-Leur", intent="give_place", entities={"place": "Etten-Leur"}, slots=topic)
    reply, slots = await run(GivePlace(library), tracker)
    assert "Huisartsenspoedpost Breda" in reply.text
    assert "km" in reply.text
    assert slots["place"] == "Etten-Leur"


async def test_an_answer_about_the_post_asks_for_the_place_or_names_the_nearest(library: ToldLibrary) -> None:
    library.decision = Decision("answer", (Candidate(article="out-of-hours-gp", score=0.9),))
    asking, _ = await run(Answer(library), make_tracker("lekarz w nocy"))
    assert "kod pocztowy" in asking.text
    naming, _ = await run(Answer(library), make_tracker("lekarz w nocy", slots={"place": "Roosendaal"}))
    assert "Huisartsenspoedpost Roosendaal" in naming.text


@pytest.mark.parametrize(
    "text", ["Where is a dentist? And how do I get a BSN?", "gdzie jest dentysta i jak dostać numer BSN"]
)
def test_a_message_is_cut_at_the_ends_of_its_questions(text: str) -> None:
    assert any("dent" in first and "BSN" in second for first, second in cuts(text))


def test_only_a_short_message_may_lean_on_the_one_before() -> None:
    assert may_follow_up("and for my wife?")
    assert not may_follow_up("where can my wife go")
    assert not may_follow_up("?!")
