"""What an action needs to know of the turn at hand, read from Rasa's tracker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from pydantic import ValidationError
from rasa_sdk import Tracker

from knowledge.retriever import Embedding

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True)
class Turn:
    """One message of the person and where the conversation stands."""

    conversation: str
    message_id: str
    text: str
    previous: str  # what the person asked before this, or nothing
    lang: str  # to answer in
    written_in: str  # of the message; may be one that we have no texts in
    answer_lang: str  # to answer in where we have no texts in that of the message
    intent: str
    confidence: float
    today: date
    place: str | None
    article: str | None
    spoken_language: str | None  # as answered in the hand-off form
    told_language: str | None
    failures: int
    is_delete_pending: bool
    was_in_handoff: bool
    share_consent: bool
    entities: dict[str, str]
    embedding: Embedding | None = None  # of the text, as Rasa made it

    @classmethod
    def of(cls, tracker: Tracker) -> Turn:
        """Read the turn; a metadata field that is missing falls back to the slot, then to English and today."""
        message: dict[str, Any] = tracker.latest_message or {}
        metadata: dict[str, Any] = message.get("metadata") or {}
        intent: dict[str, Any] = message.get("intent") or {}
        lang = str(metadata.get("lang") or tracker.get_slot("language") or DEFAULT_LANGUAGE)
        entities = {item["entity"]: str(item["value"]) for item in message.get("entities") or [] if item.get("value")}
        return cls(
            conversation=tracker.sender_id,
            message_id=str(metadata.get("message_id") or message.get("message_id") or ""),
            text=message.get("text") or "",
            lang=lang,
            written_in=lang,
            answer_lang=str(metadata.get("answer_lang") or lang),
            previous=_previous_question(tracker),
            spoken_language=_chosen_language(tracker),
            told_language=tracker.get_slot("told_language"),
            intent=intent.get("name") or "",
            confidence=float(intent.get("confidence") or 0.0),
            today=_instant(metadata.get("now")).date(),
            place=tracker.get_slot("place") or metadata.get("place"),
            article=tracker.get_slot("article"),
            failures=int(tracker.get_slot("failures") or 0),
            is_delete_pending=bool(tracker.get_slot("delete_pending")),
            was_in_handoff=(tracker.active_loop or {}).get("name") == "handoff_form",
            share_consent=tracker.get_slot("share_consent") is True,
            entities=entities,
            embedding=_embedding(message),
        )

    def speaking(self, lang: str) -> Turn:
        """Return the same turn in a language that we have texts for."""
        return replace(self, lang=lang)


def is_language_clear(tracker: Tracker) -> bool:
    """Say whether the bot knows which language the person speaks; one that does not tell is taken to know."""
    return bool(((tracker.latest_message or {}).get("metadata") or {}).get("is_lang_clear", True))


def _chosen_language(tracker: Tracker) -> str | None:
    chosen = str(tracker.get_slot("spoken_language") or "")
    return chosen if chosen.isalpha() else None


def _embedding(message: dict[str, Any]) -> Embedding | None:
    try:
        return Embedding.model_validate(message.get("embedding"))
    except ValidationError:
        return None


def _previous_question(tracker: Tracker) -> str:
    """Return the text of the message before this one; buttons are no text."""
    said = [event.get("text") or "" for event in tracker.events or [] if event.get("event") == "user"]
    typed = [text for text in said if text and not text.startswith("/")]
    latest = (tracker.latest_message or {}).get("text")
    if typed and typed[-1] == latest:
        typed.pop()
    return typed[-1] if typed else ""


def _instant(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.now(UTC)
