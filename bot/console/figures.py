"""The page of figures for supervisors, as charts and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from bot.cases.desks import Desks
from bot.cases.figures import OTHER, Figures, read_figures
from bot.console.guard import PATH, Guard
from bot.console.library import ConsoleLibrary
from bot.console.pages import Pages
from bot.console.views import seen_by
from bot.staff.roles import Member
from bot.store.engine import Store

PERIODS = (7, 30, 90)


def make_figure_routes(store: Store, desks: Desks, library: ConsoleLibrary, guard: Guard, pages: Pages) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix=PATH)
    supervisor = Depends(guard.needs(lambda member: member.may_supervise))

    async def read(request: Request, member: Member) -> tuple[Figures, int]:
        asked = request.query_params.get("days", "")
        days = int(asked) if asked in map(str, PERIODS) else PERIODS[1]
        now = datetime.now(UTC)
        theirs = seen_by(member, desks.common)
        since = now - timedelta(days=days)
        return await store.read(lambda session: read_figures(session, desks, since, now, theirs)), days

    @router.get("/figures", response_class=HTMLResponse)
    async def page(request: Request, member: Member = supervisor) -> Response:
        figures, days = await read(request, member)
        label = _labels(pages, library, pages.language_of(request, member))
        tables = {
            name: {label(name, item): count for item, count in table.items()}
            for name, table in figures.tables().items()
        }
        return pages.render(request, "figures.html", figures=figures, tables=tables, days=days, periods=PERIODS)

    @router.get("/figures.csv")
    async def download(request: Request, member: Member = supervisor) -> Response:
        figures, days = await read(request, member)
        headers = {
            "Content-Disposition": f'attachment; filename="zorgbrug-{days}-days.csv"',
            "Cache-Control": "no-store",
        }
        return Response(as_csv(figures), media_type="text/csv; charset=utf-8", headers=headers)

    return router


def as_csv(figures: Figures) -> str:
    """Return the figures as CSV with the columns table, name, value."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("table", "name", "value"))
    writer.writerow(("cases", "", figures.cases))
    measures: Mapping[str, float | None] = {
        "first_answer_minutes_median": figures.first_answer.median,
        "first_answer_minutes_p90": figures.first_answer.p90,
        "answered_share": figures.answered_share,
        "answered_inside_hours_share": figures.answered_inside_hours,
    }
    for name, value in measures.items():
        writer.writerow((name, "", "" if value is None else round(value, 3)))
    for table, counts in figures.tables().items():
        writer.writerows((table, name, count) for name, count in counts.items())
    return out.getvalue()


def _labels(pages: Pages, library: ConsoleLibrary, ui: str) -> Callable[[str, str], str]:
    def label(table: str, name: str) -> str:
        if table in ("asked", "not_answered") and name != "none":
            return library.title(name, ui)
        if table == "lang" and name != OTHER:
            return pages.language_name(ui, name)
        key = f"{table}.{name}"
        return pages.texts.t(ui, key) if pages.texts.has(key) else name

    return label
