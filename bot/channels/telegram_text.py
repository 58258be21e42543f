"""A reply as Telegram messages: escaped HTML, links, and parts that fit, split between sentences."""

from __future__ import annotations

import html
import re

from knowledge.replies import Reply

LONGEST_PART = 4000  # Telegram takes 4096 characters after parsing; some room for the markup's surprises

_BREAKS = (re.compile(r"\n\n+"), re.compile(r"\n"), re.compile(r"(?<=[.!?…])\s+"), re.compile(r"\s+"))


def render_parts(reply: Reply, longest: int = LONGEST_PART) -> list[str]:
    """Return the messages to send, in order: the text, then links and footer with the last part."""
    links = [
        f'<a href="{html.escape(link.url)}">{html.escape(link.title)}</a>' for link in reply.links if _is_web(link.url)
    ]
    numbers = [html.escape(link.title) for link in reply.links if not _is_web(link.url)]
    parts = [html.escape(part, quote=False) for part in split_at_sentences(reply.text, longest)] or [""]
    if reply.kind == "emergency":
        numbers = [f"<b>☎ {number}</b>" for number in numbers]
    tail = "\n".join(numbers + links)
    footer = f"<i>{html.escape(reply.footer, quote=False)}</i>" if reply.footer else ""
    for addition in (tail, footer):
        if not addition:
            continue
        if len(parts[-1]) + len(addition) + 2 <= longest:
            parts[-1] = f"{parts[-1]}\n\n{addition}".strip()
        else:
            parts.append(addition)
    return parts


def split_at_sentences(text: str, longest: int) -> list[str]:
    """Return the text in parts of at most `longest` characters, split at paragraphs, lines, sentences, else words.

    Nothing is lost but the white space at a split; a single word that is too long is cut.
    """
    text = text.strip()
    if len(text) <= longest:
        return [text] if text else []
    for pattern in _BREAKS:
        ends = [match for match in pattern.finditer(text) if 0 < match.start() <= longest]
        if ends and ends[-1].start() >= longest // 4:
            cut = ends[-1]
            return [text[: cut.start()].rstrip(), *split_at_sentences(text[cut.end() :], longest)]
    return [text[:longest], *split_at_sentences(text[longest:], longest)]


def _is_web(url: str) -> bool:
    return url.startswith("http")
