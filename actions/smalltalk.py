"""Greetings, thanks, who we are, help, and yes or no that answers nothing."""

from __future__ import annotations

from actions.answer import Conversational
from actions.base import Outcome
from actions.privacy import DeleteData
from actions.turn import Turn
from knowledge.replies import Reply

KEYS = {
    "greet", "goodbye", "thanks", "who_are_you", "is_this_a_human", "how_are_you", "help", "affirm", "deny",
}  # fmt: skip
WITH_HUMAN_BUTTON = {"is_this_a_human", "help", "who_are_you", "greet"}


class Smalltalk(Conversational):
    """Answers what is no question about care."""

    action_name = "action_smalltalk"

    async def respond(self, turn: Turn) -> Outcome:
        """Return the text of the intent; an unknown one is answered with what we can do."""
        if turn.is_delete_pending and turn.intent in ("affirm", "deny"):
            return await DeleteData(self.library).respond(turn)
        name = turn.intent if turn.intent in KEYS else "help"
        buttons = [self.button(turn, "human")] if name in WITH_HUMAN_BUTTON else []
        if name == "greet":
            buttons.append(self.button(turn, "languages"))
        return Outcome(self.say(turn, "smalltalk", f"smalltalk.{name}", buttons=buttons), {"delete_pending": False})


class Stop(Conversational):
    """Ends what was going on: a form, or the question about deleting."""

    action_name = "action_stop"

    async def respond(self, turn: Turn) -> Outcome:
        """Return the confirmation that fits what was stopped."""
        if turn.is_delete_pending:
            reply: Reply = self.say(turn, "privacy", "delete.kept")
        elif turn.was_in_handoff:
            reply = self.say(turn, "smalltalk", "handoff.stopped")
        else:
            reply = self.say(turn, "smalltalk", "stop.text")
        return Outcome(reply, {"delete_pending": False, "share_consent": None})
