"""Renders the console's pages: templates, the worker's language, and the headers that a page with forms needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_timedelta
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from bot.console.guard import PATH, Guard, token_of
from bot.console.texts import LANGUAGES, ConsoleTexts
from bot.staff.roles import Member
from knowledge.models import Language

FOLDER = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class Pages:
    """Renders templates of this folder."""

    def __init__(self, texts: ConsoleTexts, guard: Guard, languages: Mapping[str, Language], zone: ZoneInfo) -> None:
        self.texts = texts
        self._guard = guard
        self._zone = zone
        self._languages = languages
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"t": self._text, "path": PATH, "has_text": texts.has}
        self._environment.filters |= {
            "when": self._when,
            "ago": self._ago,
            "language": self._language,
            "direction": self._direction,
        }

    def render(
        self, request: Request, template: str, status: int = 200, member: Member | None = None, **values: Any
    ) -> HTMLResponse:
        """Return a page; `member` is whoever looks at it, None before login."""
        member = member or getattr(request.state, "member", None)
        session = token_of(request)
        content = self._environment.get_template(template).render(
            ui=self.language_of(request, member),
            member=member,
            form_token=self._guard.form_token(session) if session else "",
            now=datetime.now(UTC),
            here=request.url.path,
            **values,
        )
        headers = {
            "Content-Security-Policy": POLICY,
            "Cache-Control": "no-store",
            # Without any referrer a browser sends `Origin: null` with a form, which could be anybody's.
            "Referrer-Policy": "same-origin",
        }
        return HTMLResponse(content, status, headers=headers)

    def language_of(self, request: Request, member: Member | None) -> str:
        """Return the language of the page: the worker's, else the browser's if it is one of ours."""
        if member is not None:
            return member.ui_lang
        asked = request.headers.get("accept-language", "")[:2].lower()
        return asked if asked in LANGUAGES else LANGUAGES[0]

    @pass_context
    def _text(self, context: Context, key: str, /, **values: object) -> str:
        return self.texts.t(context["ui"], key, **values)

    @pass_context
    def _when(self, context: Context, moment: datetime | None) -> str:
        if moment is None:
            return ""
        local = moment.astimezone(self._zone)
        is_today = local.date() == datetime.now(self._zone).date()
        return format_datetime(local, "HH:mm" if is_today else "d MMM HH:mm", locale=context["ui"])

    @pass_context
    def _ago(self, context: Context, moment: datetime) -> str:
        return format_timedelta(datetime.now(UTC) - moment, locale=context["ui"], threshold=1.2)

    @pass_context
    def _language(self, context: Context, code: str | None) -> str:
        return self.language_name(context["ui"], code or "")

    def language_name(self, ui: str, code: str) -> str:
        """Return how a language is called in the language of the page."""
        language = self._languages.get(code)
        if language is None:
            return code
        key = f"language.{language.english_name.lower()}"
        return self.texts.t(ui, key) if self.texts.has(key) else language.english_name

    def _direction(self, code: str | None) -> str:
        language = self._languages.get(code or "")
        return language.direction if language else "auto"
