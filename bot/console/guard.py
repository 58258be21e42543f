"""Who may open what in the console: the session cookie, the token against forged forms, and what each role may do."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.datastructures import FormData

from bot.staff.accounts import Accounts
from bot.staff.roles import Member

COOKIE = "zorgbrug_staff"
PATH = "/console"
SAFE_METHODS = ("GET", "HEAD")


class SendTo(Exception):
    """The request cannot be served to this browser; it is sent to another page of the console."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class Refused(Exception):
    """The request is not allowed; `key` names the sentence to show."""

    def __init__(self, status: int, key: str) -> None:
        super().__init__(key)
        self.status = status
        self.key = key


class Guard:
    """Checks requests of the console."""

    def __init__(self, accounts: Accounts, secret: str, *, is_https: bool) -> None:
        self.accounts = accounts
        self._key = hashlib.sha256(b"zorgbrug console form\0" + secret.encode()).digest()
        self._is_https = is_https

    def needs(self, allows: Callable[[Member], bool]) -> Callable[[Request], Awaitable[Member]]:
        """Return a dependency that yields the member of the staff, who must be allowed by `allows`.

        Raises:
            SendTo: Nobody is logged in, or a second factor has to be set up first.
            Refused: The role does not allow it, or the form did not come from our own page.
        """

        async def member(request: Request) -> Member:
            token = token_of(request)
            found = await self.accounts.member_of(token) if token else None
            if found is None:
                raise SendTo(
                    f"{PATH}/second-factor" if token and await self.accounts.pending_of(token) else f"{PATH}/login"
                )
            if request.method not in SAFE_METHODS:
                await self.check_form(request)
            if found.must_set_up_totp and not request.url.path.startswith((f"{PATH}/account", f"{PATH}/logout")):
                raise SendTo(f"{PATH}/account")
            if not allows(found):
                raise Refused(403, "problem.not_allowed")
            request.state.member = found
            return found

        return member

    async def check_form(self, request: Request) -> None:
        """Refuse a form that is not from a page of ours: by its origin, and within a session by its token.

        Raises:
            Refused: It is not.
        """
        check_origin(request)
        token = token_of(request)
        if token:
            form = await request.form()
            given = form.get("form_token") or request.headers.get("x-form-token") or ""
            if not hmac.compare_digest(str(given).encode(), self.form_token(token).encode()):
                raise Refused(403, "problem.stale_form")

    def form_token(self, session: str) -> str:
        """Return what every form of a session carries."""
        return hmac.new(self._key, session.encode(), hashlib.sha256).hexdigest()

    def remember(self, response: Response, session: str) -> None:
        """Set the session cookie."""
        response.set_cookie(
            COOKIE, session, path=PATH, httponly=True, samesite="strict", secure=self._is_https
        )  # fmt: skip

    @staticmethod
    def forget(response: Response) -> None:
        """Take the session cookie away."""
        response.delete_cookie(COOKIE, path=PATH)


def token_of(request: Request) -> str:
    """Return the session token of a request, or nothing."""
    return request.cookies.get(COOKIE, "")


def check_origin(request: Request) -> None:
    """Refuse what another site has a browser send.

    Raises:
        Refused: The origin is not this host.
    """
    origin = request.headers.get("origin")
    is_ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not is_ours or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused(403, "problem.stale_form")


def field(form: FormData, name: str, longest: int = 4000) -> str:
    """Return a text field of a form; what is missing or a file is nothing, what is too long is cut."""
    value = form.get(name)
    return value.replace("\r\n", "\n").replace("\0", "")[:longest] if isinstance(value, str) else ""
