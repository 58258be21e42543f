"""The few things that the bot says itself, without Rasa: hello, thanks, and what to do when something is amiss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.store.models import Conversation
from knowledge.locales import FALLBACK, Locales
from knowledge.models import Contact, Language
from knowledge.replies import Button, Link, Reply, ReplyKind, compose_emergency, tel
from nlu.redflags import RedFlag

EMERGENCY_NUMBER = "112"
WIN_POINT_CONTACT = "workinnl"


@dataclass(frozen=True)
class Notices:
    """Composes them in the person's language, from `data/locales` and `data/contacts`."""

    locales: Locales
    languages: Mapping[str, Language]
    contacts: Mapping[str, Contact]

    def is_served(self, lang: str) -> bool:
        """Say whether there are texts in a language."""
        return lang in self.languages and self.languages[lang].served

    def emergency(self, lang: str, flag: RedFlag) -> Reply:
        """Return the emergency reply; it needs nothing but the locales."""
        return compose_emergency(self.locales, lang, flag.kind, flag.category)

    def start(self, lang: str) -> Reply:
        """Return the first hello: what is kept, and the choice of language."""
        buttons = tuple(
            Button(title=language.own_name, payload=f"lang:{code}")
            for code, language in self.languages.items()
            if language.served
        )
        ui = self.locales.nearest(lang)
        parts = (self.locales.t(ui, key) for key in ("start.hello", "privacy.first_line", "start.choose"))
        return Reply(kind="privacy", lang=ui, text="\n\n".join(parts), buttons=buttons)

    def with_privacy_line(self, conversation: Conversation, replies: Sequence[Reply]) -> list[Reply]:
        """Return the replies, with the line about privacy after them the first time; never beside an emergency."""
        if not replies or conversation.is_privacy_shown or any(reply.kind == "emergency" for reply in replies):
            return list(replies)
        conversation.is_privacy_shown = True
        if any(reply.kind == "privacy" for reply in replies):
            return list(replies)
        return [*replies, self._say("privacy", conversation.lang or FALLBACK, "privacy.first_line")]

    def error(self, lang: str, name: str, **values: object) -> Reply:
        """Return `error.<name>`: why there is no answer, and what to do."""
        return self._say("abstain", lang, f"error.{name}", **values)

    def try_later(self, lang: str) -> Reply:
        """Return that the answer will come later, with whom to turn to until then."""
        reply = self.error(lang, "try_later")
        links = [Link(title=EMERGENCY_NUMBER, url=tel(EMERGENCY_NUMBER))]
        contact = self.contacts.get(WIN_POINT_CONTACT)
        if contact and contact.url:
            links.append(Link(title=contact.name, url=contact.url))
        return reply.model_copy(update={"links": tuple(links)})

    def thanks(self, lang: str, *, is_helpful: bool) -> Reply:
        """Return a short thanks for a thumb; a thumb down is offered a person."""
        if is_helpful:
            return self._say("smalltalk", lang, "feedback.thanks_up")
        human = Button(title=self.locales.t(self.locales.nearest(lang), "answer.human"), payload="human")
        return self._say("smalltalk", lang, "feedback.thanks_down").model_copy(update={"buttons": (human,)})

    def _say(self, kind: ReplyKind, lang: str, key: str, **values: object) -> Reply:
        ui = self.locales.nearest(lang)
        return Reply(kind=kind, lang=ui, text=self.locales.t(ui, key, **values))
