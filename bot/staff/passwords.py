"""Passwords: which are good enough, and hashing them with argon2id off the event loop."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.staff.errors import WeakPassword

SHORTEST = 12
FEWEST_DIFFERENT = 5
HASHED_AT_ONCE = 2  # each takes 64 MiB

# What is left of a common password without its figures and signs: "Welkom123456!" is "welkom".
_COMMON = {
    "abcdefghijkl", "admin", "administrator", "azerty", "azertyuiop", "breda", "changeme", "computer", "football",
    "geheim", "goedemorgen", "hallo", "herfst", "iloveyou", "lente", "letmein", "login", "nederland", "netherlands",
    "passw", "passwd", "passwoord", "passwoort", "password", "passwrd", "psswrd", "qazwsx", "qazwsxedc", "qwerty",
    "qwertyuiop", "qwertyuiopasdf", "qwertyuiopasdfghjkl", "qwertz", "qwertzuiop", "roosendaal", "secret", "tilburg",
    "veghel", "voetbal", "wachtwoord", "welcome", "welkom", "welkombijzorgbrug", "welkomthuis", "winpunt",
    "winpuntbreda", "winpuntroosendaal", "winpunttilburg", "winpuntveghel", "winter", "workinnl", "zomer", "zorgbrug",
}  # fmt: skip


def check_password(password: str, email: str, name: str) -> None:
    """Refuse a password that is easily guessed.

    Raises:
        WeakPassword: It is short, the person's own address or name, or a common one.
    """
    password = unicodedata.normalize("NFKC", password)
    if len(password) < SHORTEST:
        raise WeakPassword("short", f"A password has at least {SHORTEST} characters. Three or four words do well.")
    letters = _letters(password)
    if password.casefold() == email.casefold() or letters in {
        _letters(email), _letters(email.partition("@")[0]), _letters(name)
    } - {""}:  # fmt: skip
        raise WeakPassword("yours", "Your own name or address is easily guessed. Take something else.")
    if not letters or _once(letters) in _COMMON or len(set(password)) < FEWEST_DIFFERENT:
        raise WeakPassword("common", "Too many people use this password. Take three or four words of your own.")


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalpha())


def _once(text: str) -> str:
    """Return the part that a text repeats: `welkom` of `welkomwelkom`."""
    return text[: (text + text).find(text, 1)]


class Passwords:
    """Hashes and verifies, always with the same amount of work."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._nobodys = hasher.hash(secrets.token_urlsafe())
        self._turns = asyncio.Semaphore(HASHED_AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return what to store."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _bytes(password))

    async def is_right(self, stored: str | None, password: str) -> bool:
        """Say whether this is the password; without a stored one the answer takes as long, and is no."""
        async with self._turns:
            is_right = await asyncio.to_thread(self._verify, stored or self._nobodys, password)
        return is_right and stored is not None

    async def renewed(self, stored: str, password: str) -> str | None:
        """Return a new hash of the right password where the stored one was made with lesser parameters."""
        return await self.hash(password) if self._hasher.check_needs_rehash(stored) else None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    # The same letter comes composed from one keyboard and in two parts from another.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
