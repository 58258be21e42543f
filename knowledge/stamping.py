"""Write into a translation of which source text it is one, so that a later change of the source is noticed."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from knowledge.base import KnowledgeBase
from knowledge.checks import SOURCE_LANGUAGE, source_hash
from knowledge.errors import UnknownArticle

_LINE = re.compile(r"^translated_from:.*$", re.MULTILINE)


def stamp(data_dir: Path, articles: Collection[str] = (), languages: Collection[str] = ()) -> list[Path]:
    """Stamp translations as being of the present Dutch text; return the files that changed.

    Args:
        data_dir: The folder that people edit.
        articles: Stamp these anew, because someone has brought them up to date; without any, only what was never
            stamped gets a stamp, so that nothing stale is declared fresh by accident.
        languages: Only these languages; all when empty.

    Raises:
        ContentErrors: The content cannot be read.
        UnknownArticle: There is no article with one of the ids.
    """
    knowledge = KnowledgeBase.load(data_dir)
    changed = []
    for name in articles or knowledge.articles:
        article = knowledge.articles.get(name)
        if article is None:
            raise UnknownArticle(name)
        source = article.translations.get(SOURCE_LANGUAGE)
        if source is None:
            continue
        digest = source_hash(source)
        for lang, translation in article.translations.items():
            is_wanted = lang != SOURCE_LANGUAGE and (not languages or lang in languages)
            if is_wanted and (articles or not translation.translated_from) and translation.translated_from != digest:
                path = data_dir / "kb" / name / f"{lang}.md"
                _write_stamp(path, digest)
                changed.append(path)
    return changed


def _write_stamp(path: Path, digest: str) -> None:
    text = path.read_text(encoding="utf-8")
    line = f'translated_from: "{digest}"'
    front, mark, body = text.partition("\n---")
    front = _LINE.sub(line, front) if _LINE.search(front) else f"{front}\n{line}"
    draft = path.with_suffix(".tmp")
    draft.write_text(front + mark + body, encoding="utf-8")
    draft.replace(path)
