"""The internal API: what the action server asks of the bot. Only with the internal token."""

from __future__ import annotations

import hmac
import logging
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.desks import Desks
from bot.cases.opening import Request as HandoffRequest
from bot.cases.opening import open_case
from bot.conversations.core import TellStaff
from bot.conversations.records import locked_conversation
from bot.logs import hashed
from bot.store.case_models import Case
from bot.store.engine import Store
from bot.web.guards import ApiError, read_body

logger = logging.getLogger(__name__)


class NewEscalation(BaseModel):
    """A request for a person of the staff."""

    conversation: str = Field(max_length=64)
    message_id: str = Field(min_length=1, max_length=64)
    reason: str = Field(max_length=16)
    lang: str = Field(max_length=35)
    consent: bool
    place: str | None = Field(None, max_length=128)
    topic: str | None = Field(None, max_length=64)


def make_internal_api(store: Store, desks: Desks, token: str, tell_staff: TellStaff) -> APIRouter:
    """Return the routes under `/internal`."""

    async def only_ours(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise ApiError(401, "not_allowed", "This needs the internal token of this installation.")

    router = APIRouter(prefix="/internal", dependencies=[Depends(only_ours)], include_in_schema=False)

    @router.post("/escalations", status_code=201)
    async def escalate(request: Request) -> dict[str, object]:
        asked = await read_body(request, NewEscalation)
        now = datetime.now(UTC)
        try:
            case, is_new = await store.run(lambda session: _open(session, desks, asked, now))
        except IntegrityError:
            # Asked twice at once; now the other one is there.
            case, is_new = await store.run(lambda session: _open(session, desks, asked, now))
        logger.info(
            "escalation", extra={"conversation": hashed(asked.conversation), "reason": asked.reason, "is_new": is_new}
        )
        await tell_staff(case.id)
        opening = desks.next_opening(case.desk, now)
        return {
            "id": str(case.id),
            "created": is_new,
            "desk": desks.name(case.desk),
            "opens_at": opening.isoformat() if opening else None,
        }

    return router


async def _open(session: AsyncSession, desks: Desks, asked: NewEscalation, now: datetime) -> tuple[Case, bool]:
    conversation = await locked_conversation(session, asked.conversation)
    if conversation is None:
        raise ApiError(404, "no_conversation", "There is no such conversation; it may have been erased.")
    request = HandoffRequest(
        reason=asked.reason,
        lang=asked.lang,
        message_id=asked.message_id,
        topic=asked.topic,
        place=asked.place,
        has_consent=asked.consent,
    )
    return await open_case(session, desks, conversation, request, now)
