"""A reply as WhatsApp messages: plain text in parts that fit, then the choices as reply buttons or as a list.

Pure. The limits are those of the Cloud API: Meta's reference "Messages", interactive objects (2025).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pywa.types.callback import Button, Section, SectionList, SectionRow

from bot.channels.telegram_text import split_at_sentences
from knowledge.locales import Locales
from knowledge.replies import Reply

LONGEST_TEXT = 4096
LONGEST_BODY = 1024  # of a message with buttons or a list
MOST_BUTTONS = 3
LONGEST_BUTTON = 20
MOST_ROWS = 10
LONGEST_ROW = 24
LONGEST_DESCRIPTION = 72
LIST_SIGN = "☰"
MORE_CHOICES = "…"  # a list needs a text; this one goes on where the one before was full

# WhatsApp reads these as markup; the look-alikes stay what they are. In an address they must stay, and do no harm.
_MARKUP = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})
_EDGE_UNDERSCORE = re.compile(r"(?<!\w)_|_(?!\w)")
_URL = re.compile(r"(https?://\S+)")
_BREAKS = (re.compile(r"\n\n+"), re.compile(r"\n"), re.compile(r"(?<=[.!?…؟])\s+"), re.compile(r"\s+"))

Keyboard = tuple[Button, ...] | SectionList


@dataclass(frozen=True)
class Part:
    """One WhatsApp message."""

    text: str
    keyboard: Keyboard | None = None


@dataclass(frozen=True)
class Labels:
    """The words that WhatsApp needs around choices, in the language of the reply."""

    choose: str  # opens a list
    thumbs: str  # asks whether the answer helped

    @classmethod
    def of(cls, locales: Locales, lang: str) -> Labels:
        """Return them from `data/locales`."""
        ui = locales.nearest(lang)
        return cls(locales.t(ui, "whatsapp.choose"), locales.t(ui, "web.thumbs"))


@dataclass(frozen=True)
class _Choice:
    title: str
    payload: str


def render_parts(reply: Reply, outbox_id: int, labels: Labels) -> list[Part]:
    """Return the messages to send, in order; at least one, and the choices come with the last ones.

    A text that is too long for a message with choices goes before it as plain text; its end stays with the choices.
    """
    text = _whole_text(reply)
    keyboards = _keyboards(reply, outbox_id, labels)
    if not keyboards:
        return [Part(part) for part in split_at_sentences(text, LONGEST_TEXT)] or [Part(MORE_CHOICES)]
    before, body = split_off_end(text, LONGEST_BODY)
    plain = [Part(part) for part in split_at_sentences(before, LONGEST_TEXT)]
    first, *others = keyboards
    return [*plain, replace(first, text=body or MORE_CHOICES), *others]


def split_off_end(text: str, longest: int) -> tuple[str, str]:
    """Return the text in two: what comes before, and an end of at most `longest` characters.

    The cut is at a paragraph, else a line, a sentence, a word. Nothing is lost but the white space at the cut.
    """
    text = text.strip()
    if len(text) <= longest:
        return "", text
    for pattern in _BREAKS:
        cut = next((match for match in pattern.finditer(text) if len(text) - match.end() <= longest), None)
        if cut is not None and cut.end() < len(text):
            return text[: cut.start()], text[cut.end() :]
    return text[:-longest], text[-longest:]


def without_markup(text: str) -> str:
    """Return the text with nothing in it that WhatsApp would take for bold, italics, struck or code."""
    pieces = _URL.split(text)
    # Every other piece is an address.
    pieces[::2] = [_EDGE_UNDERSCORE.sub("ˍ", piece.translate(_MARKUP)) for piece in pieces[::2]]
    return "".join(pieces)


def _whole_text(reply: Reply) -> str:
    """Return text, numbers, links and footer: WhatsApp makes addresses and numbers in a text tappable itself."""
    numbers = [without_markup(link.title) for link in reply.links if link.url.startswith("tel:")]
    if reply.kind == "emergency":
        numbers = [f"☎ {number}" for number in numbers]
    links = [f"{without_markup(link.title)}\n{link.url}" for link in reply.links if not link.url.startswith("tel:")]
    blocks = [without_markup(reply.text.strip()), "\n".join(numbers), *links, without_markup(reply.footer)]
    return "\n\n".join(block for block in blocks if block)


def _keyboards(reply: Reply, outbox_id: int, labels: Labels) -> list[Part]:
    """Return the messages that carry choices; the text of the first one is still to be put in."""
    # WhatsApp refuses a message in which a choice comes twice.
    choices = list({button.payload: _Choice(button.title, button.payload) for button in reply.buttons}.values())
    thumbs = [_Choice("👍", f"thumb:up:{outbox_id}"), _Choice("👎", f"thumb:down:{outbox_id}")]
    if reply.feedback and len(choices) + len(thumbs) <= MOST_ROWS:
        return [Part("", _keyboard([*choices, *thumbs], labels))]
    chunks = [choices[start : start + MOST_ROWS] for start in range(0, len(choices), MOST_ROWS)]
    parts = [Part(MORE_CHOICES, _keyboard(chunk, labels)) for chunk in chunks]
    return [*parts, Part(labels.thumbs, _keyboard(thumbs, labels))] if reply.feedback else parts


def _keyboard(choices: Sequence[_Choice], labels: Labels) -> Keyboard:
    """Return reply buttons where the choices fit them, else a list."""
    titles = [choice.title for choice in choices]
    if len(titles) <= MOST_BUTTONS and max(map(len, titles)) <= LONGEST_BUTTON and len(set(titles)) == len(titles):
        return tuple(Button(title=choice.title, callback_data=choice.payload) for choice in choices)
    rows = [
        SectionRow(
            title=fit(choice.title, LONGEST_ROW),
            callback_data=choice.payload,
            description=fit(choice.title, LONGEST_DESCRIPTION) if len(choice.title) > LONGEST_ROW else None,
        )
        for choice in choices
    ]
    opener = fit(f"{LIST_SIGN} {labels.choose}", LONGEST_BUTTON)
    return SectionList(opener, [Section(fit(labels.choose, LONGEST_ROW), rows)])


def fit(title: str, longest: int) -> str:
    """Return a title that fits, cut at a word where one ends in its second half."""
    if len(title) <= longest:
        return title
    cut = title[: longest - 1]
    at_word = cut.rpartition(" ")[0].rstrip(" ,;:(")
    return (at_word if len(at_word) >= longest // 2 else cut.rstrip()) + "…"
