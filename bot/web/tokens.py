"""The secret by which a browser is known: the conversation's address, signed with a key of this installation."""

from __future__ import annotations

import base64
import hashlib
import hmac

from fastapi import Request

COOKIE = "zorgbrug"


class Tokens:
    """Makes and reads tokens; nothing about them is stored."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"zorgbrug web token\0" + secret.encode()).digest()

    def issue(self, address: str) -> str:
        """Return the token of a conversation."""
        return f"{address}.{self._signature(address)}"

    def address(self, token: str) -> str | None:
        """Return the conversation of a token, or None when we did not make it."""
        address, _, signature = token.partition(".")
        is_ours = hmac.compare_digest(signature.encode(), self._signature(address).encode())
        return address if is_ours else None

    def _signature(self, address: str) -> str:
        digest = hmac.new(self._key, address.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def token_of(request: Request) -> str:
    """Return the token in the `Authorization: Bearer` header, else in the cookie, else nothing."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")
