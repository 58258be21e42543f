"""The stream that keeps open consoles up to date: it says that something changed, and the page asks for it.

It also carries presence: who else has the same case open just now.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from bot.cases.news import QUEUE_TOPIC, topic_of
from bot.cases.work import CaseNotFound, may_see
from bot.console.guard import PATH, Guard, token_of
from bot.events import Bus
from bot.staff.accounts import Accounts
from bot.staff.roles import Member
from bot.store.case_models import Case
from bot.store.engine import Store

HEARTBEAT_SECONDS = 10.0


class Presence:
    """Who has which case open, in this process."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._here: dict[int, Counter[str]] = {}

    def names(self, case: int) -> list[str]:
        """Return the names of who has a case open."""
        return sorted(self._here.get(case, ()))

    async def enter(self, case: int, name: str) -> None:
        """Note that somebody has opened a case."""
        self._here.setdefault(case, Counter())[name] += 1
        await self._bus.publish(topic_of(case), {"here": self.names(case)})

    async def leave(self, case: int, name: str) -> None:
        """Note that somebody has left it."""
        there = self._here.get(case, Counter())
        there[name] -= 1
        if there[name] <= 0:
            del there[name]
        if not there:
            self._here.pop(case, None)
        await self._bus.publish(topic_of(case), {"here": self.names(case)})


def make_event_routes(
    store: Store, bus: Bus, accounts: Accounts, guard: Guard, presence: Presence, common_desk: str
) -> APIRouter:
    """Return the route of the stream."""
    router = APIRouter(prefix=PATH)
    staff = Depends(guard.needs(lambda member: member.may_see_cases))

    @router.get("/events")
    async def events(
        request: Request, case: int = Query(0, ge=0, le=2**31 - 1), member: Member = staff
    ) -> StreamingResponse:
        if case:
            found = await store.read(lambda session: session.get(Case, case))
            if found is None or not may_see(member, found, common_desk):
                raise CaseNotFound
        stream = _stream(bus, accounts, presence, token_of(request), member, case)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    return router


async def _stream(
    bus: Bus, accounts: Accounts, presence: Presence, token: str, member: Member, case: int
) -> AsyncIterator[str]:
    """Yield what happens until the page is closed or the person is not logged in any more."""
    async with bus.listening(topic_of(case) if case else QUEUE_TOPIC) as queue:
        if case:
            await presence.enter(case, member.name)
        try:
            yield _event("here", {"here": presence.names(case)})
            while True:
                try:
                    data = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    # A login that ended (disabled, expired) ends the stream; the page then asks to log in again.
                    if await accounts.member_of(token) is None:
                        yield _event("over", {})
                        return
                    yield ": still here\n\n"
                    continue
                if data is None:
                    return
                yield _event(next((name for name in ("here", "typing") if name in data), "changed"), data)
        finally:
            if case:
                await presence.leave(case, member.name)


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
