"""The pages around somebody's own account: log in, second factor, invitation, password, language."""

from __future__ import annotations

import segno
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bot.console.guard import PATH, Guard, SendTo, check_origin, field, token_of
from bot.console.pages import Pages
from bot.staff.accounts import AccountProblem, Accounts, InvitationOver, LoginLocked, LoginRefused, WeakPassword
from bot.staff.roles import Member
from bot.web.guards import FloodGate

LONGEST_PASSWORD = 200


def make_account_routes(accounts: Accounts, guard: Guard, pages: Pages, flood: FloodGate) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix=PATH)
    anybody = Depends(guard.needs(lambda member: True))

    @router.get("/login", response_class=HTMLResponse)
    async def login_page(request: Request) -> Response:
        return pages.render(request, "login.html", problem="", email="")

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        check_origin(request)
        flood.check(request, "login")
        form = await request.form()
        email = field(form, "email", 254)
        try:
            session = await accounts.log_in(email, field(form, "password", LONGEST_PASSWORD))
        except LoginRefused:
            return pages.render(request, "login.html", 401, problem="problem.login", email=email)
        except LoginLocked:
            return pages.render(request, "login.html", 429, problem="problem.locked", email=email)
        answer = RedirectResponse(f"{PATH}/second-factor" if session.needs_second_factor else f"{PATH}/", 303)
        guard.remember(answer, session.token)
        return answer

    @router.get("/second-factor", response_class=HTMLResponse)
    async def second_factor_page(request: Request) -> Response:
        if await accounts.pending_of(token_of(request)) is None:
            raise SendTo(f"{PATH}/login")
        return pages.render(request, "second_factor.html", problem="")

    @router.post("/second-factor")
    async def second_factor(request: Request) -> Response:
        await guard.check_form(request)
        token = token_of(request)
        if await accounts.pending_of(token) is None:
            raise SendTo(f"{PATH}/login")
        code = field(await request.form(), "code", 20)
        try:
            is_right = await accounts.confirm_second_factor(token, code)
        except LoginLocked:
            return pages.render(request, "second_factor.html", 429, problem="problem.locked")
        if not is_right:
            return pages.render(request, "second_factor.html", 401, problem="problem.code")
        return RedirectResponse(f"{PATH}/", 303)

    @router.get("/invite/{token}", response_class=HTMLResponse)
    async def invitation_page(request: Request, token: str) -> Response:
        invited = await accounts.read_invitation(token[:100])
        status = 404 if invited is None else 200
        return pages.render(request, "invite.html", status, invited=invited, problem="")

    @router.post("/invite/{token}")
    async def accept_invitation(request: Request, token: str) -> Response:
        check_origin(request)
        form = await request.form()
        invited = await accounts.read_invitation(token[:100])
        password, again = (field(form, name, LONGEST_PASSWORD) for name in ("password", "again"))
        if password != again:
            return pages.render(request, "invite.html", 400, invited=invited, problem="problem.not_the_same")
        try:
            await accounts.accept_invitation(token[:100], password)
        except InvitationOver:
            return pages.render(request, "invite.html", 404, invited=None, problem="")
        except WeakPassword as weakness:
            return pages.render(
                request, "invite.html", 400, invited=invited, problem=f"problem.password_{weakness.key}"
            )
        return RedirectResponse(f"{PATH}/login", 303)

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        await guard.check_form(request)
        await accounts.log_out(token_of(request))
        answer = RedirectResponse(f"{PATH}/login", 303)
        guard.forget(answer)
        return answer

    @router.get("/account", response_class=HTMLResponse)
    async def account_page(request: Request, member: Member = anybody) -> Response:
        return pages.render(request, "account.html", problem="", done="", qr="", uri="")

    @router.post("/account/password")
    async def change_password(request: Request, member: Member = anybody) -> Response:
        form = await request.form()
        old, new, again = (field(form, name, LONGEST_PASSWORD) for name in ("old", "password", "again"))
        problem = "problem.not_the_same" if new != again else ""
        if not problem:
            try:
                await accounts.change_password(member.id, old, new, token_of(request))
            except LoginLocked:
                problem = "problem.locked"
            except LoginRefused:
                problem = "problem.old_password"
            except WeakPassword as weakness:
                problem = f"problem.password_{weakness.key}"
        done = "" if problem else "account.password_changed"
        return pages.render(request, "account.html", 400 if problem else 200, problem=problem, done=done, qr="", uri="")

    @router.post("/account/totp")
    async def begin_totp(request: Request, member: Member = anybody) -> Response:
        try:
            uri = await accounts.begin_totp(member.id)
        except AccountProblem:
            return pages.render(request, "account.html", 409, problem="problem.totp_on", done="", qr="", uri="")
        drawing = segno.make(uri, error="m").svg_inline(scale=5, border=2, svgclass="qr", lineclass=None)
        return pages.render(request, "account.html", problem="", done="", qr=drawing, uri=uri)

    @router.post("/account/totp/confirm")
    async def finish_totp(request: Request, member: Member = anybody) -> Response:
        code = field(await request.form(), "code", 20)
        if not await accounts.finish_totp(member.id, code, token_of(request)):
            return pages.render(request, "account.html", 400, problem="problem.code", done="", qr="", uri="")
        return RedirectResponse(f"{PATH}/account", 303)

    @router.post("/account/language")
    async def set_language(request: Request, member: Member = anybody) -> Response:
        chosen = field(await request.form(), "lang", 2)
        if chosen in ("nl", "en"):
            await accounts.set_ui_lang(member.id, chosen)
        return RedirectResponse(f"{PATH}/account", 303)

    return router
