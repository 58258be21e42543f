"""What we keep, and deleting it."""

from __future__ import annotations

from actions.answer import Conversational
from actions.base import Outcome
from actions.turn import Turn
from knowledge.replies import Button, Reply


class Privacy(Conversational):
    """Says what is kept, for how long, and how to have it deleted."""

    action_name = "action_privacy"

    async def respond(self, turn: Turn) -> Outcome:
        """Return the notice with a button that deletes."""
        delete = Button(title=self.t(turn, "privacy.delete_button"), payload="delete")
        return Outcome(self.say(turn, "privacy", "privacy.notice", buttons=[delete]))


class DeleteData(Conversational):
    """Deletes everything of the person after a yes; the bot erases all stores before it shows the reply."""

    action_name = "action_delete_data"

    async def respond(self, turn: Turn) -> Outcome:
        """Ask first; on yes return the reply whose effect makes the bot erase."""
        if turn.is_delete_pending and turn.intent == "affirm":
            reply = Reply(kind="privacy", lang=turn.lang, text=self.t(turn, "delete.done"), effect="erase")
            return Outcome(reply, {"delete_pending": False})
        if turn.is_delete_pending and turn.intent in ("deny", "stop"):
            return Outcome(self.say(turn, "privacy", "delete.kept"), {"delete_pending": False})
        buttons = [self.button(turn, "yes"), self.button(turn, "no")]
        return Outcome(self.say(turn, "privacy", "delete.ask", buttons=buttons), {"delete_pending": True})
