"""A Bot API server on the loopback: enough of Telegram's HTTP interface to drive the real client library against it.

Source of the shapes: Telegram Bot API 9, getUpdates, sendMessage, answerCallbackQuery, sendContact, getFile.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bot.service import free_ports

TOKEN = "123456:test-token"
USER = {"id": 4242, "is_bot": False, "first_name": "Ania", "language_code": "pl"}


class BotApiServer:
    """Holds the updates that the bot has still to confirm, and every call that it made."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.updates: list[dict[str, Any]] = []
        self.failures: list[tuple[str, int, dict[str, Any]]] = []
        self.files: dict[str, bytes] = {}
        self.url = ""
        self._ids = itertools.count(1)
        self._changed = asyncio.Condition()

    async def say(self, text: str, **message: Any) -> int:
        """Let the person send a text; returns the update's id."""
        return await self.push({"message": self._message(text=text, **message)})

    async def share_location(self, latitude: float, longitude: float) -> int:
        """Let the person share a position."""
        return await self.push({"message": self._message(location={"latitude": latitude, "longitude": longitude})})

    async def tap(self, payload: str) -> int:
        """Let the person tap an inline button."""
        query = {
            "id": str(next(self._ids)),
            "from": USER,
            "chat_instance": "1",
            "data": payload,
            "message": self._message(text="x"),
        }
        return await self.push({"callback_query": query})

    async def push(self, update: dict[str, Any]) -> int:
        """Put an update in the queue, under a new id unless it has one."""
        update.setdefault("update_id", next(self._ids))
        async with self._changed:
            self.updates.append(update)
            self._changed.notify_all()
        return int(update["update_id"])

    def sent(self, method: str = "sendMessage") -> list[dict[str, Any]]:
        """Return the bodies of the calls of a method."""
        return [body for name, body in self.calls if name == method]

    async def wait_for_messages(self, count: int, timeout_seconds: float = 20.0) -> list[dict[str, Any]]:
        """Return the messages sent once there are so many."""
        async with asyncio.timeout(timeout_seconds):
            while len(self.sent()) < count:
                async with self._changed:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._changed.wait(), 0.2)
        return self.sent()

    def _message(self, **content: Any) -> dict[str, Any]:
        return {
            "message_id": next(self._ids),
            "date": 1_790_000_000,
            "chat": {"id": USER["id"], "type": "private"},
            "from": USER,
            **content,
        }

    async def _call(self, method: str, body: dict[str, Any]) -> JSONResponse:
        for failure in self.failures:
            if failure[0] == method:
                self.failures.remove(failure)
                return JSONResponse({"ok": False, "error_code": failure[1], **failure[2]}, failure[1])
        if method == "getUpdates":
            return _ok(await self._pending(int(body.get("offset") or 0), float(body.get("timeout") or 0)))
        async with self._changed:
            self.calls.append((method, body))
            self._changed.notify_all()
        if method == "getMe":
            return _ok({"id": 1, "is_bot": True, "first_name": "Zorgbrug", "username": "zorgbrug_bot"})
        if method == "getFile":
            name = str(body["file_id"])
            if name not in self.files:
                return JSONResponse(
                    {"ok": False, "error_code": 400, "description": "Bad Request: invalid file_id"}, 400
                )
            size = len(self.files[name])
            return _ok({"file_id": name, "file_unique_id": name, "file_size": size, "file_path": f"photos/{name}"})
        if method in ("sendMessage", "sendContact"):
            return _ok(
                {
                    "message_id": next(self._ids),
                    "date": 1_790_000_000,
                    "chat": {"id": int(body["chat_id"]), "type": "private"},
                }
            )
        return _ok(True)

    async def _pending(self, offset: int, timeout_seconds: float) -> list[dict[str, Any]]:
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        if not self.updates:
            async with self._changed:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), min(timeout_seconds, 1.0))
        return self.updates


def _ok(result: object) -> JSONResponse:
    return JSONResponse({"ok": True, "result": result})


@asynccontextmanager
async def bot_api_server() -> AsyncIterator[BotApiServer]:
    """Yield a running server; its `url` goes into ZORGBRUG_TELEGRAM_API_URL."""
    state = BotApiServer()
    app = FastAPI()

    @app.post("/bot{token}/{method}")
    async def call(token: str, method: str, request: Request) -> JSONResponse:
        if token != TOKEN:
            return JSONResponse({"ok": False, "error_code": 401, "description": "Unauthorized"}, 401)
        body = {name: _decoded(value) for name, value in parse_qsl((await request.body()).decode())}
        return await state._call(method, body)

    @app.get("/file/bot{token}/photos/{name}")
    async def file(token: str, name: str) -> Response:
        return Response(state.files[name], media_type="image/jpeg")

    (port,) = free_ports(1)
    state.url = f"http://127.0.0.1:{port}"
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield state
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving


def _decoded(value: str) -> Any:
    if value[:1] in "[{":
        return json.loads(value)
    return value
