"""The form before a person takes over: which language where that is unclear, which place, may it be shared.

Rasa runs the form (`handoff_form` in the domain); these actions ask, check and submit. The first question has kind
`handoff`, because asking for a person is answered by beginning the handoff; what follows has kind `form`.
"""

from __future__ import annotations

import logging
from typing import Any

from rasa_sdk import FormValidationAction, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.answer import FAILURES_BEFORE_HUMAN, NEAREST_OF, Conversational
from actions.base import Outcome, ReplyAction
from actions.handoff import Handoff, HandoffRequest, HandoffUnavailable
from actions.library import Library
from actions.turn import Turn, is_language_clear
from knowledge.cards import compose_contact, compose_nearest
from knowledge.replies import Button, Reply
from knowledge.times import written_time

logger = logging.getLogger(__name__)

SKIPPED = "-"  # a slot value that says: asked, and the person would rather not tell


class AskLanguage(ReplyAction):
    """Asks which language the person speaks, for the WIN-punt has people for each."""

    action_name = "action_ask_handoff_form_spoken_language"

    async def decide(self, turn: Turn) -> Outcome:
        """Return the question with the languages to choose from."""
        languages = [Button(title=name, payload=f"lang:{code}") for code, name in self.library.languages.items()]
        kind = "handoff" if turn.intent in ("ask_human", "affirm") else "form"
        return Outcome(self.say(turn, kind, "language.ask", buttons=[*languages, self.button(turn, "skip")]))


class AskPlace(ReplyAction):
    """Asks in which town the person lives or works."""

    action_name = "action_ask_handoff_form_place"

    async def decide(self, turn: Turn) -> Outcome:
        """Return the question; the second time it says that the place was not known."""
        is_begun = turn.intent in ("ask_human", "affirm")
        is_first = is_begun or turn.intent in ("set_language", "skip")
        key = "handoff.ask_place" if is_first else "handoff.ask_place_again"
        buttons = [self.button(turn, "skip"), self.button(turn, "stop")]
        return Outcome(self.say(turn, "handoff" if is_begun else "form", key, buttons=buttons))


class AskConsent(ReplyAction):
    """Asks whether the conversation may be shared."""

    action_name = "action_ask_handoff_form_share_consent"

    async def decide(self, turn: Turn) -> Outcome:
        """Return the question with yes and no."""
        is_first = turn.intent in ("ask_human", "give_place", "skip", "affirm") or "place" in turn.entities
        key = "handoff.ask_consent" if is_first else "handoff.ask_consent_again"
        kind = "handoff" if turn.intent == "ask_human" else "form"
        buttons = [self.button(turn, name) for name in ("yes", "no", "stop")]
        return Outcome(self.say(turn, kind, key, buttons=buttons))


class ValidateHandoffForm(FormValidationAction):
    """Keeps only places that the finder knows and consents that are a clear yes or no."""

    def name(self) -> str:
        return "validate_handoff_form"

    async def required_slots(
        self, domain_slots: list[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[str]:
        """Leave out the language once it is clear."""
        is_asked = not is_language_clear(tracker)
        return [slot for slot in domain_slots if slot != "spoken_language" or is_asked]

    async def validate_place(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Take a municipality that the place extractor found, or a skip; the domain gives "" for anything else."""
        if value == SKIPPED or _intent(tracker) == "skip":
            return {"place": SKIPPED}
        return {"place": value if isinstance(value, str) and value.strip() else None}

    async def validate_share_consent(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Take a yes or no; a skip shares nothing."""
        if _intent(tracker) == "skip":
            return {"share_consent": False}
        return {"share_consent": value if isinstance(value, bool) else None}


class SubmitHandoff(ReplyAction):
    """Asks the bot for a person of the WIN-punt, with or without a yes to sharing the conversation."""

    action_name = "action_handoff"

    def __init__(self, library: Library, handoff: Handoff) -> None:
        super().__init__(library)
        self._handoff = handoff

    async def decide(self, turn: Turn) -> Outcome:
        """Return what happened, when there will be an answer if not now, and who can be reached where."""
        place = None if turn.place in (None, SKIPPED) else turn.place
        contact = self.library.win_point(place)
        said = await self._ask(turn, place, contact.name)
        card = compose_contact(self.library.locales, contact, turn.lang)
        text = "\n\n".join([*said, card.text, self.t(turn, "handoff.urgent")])
        reply = Reply(kind="handoff", lang=turn.lang, text=text, links=card.links, footer=card.footer)
        slots = {"spoken_language": None, "share_consent": None, "place": place, "failures": 0.0}
        return Outcome(reply, slots)

    async def _ask(self, turn: Turn, place: str | None, win_point: str) -> list[str]:
        request = HandoffRequest(
            conversation=turn.conversation,
            message_id=turn.message_id,
            reason=self._reason(turn),
            lang=turn.spoken_language or turn.lang,
            place=place,
            consent=turn.share_consent,
            topic=turn.article,
        )
        try:
            answer = await self._handoff.request(request)
        except HandoffUnavailable as problem:
            logger.error("The bot did not take an escalation: %s", type(problem.__cause__).__name__)
            return [self.t(turn, "handoff.failed")]
        key = "handoff.done" if turn.share_consent else "handoff.done_no_consent"
        said = [self.t(turn, key, win_point=win_point)]
        if answer.opens_at is not None:
            said.append(self.t(turn, "handoff.opens", when=written_time(answer.opens_at, turn.lang)))
        return said

    def _reason(self, turn: Turn) -> str:
        if turn.failures >= FAILURES_BEFORE_HUMAN:
            return "abstained"
        article = self.library.knowledge.articles.get(turn.article or "")
        return "topic" if article is not None and article.needs_human else "asked"


class GivePlace(Conversational):
    """A place told outside the form: notes it and names the WIN-punt for it."""

    action_name = "action_give_place"

    async def decide(self, turn: Turn) -> Outcome:
        """Return as `respond` does; without a place in it the message may well be a question."""
        return await (self.respond(turn) if "place" in turn.entities else super().decide(turn))

    async def respond(self, turn: Turn) -> Outcome:
        """Return whom to go to there, or ask again when the place is not known."""
        place = turn.entities.get("place")
        if place is None:
            return Outcome(self.say(turn, "form", "place.unknown", buttons=[self.button(turn, "human")]))
        kind = NEAREST_OF.get(turn.article or "", "win-point")
        library = self.library
        card = compose_nearest(library.knowledge, library.locales, kind, place, turn.lang)
        card = card or compose_contact(library.locales, library.win_point(place), turn.lang)
        text = f"{self.t(turn, 'place.known', place=place)}\n\n{card.text}"
        reply = Reply(
            kind="smalltalk", lang=turn.lang, text=text, links=card.links, footer=card.footer,
            buttons=(self.button(turn, "human"),),
        )  # fmt: skip
        return Outcome(reply, {"place": place})


def _intent(tracker: Tracker) -> str:
    return str(((tracker.latest_message or {}).get("intent") or {}).get("name") or "")
