"""The API of the chat page; docs/developers.md lists the calls.

Everything about a conversation needs its token: in the `Authorization` header, or in the cookie that scripts cannot
read.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field, model_validator

from bot.cases.photos import keep_photo, kind_of
from bot.channels.base import Content, IncomingMessage, Location, Payload, Photo, Text
from bot.channels.web import WEB, Event, TooManyStreams, WebChannel, external_id
from bot.conversations.core import ConversationCore, TellStaff
from bot.errors import UnknownConversation
from bot.events import Events
from bot.store.engine import Store
from bot.store.sealing import Sealer
from bot.web.guards import ApiError, FloodGate, read_body
from bot.web.history import case_in_hand, conversation_exists, missed_replies, read_history
from bot.web.tokens import COOKIE, Tokens, token_of
from knowledge.locales import Locales
from knowledge.models import Language

COOKIE_SECONDS = 30 * 24 * 3600
HEARTBEAT_SECONDS = 15.0
LARGEST_ID = 2**31 - 1  # what PostgreSQL's integer holds
MESSAGE_ID = r"^[\x21-\x7e]{1,64}$"
UI_PREFIX = "web."
UI_PLACEHOLDERS = {"number": "{number}"}


class NewConversation(BaseModel):
    """What may be said at the start: the language of the page, as a first guess."""

    lang: Annotated[str | None, Field(max_length=35)] = None


class Position(BaseModel):
    """A shared position in degrees."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)


class NewMessage(BaseModel):
    """A message of the page: its own id, and exactly one of text, payload, location."""

    id: Annotated[str, Field(pattern=MESSAGE_ID)]
    text: str | None = None
    payload: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    location: Position | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> NewMessage:
        if sum(value is not None for value in (self.text, self.payload, self.location)) != 1:
            raise ValueError("exactly one of text, payload and location is needed")
        return self

    def content(self) -> Content:
        """Return it as a channel gives it to the core."""
        if self.location is not None:
            return Location(latitude=self.location.lat, longitude=self.location.lon)
        return Payload(payload=self.payload) if self.payload is not None else Text(text=self.text or "")


def make_api(
    store: Store,
    core: ConversationCore,
    channel: WebChannel,
    tokens: Tokens,
    locales: Locales,
    languages: Mapping[str, Language],
    sealer: Sealer,
    flood: FloodGate,
    tell_staff: TellStaff,
    tell_typing: TellStaff,
    *,
    is_https: bool,
) -> APIRouter:
    """Return the routes under `/api`."""
    router = APIRouter(prefix="/api")

    async def person(request: Request) -> str:
        address = tokens.address(token_of(request))
        if address is None:
            raise ApiError(401, "no_conversation", "This needs the token of a conversation. Start a new conversation.")
        return address

    @router.post("/conversations", status_code=201)
    async def begin(request: Request) -> JSONResponse:
        flood.check(request, "conversation")
        body = await read_body(request, NewConversation)
        address = await core.open(WEB, body.lang)
        token = tokens.issue(address)
        answer = JSONResponse({"conversation": address, "token": token}, 201)
        answer.set_cookie(
            COOKIE, token, max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="strict", secure=is_https
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @router.post("/messages", status_code=202)
    async def take(request: Request, address: str = Depends(person)) -> dict[str, str | None]:
        message = await read_body(request, NewMessage)
        incoming = IncomingMessage(
            channel=WEB,
            address=address,
            external_id=external_id(address, message.id),
            content=message.content(),
        )
        try:
            receipt = await core.accept(incoming)
        except UnknownConversation:
            raise _gone() from None
        return {"id": message.id, "lang": receipt.lang}

    @router.post("/photos", status_code=202)
    async def take_photo(
        request: Request, id: Annotated[str, Query(pattern=MESSAGE_ID)], address: str = Depends(person)
    ) -> dict[str, object]:
        content = await request.body()
        media_type = kind_of(content)
        if media_type is None:
            raise ApiError(400, "no_picture", "This is no picture that we can show: JPEG, PNG, WebP or GIF.")
        photo = Photo(media_type=media_type, file_id=id)
        incoming = IncomingMessage(
            channel=WEB, address=address, external_id=external_id(address, id), content=photo
        )  # fmt: skip
        try:
            receipt = await core.accept(incoming)
        except UnknownConversation:
            raise _gone() from None
        case = await keep_photo(store, sealer, receipt.inbox_id, content)
        if case is not None:
            await tell_staff(case)
        return {"id": id, "is_kept": case is not None}

    @router.post("/typing", status_code=204)
    async def typing(address: str = Depends(person)) -> Response:
        case = await store.read(lambda session: case_in_hand(session, sealer, address))
        if case is not None:
            await tell_typing(case)
        return Response(status_code=204)

    @router.get("/history")
    async def history(response: Response, address: str = Depends(person)) -> dict[str, Any]:
        found = await store.read(lambda session: read_history(session, sealer, address))
        if found is None:
            raise _gone()
        response.headers["Cache-Control"] = "no-store"
        return found

    @router.get("/events")
    async def events(
        last_event_id: Annotated[str, Header()] = "",
        after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
        address: str = Depends(person),
    ) -> StreamingResponse:
        if not await store.read(lambda session: conversation_exists(session, sealer, address)):
            raise _gone()
        is_number = last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 10
        last = int(last_event_id) if is_number else after
        return StreamingResponse(
            _events(store, sealer, channel, address, last),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    @router.get("/ui/{lang}")
    async def ui(lang: str) -> dict[str, Any]:
        shown = locales.nearest(lang[:35])
        texts = {key.removeprefix(UI_PREFIX): key for key in locales.keys(shown) if key.startswith(UI_PREFIX)}
        texts["privacy_line"] = "privacy.first_line"
        return {
            "lang": shown,
            "direction": languages[shown].direction,
            "languages": [
                {"code": code, "name": language.own_name, "direction": language.direction}
                for code, language in languages.items()
                if language.served
            ],
            # The page fills in the placeholders itself.
            "strings": {name: locales.t(shown, key, **UI_PLACEHOLDERS) for name, key in texts.items()},
        }

    return router


async def _events(store: Store, sealer: Sealer, channel: WebChannel, address: str, last: int) -> AsyncIterator[str]:
    try:
        async with channel.listening(address) as events:
            yield ": here\n\n"
            # Listening began before this looks back, so nothing falls between; what comes twice is dropped. While the
            # bus is away the stream ends after it, and the page comes back every few seconds for what it has missed.
            missed = await store.read(lambda session: missed_replies(session, sealer, address, last))
            for reply in missed:
                yield _written(reply)
            known = {reply.id for reply in missed}
            async for event in _live(events):
                if event is None:
                    yield ": still here\n\n"
                elif event.id is None or event.id not in known:
                    yield _written(event)
    except TooManyStreams:
        yield "event: too_many\ndata: {}\n\n"


async def _live(events: Events) -> AsyncIterator[Event | None]:
    """Yield events as they come, and None when it was quiet for a while, until the stream ends."""
    while True:
        try:
            event = await asyncio.wait_for(events.get(), HEARTBEAT_SECONDS)
        except TimeoutError:
            yield None
            continue
        if event is None:
            return
        yield Event(**event)


def _written(event: Event) -> str:
    identifier = f"id: {event.id}\n" if event.id is not None else ""
    return f"{identifier}event: {event.name}\ndata: {json.dumps(event.data, ensure_ascii=False)}\n\n"


def _gone() -> ApiError:
    return ApiError(401, "conversation_gone", "This conversation is not kept any more. Start a new conversation.")
