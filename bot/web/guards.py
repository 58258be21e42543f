"""What every HTTP answer and request passes through: security headers, a size limit, errors as JSON."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.conversations.limits import RateLimiter
from bot.errors import StoreUnavailable

logger = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000"

Body = TypeVar("Body", bound=BaseModel)


class ApiError(Exception):
    """A request that cannot be served; the body of the answer is `{"error": code, "message": sentence}`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class SecurityHeaders:
    """Adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = {**HEADERS, "Strict-Transport-Security": HSTS} if is_https else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class SizeLimit:
    """Reads the body before the application does, and refuses one that is too large."""

    def __init__(self, app: ASGIApp, *, most_bytes: int, exceptions: Mapping[str, int] = MappingProxyType({})) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._exceptions = exceptions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        is_more = True
        most_bytes = self._exceptions.get(scope["path"], self._most_bytes)
        while is_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            is_more = message.get("more_body", False)
            if len(body) > most_bytes:
                limit = f"at most {most_bytes // 1024} kB"
                await error_answer(413, "too_large", f"This request is too large; {limit} is accepted.")(
                    scope, receive, send
                )
                return
        is_given = False

        async def replay() -> Message:
            nonlocal is_given
            if is_given:
                return await receive()
            is_given = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, replay, send)


class FloodGate:
    """Limits how often one address on the internet may begin something that costs us: a conversation, a login."""

    def __init__(self, per_minute: int) -> None:
        self._limiter = RateLimiter(per_minute, time.monotonic)

    def check(self, request: Request, what: str) -> None:
        """Count one beginning.

        Raises:
            ApiError: There were too many in the last minute.
        """
        host = request.client.host if request.client else ""
        if self._limiter.judge(f"{what}:{host}") != "fine":
            raise ApiError(429, "too_many", "Too many attempts from this address. Please wait a minute.")


async def read_body(request: Request, model: type[Body]) -> Body:
    """Return the JSON body of a request as a model; no body at all counts as an empty object.

    Raises:
        ApiError: It is not UTF-8, not JSON, or does not fit the model; the message says where.
    """
    content = _decoded(await request.body() or b"{}")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"])) or "body"
        raise ApiError(400, "bad_request", f"{place}: {problem['msg']}.") from None


def _decoded(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ApiError(400, "not_utf8", f"The text is not valid UTF-8 (at byte {error.start}).") from None
    try:
        return _mend(json.loads(text))
    except (ValueError, RecursionError):
        raise ApiError(400, "not_json", "The body is not valid JSON.") from None


def _mend(value: Any) -> Any:
    """Return the value with half pairs of UTF-16, which no database takes, as replacement characters."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mend(item) for item in value]
    if isinstance(value, dict):
        return {_mend(key): _mend(item) for key, item in value.items()}
    return value


def error_answer(status: int, code: str, message: str) -> JSONResponse:
    """Return an error in the one shape that all errors have."""
    return JSONResponse({"error": code, "message": message}, status)


def add_error_answers(app: FastAPI) -> None:
    """Turn every error into JSON with a clear sentence, and never show more than that."""

    @app.exception_handler(ApiError)
    async def on_api_error(request: Request, error: ApiError) -> JSONResponse:
        return error_answer(error.status, error.code, error.message)

    @app.exception_handler(StoreUnavailable)
    async def on_busy_store(request: Request, error: StoreUnavailable) -> JSONResponse:
        logger.error("store_unavailable", extra={"path": request.url.path, "reason": str(error)})
        answer = error_answer(
            503, "busy", "The service is busy just now. Nothing is lost: please send it again in a moment."
        )
        answer.headers["Retry-After"] = "2"
        return answer

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> JSONResponse:
        answer = error_answer(error.status_code, f"http_{error.status_code}", str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def on_bad_request(request: Request, error: RequestValidationError) -> JSONResponse:
        return error_answer(400, "bad_request", "The request does not have the expected form.")

    @app.exception_handler(Exception)
    async def on_fault(request: Request, error: Exception) -> JSONResponse:
        # Only the type: the text of an exception may quote what a person wrote.
        logger.error("request_failed", extra={"path": request.url.path, "error": type(error).__name__})
        return error_answer(500, "fault", "Something went wrong on our side. Please try again.")
