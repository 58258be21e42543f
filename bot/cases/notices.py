"""What the person is told around a case: who has come, who is silent, how it ended. Pure: texts from `data/locales`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.cases.desks import Desks
from knowledge.cards import compose_contact
from knowledge.locales import Locales
from knowledge.models import Contact
from knowledge.replies import Button, Reply

OUTCOMES = ("yes", "no", "partly")
BOT_WORDS = frozenset({"bot", "бот", "بوت", "روبوت", "robot", "робот"})


@dataclass(frozen=True)
class CaseNotices:
    """Composes them in the person's language."""

    locales: Locales
    contacts: Mapping[str, Contact]
    desks: Desks

    def claimed(self, lang: str, name: str, desk: str) -> Reply:
        """Return that a person of the staff is here now, with the way back to the bot."""
        ui = self.locales.nearest(lang)
        back = Button(title=self.locales.t(ui, "buttons.bot"), payload="bot")
        text = self.locales.t(ui, "case.claimed", name=name, desk=self.desks.name(desk))
        return Reply(kind="handoff", lang=ui, text=text, buttons=(back,))

    def closed(self, lang: str, desk: str, case: int, *, by_person: bool) -> Reply:
        """Return that the case is closed, with the one question: did it help?"""
        ui = self.locales.nearest(lang)
        key = "case.back_to_bot" if by_person else "case.closed"
        titles = {"yes": "buttons.yes", "no": "buttons.no", "partly": "case.helped_partly"}
        buttons = tuple(
            Button(title=self.locales.t(ui, titles[outcome]), payload=f"helped:{outcome}:{case}")
            for outcome in OUTCOMES
        )
        values = {} if by_person else {"desk": self.desks.name(desk)}
        return Reply(kind="handoff", lang=ui, text=self.locales.t(ui, key, **values), buttons=buttons)

    def thanks(self, lang: str) -> Reply:
        """Return the thanks for the answer to that question."""
        return self._say(lang, "case.thanks")

    def still_waiting(self, lang: str, desk: str) -> Reply:
        """Return that nobody has been free yet, with the desk's contact card."""
        reply = self._say(lang, "case.still_waiting")
        contact = self.contacts.get(desk)
        if contact is None:
            return reply
        card = compose_contact(self.locales, contact, lang)
        return card.model_copy(update={"kind": "handoff", "text": f"{reply.text}\n\n{card.text}"})

    def passed_on(self, lang: str, desk: str) -> Reply:
        """Return that another desk has the question now."""
        return self._say(lang, "case.passed_on", desk=self.desks.name(desk))

    def no_answer(self, lang: str) -> Reply:
        """Return that the worker has been silent for long, and what happens now."""
        return self._say(lang, "case.no_answer")

    def photo_too_large(self, lang: str, most_bytes: int) -> Reply:
        """Return what to do about a photo that we do not take."""
        return self._say(lang, "case.photo_too_large", limit=most_bytes // 1024 // 1024)

    def outcome_of(self, text: str) -> str | None:
        """Return the outcome that a typed answer names, in any of the languages, or None."""
        said = text.strip(" .!").casefold()
        for lang in self.locales.languages:
            for outcome, key in (("yes", "buttons.yes"), ("no", "buttons.no"), ("partly", "case.helped_partly")):
                if said == self.locales.t(lang, key).casefold():
                    return outcome
        return None

    def _say(self, lang: str, key: str, **values: object) -> Reply:
        ui = self.locales.nearest(lang)
        return Reply(kind="handoff", lang=ui, text=self.locales.t(ui, key, **values))
