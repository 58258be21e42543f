"""The glossary: how each Dutch term is said in each language, so that one thing has one name in all articles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from knowledge.origins import Origin, Origins
from knowledge.problems import Problem
from knowledge.text import fold

Glossary = dict[str, dict[str, tuple[str, ...]]]  # term, language, the beginnings of the words that render it

FILE = "glossary.yml"
_BEFORE = 80  # characters before the bracket in which the rendering stands


def load_glossary(data_dir: Path, origins: Origins) -> Glossary:
    """Read `glossary.yml`; nothing without the file."""
    path = data_dir / FILE
    if not path.exists():
        return {}
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return TypeAdapter(Glossary).validate_python(loaded)
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        mend = 'write each term as `huisarts: {pl: ["lekarz rodzinn"], ...}`'
        origins.problems.append(Problem(f"data/{FILE}", 1, f"it cannot be read ({type(error).__name__})", mend))
        return {}


def find_other_renderings(glossary: Glossary, lang: str, body: str, origin: Origin) -> Iterator[Problem]:
    """Yield where a text puts a Dutch term in brackets behind a word that the glossary does not have for it."""
    for term, languages in glossary.items():
        renderings = languages.get(lang)
        if renderings:
            yield from _find(term, renderings, body, origin)


def _find(term: str, renderings: Sequence[str], body: str, origin: Origin) -> Iterator[Problem]:
    for match in re.finditer(rf"\({re.escape(term)}\)", body):
        before = fold(body[max(0, match.start() - _BEFORE) : match.start()])
        if not any(fold(rendering) in before for rendering in renderings):
            what = f"({term}) stands behind another word than {' / '.join(renderings)}"
            mend = f"use the glossary's word, or add yours to data/{FILE}"
            yield origin.body_problem(match.group(), body, what, mend)
