"""Emergencies that Rasa's classifier saw, and requests for a diagnosis or a dose."""

from __future__ import annotations

from actions.base import Outcome, ReplyAction
from actions.turn import Turn
from knowledge.replies import compose_emergency

EMERGENCY_KINDS = {"emergency_medical": "medical", "emergency_suicide": "suicide", "emergency_violence": "violence"}


class Emergency(ReplyAction):
    """The 112 answer. The bot's own detector comes first; this is the second net, for what only the classifier saw."""

    action_name = "action_emergency"

    async def decide(self, turn: Turn) -> Outcome:
        """Return the emergency reply of the kind; an unknown kind is treated as medical."""
        kind = EMERGENCY_KINDS.get(turn.intent, "medical")
        return Outcome(compose_emergency(self.library.locales, turn.lang, kind))  # type: ignore[arg-type]


class MedicalAdvice(ReplyAction):
    """No medical content: the way to the doctor or the pharmacist instead."""

    action_name = "action_medical_advice"

    async def decide(self, turn: Turn) -> Outcome:
        """Return whom to ask, with the articles that say how."""
        if turn.intent == "ask_dosage":
            key, articles = "medical_advice.dosage", ("medicine-pharmacy", "gp-role", "out-of-hours-gp")
        else:
            key, articles = "medical_advice.diagnosis", ("gp-role", "out-of-hours-gp", "gp-find-full")
        buttons = [*self.library.article_buttons(articles, turn.lang, turn.today), self.button(turn, "human")]
        return Outcome(self.say(turn, "medical_advice", key, buttons=buttons))
