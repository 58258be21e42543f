"""For whoever keeps the service running: is it alive, which parts answer, how much waits.

Open on this machine; from elsewhere only with the internal token. A reverse proxy on the same machine passes on who
really asks (X-Forwarded-For), so people on the internet do not count as this machine.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, ProcessCollector, generate_latest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.case_models import CLOSED, Case
from bot.store.engine import Store
from bot.store.models import DONE, Inbox, Outbox
from bot.web.guards import ApiError

LOOPBACK = ("127.0.0.1", "::1")

Counts = dict[tuple[str, str], int]


def make_operations_api(store: Store, token: str, reachable: Callable[[], Awaitable[dict[str, bool]]]) -> APIRouter:
    """Return the routes."""

    async def only_inside(request: Request) -> None:
        given = request.headers.get("authorization", "")
        is_ours = hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
        here = request.client is not None and request.client.host in LOOPBACK
        if not is_ours and (not here or "x-forwarded-for" in request.headers):
            raise ApiError(401, "not_allowed", "This needs the internal token of this installation.")

    router = APIRouter(dependencies=[Depends(only_inside)], include_in_schema=False)

    @router.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/ready")
    async def ready() -> JSONResponse:
        parts = await reachable()
        is_ready = all(parts.values())
        return JSONResponse({"ready": is_ready, "parts": parts}, 200 if is_ready else 503)

    @router.get("/metrics")
    async def metrics() -> Response:
        counts, oldest = await store.read(_read)
        return Response(_written(counts, oldest), media_type=CONTENT_TYPE_LATEST)

    return router


async def _read(session: AsyncSession) -> tuple[Counts, datetime | None]:
    counts: Counts = {}
    for name, table in (("inbox", Inbox), ("outbox", Outbox)):
        unfinished = select(table.status, func.count()).where(table.status != DONE).group_by(table.status)
        counts |= {(name, status): count for status, count in (await session.execute(unfinished)).all()}
    cases = select(Case.status, func.count()).where(Case.status != CLOSED).group_by(Case.status)
    counts |= {("case", status): count for status, count in (await session.execute(cases)).all()}
    return counts, await session.scalar(select(func.min(Inbox.received_at)).where(Inbox.status == "pending"))


def _written(counts: Counts, oldest: datetime | None) -> bytes:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    rows = Gauge(
        "zorgbrug_rows", "Messages, replies and cases that are not done", ["table", "status"], registry=registry
    )
    for table, statuses in {
        "inbox": ("pending", "failed"),
        "outbox": ("pending", "failed", "held"),
        "case": ("waiting", "claimed"),
    }.items():
        for status in statuses:
            rows.labels(table, status).set(counts.get((table, status), 0))
    age = Gauge("zorgbrug_oldest_message_seconds", "How long the oldest unanswered message waits", registry=registry)
    age.set((datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0)
    return generate_latest(registry)
