"""Choosing the language."""

from __future__ import annotations

from actions.answer import Conversational
from actions.base import Outcome
from actions.turn import Turn
from knowledge.replies import Button, Reply


class SetLanguage(Conversational):
    """Changes the language of the conversation, or offers the languages when none was named."""

    action_name = "action_set_language"

    async def respond(self, turn: Turn) -> Outcome:
        """Return the confirmation in the new language, or the menu."""
        wanted = turn.entities.get("language", "")
        if turn.intent == "ask_languages" or not wanted:
            return Outcome(self._menu(turn, "language.ask"))
        if wanted not in self.library.languages:
            return Outcome(self._menu(turn, "language.unknown"))
        chosen = turn.speaking(wanted)
        return Outcome(self.say(chosen, "language_set", "language.set"), {"language": wanted})

    def _menu(self, turn: Turn, key: str) -> Reply:
        buttons = [Button(title=name, payload=f"lang:{code}") for code, name in self.library.languages.items()]
        return self.say(turn, "language_set", key, buttons=buttons)
