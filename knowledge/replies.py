"""What travels from the assistant to a channel, and how an answer, an emergency and a contact card are put together.

Pure: the content, the texts and the day come in as arguments. Nothing here writes a sentence of its own; the words
are in `data/kb` and `data/locales`, so that people can review every one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from knowledge.base import KnowledgeBase
from knowledge.facts import fill_facts
from knowledge.locales import Locales
from knowledge.models import MUNICIPALITIES_OF, Article, Contact, Source, Status, Translation

EmergencyKind = Literal["medical", "suicide", "violence"]
ReplyKind = Literal[
    "answer", "clarify", "emergency", "handoff", "abstain",
    "smalltalk", "privacy", "medical_advice", "language_set", "form",
]  # fmt: skip

LONGEST_PAYLOAD_BYTES = 64  # Telegram's limit
LONGEST_BUTTON_TITLE = 40
MOST_SOURCE_LINKS = 2
MOST_RELATED_BUTTONS = 2

# Who answers which kind of emergency; the words around the numbers are in data/locales.
_EMERGENCY_NUMBERS: dict[EmergencyKind, tuple[str, ...]] = {
    "medical": ("112",),
    "suicide": ("113", "0800-0113", "112"),
    "violence": ("112", "0800-2000"),
}
# What to read about it: articles, with the text of the button to each.
_EMERGENCY_ARTICLES: dict[EmergencyKind, dict[str, str]] = {
    "medical": {"emergency-112": "emergency.read.emergency"},
    "suicide": {"suicide-crisis": "emergency.read.suicide"},
    "violence": {"domestic-violence": "emergency.read.home", "sexual-violence": "emergency.read.sexual"},
}
_NEAREST_ARTICLE = {"sexual_violence": "sexual-violence"}  # by category of red flag
_ALSO_READ = {"accident": {"work-accident": "emergency.read.work"}}  # most accidents of our people happen at work


def _payload(text: str) -> str:
    if not text.isascii() or len(text) > LONGEST_PAYLOAD_BYTES:
        raise ValueError(f"a payload is ASCII and at most {LONGEST_PAYLOAD_BYTES} bytes")
    return text


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Button(_Shown):
    """A choice to tap; the channel sends the payload back."""

    title: str
    payload: Annotated[str, AfterValidator(_payload)]


class Candidate(_Shown):
    """An article that may be meant, with a calibrated score; 0.0 where a rule named it and nothing was searched."""

    article: str
    score: Annotated[float, Field(ge=0.0, le=1.0)]


class Link(_Shown):
    """Something to open, or a number to call."""

    title: str
    url: Annotated[str, Field(pattern=r"^(https?://|tel:\+?\d)")]


class Reply(_Shown):
    """One reply, as every channel gets it. `text` is plain: paragraphs by blank lines, steps as `1. …` lines.

    `author` is the member of the staff who sent it, by the name that the person may see; None is the bot.
    """

    kind: ReplyKind
    lang: str
    text: str
    article: str | None = None
    candidates: tuple[Candidate, ...] = ()
    buttons: tuple[Button, ...] = ()
    links: tuple[Link, ...] = ()
    footer: str = ""
    emergency: EmergencyKind | None = None
    effect: Literal["erase"] | None = None
    feedback: bool = False
    author: str | None = None


def compose_answer(
    knowledge: KnowledgeBase,
    locales: Locales,
    article: str,
    lang: str,
    today: date,
    candidates: Iterable[Candidate] = (),
    least_status: Status = "draft",
    place: str | None = None,
) -> Reply:
    """Return an article as a reply in the person's language, with what holds in the region of their place.

    Where the article lacks the language (or its text is below the least status) it comes in English, else in Dutch,
    and the reply says so. An expired article is never shown: the reply then only says so, with its sources and a human.

    Raises:
        UnknownArticle: There is no article with this id.
        UnknownFact: Its text uses a figure that is not there.
    """
    found = knowledge.article(article)
    ui = locales.nearest(lang)
    human = Button(title=locales.t(ui, "answer.human"), payload="human")
    text_to_show = None if found.is_expired(today) else found.text_for(ui, least_status)
    if text_to_show is None:
        return Reply(
            kind="abstain", lang=ui, text=locales.t(ui, "answer.expired"), article=article,
            candidates=tuple(candidates), buttons=(human,), links=_source_links(found.sources),
        )  # fmt: skip
    shown, translation = text_to_show
    text = fill_facts(translation.body.strip(), knowledge.facts, locales, locales.nearest(shown), today)
    for region, note in translation.regional.items():
        if place is not None and place in MUNICIPALITIES_OF[region]:
            text = f"{text}\n\n{locales.t(locales.nearest(shown), f'answer.region.{region}', text=note)}"
    if shown != ui:
        text = f"{locales.t(ui, f'answer.fallback_{shown}')}\n\n{text}"
    links = [
        link for name in found.contacts if name in knowledge.contacts for link in tel_links(knowledge.contacts[name])
    ]
    return Reply(
        kind="answer",
        lang=shown,
        text=text,
        article=article,
        candidates=tuple(candidates),
        buttons=(*_desk_button(found, locales, ui), *article_buttons(knowledge, found.related, ui, today), human),
        links=(*links, *_source_links(found.sources)),
        footer=_footer(found, translation, locales, ui),
        feedback=True,
    )


def article_buttons(
    knowledge: KnowledgeBase, articles: Iterable[str], lang: str, today: date, most: int = MOST_RELATED_BUTTONS
) -> tuple[Button, ...]:
    """Return a button for each article that may be shown today, at most `most`, titled in the language."""
    buttons: list[Button] = []
    for article in (knowledge.articles[item] for item in articles if item in knowledge.articles):
        text = None if article.is_expired(today) else article.text_for(lang)
        if text is not None and len(buttons) < most:
            buttons.append(Button(title=shorten(text[1].title), payload=f"article:{article.id}"))
    return tuple(buttons)


def compose_emergency(locales: Locales, lang: str, kind: EmergencyKind, category: str = "") -> Reply:
    """Return the emergency reply: what to do now, the number to tap, what to say in Dutch on the phone.

    Buttons lead to what there is to read once nobody is in danger, or if nobody was. Needs nothing but the locales, so
    that it works when everything else is down.

    Args:
        locales: The texts.
        lang: Of the person.
        kind: Of the emergency.
        category: Of the red flag; puts what is nearest to it first.
    """
    ui = locales.nearest(lang)
    known = _EMERGENCY_ARTICLES[kind] | _ALSO_READ.get(category, {})
    articles = sorted(known.items(), key=lambda item: item[0] != _NEAREST_ARTICLE.get(category))
    read = [Button(title=locales.t(ui, key), payload=f"article:{article}") for article, key in articles]
    parts = [locales.t(ui, f"emergency.{kind}.{part}") for part in ("now", "then", "say")]
    return Reply(
        kind="emergency",
        lang=ui,
        text="\n\n".join(parts),
        candidates=tuple(Candidate(article=article, score=0.0) for article, _ in articles),
        buttons=(*read, Button(title=locales.t(ui, "emergency.human"), payload="human")),
        links=tuple(Link(title=number, url=tel(number)) for number in _EMERGENCY_NUMBERS[kind]),
        emergency=kind,
    )


def tel(number: str) -> str:
    """Return the `tel:` address of a phone number as it is written for people."""
    return "tel:" + ("+" if number.startswith("+") else "") + re.sub(r"\D", "", number)


def shorten(title: str, longest: int = LONGEST_BUTTON_TITLE) -> str:
    """Return a title that fits a button, cut at a word."""
    if len(title) <= longest:
        return title
    return title[:longest].rpartition(" ")[0][: longest - 1].rstrip(" ,;:(") + "…"


def format_date(day: date, locales: Locales, lang: str) -> str:
    """Return a date with the month in words."""
    month = locales.t(lang, "answer.months").split()[day.month - 1]
    return locales.t(lang, "answer.date", day=day.day, month=month, year=day.year)


def _desk_button(article: Article, locales: Locales, ui: str) -> tuple[Button, ...]:
    source = article.translations.get("nl")
    if source is None or not source.say_in_dutch:
        return ()
    return (Button(title=locales.t(ui, "answer.desk"), payload=f"desk:{article.id}"),)


def _source_links(sources: Sequence[Source]) -> tuple[Link, ...]:
    return tuple(Link(title=f"{item.publisher}: {item.title}", url=item.url) for item in sources[:MOST_SOURCE_LINKS])


def tel_links(contact: Contact) -> tuple[Link, ...]:
    titles = [number if contact.name.startswith(number) else f"{contact.name}: {number}" for number in contact.phones]
    return tuple(Link(title=title, url=tel(number)) for title, number in zip(titles, contact.phones, strict=True))


def _footer(article: Article, translation: Translation, locales: Locales, ui: str) -> str:
    parts = [source_line(article.sources, locales, ui)]
    if translation.status == "draft":
        parts.append(locales.t(ui, "answer.draft"))
    return " ".join([*parts, locales.t(ui, "answer.general")])


def source_line(sources: Sequence[Source], locales: Locales, ui: str) -> str:
    oldest = min(source.checked_on for source in sources)
    publishers = ", ".join(dict.fromkeys(source.publisher for source in sources[:MOST_SOURCE_LINKS]))
    return locales.t(ui, "answer.source", publisher=publishers, date=format_date(oldest, locales, ui))
