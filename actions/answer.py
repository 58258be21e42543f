"""Answer from the knowledge base: answer, ask which one is meant, or say that we do not know."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from actions.base import Outcome, ReplyAction
from actions.turn import Turn
from knowledge.replies import Button, Candidate, Reply, compose_answer, compose_contact
from knowledge.retriever import Decision

MOST_CHOICES = 3
FAILURES_BEFORE_HUMAN = 2
STARTING_TOPICS = ("gp-register", "insurance-duty", "bill-received")


class Answer(ReplyAction):
    """The retriever decides; the intent is only a prior."""

    action_name = "action_answer"

    async def decide(self, turn: Turn) -> Outcome:
        """Return an answer, a choice of at most three articles, or an honest "I do not know"."""
        decision = await asyncio.to_thread(self.library.search, turn.text, turn.lang, {turn.intent: turn.confidence})
        if decision.kind == "answer":
            return self.answered(turn, decision.candidates[0].article, decision.candidates)
        if decision.kind == "clarify":
            return Outcome(self._clarify(turn, decision), {"candidates": _ids(decision.candidates)})
        failures = turn.failures + 1
        slots = {"failures": float(failures), "candidates": _ids(decision.candidates)}
        return Outcome(self._abstain(turn, decision, failures), slots)

    def answered(self, turn: Turn, article: str, candidates: Sequence[Candidate] = ()) -> Outcome:
        """Return an article as the answer, remembered as the topic at hand."""
        library = self.library
        reply = compose_answer(
            library.knowledge, library.locales, article, turn.lang, turn.today, candidates, library.least_status
        )
        return Outcome(reply, {"article": article, "failures": 0.0})

    def _clarify(self, turn: Turn, decision: Decision) -> Reply:
        articles = _ids(decision.candidates)[:MOST_CHOICES]
        buttons = self.library.article_buttons(articles, turn.lang, turn.today, MOST_CHOICES)
        return Reply(
            kind="clarify",
            lang=turn.lang,
            text=self.t(turn, "clarify.question"),
            candidates=decision.candidates,
            buttons=(*buttons, self.button(turn, "human")),
        )

    def _abstain(self, turn: Turn, decision: Decision, failures: int) -> Reply:
        nearest = _ids(decision.candidates)[:MOST_CHOICES]
        topics = self.library.article_buttons(nearest or STARTING_TOPICS, turn.lang, turn.today, MOST_CHOICES)
        human = self.button(turn, "human")
        if failures >= FAILURES_BEFORE_HUMAN:
            text, buttons = self.t(turn, "abstain.again"), (human, *topics)
        else:
            lead = self.t(turn, "abstain.nearest" if nearest else "abstain.topics")
            text = "\n\n".join([self.t(turn, "abstain.text"), self.t(turn, "abstain.human"), lead])
            buttons = (*topics, human)
        return Reply(kind="abstain", lang=turn.lang, text=text, candidates=decision.candidates, buttons=buttons)


class ChooseArticle(Answer):
    """A tapped article."""

    action_name = "action_choose_article"

    async def decide(self, turn: Turn) -> Outcome:
        """Return the article, or the starting topics when it is gone."""
        article = turn.entities.get("article", "")
        if article not in self.library.knowledge.articles:
            return Outcome(self._abstain(turn, Decision(kind="abstain", candidates=()), failures=0))
        return self.answered(turn, article, (Candidate(article=article, score=1.0),))


class ShowDesk(ReplyAction):
    """The Dutch sentence to hold up at a desk or to say on the phone."""

    action_name = "action_show_desk"

    async def decide(self, turn: Turn) -> Outcome:
        """Return the sentence of the article, or the help text when it has none."""
        article = turn.entities.get("article", "")
        found = self.library.knowledge.articles.get(article)
        source = found.translations.get("nl") if found else None
        if source is None or not source.say_in_dutch:
            return Outcome(self.say(turn, "smalltalk", "more.none"))
        back = self.button(turn, "back", payload=f"article:{article}")
        text = f"{self.t(turn, 'desk.intro')}\n\n„{source.say_in_dutch}”"
        return Outcome(Reply(kind="answer", lang=turn.lang, text=text, article=article, buttons=(back,)))


class ShowContact(ReplyAction):
    """A contact card."""

    action_name = "action_show_contact"

    async def decide(self, turn: Turn) -> Outcome:
        """Return the card with what is sure of it."""
        contact = self.library.knowledge.contacts.get(turn.entities.get("contact", ""))
        if contact is None:
            return Outcome(self.say(turn, "smalltalk", "more.none"))
        return Outcome(compose_contact(self.library.locales, contact, turn.lang))


class More(ReplyAction):
    """What else there is on the topic at hand."""

    action_name = "action_more"

    async def decide(self, turn: Turn) -> Outcome:
        """Return buttons for the related articles, or a question what to know more about."""
        article = self.library.knowledge.articles.get(turn.article or "")
        related: tuple[Button, ...] = ()
        if article is not None:
            related = self.library.article_buttons(article.related, turn.lang, turn.today, MOST_CHOICES)
        if not related:
            return Outcome(self.say(turn, "smalltalk", "more.none", buttons=[self.button(turn, "human")]))
        buttons = [*related, self.button(turn, "human")]
        return Outcome(self.say(turn, "clarify", "more.choose", buttons=buttons))


def _ids(candidates: Sequence[Candidate]) -> list[str]:
    return [candidate.article for candidate in candidates]
