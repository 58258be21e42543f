"""The way from the bot into Rasa: one POST a message, answered with the replies of the turn. See docs/developers.md."""

import asyncio
import hmac
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.core.lock_store import LockError
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import INTENT
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, json

from nlu.components.quick_rasa import make_rasa_quick
from nlu.components.tracker_store import ErasureNotPossible, erase_conversation

logger = logging.getLogger(__name__)

make_rasa_quick()  # Rasa loads this module when it starts, whatever else it does

MAX_MESSAGE = 20_000
MAX_ID = 200


class BadMessage(ValueError):
    """What was posted is not a message as docs/developers.md has it."""


class ZorgbrugInput(InputChannel):
    """Takes messages from the bot alone, which shows the token of this installation."""

    def __init__(self, token: str) -> None:
        self._token = token

    @classmethod
    def name(cls) -> str:
        """Return the name in the address: /webhooks/zorgbrug."""
        return "zorgbrug"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> "ZorgbrugInput":
        """Make the channel with the token of credentials.yml.

        Raises:
            RasaException: There is no token, so anybody on this machine could listen in.
        """
        token = str((credentials or {}).get("token") or "")
        if not token:
            raise RasaException(
                "No token in credentials.yml. Start Rasa with `zorgbrug rasa`, or set ZORGBRUG_RASA_TOKEN."
            )
        return cls(token)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Return the addresses of this channel."""
        routes = Blueprint("zorgbrug_webhook")

        @routes.get("/")
        async def health(request: Request) -> HTTPResponse:
            return json({"status": "ok"})

        @routes.post("/webhook")
        async def receive(request: Request) -> HTTPResponse:
            if not self._is_authorised(request):
                return _problem(401, "The token is wrong. Bot and Rasa must be started with the same secrets.")
            try:
                message = read_message(request.json)
            except Exception as error:  # Sanic raises several kinds for a body that is not JSON
                return _problem(400, str(error) if isinstance(error, BadMessage) else "The body is not JSON.")
            return await self._answer(request.app.ctx.agent, message, on_new_message)

        @routes.delete("/conversations/<conversation:str>")
        async def erase(request: Request, conversation: str) -> HTTPResponse:
            if not self._is_authorised(request):
                return _problem(401, "The token is wrong. Bot and Rasa must be started with the same secrets.")
            try:
                return json({"erased": erase_conversation(request.app.ctx.agent.tracker_store, conversation)})
            except ErasureNotPossible as error:
                return _problem(500, str(error))

        return routes

    async def _answer(
        self, agent: Any, message: UserMessage, on_new_message: Callable[[UserMessage], Awaitable[Any]]
    ) -> HTTPResponse:
        if agent is None or not agent.is_ready():
            return _problem(503, "Rasa has no model yet. Run `zorgbrug train`.")
        collector = message.output_channel
        try:
            # Read here already, so that the intent can be told; the dialogue then uses it as it is.
            message.parse_data = await agent.processor.parse_message(message)
            await on_new_message(message)
        except asyncio.CancelledError:
            raise
        except LockError:
            logger.warning("No lock for a conversation: another server is busy with it, or Redis is away")
            return _problem(503, "The conversation is busy, or the lock store is away. Try again.")
        except Exception as error:
            # Where it happened, but not what it says: that may quote what the person wrote.
            place = traceback.extract_tb(error.__traceback__)[-1]
            name = type(error).__name__
            logger.error("Rasa could not handle a message: %s in %s, line %d", name, place.filename, place.lineno)
            return _problem(500, "Rasa could not handle the message; its log says why.")
        replies = [item["custom"] for item in collector.messages if "custom" in item]
        intent = message.parse_data.get(INTENT) or {}
        if not replies:
            return _problem(502, "No action answered. Is the action server running (`zorgbrug actions`)?")
        return json(
            {"replies": replies, "intent": {"name": intent.get("name"), "confidence": intent.get("confidence", 0.0)}}
        )

    def _is_authorised(self, request: Request) -> bool:
        shown = request.headers.get("authorization", "")
        return hmac.compare_digest(shown.encode("utf-8", "replace"), f"Bearer {self._token}".encode())


def read_message(body: object) -> UserMessage:
    """Return the message that was posted.

    Raises:
        BadMessage: A field is missing or of a wrong kind; the text says which.
    """
    if not isinstance(body, dict):
        raise BadMessage('The body must be an object with "sender" and "message".')
    sender, text, message_id = body.get("sender"), body.get("message"), body.get("message_id")
    metadata = {} if body.get("metadata") is None else body["metadata"]
    if not isinstance(sender, str) or not 0 < len(sender) <= MAX_ID:
        raise BadMessage(f'"sender" must be a text of 1 to {MAX_ID} characters.')
    if not isinstance(text, str) or len(text) > MAX_MESSAGE:
        raise BadMessage(f'"message" must be a text of at most {MAX_MESSAGE} characters.')
    if message_id is not None and not isinstance(message_id, str):
        raise BadMessage('"message_id" must be a text.')
    if not isinstance(metadata, dict):
        raise BadMessage('"metadata" must be an object.')
    return UserMessage(
        text,
        CollectingOutputChannel(),
        sender,
        input_channel=ZorgbrugInput.name(),
        message_id=message_id,
        metadata={**metadata, "message_id": message_id} if message_id else metadata,
    )


def _problem(status: int, text: str) -> HTTPResponse:
    return json({"error": text}, status=status)
