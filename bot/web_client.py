"""A client of the web chat's own API.

`zorgbrug ask`, `chat` and `eval` speak it, so what they send goes the whole way of a person's message.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx


class ServiceUnreachable(Exception):
    """Nothing answers at the base URL."""

    def __init__(self, base_url: str, reason: str) -> None:
        super().__init__(
            f"No Zorgbrug answers at {base_url} ({reason}). Start it with `make run`, or leave out --base-url."
        )
        self.base_url = base_url


class MessageRefused(Exception):
    """The service did not take a message; the text is its own."""


class WebConversation:
    """One conversation with a running service, its events read as they come."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self._headers: dict[str, str] = {}

    async def open(self, lang: str | None = None) -> None:
        """Begin a conversation and listen to its events."""
        answer = await self._client.post("/api/conversations", json={"lang": lang} if lang else {})
        answer.raise_for_status()
        self._headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        listening = asyncio.Event()
        self._reader = asyncio.create_task(self._read(listening))
        await asyncio.wait_for(listening.wait(), 10.0)

    async def close(self) -> None:
        """Stop listening; the conversation stays on the service until its retention ends."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def send(self, timeout_seconds: float, **message: Any) -> dict[str, Any]:
        """Send `text=` or `payload=` and return the first reply to it.

        Raises:
            MessageRefused: The service did not take it.
            TimeoutError: No reply came in time.
        """
        identifier = str(uuid.uuid4())
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._waiting[identifier] = queue
        try:
            answer = await self._client.post("/api/messages", json={"id": identifier, **message}, headers=self._headers)
            if answer.status_code >= 400:
                raise MessageRefused(answer.text)
            return await asyncio.wait_for(queue.get(), timeout_seconds)
        finally:
            del self._waiting[identifier]

    async def _read(self, listening: asyncio.Event) -> None:
        async with self._client.stream("GET", "/api/events", headers=self._headers, timeout=None) as stream:
            stream.raise_for_status()
            listening.set()
            async for name, data in _events(stream):
                queue = self._waiting.get(str(data.get("reply_to"))) if name == "reply" else None
                if queue is not None:
                    queue.put_nowait(data)


async def _events(stream: httpx.Response) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Yield (event, data) of a server-sent event stream (WHATWG HTML, 9.2)."""
    name, lines = "message", list[str]()
    async for line in stream.aiter_lines():
        if not line:
            if lines:
                yield name, json.loads("\n".join(lines))
            name, lines = "message", []
        elif line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))


@asynccontextmanager
async def connect(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Yield an HTTP client of a service that answers its health check.

    Raises:
        ServiceUnreachable: It does not.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    async with httpx.AsyncClient(base_url=base_url, timeout=30.0, limits=limits, trust_env=False) as client:
        try:
            (await client.get("/health")).raise_for_status()
        except httpx.HTTPError as error:
            raise ServiceUnreachable(base_url, type(error).__name__) from error
        yield client
