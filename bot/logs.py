"""Logs as JSON lines, one event each. No message text ever goes into them: ids are hashed, exceptions named by type.

A traceback says where and not what, since the text of an exception may quote a person. Should something get in all the
same, such as the words of another library, numbers and addresses are masked.
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC, datetime
from typing import Any

from bot.privacy.masking import mask
from bot.privacy.traces import name_of, trace, without_its_words

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
        if (error := _error_of(record)) is not None:
            line["traceback"] = trace(error)
        return json.dumps(line, ensure_ascii=False, default=str)


class Masking(logging.Filter):
    """Takes exceptions' words out, and masks BSN, IBAN, phone numbers and e-mail addresses in event and fields."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record, and let it pass."""
        error = _error_of(record)
        message = _message_of(record)
        record.msg, record.args = mask(without_its_words(message, error) if error else message), None
        # Formatters other than ours write this text; one that was made before us holds the words.
        record.exc_text = trace(error) if error else None
        if not error:
            record.exc_info = None
        for name in record.__dict__.keys() - _STANDARD:
            record.__dict__[name] = _masked(record.__dict__[name])
        return True


def _error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if isinstance(record.exc_info, tuple) else None


def _message_of(record: logging.LogRecord) -> str:
    """Return the event with its arguments in place, exceptions by their names."""
    if isinstance(record.msg, BaseException):
        record.msg = name_of(record.msg)
    if isinstance(record.args, tuple):
        record.args = tuple(name_of(item) if isinstance(item, BaseException) else item for item in record.args)
    try:
        return record.getMessage()
    except Exception:
        return str(record.msg)  # somebody's wrong log line must not break what it tells of


def _masked(value: Any) -> Any:
    """Return a field with the texts in it masked; what is neither text nor number is written as text anyway."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, BaseException):
        return name_of(value)
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
