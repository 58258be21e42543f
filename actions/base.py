"""What every action shares: one reply a turn, and no exception that reaches Rasa.

Rasa writes a failed action's request to its log, with what the person said in it, so an action answers for itself.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.library import Library
from actions.turn import Turn
from knowledge.replies import Button, Reply

logger = logging.getLogger(__name__)

Event = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What an action decided: the reply, and the slots it changes."""

    reply: Reply | None
    slots: dict[str, Any] = field(default_factory=dict)


class ReplyAction(Action):
    """An action that answers with one reply."""

    action_name: str

    def __init__(self, library: Library) -> None:
        self.library = library

    def name(self) -> str:
        return self.action_name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[Event]:
        """Send the reply and set the slots; a failure becomes a friendly reply of its own."""
        turn = Turn.of(tracker)
        turn = turn.speaking(self._language_for(turn))
        try:
            outcome = await self.decide(turn)
        except Exception as error:
            # The type alone: the text of an error may quote the person.
            logger.error("%s failed with %s", self.action_name, type(error).__name__)
            outcome = Outcome(self.say(turn, "smalltalk", "error.action", buttons=[self.button(turn, "human")]))
        slots = {"language": turn.lang, **outcome.slots}
        reply = outcome.reply
        if reply is not None:
            notice = self._not_served(turn)
            if notice and reply.kind != "emergency":
                reply = reply.model_copy(update={"text": f"{notice}\n\n{reply.text}"})
                slots["told_language"] = turn.written_in
            dispatcher.utter_message(json_message=reply.model_dump(mode="json"))
        return [{"event": "slot", "timestamp": None, "name": name, "value": value} for name, value in slots.items()]

    def _language_for(self, turn: Turn) -> str:
        """Return the language to answer in: that of the message, else that of the conversation, else English."""
        has_texts = turn.lang in self.library.locales.languages
        return turn.lang if has_texts else self.library.locales.nearest(turn.answer_lang)

    def _not_served(self, turn: Turn) -> str | None:
        """Return the sentence that says, in the person's language, that we answer in another; once a language."""
        if turn.written_in == turn.lang or turn.told_language == turn.written_in:
            return None
        language = self.library.knowledge.languages.get(turn.written_in)
        return language.not_served if language else None

    @abstractmethod
    async def decide(self, turn: Turn) -> Outcome:
        """Return what to answer; pure but for the library and the handoff."""

    def t(self, turn: Turn, key: str, **values: object) -> str:
        """Return a text in the language of the turn."""
        return self.library.locales.t(turn.lang, key, **values)

    def say(self, turn: Turn, kind: str, key: str, buttons: Sequence[Button] = (), **values: object) -> Reply:
        """Return a reply with one text of the locales."""
        return Reply(kind=kind, lang=turn.lang, text=self.t(turn, key, **values), buttons=tuple(buttons))  # type: ignore[arg-type]

    def button(self, turn: Turn, name: str, payload: str | None = None) -> Button:
        """Return one of the standard buttons (`buttons.<name>`), whose payload is its name unless given."""
        return Button(title=self.t(turn, f"buttons.{name}"), payload=payload or name)
