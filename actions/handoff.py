"""How the actions ask the bot to hand a conversation over to a person.

The protocol is what the actions know; `BotHandoff` speaks HTTP to the bot, a test keeps a list.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import httpx
from pydantic import BaseModel


class HandoffRequest(BaseModel, frozen=True):
    """One request for a person; `message_id` makes a repeat harmless."""

    conversation: str
    message_id: str
    reason: str
    lang: str
    place: str | None = None
    consent: bool = False
    topic: str | None = None


class HandoffAnswer(BaseModel, frozen=True):
    """What the bot made of it: the WIN-punt whose queue it is in, and when that opens if it is closed now."""

    id: str
    desk: str
    opens_at: datetime | None = None


class HandoffUnavailable(Exception):
    """The bot did not take the request, so the person must be given the contact details instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The bot did not take the escalation: {reason}. Is it running, with the same ZORGBRUG_INTERNAL_TOKEN?"
        )
        self.reason = reason


class Handoff(Protocol):
    """Asks for a person."""

    async def request(self, request: HandoffRequest) -> HandoffAnswer:
        """Return where the request is now.

        Raises:
            HandoffUnavailable: It could not be stored.
        """
        ...


class BotHandoff:
    """Hands over through the bot's internal HTTP interface."""

    def __init__(self, bot_url: str, token: str, timeout_seconds: float = 5.0) -> None:
        self._url = f"{bot_url.rstrip('/')}/internal/escalations"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout_seconds = timeout_seconds

    async def request(self, request: HandoffRequest) -> HandoffAnswer:
        """Return where the request is now; see `Handoff.request`."""
        try:
            async with httpx.AsyncClient(timeout=self._timeout_seconds, trust_env=False) as client:
                answer = await client.post(self._url, json=request.model_dump(), headers=self._headers)
                answer.raise_for_status()
                return HandoffAnswer.model_validate_json(answer.content)
        except (httpx.HTTPError, ValueError) as error:
            raise HandoffUnavailable(repr(error)) from error
