"""A Graph API server on the loopback: enough of WhatsApp's Cloud API to drive pywa against it, and Meta's webhooks.

It refuses what Meta refuses: too long a text, a title that comes twice, a template in a language that it is not
approved in, a free text after 24 hours. Source of the shapes: Meta, WhatsApp Cloud API, messages, media, error codes.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from tests.bot.fakes import serving

TOKEN = "EAA-test-token"
PHONE_ID = "106540352242922"
APP_SECRET = "an-app-secret-of-the-tests"
VERIFY_TOKEN = "a-verify-token"
TEMPLATE = "answer_waiting"
PERSON = "48500100200"

ERRORS = {
    100: (400, "Invalid parameter"),
    190: (401, "Error validating access token: Session has expired"),
    130429: (429, "(#130429) Rate limit hit"),
    131000: (500, "Something went wrong"),
    131009: (400, "(#131009) Parameter value is not valid"),
    131026: (400, "(#131026) Message undeliverable"),
    131047: (400, "(#131047) Re-engagement message"),
    131056: (400, "(#131056) (Business Account, Consumer Account) pair rate limit hit"),
    132001: (404, "(#132001) Template name does not exist in the translation"),
}


class GraphApiServer:
    """Keeps what the bot sent; `failures` come first, one for each message or template (None lets it through)."""

    def __init__(self) -> None:
        self.url = ""
        self.sent: list[dict[str, Any]] = []
        self.signs: list[dict[str, Any]] = []  # read marks and typing
        self.failures: list[int | None] = []
        self.closed_windows: set[str] = set()
        self.template_languages = {"en", "nl", "pl", "ar"}
        self.files: dict[str, bytes] = {}
        self.stated_sizes: dict[str, int] = {}
        self._ids = itertools.count(1)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [body for body in self.sent if body["type"] != "template"]

    @property
    def words(self) -> list[str]:
        """The words of the messages, with choices or without."""
        return [
            body["text"]["body"] if "text" in body else body["interactive"]["body"]["text"] for body in self.messages
        ]

    @property
    def templates(self) -> list[dict[str, Any]]:
        return [body["template"] for body in self.sent if body["type"] == "template"]

    async def wait_for_messages(self, count: int, timeout_seconds: float = 10.0) -> list[dict[str, Any]]:
        """Return the messages sent once there are so many."""
        async with asyncio.timeout(timeout_seconds):
            while len(self.messages) < count:
                await asyncio.sleep(0.01)
        return self.messages

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/v{version}/{phone_id}/messages")
        async def messages(phone_id: str, request: Request) -> Response:
            if not _is_allowed(request):
                return error(190)
            assert phone_id == PHONE_ID
            body = await request.json()
            assert body["messaging_product"] == "whatsapp"
            if body.get("status") == "read":
                self.signs.append(body)
                return JSONResponse({"success": True})
            return self._take(body)

        @app.get("/v{version}/{media_id}")
        async def media(media_id: str, request: Request) -> Response:
            if not _is_allowed(request):
                return error(190)
            if media_id == PHONE_ID:
                return JSONResponse({"id": PHONE_ID, "verified_name": "Zorgbrug"})
            if media_id not in self.files:
                return error(100, subcode=33)
            content = self.files[media_id]
            return JSONResponse(
                {
                    "messaging_product": "whatsapp",
                    "url": f"{self.url}/attachments/{media_id}",
                    "mime_type": "image/jpeg",
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "file_size": self.stated_sizes.get(media_id, len(content)),
                    "id": media_id,
                }
            )

        @app.get("/attachments/{media_id}")
        async def attachment(media_id: str, request: Request) -> Response:
            if not _is_allowed(request):
                return Response(status_code=401)
            return Response(self.files[media_id], media_type="image/jpeg")

        return app

    def _take(self, body: dict[str, Any]) -> Response:
        if self.failures and (code := self.failures.pop(0)) is not None:
            return error(code)
        to = body.get("to") or body["recipient"]
        is_template = body["type"] == "template"
        if is_template and body["template"]["language"]["code"] not in self.template_languages:
            return error(132001)
        if not is_template and to in self.closed_windows:
            return error(131047)
        if not is_template and not is_within_limits(body):
            return error(131009)
        self.sent.append(body)
        contact = {"input": to, "wa_id": to} if "to" in body else {"input": to, "user_id": to}
        message = {"id": f"wamid.sent{next(self._ids)}"}
        return JSONResponse({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]})


def is_within_limits(body: dict[str, Any]) -> bool:
    """Say whether Meta would take the message: lengths, counts, and nothing twice."""
    if body["type"] == "text":
        return 1 <= len(body["text"]["body"]) <= 4096
    interactive = body["interactive"]
    if not 1 <= len(interactive["body"]["text"]) <= 1024:
        return False
    if interactive["type"] == "button":
        replies = [button["reply"] for button in interactive["action"]["buttons"]]
        titles = [reply["title"] for reply in replies]
        return (
            1 <= len(replies) <= 3 and all(1 <= len(title) <= 20 for title in titles) and _are_unique(titles, replies)
        )
    sections = interactive["action"]["sections"]
    rows = [row for section in sections for row in section["rows"]]
    return (
        1 <= len(interactive["action"]["button"]) <= 20
        and all(1 <= len(section["title"]) <= 24 for section in sections)
        and 1 <= len(rows) <= 10
        and all(1 <= len(row["title"]) <= 24 and 1 <= len(row.get("description", "-")) <= 72 for row in rows)
        and _are_unique([], rows)
    )


def error(code: int, subcode: int | None = None) -> JSONResponse:
    """Return a refusal as the Graph API words it."""
    status, message = ERRORS[code]
    details = {"messaging_product": "whatsapp", "details": message}
    body = {"message": message, "type": "OAuthException", "code": code, "error_data": details, "fbtrace_id": "A1b2"}
    return JSONResponse({"error": {**body, **({"error_subcode": subcode} if subcode else {})}}, status)


class Meta:
    """Calls the bot's webhook as Meta does: signed with the app secret."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def say(self, text: str, wamid: str = "wamid.in1", person: str = PERSON) -> httpx.Response:
        """Let a person send a text."""
        return await self.post(update(message(wamid, person, type="text", text={"body": text})))

    async def tell(self, *statuses: dict[str, Any]) -> httpx.Response:
        """Tell what became of messages of the bot."""
        return await self.post(update(statuses=list(statuses)))

    async def post(self, content: object, *, signature: str | None = None) -> httpx.Response:
        """Post a body (bytes, or what is made JSON of), signed unless a signature is given."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {b"X-Hub-Signature-256": (sign(body) if signature is None else signature).encode("latin-1")}
        return await self._client.post("/whatsapp/webhook", content=body, headers=headers)


def sign(body: bytes, secret: str = APP_SECRET) -> str:
    """Return the value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def update(*messages: Any, phone_id: str = PHONE_ID, statuses: list[Any] | None = None) -> dict[str, Any]:
    """Return one post of the webhook."""
    metadata = {"display_phone_number": "31850000000", "phone_number_id": phone_id}
    value: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": metadata}
    if messages:
        value |= {"contacts": [{"profile": {"name": "Ania"}, "wa_id": PERSON}], "messages": list(messages)}
    if statuses is not None:
        value["statuses"] = statuses
    changes = [{"field": "messages", "value": value}]
    return {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": changes}]}


def message(wamid: str, person: str = PERSON, **content: Any) -> dict[str, Any]:
    """Return one message of a person."""
    return {"from": person, "id": wamid, "timestamp": "1790000000", **content}


def status(wamid: str, state: str, code: int | None = None) -> dict[str, Any]:
    """Return what became of a message of the bot."""
    errors = [{"code": code, "title": ERRORS[code][1], "message": ERRORS[code][1]}] if code else []
    told = {"id": wamid, "status": state, "timestamp": "1790000001", "recipient_id": PERSON}
    return {**told, "errors": errors} if errors else told


def whatsapp_settings(url: str) -> dict[str, Any]:
    """Return the settings that lead a bot to the server."""
    return {
        "whatsapp_token": TOKEN,
        "whatsapp_phone_id": PHONE_ID,
        "whatsapp_app_secret": APP_SECRET,
        "whatsapp_verify_token": VERIFY_TOKEN,
        "whatsapp_api_url": url,
    }


@asynccontextmanager
async def graph_api_server() -> AsyncIterator[GraphApiServer]:
    """Yield a running server; its `url` goes into ZORGBRUG_WHATSAPP_API_URL."""
    state = GraphApiServer()
    async with serving(state.app()) as url:
        state.url = url
        yield state


def _is_allowed(request: Request) -> bool:
    return request.headers.get("Authorization") == f"Bearer {TOKEN}"


def _are_unique(titles: list[str], choices: list[dict[str, Any]]) -> bool:
    ids = [choice["id"] for choice in choices]
    return len(set(titles)) == len(titles) and len(set(ids)) == len(ids)
