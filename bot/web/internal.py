"""The internal API: what the action server asks of the bot. Only with the internal token."""

from __future__ import annotations

import hmac
import logging
import uuid
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.logs import hashed
from bot.store.engine import Store
from bot.store.models import Conversation, Escalation
from bot.web.guards import ApiError, read_body

logger = logging.getLogger(__name__)


class NewEscalation(BaseModel):
    """A request for a person of the staff."""

    conversation: str = Field(max_length=64)
    message_id: str = Field(min_length=1, max_length=64)
    reason: str = Field(max_length=64)
    lang: str = Field(max_length=35)
    consent: bool
    place: str | None = Field(None, max_length=128)
    topic: str | None = Field(None, max_length=64)
    win_point: str | None = Field(None, max_length=64)


def make_internal_api(store: Store, token: str) -> APIRouter:
    """Return the routes under `/internal`."""

    async def only_ours(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise ApiError(401, "not_allowed", "This needs the internal token of this installation.")

    router = APIRouter(prefix="/internal", dependencies=[Depends(only_ours)])

    @router.post("/escalations", status_code=201)
    async def escalate(request: Request) -> dict[str, object]:
        asked = await read_body(request, NewEscalation)
        try:
            identifier, is_new = await store.run(lambda session: _record(session, asked))
        except IntegrityError:
            # Asked twice at once; now the other one is there.
            identifier, is_new = await store.run(lambda session: _record(session, asked))
        logger.info(
            "escalation", extra={"conversation": hashed(asked.conversation), "reason": asked.reason, "is_new": is_new}
        )
        return {"id": identifier, "created": is_new}

    return router


async def _record(session: AsyncSession, asked: NewEscalation) -> tuple[str, bool]:
    known = await session.scalar(select(Escalation.id).where(Escalation.message_id == asked.message_id))
    if known is not None:
        return known, False
    conversation = await session.get(Conversation, asked.conversation)
    if conversation is None:
        raise ApiError(404, "no_conversation", "There is no such conversation; it may have been erased.")
    conversation.place = asked.place or conversation.place
    row = Escalation(
        id=uuid.uuid4().hex,
        conversation_id=asked.conversation,
        message_id=asked.message_id,
        reason=asked.reason,
        place=asked.place,
        lang=asked.lang,
        has_consent=asked.consent,
        topic=asked.topic,
        win_point=asked.win_point,
        created_at=datetime.now(UTC),
    )
    session.add(row)
    return row.id, True
