"""Cards to show: a contact with what is sure of it, the nearest one of its kind, and the Dutch sentence for a desk."""

from __future__ import annotations

from knowledge.base import KnowledgeBase
from knowledge.geography import nearest_contact
from knowledge.locales import Locales
from knowledge.models import Article, Contact, local_text
from knowledge.replies import Button, Link, Reply, source_line, tel_links

SOURCE_LANGUAGE = "nl"


def compose_contact(locales: Locales, contact: Contact, lang: str) -> Reply:
    """Return a contact card with what is sure; a number or address without a good source is said to be missing."""
    ui = locales.nearest(lang)
    lines = [contact.name]
    if contact.address:
        lines.append(locales.t(ui, "contact.address", address=contact.address))
    elif contact.place:
        lines.append(locales.t(ui, "contact.no_address", place=contact.place))
    for number in contact.phones:
        key = "contact.phone_free" if contact.free and number.startswith(("0800", "11")) else "contact.phone"
        lines.append(locales.t(ui, key, phone=number))
    if not contact.phones:
        lines.append(locales.t(ui, "contact.no_phone"))
    if contact.email:
        lines.append(locales.t(ui, "contact.email", email=contact.email))
    if contact.hours:
        hours = local_text(contact.hours, ui)
        key = "contact.hours" if hours else "contact.hours_dutch"
        lines.append(locales.t(ui, key, hours=hours or local_text(contact.hours, "nl") or ""))
    if contact.languages:
        names = ", ".join(locales.t(ui, f"contact.language_{code}") for code in contact.languages)
        lines.append(locales.t(ui, "contact.languages", languages=names))
    note = local_text(contact.note, ui)
    website = (Link(title=locales.t(ui, "contact.website"), url=contact.url),) if contact.url else ()
    return Reply(
        kind="answer",
        lang=ui,
        text="\n".join(lines) + (f"\n\n{note}" if note else ""),
        links=(*tel_links(contact), *website),
        footer=source_line(contact.sources, locales, ui),
    )


def compose_nearest(knowledge: KnowledgeBase, locales: Locales, kind: str, place: str, lang: str) -> Reply | None:
    """Return the card of the contact of a kind nearest to a municipality, with the distance; None without any."""
    ui = locales.nearest(lang)
    found = nearest_contact(knowledge.contacts.values(), kind, place, knowledge.centres)
    if found is None:
        return None
    contact, distance = found
    card = compose_contact(locales, contact, ui)
    if distance is None or distance < 1:
        where = locales.t(ui, "nearest.here", place=contact.place)
    else:
        where = locales.t(ui, "nearest.distance", km=round(distance), place=place)
    text = "\n".join([locales.t(ui, "nearest.intro", place=place), card.text, where])
    return card.model_copy(update={"text": text})


def compose_desk(locales: Locales, article: Article, lang: str) -> Reply | None:
    """Return the Dutch sentence of an article, how it sounds in the person's script and what it means, or None.

    The paragraphs are in a fixed order, which the page relies on: what to do, the sentence, the rest.
    """
    ui = locales.nearest(lang)
    source = article.translations.get(SOURCE_LANGUAGE)
    if source is None or not source.say_in_dutch:
        return None
    text = article.translations.get(ui)
    parts = [locales.t(ui, "desk.intro"), f"„{source.say_in_dutch}”"]
    if text is not None and text.say_sounds:
        parts.append(locales.t(ui, "desk.sounds", text=text.say_sounds))
    if text is not None and text.say_means:
        parts.append(locales.t(ui, "desk.means", text=text.say_means))
    back = Button(title=locales.t(ui, "buttons.back"), payload=f"article:{article.id}")
    return Reply(kind="answer", lang=ui, text="\n\n".join(parts), article=article.id, buttons=(back,))
