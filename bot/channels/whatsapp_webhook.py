"""The webhook that Meta calls: the handshake of the set-up, then messages and statuses.

A post is answered with 200 only once every message in it is stored. Meta repeats what was not, for days, and the
core knows a repeat by the message's id. pywa's own server answers whatever becomes of an update.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError
from pywa.utils import webhook_updates_validator

from bot.channels.whatsapp_updates import MESSAGES, Message, MessagesValue, Post, Status
from bot.errors import StoreUnavailable

logger = logging.getLogger(__name__)

WEBHOOK_PATH = "/whatsapp/webhook"

Item = TypeVar("Item", Message, Status)


def make_webhook(
    *,
    phone_id: str,
    app_secret: str,
    verify_token: str,
    is_ready: Callable[[], bool],
    take_message: Callable[[Message], Awaitable[None]],
    take_status: Callable[[Status], Awaitable[None]],
) -> APIRouter:
    """Return the routes; what comes for another number than `phone_id` is passed over.

    The two takers may raise StoreUnavailable, and then Meta is asked to send it again.
    """
    router = APIRouter()

    @router.get(WEBHOOK_PATH, include_in_schema=False)
    async def verify(
        mode: str = Query("", alias="hub.mode"),
        token: str = Query("", alias="hub.verify_token"),
        challenge: str = Query("", alias="hub.challenge"),
    ) -> PlainTextResponse:
        is_ours = hmac.compare_digest(token.encode(errors="replace"), verify_token.encode())
        if mode != "subscribe" or not is_ours:
            raise HTTPException(403, "The verify token is not ours.")
        return PlainTextResponse(challenge)

    @router.post(WEBHOOK_PATH, include_in_schema=False)
    async def receive(request: Request, x_hub_signature_256: str = Header(default="")) -> dict[str, bool]:
        body = await request.body()
        if not is_signed(body, x_hub_signature_256, app_secret):
            raise HTTPException(403, "The signature is not Meta's.")
        post = read_post(body)
        if not is_ready():
            raise HTTPException(503, "Not ready yet; send it again.")
        try:
            for value in values_for(post, phone_id):
                for message in value.messages:
                    await _take_or_set_aside(Message, message, take_message)
                for status in value.statuses:
                    await _take_or_set_aside(Status, status, take_status)
        except StoreUnavailable:
            raise HTTPException(503, "The store is busy; send it again.") from None
        return {"ok": True}

    return router


def is_signed(body: bytes, signature: str, app_secret: str) -> bool:
    """Say whether the signature is that of the body under our secret; compared in constant time."""
    # The comparison refuses other characters with an exception.
    return signature.isascii() and webhook_updates_validator(app_secret, body, signature)


def read_post(body: bytes) -> Post:
    """Return the post.

    Raises:
        HTTPException: 400, it is none.
    """
    try:
        return Post.model_validate(json.loads(body))
    except (ValueError, RecursionError):
        raise HTTPException(400, "This is not a WhatsApp update.") from None


def values_for(post: Post, phone_id: str) -> list[MessagesValue]:
    """Return the parts of a post that are about messages of our number."""
    found = []
    for change in (change for entry in post.entry for change in entry.changes if change.field == MESSAGES):
        try:
            value = MessagesValue.model_validate(change.value)
        except ValidationError:
            logger.error("whatsapp_change_set_aside")
            continue
        if value.metadata.phone_number_id == phone_id:
            found.append(value)
    return found


async def _take_or_set_aside(shape: type[Item], content: Any, take: Callable[[Item], Awaitable[None]]) -> None:
    """Take one item; one that we cannot make sense of must not keep the others of the post from being read."""
    try:
        await take(shape.model_validate(content))
    except StoreUnavailable:
        raise
    except Exception as error:
        # Only the type: the text of an exception may quote what a person wrote.
        logger.error("whatsapp_update_set_aside", extra={"what": shape.__name__, "error": type(error).__name__})
