"""The contract of `zorgbrug ask --json`: JSON lines in, one JSON line out for each, the whole way of a chat message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from bot.web_client import MessageRefused, WebConversation

REPLY_TIMEOUT_SECONDS = 60.0


class Question(BaseModel):
    """One line of the input; no `conversation` means a fresh one."""

    id: str | int | None = None
    text: str
    lang: str | None = None
    conversation: str | None = None


def answer_line(identifier: str | int | None, reply: dict[str, Any], milliseconds: float) -> dict[str, Any]:
    """Return one line of the output from a reply of the web channel."""
    line = {
        "id": identifier,
        "kind": reply["kind"],
        "article": reply.get("article"),
        "candidates": [{"article": item["article"], "score": item["score"]} for item in reply.get("candidates", ())],
        "lang": reply["lang"],
        "reply": "\n\n".join(part for part in (reply["text"], reply.get("footer", "")) if part),
        "buttons": [{"title": item["title"], "payload": item["payload"]} for item in reply.get("buttons", ())],
        "ms": round(milliseconds, 1),
    }
    if reply["kind"] == "emergency":
        line["emergency"] = reply["emergency"]
    return line


class Asker:
    """Asks a running service, keeping the conversations that the input names."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._kept: dict[str, WebConversation] = {}

    async def ask(self, question: Question) -> dict[str, Any]:
        """Return the output line for a question; what goes wrong is said in `error`."""
        conversation = self._kept.get(question.conversation or "")
        if conversation is None:
            conversation = WebConversation(self._client)
            try:
                await conversation.open(question.lang)
            except httpx.HTTPError as error:
                return {"id": question.id, "error": f"The service gave no conversation: {error!r}"}
            if question.conversation:
                self._kept[question.conversation] = conversation
        started = time.perf_counter()
        try:
            reply = await conversation.send(REPLY_TIMEOUT_SECONDS, text=question.text)
        except (MessageRefused, TimeoutError, httpx.HTTPError) as error:
            return {"id": question.id, "error": f"No reply: {error or type(error).__name__}"}
        finally:
            if not question.conversation:
                await conversation.close()
        return answer_line(question.id, reply, (time.perf_counter() - started) * 1000)

    async def close(self) -> None:
        """End the conversations that were kept."""
        await asyncio.gather(*(conversation.close() for conversation in self._kept.values()))


async def ask_lines(client: httpx.AsyncClient, lines: Iterable[str]) -> AsyncIterator[dict[str, Any]]:
    """Yield one output line for each input line, in order; a line that cannot be read gives an `error`."""
    asker = Asker(client)
    try:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                question = Question.model_validate_json(line)
            except ValidationError as error:
                reason = error.errors()[0]["msg"]
                yield {"id": None, "error": f'Line {number} is not {{"id", "text"}} as JSON: {reason}'}
                continue
            yield await asker.ask(question)
    finally:
        await asker.close()


async def chat(client: httpx.AsyncClient, read: Callable[[], str | None], write: Callable[[str], None]) -> None:
    """Talk on the terminal until `read` gives None; a number taps the button of that number."""
    conversation = WebConversation(client)
    await conversation.open()
    payloads: list[str] = []
    try:
        while (text := await asyncio.to_thread(read)) is not None:
            chosen = payloads[int(text) - 1] if text.isdigit() and 0 < int(text) <= len(payloads) else None
            message = {"payload": chosen} if chosen else {"text": text}
            try:
                reply = await conversation.send(REPLY_TIMEOUT_SECONDS, **message)
            except (MessageRefused, TimeoutError) as error:
                write(str(error) or "No reply came. Try again.")
                continue
            payloads = [button["payload"] for button in reply.get("buttons", ())]
            write(render(reply))
    finally:
        await conversation.close()


def render(reply: dict[str, Any]) -> str:
    """Return a reply as plain text with numbered buttons."""
    links = [f"{link['title']}: {link['url']}" for link in reply.get("links", ())]
    buttons = [f"[{number}] {button['title']}" for number, button in enumerate(reply.get("buttons", ()), start=1)]
    parts = [reply["text"], "\n".join(links), reply.get("footer", ""), "\n".join(buttons)]
    return "\n\n".join(part for part in parts if part)
