"""What a person's message means to us: its text cleaned, its button as the words that Rasa expects.

Pure. The button payloads are those of docs/developers.md.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from bot.channels.base import Content, Location, Text
from bot.privacy.masking import mask_identity

_KEPT_CONTROLS = "\n\t"
_JOINERS = "\u200c\u200d"  # emoji and Arabic need them
_SLASHES = re.compile(r"\A[\s/]+")

_PLAIN_PAYLOADS = {
    "human": "/ask_human",
    "yes": "/affirm",
    "no": "/deny",
    "skip": "/skip",
    "stop": "/stop",
    "privacy": "/privacy",
    "delete": "/delete_data",
    "languages": "/ask_languages",
    "help": "/help",
}
_PAYLOADS_WITH_VALUE = {
    "article": ("choose_article", "article"),
    "desk": ("show_desk", "article"),
    "contact": ("show_contact", "contact"),
    "lang": ("set_language", "language"),
}
_VALUE = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_THUMB = re.compile(r"thumb:(up|down):([0-9]{1,9})")


def clean_text(text: str) -> str:
    """Return the text without control and invisible characters, and without a leading slash.

    A slash would make Rasa read an intent, which only buttons may say.
    """
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return _SLASHES.sub("", "".join(filter(_is_readable, composed))).strip()


def _is_readable(character: str) -> bool:
    if character in _KEPT_CONTROLS or character in _JOINERS:
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def has_words(text: str) -> bool:
    """Say whether there is any letter or digit, so not only emoji and signs."""
    return any(character.isalnum() for character in text)


def rasa_message_of_payload(payload: str) -> str | None:
    """Return what Rasa is told when this button is tapped, or None when it is no button of ours."""
    if payload in _PLAIN_PAYLOADS:
        return _PLAIN_PAYLOADS[payload]
    name, _, value = payload.partition(":")
    if name not in _PAYLOADS_WITH_VALUE or not _VALUE.fullmatch(value):
        return None
    intent, entity = _PAYLOADS_WITH_VALUE[name]
    return _intent(intent, entity, value)


def language_of_payload(payload: str) -> str | None:
    """Return the language that this button chooses, or None when it is another button."""
    name, _, value = payload.partition(":")
    return value if name == "lang" and _VALUE.fullmatch(value) else None


def thumb_of_payload(payload: str) -> tuple[bool, int] | None:
    """Return (is it a thumb up, outbox id), or None when it is another button."""
    match = _THUMB.fullmatch(payload)
    return (match[1] == "up", int(match[2])) if match else None


def stored_content(content: Content, text: str, place: str | None) -> dict[str, Any]:
    """Return what the inbox keeps: the cleaned text without identity numbers, and of a position the municipality."""
    if isinstance(content, Text):
        return {"kind": "text", "text": mask_identity(text)}
    if isinstance(content, Location):
        return {"kind": "place", "place": place}
    return content.model_dump(mode="json")


def rasa_message(content: dict[str, Any]) -> str:
    """Return what Rasa is told for a message as the inbox keeps it.

    Raises:
        ValueError: This kind is never for Rasa.
    """
    if content["kind"] == "text":
        return str(content["text"])
    if content["kind"] == "place":
        return _intent("give_place", "place", content["place"])
    if content["kind"] == "payload" and (message := rasa_message_of_payload(content["payload"])):
        return message
    raise ValueError(f"a message of kind {content['kind']} is not for Rasa")


def _intent(name: str, entity: str, value: str) -> str:
    return f"/{name}{json.dumps({entity: value}, ensure_ascii=False)}"
