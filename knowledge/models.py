"""What content files hold: articles, their translations, contacts, yearly figures.

Strict on purpose: a field that is not named here is a typing error, and the editor hears of it with file and line.
Shapes and examples are in docs/editors.md; `knowledge.loading` reads the files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Topic = Literal[
    "emergency", "gp", "insurance", "costs", "registration", "medicine", "dental", "pregnancy", "mental", "help",
    "hospital", "children", "sexual", "safety", "work", "rights", "prevention", "longterm",
]  # fmt: skip
Status = Literal["draft", "reviewed", "verified"]
STATUSES: tuple[Status, ...] = ("draft", "reviewed", "verified")
Text = Annotated[str, Field(min_length=1)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=50)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+\.[^\s]+$")]
LocalText = str | dict[str, str]  # plain text is Dutch; a mapping holds one text a language

# The regions that an article may say something of, by municipality.
MUNICIPALITIES_OF: Mapping[str, frozenset[str]] = {
    "west-brabant": frozenset(
        [
            "Alphen-Chaam", "Altena", "Baarle-Nassau", "Bergen op Zoom", "Breda", "Drimmelen", "Etten-Leur",
            "Geertruidenberg", "Halderberge", "Moerdijk", "Oosterhout", "Roosendaal", "Rucphen", "Steenbergen",
            "Woensdrecht", "Zundert",
        ]
    )
}  # fmt: skip

_STEP = re.compile(r"^\d+\. ")


class Content(BaseModel):
    """Base of all content: unchanging, and deaf to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Content):
    """A page that the facts of a text rest on."""

    url: Url
    title: Text
    publisher: Text
    checked_on: date
    confidence: Literal["high", "medium", "low"] | None = None


class Translation(Content):
    """One article in one language (`<lang>.md`); nl is the source of the others."""

    title: Text
    questions: tuple[Text, ...]
    status: Status
    reviewed_by: str | None = None
    reviewed_on: date | None = None
    translated_from: str = ""
    say_in_dutch: str | None = None  # the source text has it, the others say how it sounds and what it means
    say_sounds: str | None = None
    say_means: str | None = None
    regional: dict[Literal["west-brabant"], Text] = {}  # what holds in one region only, shown to people of that region
    body: Text

    @property
    def paragraphs(self) -> list[str]:
        """The blocks of the body that blank lines set apart."""
        return [block.strip() for block in re.split(r"\n\s*\n", self.body) if block.strip()]

    @property
    def short_answer(self) -> str:
        """The first paragraph on one line: what most people need."""
        return " ".join(self.paragraphs[0].split())

    @property
    def steps(self) -> list[str]:
        """The numbered lines, without their numbers."""
        return [_STEP.sub("", line) for line in self.body.splitlines() if _STEP.match(line)]


class Article(Content):
    """One subject: what holds for all its languages, and the languages themselves."""

    id: Identifier
    topic: Topic
    risk: Literal["low", "medium", "high"]
    region: str | None = None
    sources: tuple[Source, ...]
    valid_until: date
    related: Annotated[tuple[Identifier, ...], Field(max_length=4)] = ()
    contacts: tuple[Identifier, ...] = ()
    awaiting: tuple[str, ...] = ()  # languages whose translation is known to be missing yet
    needs_human: bool = False  # the text alone rarely settles it, so the staff see that this is why a person asks
    translations: dict[str, Translation] = {}

    def is_expired(self, today: date) -> bool:
        """Whether the article may not be shown any more; on `valid_until` itself it still may."""
        return today > self.valid_until

    def text_for(self, lang: str, least_status: Status = "draft") -> tuple[str, Translation] | None:
        """Return the language and text to show: the one asked for, else English, else Dutch.

        A text below the least status is passed over; None when none is left.
        """
        for choice in (lang, "en", "nl"):
            text = self.translations.get(choice)
            if text is not None and STATUSES.index(text.status) >= STATUSES.index(least_status):
                return choice, text
        return None


class Contact(Content):
    """Someone to call or visit. What has no good source is null, and then it is never shown or guessed."""

    id: Identifier
    kind: Literal["emergency", "helpline", "authority", "gp-post", "win-point", "insurer"]
    name: Text
    place: str | None = None
    municipalities: tuple[str, ...] = ()
    address: str | None = None
    phone: str | None = None
    phone_alt: str | None = None
    email: str | None = None
    url: Url | None = None
    hours: LocalText | None = None
    free: bool | None = None
    languages: tuple[str, ...] = ()
    note: LocalText | None = None
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]

    @field_validator("phone", "phone_alt")
    @classmethod
    def _is_number(cls, phone: str | None) -> str | None:
        if phone is not None and not re.fullmatch(r"\+?\d[\d -]*\d", phone):
            raise ValueError("a phone number has digits, spaces and hyphens only")
        return phone

    @property
    def phones(self) -> tuple[str, ...]:
        """The checked numbers, the first one first."""
        return tuple(phone for phone in (self.phone, self.phone_alt) if phone)


class Fact(Content):
    """One yearly figure of `data/facts.yml`."""

    unit: Literal["EUR", "days", "percent"]
    source: Url
    checked_on: date
    by_year: Annotated[dict[int, Decimal], Field(min_length=1)]


class Language(Content):
    """One line of `data/languages.yml`."""

    own_name: Text
    english_name: Text
    script: Text
    direction: Literal["ltr", "rtl"]
    served: bool
    not_served: str | None = None  # one sentence in this language: that we answer in another


def local_text(text: LocalText | None, lang: str) -> str | None:
    """Return the text in a language, or None where there is none; plain text is Dutch."""
    texts = {"nl": text} if isinstance(text, str) else text or {}
    return texts.get(lang)
