"""Stand-ins for what the bot talks to: a Rasa that answers as told, and a channel that keeps what it is given."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from bot.channels.base import Channel, DeliveryFailed, Intake, OutgoingMessage
from knowledge.replies import Reply

Answer = list[Reply] | int


def echo(message: dict[str, Any]) -> Answer:
    """Answer with the words themselves, in the language that the bot found."""
    return [Reply(kind="answer", lang=message["metadata"]["lang"], text=f"echo: {message['message']}")]


class FakeRasa:
    """Speaks the webhook of docs/developers.md on a real port; it can be stopped and started again.

    `answer` returns the replies to a message, or a status code. The action server's health is on the same port.
    """

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], Answer] = echo
        self.delay_seconds = 0.0
        self.are_actions_up = True
        self.received: list[dict[str, Any]] = []
        self.erased: list[str] = []
        self.port = _free_port()
        self._serving = AsyncExitStack()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        return [message["message"] for message in self.received]

    async def start(self) -> None:
        self._serving = AsyncExitStack()
        await self._serving.enter_async_context(serving(self._app(), self.port))

    async def stop(self) -> None:
        await self._serving.aclose()

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/")
        async def root() -> dict[str, str]:
            return {"version": "3.6.21"}

        @app.get("/health")
        async def health() -> Response:
            return Response(status_code=200 if self.are_actions_up else 503)

        @app.post("/webhooks/zorgbrug/webhook")
        async def webhook(request: Request) -> Response:
            message = await request.json()
            self.received.append({**message, "authorization": request.headers.get("authorization")})
            await asyncio.sleep(self.delay_seconds)
            answer = self.answer(message)
            if isinstance(answer, int):
                return Response(status_code=answer)
            replies = [reply.model_dump(mode="json") for reply in answer]
            return JSONResponse({"replies": replies, "intent": {"name": "faq", "confidence": 0.9}})

        @app.delete("/webhooks/zorgbrug/conversations/{conversation}")
        async def erase(conversation: str) -> Response:
            self.erased.append(conversation)
            return Response(status_code=204)

        return app


class KeepingChannel(Channel):
    """Keeps every reply; `failures` are raised first, one for each attempt."""

    name = "test"

    def __init__(self) -> None:
        self.delivered: list[OutgoingMessage] = []
        self._something_came = asyncio.Condition()
        self.failures: list[Exception] = []
        self.typing: list[str] = []

    @property
    def texts(self) -> list[str]:
        return [message.reply.text for message in self.delivered]

    async def start(self, intake: Intake) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def deliver(self, message: OutgoingMessage) -> str | None:
        if self.failures:
            raise self.failures.pop(0)
        async with self._something_came:
            self.delivered.append(message)
            self._something_came.notify_all()
        return f"sent-{message.id}"

    async def show_typing(self, address: str) -> None:
        self.typing.append(address)

    async def wait_for_text(self, text: str, seconds: float = 5.0) -> None:
        """Return once a reply of exactly this text has come."""
        async with asyncio.timeout(seconds), self._something_came:
            await self._something_came.wait_for(lambda: text in self.texts)

    async def wait_for(self, count: int, seconds: float = 5.0) -> list[OutgoingMessage]:
        """Return the replies once there are so many."""
        async with asyncio.timeout(seconds), self._something_came:
            await self._something_came.wait_for(lambda: len(self.delivered) >= count)
        return self.delivered


@asynccontextmanager
async def serving(app: FastAPI, port: int | None = None) -> AsyncIterator[str]:
    """Yield the address of an application on a real port."""
    port = port or _free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


def blocked() -> DeliveryFailed:
    return DeliveryFailed("the person blocked the bot", is_permanent=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
