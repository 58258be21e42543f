"""The way to Rasa: one message there, its replies back; and forgetting a conversation.

Two kinds of trouble are told apart. `RasaAway`: nobody is there to answer, so the message waits as long as it takes.
`RasaFailed`: Rasa is there and cannot cope with this message, so it is set aside after a few attempts.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from bot.errors import BotError
from knowledge.replies import Reply

CONNECT_TIMEOUT_SECONDS = 1.0
HEALTH_TIMEOUT_SECONDS = 1.0


class RasaAway(BotError):
    """Rasa or the action server cannot be reached."""

    def __init__(self, who: str, reason: str) -> None:
        super().__init__(f"{who} does not answer ({reason}). Is it running? `zorgbrug doctor` tells.")


class RasaFailed(BotError):
    """Rasa is running but gave no usable answer to this message."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Rasa gave no usable answer: {reason}. Its log says more.")
        self.reason = reason


class RasaMessage(BaseModel, frozen=True):
    """One message for Rasa; the shape is in docs/developers.md."""

    conversation: str
    message_id: str
    text: str
    lang: str  # of the message
    answer_lang: str  # to answer in where there are no texts in that language
    is_lang_clear: bool  # whether the person has plainly shown or chosen a language
    channel: str
    place: str | None
    now: datetime


class _Answer(BaseModel):
    replies: tuple[Reply, ...]


class RasaClient:
    """Speaks to the `zorgbrug` channel inside Rasa; several servers of one tracker store take turns."""

    def __init__(self, rasa_urls: Sequence[str], actions_url: str, token: str, timeout_seconds: float) -> None:
        self._rasa_urls = list(rasa_urls)
        self._turns = itertools.count()
        self._actions_url = actions_url.rstrip("/")
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            trust_env=False,
        )

    async def send(self, message: RasaMessage) -> tuple[Reply, ...]:
        """Return Rasa's replies, at least one.

        Raises:
            RasaAway: Rasa or the action server is not there.
            RasaFailed: It is there, but this message gets no usable answer.
        """
        body = {
            "sender": message.conversation,
            "message": message.text,
            "message_id": message.message_id,
            "metadata": {
                "lang": message.lang,
                "answer_lang": message.answer_lang,
                "is_lang_clear": message.is_lang_clear,
                "channel": message.channel,
                "place": message.place,
                "now": message.now.isoformat().replace("+00:00", "Z"),
            },
        }
        try:
            answer = await self._request("POST", "/webhooks/zorgbrug/webhook", json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise RasaAway("Rasa", type(error).__name__) from None
        except httpx.HTTPError as error:
            if await self.is_reachable():
                raise RasaFailed(type(error).__name__) from None
            raise RasaAway("Rasa", type(error).__name__) from None
        replies = _read(answer)
        if not replies:
            # Rasa has no word to say when an action fails; most often the action server is not there.
            if await self.are_actions_reachable():
                raise RasaFailed("no reply at all")
            raise RasaAway("The action server", "no reply")
        return replies

    async def erase(self, conversation: str) -> None:
        """Have Rasa forget a conversation; one that it does not know is forgotten already.

        Raises:
            RasaAway: Rasa is not there, or did not do it.
        """
        try:
            answer = await self._request("DELETE", f"/webhooks/zorgbrug/conversations/{conversation}")
        except httpx.HTTPError as error:
            raise RasaAway("Rasa", type(error).__name__) from None
        if answer.status_code >= 400 and answer.status_code != 404:
            raise RasaAway("Rasa", f"status {answer.status_code} to an erasure")

    async def is_reachable(self) -> bool:
        """Say whether any Rasa server answers at all."""
        return any(await asyncio.gather(*(self._answers(f"{url}/") for url in self._rasa_urls)))

    async def are_actions_reachable(self) -> bool:
        """Say whether the action server answers."""
        return await self._answers(f"{self._actions_url}/health")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask the server whose turn it is, and the others if it is not there."""
        first = next(self._turns)
        for number in range(first, first + len(self._rasa_urls)):
            try:
                return await self._client.request(
                    method, self._rasa_urls[number % len(self._rasa_urls)] + path, **options
                )
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                trouble = error
        raise trouble

    async def _answers(self, url: str) -> bool:
        try:
            answer = await self._client.get(url, timeout=HEALTH_TIMEOUT_SECONDS)
        except httpx.HTTPError:
            return False
        return answer.status_code < 500


def _read(answer: httpx.Response) -> tuple[Reply, ...]:
    if answer.status_code == 502:
        return ()  # the channel's word for a turn in which no action answered
    if answer.status_code in (401, 403, 404, 503, 504):
        # A wrong token, a model still loading, a proxy before a dead server: nothing that this message can help.
        raise RasaAway("Rasa", f"status {answer.status_code}")
    if answer.status_code != 200:
        raise RasaFailed(f"status {answer.status_code}")
    content: Any = answer.content
    try:
        return _Answer.model_validate_json(content).replies
    except ValidationError as error:
        places = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors()[:3])
        raise RasaFailed(f"not in the agreed shape ({places})") from None
