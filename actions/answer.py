"""Answer from the knowledge base: answer, ask which one is meant, or say that we do not know."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from itertools import islice

from actions.base import Outcome, ReplyAction
from actions.dialogue import count_words, cuts, goes_on, may_follow_up
from actions.turn import Turn
from knowledge.cards import compose_contact, compose_desk, compose_nearest
from knowledge.replies import Button, Candidate, Reply, compose_answer
from knowledge.retriever import Decision

MOST_CHOICES = 3
FAILURES_BEFORE_HUMAN = 2
SURE = 0.75  # a score at which half a message, or a short one, is taken at its word
SURE_OF_BOTH = 0.8  # the same where the whole message was sure of one article already
FEWEST_WORDS_OF_TWO = 7  # of a message that asks two things
MOST_CUTS_OF_A_SURE_ONE = 2
CERTAIN = 0.99  # of an intent; an example of it word for word has 1.0
FEWEST_WORDS_OF_A_QUESTION = 4  # "hello, I need a dentist" is more than a greeting; "no, I meant the dentist" than a no
STANDS_ALONE = 0.4  # a score at which a short message is no half question
STANDS_ALONE_ALL_THE_SAME = 0.9  # the same for one that begins with "and"
OUTSIDE, SURELY_OUTSIDE = 0.6, 0.9  # how probably a question is none of ours
NEAREST_OF = {"out-of-hours-gp": "gp-post", "win-point": "win-point"}
STARTING_TOPICS = ("gp-register", "insurance-duty", "bill-received")


class Answer(ReplyAction):
    """The retriever decides; the intent is only a prior."""

    action_name = "action_answer"

    async def decide(self, turn: Turn) -> Outcome:
        """Return an answer, two answers, a choice of at most three articles, or an honest "I do not know"."""
        decision = await asyncio.to_thread(self.find, turn)
        asks_two = decision.kind != "abstain" and count_words(turn.text) >= FEWEST_WORDS_OF_TWO
        if asks_two and (pair := await asyncio.to_thread(self._two_questions, turn, decision)):
            return self._answered_both(turn, pair, decision.candidates)
        if decision.kind == "answer":
            return self.answered(turn, decision.candidates[0].article, decision.candidates)
        if decision.kind == "clarify":
            return Outcome(self._clarify(turn, decision), {"candidates": _ids(decision.candidates)})
        failures = turn.failures + 1
        slots = {"failures": float(failures), "candidates": _ids(decision.candidates)}
        return Outcome(self._abstain(turn, decision, failures), slots)

    def find(self, turn: Turn) -> Decision:
        """Return what the message is about; half a question is read together with the one before it."""
        priors = {turn.intent: turn.confidence}
        alone = self.library.search(turn.text, turn.written_in, priors, turn.embedding)
        leans = turn.article is not None and turn.previous and may_follow_up(turn.text)
        enough = STANDS_ALONE_ALL_THE_SAME if goes_on(turn.text) else STANDS_ALONE
        if not leans or alone.best >= enough or alone.outside >= SURELY_OUTSIDE:
            return alone
        together = self.library.search(f"{turn.previous} {turn.text}", turn.written_in, {str(turn.article): 1.0})
        return alone if together.kind == "abstain" else together

    def answered(self, turn: Turn, article: str, candidates: Sequence[Candidate] = ()) -> Outcome:
        """Return an article as the answer, remembered as the topic at hand."""
        reply = self._compose(turn, article, candidates)
        if kind := NEAREST_OF.get(article):
            reply = self._with_nearest(turn, reply, kind)
        return Outcome(reply, {"article": article, "failures": 0.0})

    def _compose(self, turn: Turn, article: str, candidates: Sequence[Candidate]) -> Reply:
        library = self.library
        return compose_answer(
            library.knowledge, library.locales, article, turn.lang, turn.today, candidates, library.least_status,
            turn.place,
        )  # fmt: skip

    def _with_nearest(self, turn: Turn, reply: Reply, kind: str) -> Reply:
        card = None
        if turn.place in self.library.knowledge.centres:
            card = compose_nearest(self.library.knowledge, self.library.locales, kind, str(turn.place), turn.lang)
        extra = card.text if card else self.t(turn, "nearest.ask")
        links = (*reply.links, *(card.links if card else ()))
        return reply.model_copy(update={"text": f"{reply.text}\n\n{extra}", "links": tuple(dict.fromkeys(links))})

    def _two_questions(self, turn: Turn, whole: Decision) -> tuple[str, str] | None:
        """Return the two articles of a message that asks two things, when both halves are plain.

        Where the whole was in doubt it must have been between these two; where it was sure, of one of them.
        """
        found = _ids(whole.candidates)
        is_doubted = whole.kind == "clarify"
        for halves in islice(cuts(turn.text), MOST_CUTS_OF_A_SURE_ONE if not is_doubted else None):
            articles = self._both(halves, turn.written_in, SURE if is_doubted else SURE_OF_BOTH)
            if articles is None:
                continue
            is_whole = set(articles) <= set(found) if is_doubted else found[0] in articles
            if articles[0] != articles[1] and is_whole:
                return articles
        return None

    def _both(self, halves: tuple[str, str], lang: str, least: float) -> tuple[str, str] | None:
        """Return the articles of two halves of a message when each is plain; most times the shorter one is not."""
        found = {}
        for half in sorted(halves, key=len):
            decision = self.library.search(half, lang)
            if decision.best < least:
                return None
            found[half] = decision.candidates[0].article
        return found[halves[0]], found[halves[1]]

    def _answered_both(self, turn: Turn, articles: tuple[str, str], candidates: Sequence[Candidate]) -> Outcome:
        """Return two answers in one reply; the article that the whole message is nearest to counts as its topic."""
        ranked = _ids(candidates)
        first, second = sorted(
            articles, key=lambda article: ranked.index(article) if article in ranked else len(ranked)
        )
        reply, other = self._compose(turn, first, candidates), self._compose(turn, second, candidates)
        title = self.library.article_buttons([second], turn.lang, turn.today, 1)
        heading = " ".join([self.t(turn, "answer.also"), *(button.title for button in title)])
        both = {
            "text": f"{reply.text}\n\n{heading}\n\n{other.text}",
            "links": tuple(dict.fromkeys((*reply.links, *other.links))),
            "buttons": tuple(dict.fromkeys((*reply.buttons[:1], *other.buttons[:1], *reply.buttons[-1:]))),
        }
        return Outcome(reply.model_copy(update=both), {"article": first, "failures": 0.0})

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
        is_outside = decision.outside >= OUTSIDE
        nearest = [] if is_outside else _ids(decision.candidates)[:MOST_CHOICES]
        topics = self.library.article_buttons(nearest or STARTING_TOPICS, turn.lang, turn.today, MOST_CHOICES)
        human = self.button(turn, "human")
        if failures >= FAILURES_BEFORE_HUMAN:
            text, buttons = self.t(turn, "abstain.again"), (human, *topics)
        else:
            lead = self.t(turn, "abstain.nearest" if nearest else "abstain.topics")
            what = self.t(turn, "abstain.outside" if is_outside else "abstain.text")
            text = "\n\n".join([what, self.t(turn, "abstain.human"), lead])
            buttons = (*topics, human)
        return Reply(kind="abstain", lang=turn.lang, text=text, candidates=decision.candidates, buttons=buttons)


class Conversational(ReplyAction):
    """Answers what is no question about care, unless it is one after all.

    The classifier takes two or three words ("second opinion") for small talk now and then. What it is not certain of,
    and anything longer ("hello, I need a dentist"), is searched first.
    """

    async def decide(self, turn: Turn) -> Outcome:
        """Return an article that search is sure of, else what fits the intent."""
        is_certain = turn.confidence >= CERTAIN and count_words(turn.text) < FEWEST_WORDS_OF_A_QUESTION
        is_tap = turn.text.startswith("/")
        if is_certain or is_tap or turn.is_delete_pending or turn.was_in_handoff:
            return await self.respond(turn)
        answer = Answer(self.library)
        decision = await asyncio.to_thread(answer.find, turn)
        if decision.kind == "answer" and decision.best >= SURE:
            return answer.answered(turn, decision.candidates[0].article, decision.candidates)
        return await self.respond(turn)

    @abstractmethod
    async def respond(self, turn: Turn) -> Outcome:
        """Return what fits the intent."""


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
        reply = compose_desk(self.library.locales, found, turn.lang) if found else None
        return Outcome(reply or self.say(turn, "smalltalk", "more.none"))


class ShowContact(ReplyAction):
    """A contact card."""

    action_name = "action_show_contact"

    async def decide(self, turn: Turn) -> Outcome:
        """Return the card with what is sure of it."""
        contact = self.library.knowledge.contacts.get(turn.entities.get("contact", ""))
        if contact is None:
            return Outcome(self.say(turn, "smalltalk", "more.none"))
        return Outcome(compose_contact(self.library.locales, contact, turn.lang))


class More(Conversational):
    """What else there is on the topic at hand."""

    action_name = "action_more"

    async def respond(self, turn: Turn) -> Outcome:
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
