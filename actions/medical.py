"""Emergencies that Rasa's classifier saw, and requests for a diagnosis or a dose."""

from __future__ import annotations

import asyncio

from actions.base import Outcome, ReplyAction
from actions.turn import Turn
from knowledge.replies import compose_emergency

EMERGENCY_KINDS = {"emergency_medical": "medical", "emergency_suicide": "suicide", "emergency_violence": "violence"}


class Emergency(ReplyAction):
    """The 112 answer. The bot's own detector comes first; this is the second net, for what only the classifier saw."""

    action_name = "action_emergency"

    async def decide(self, turn: Turn) -> Outcome:
        """Return the emergency reply of the kind; an unknown kind is treated as medical.

        The classifier may be wrong: below the reply stands what search makes of the message.
        """
        kind = EMERGENCY_KINDS.get(turn.intent, "medical")
        reply = compose_emergency(self.library.locales, turn.lang, kind)  # type: ignore[arg-type]
        found = await asyncio.to_thread(self.library.search, turn.text, turn.written_in)
        if found.kind == "abstain":
            return Outcome(reply)
        nearest = self.library.article_buttons([found.candidates[0].article], turn.lang, turn.today)
        known = {candidate.article for candidate in found.candidates}
        candidates = (*found.candidates, *(item for item in reply.candidates if item.article not in known))
        others = [button for button in reply.buttons if button.payload not in {item.payload for item in nearest}]
        buttons = (*nearest, *others)
        return Outcome(reply.model_copy(update={"candidates": candidates, "buttons": buttons}))


class MedicalAdvice(ReplyAction):
    """No medical content: the way to the doctor or the pharmacist instead."""

    action_name = "action_medical_advice"

    async def decide(self, turn: Turn) -> Outcome:
        """Return whom to ask, with the articles that say how; what search is surest of stands first."""
        if turn.intent == "ask_dosage":
            key, articles = "medical_advice.dosage", ("medicine-pharmacy", "gp-role", "out-of-hours-gp")
        else:
            key, articles = "medical_advice.diagnosis", ("gp-role", "out-of-hours-gp", "gp-find-full")
        found = await asyncio.to_thread(self.library.search, turn.text, turn.written_in)
        nearest = [found.candidates[0].article] if found.kind == "answer" else []
        shown = self.library.article_buttons(dict.fromkeys([*nearest, *articles]), turn.lang, turn.today)
        reply = self.say(turn, "medical_advice", key, buttons=[*shown, self.button(turn, "human")])
        return Outcome(reply.model_copy(update={"candidates": found.candidates}))
