"""Logs as JSON lines, one event each. No message text ever goes into them: ids are hashed, exceptions named by type."""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC, datetime
from typing import Any

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
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_logging(level: str) -> None:
    """Send the logs to standard error, unless something has set logging up already."""
    if not logging.root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        logging.root.addHandler(handler)
        logging.root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def hashed(conversation: str) -> str:
    """Return a short, one-way name of a conversation, to follow it through the logs."""
    return hashlib.sha256(conversation.encode()).hexdigest()[:12]
