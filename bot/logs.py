"""Logs as JSON lines, one event each. No message text ever goes into them: ids are hashed, exceptions named by type.

Should something get in all the same, such as the words of another library's error, numbers and addresses are masked.
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC, datetime
from typing import Any

from bot.privacy.masking import mask

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message", "taskName"}
_TALKATIVE = ("httpx", "httpcore", "alembic", "aiosqlite")


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `event`, and the fields of `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            line["traceback"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class Masking(logging.Filter):
    """Masks BSN, IBAN, phone numbers and e-mail addresses in the event and in every text among its fields."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record, and let it pass."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            message = str(record.msg)  # somebody's wrong log line must not break what it tells of
        record.msg, record.args = mask(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask(record.exc_text)
        for name in record.__dict__.keys() - _STANDARD:
            record.__dict__[name] = _masked(record.__dict__[name])
        return True


def _masked(value: Any) -> Any:
    """Return a field with the texts in it masked; what is neither text nor number is written as text anyway."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {_masked(key): _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item) for item in value]
    return mask(str(value))


def set_up_logging(level: str) -> None:
    """Send the logs to standard error, unless something has set logging up already; either way they are masked."""
    if not logging.root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        logging.root.addHandler(handler)
        logging.root.setLevel(level)
    # A filter of a handler sees the records of every logger, one of a logger only its own.
    for each in logging.root.handlers:
        if not any(isinstance(item, Masking) for item in each.filters):
            each.addFilter(Masking())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def hashed(conversation: str) -> str:
    """Return a short, one-way name of a conversation, to follow it through the logs."""
    return hashlib.sha256(conversation.encode()).hexdigest()[:12]
