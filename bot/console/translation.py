"""Machine translation for workers who do not read the person's language; off unless an operator sets it up.

It speaks the API of LibreTranslate (docs.libretranslate.com, "translate"), which an organisation can run itself. What
it gives is shown to the worker, marked as machine translation, and goes to the person only when the worker sends it.
"""

from __future__ import annotations

from typing import Protocol

import httpx

from bot.errors import BotError

TIMEOUT_SECONDS = 10.0


class TranslationFailed(BotError):
    """The translation service gave no text."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The translation service gave no text: {reason}. See ZORGBRUG_TRANSLATE_URL.")


class Translator(Protocol):
    """Turns a text into another language."""

    async def translate(self, text: str, source: str, target: str) -> str:
        """Return the text in the target language.

        Raises:
            TranslationFailed: The service is away or does not know the pair of languages.
        """
        ...


class LibreTranslate:
    """A LibreTranslate server."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self._url = f"{url.rstrip('/')}/translate"
        self._api_key = api_key

    async def translate(self, text: str, source: str, target: str) -> str:
        """Return the text in the target language; see `Translator`."""
        body = {"q": text, "source": source, "target": target, "format": "text"}
        if self._api_key:
            body["api_key"] = self._api_key
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
                answer = await client.post(self._url, json=body)
                answer.raise_for_status()
                return str(answer.json()["translatedText"])
        except (httpx.HTTPError, KeyError, ValueError, TypeError) as error:
            raise TranslationFailed(type(error).__name__) from None
