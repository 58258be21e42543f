"""Puts the console together: its routes, its static files, and what it says when something cannot be done."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from bot.cases.work import CaseNotFound, CaseProblem
from bot.console.account import make_account_routes
from bot.console.cases import CaseRooms, make_case_routes
from bot.console.events import Presence, make_event_routes
from bot.console.figures import make_figure_routes
from bot.console.guard import PATH, Guard, Refused, SendTo
from bot.console.pages import Pages
from bot.events import Bus
from bot.web.guards import FloodGate

STATIC = Path(__file__).parent / "static"


def add_console(app: FastAPI, rooms: CaseRooms, guard: Guard, pages: Pages, bus: Bus, flood: FloodGate) -> None:
    """Add the console to the application."""
    routes: list[APIRouter] = [
        make_account_routes(rooms.accounts, guard, pages, flood),
        make_event_routes(rooms.store, bus, rooms.accounts, guard, Presence(bus), rooms.desks.common),
        make_figure_routes(rooms.store, rooms.desks, rooms.library, guard, pages),
        make_case_routes(rooms, guard, pages),
    ]
    for router in routes:
        app.include_router(router, include_in_schema=False)
    app.mount(f"{PATH}/static", StaticFiles(directory=STATIC), name="console-static")
    _add_problem_pages(app, pages)


def _add_problem_pages(app: FastAPI, pages: Pages) -> None:
    @app.exception_handler(SendTo)
    async def on_send(request: Request, other: SendTo) -> Response:
        if "application/json" in request.headers.get("accept", "") or request.url.path.endswith("/events"):
            return JSONResponse({"error": "login"}, 401)
        return RedirectResponse(other.location, 303)

    @app.exception_handler(Refused)
    async def on_refusal(request: Request, refusal: Refused) -> Response:
        return problem(request, refusal.status, refusal.key)

    @app.exception_handler(CaseNotFound)
    async def on_missing(request: Request, missing: CaseNotFound) -> Response:
        return problem(request, 404, missing.key)

    @app.exception_handler(CaseProblem)
    async def on_case_problem(request: Request, trouble: CaseProblem) -> Response:
        return problem(request, 409, trouble.key)

    def problem(request: Request, status: int, key: str) -> Response:
        member = getattr(request.state, "member", None)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse(
                {"error": key, "message": pages.texts.t(pages.language_of(request, member), key)}, status
            )
        return pages.render(request, "problem.html", status, problem=key)
