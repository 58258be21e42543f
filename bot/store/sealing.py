"""Keeps what names a person unreadable at rest: keyed hashes to find a row by, encryption for what is needed again.

Both take a list of keys, the newest first: the first one writes, all of them read, so a key is replaced by putting a
new one before it (`zorgbrug privacy rotate` then writes everything anew, and the old one can go).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.errors import BotError


class CannotUnseal(BotError):
    """Something was encrypted with a key that is not here any more."""

    def __init__(self) -> None:
        super().__init__(
            "Something stored was encrypted with a key that is missing. Put the old key behind the new one in "
            "ZORGBRUG_SEAL_KEYS (separated by a comma) and start again."
        )


class Sealer:
    """Encrypts with Fernet (AES-128-CBC with HMAC-SHA-256) and hashes with HMAC-SHA-256.

    Args:
        seal_keys: Fernet keys (32 bytes in URL-safe base64), the newest first.
        hash_keys: Any long random texts, the newest first.
    """

    def __init__(self, seal_keys: Sequence[str], hash_keys: Sequence[str]) -> None:
        if not seal_keys or not hash_keys:
            raise ValueError("a Sealer needs at least one key of each kind")
        self._fernet = MultiFernet([Fernet(key) for key in seal_keys])
        self._hash_keys = [hashlib.sha256(b"zorgbrug hash key\0" + key.encode()).digest() for key in hash_keys]

    def seal(self, text: str) -> str:
        """Return the text, encrypted."""
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Return what was encrypted.

        Raises:
            CannotUnseal: By none of the keys here.
        """
        return self.unseal_bytes(sealed.encode()).decode()

    def seal_bytes(self, content: bytes) -> bytes:
        """Return a file's content, encrypted."""
        return self._fernet.encrypt(content)

    def unseal_bytes(self, sealed: bytes) -> bytes:
        """Return a file's content again.

        Raises:
            CannotUnseal: It was encrypted by none of the keys here.
        """
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise CannotUnseal from None

    def reseal(self, sealed: str) -> str:
        """Return the same, encrypted with the newest key.

        Raises:
            CannotUnseal: It was encrypted by none of the keys here.
        """
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken:
            raise CannotUnseal from None

    def digest(self, text: str) -> str:
        """Return the keyed hash under which the text is stored now, 64 characters."""
        return self.digests(text)[0]

    def digests(self, text: str) -> list[str]:
        """Return the keyed hashes under which it may be stored, by the newest key first."""
        return [hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for key in self._hash_keys]
