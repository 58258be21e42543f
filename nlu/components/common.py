"""What the components share: where the data is, and what they read from a message."""

import os
from pathlib import Path
from typing import Any

from rasa.shared.nlu.constants import (
    ENTITIES,
    ENTITY_ATTRIBUTE_END,
    ENTITY_ATTRIBUTE_START,
    ENTITY_ATTRIBUTE_TYPE,
    ENTITY_ATTRIBUTE_VALUE,
    EXTRACTOR,
    METADATA,
    METADATA_INTENT,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message

LANG = "lang"  # the key, in metadata and in a message, of the language it is written in


def data_dir(config: dict[str, Any]) -> Path:
    """Return the data folder: `ZORGBRUG_DATA` if set, else the one of config.yml."""
    return Path(os.environ.get("ZORGBRUG_DATA") or str(config["data_dir"]))


def text_to_read(message: Message) -> str:
    """Return what the person wrote; empty for a button, which Rasa reads by itself."""
    text = str(message.get(TEXT) or "")
    return "" if text.startswith("/") else text


def known_lang(message: Message) -> str | None:
    """Return the language that the bot, or a training file, has written down for the message."""
    metadata = message.get(METADATA) or {}
    lang = metadata.get(LANG) or (metadata.get(METADATA_INTENT) or {}).get(LANG)
    return str(lang) if lang else None


def set_entity(message: Message, entity: str, value: str, found: str, extractor: str) -> None:
    """Add an entity, in place of an earlier one of its name; `found` are the words that say it."""
    text = str(message.get(TEXT) or "")
    start = max(text.lower().find(found.lower()), 0)
    others = [item for item in message.get(ENTITIES) or [] if item[ENTITY_ATTRIBUTE_TYPE] != entity]
    this = {
        ENTITY_ATTRIBUTE_TYPE: entity,
        ENTITY_ATTRIBUTE_VALUE: value,
        ENTITY_ATTRIBUTE_START: start,
        ENTITY_ATTRIBUTE_END: min(start + len(found), len(text)),
        EXTRACTOR: extractor,
    }
    message.set(ENTITIES, [*others, this], add_to_output=True)


def remove_entity(message: Message, entity: str) -> None:
    """Take an entity away."""
    kept = [item for item in message.get(ENTITIES) or [] if item[ENTITY_ATTRIBUTE_TYPE] != entity]
    message.set(ENTITIES, kept, add_to_output=True)
