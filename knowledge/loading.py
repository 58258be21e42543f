"""Read the content files of `data/` into models.

Every problem is collected, none stops the reading: an editor sees all of them at once. What cannot be read is left
out of the result, so the result is only good when `origins.problems` stays empty.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from knowledge.models import Article, Contact, Fact, Language, Translation
from knowledge.origins import Location, Origin, Origins
from knowledge.problems import Problem
from knowledge.yaml_lines import YamlProblem, read_yaml

Model = TypeVar("Model", bound=BaseModel)

_FRONT_MATTER = re.compile(r"\A---\n(.*?\n)---\n(.*)\Z", re.DOTALL)
_MENDS = {
    "missing": "add this field (see docs/editors.md)",
    "extra_forbidden": "remove this field or correct its spelling (see docs/editors.md)",
    "string_type": "write it as text, in quotes",
    "date_type": "write a date as 2026-11-23",
    "date_from_datetime_parsing": "write a date as 2026-11-23",
    "date_parsing": "write a date as 2026-11-23",
    "tuple_type": "write a list: a line with `- ` for each",
    "list_type": "write a list: a line with `- ` for each",
    "bool_type": "write true, false or null",
    "bool_parsing": "write true, false or null",
    "string_too_short": "fill it in",
    "string_pattern_mismatch": "write it in the form that docs/editors.md shows",
}


def load_languages(data_dir: Path, origins: Origins) -> dict[str, Language]:
    """Read `languages.yml`."""
    return _load_mapping(data_dir, "languages.yml", "language", Language, origins)


def load_facts(data_dir: Path, origins: Origins) -> dict[str, Fact]:
    """Read `facts.yml`."""
    return _load_mapping(data_dir, "facts.yml", "fact", Fact, origins)


def load_contacts(data_dir: Path, origins: Origins) -> dict[str, Contact]:
    """Read every list of `contacts/*.yml`."""
    contacts: dict[str, Contact] = {}
    for path in sorted((data_dir / "contacts").glob("*.yml")):
        file = _name(path, data_dir)
        items, lines = _read_file(path, file, origins)
        if not isinstance(items, list):
            origins.problems.append(Problem(file, 1, "this is not a list of contacts", "start each with `- id: …`"))
            continue
        for index, item in enumerate(items):
            origin = Origin(file, _below(lines, (index,)))
            contact = _parse(Contact, item, origin, origins)
            if contact is None:
                continue
            if contact.id in contacts:
                other = origins.of("contact", contact.id).file
                origins.problems.append(origin.problem(("id",), f"contact {contact.id} is also in {other}", "keep one"))
            contacts[contact.id] = contact
            origins.add(("contact", contact.id), origin)
    return contacts


def load_articles(data_dir: Path, origins: Origins) -> dict[str, Article]:
    """Read every folder of `kb/`: the article and the languages it has."""
    articles: dict[str, Article] = {}
    for folder in sorted(path for path in (data_dir / "kb").glob("*") if path.is_dir()):
        article = _load_article(folder, data_dir, origins)
        if article is not None:
            articles[article.id] = article
    return articles


def split_text(text: str) -> tuple[str, str, int] | None:
    """Return front matter, body and the body's first line (from 1) of a `<lang>.md`, or None without front matter."""
    match = _FRONT_MATTER.match(text.replace("\r\n", "\n"))
    if match is None:
        return None
    front, rest = match.groups()
    body = rest.lstrip("\n")
    return front, body.rstrip(), 3 + front.count("\n") + (len(rest) - len(body))


def _load_article(folder: Path, data_dir: Path, origins: Origins) -> Article | None:
    path = folder / "article.yml"
    file = _name(path, data_dir)
    if not path.exists():
        origins.problems.append(Problem(file, 1, "this file is missing", "add it, or remove the folder"))
        return None
    values, lines = _read_file(path, file, origins)
    origin = Origin(file, lines)
    origins.add(("article", folder.name), origin)
    article = _parse(Article, values, origin, origins)
    translations = {}
    for text_path in sorted(folder.glob("*.md")):
        translation = _load_translation(text_path, data_dir, origins)
        if translation is not None:
            translations[text_path.stem] = translation
    if article is None:
        return None
    if article.id != folder.name:
        origins.problems.append(
            origin.problem(("id",), f"id {article.id} is not the name of its folder", f"write `id: {folder.name}`")
        )
    return article.model_copy(update={"id": folder.name, "translations": translations})


def _load_translation(path: Path, data_dir: Path, origins: Origins) -> Translation | None:
    file = _name(path, data_dir)
    text = _read_text(path, file, origins)
    if text is None:
        return None
    parts = split_text(text)
    if parts is None:
        origins.problems.append(
            Problem(
                file, 1, "the file does not begin with fields between two `---` lines", "add them (see docs/editors.md)"
            )
        )
        return None
    front, body, body_line = parts
    values, lines = _read_part(front, file, 1, origins)
    origin = Origin(file, lines, body_line)
    origins.add(("text", path.parent.name, path.stem), origin)
    if not body:
        origins.problems.append(Problem(file, body_line, "the text is missing", "write it below the second `---`"))
        return None
    if isinstance(values, dict):
        values = {**values, "body": body}
    return _parse(Translation, values, origin, origins)


def _load_mapping(data_dir: Path, name: str, kind: str, model: type[Model], origins: Origins) -> dict[str, Model]:
    path = data_dir / name
    file = _name(path, data_dir)
    values, lines = _read_file(path, file, origins)
    if not isinstance(values, dict):
        if lines:
            origins.problems.append(Problem(file, 1, "this is not a list of names with fields", "see docs/editors.md"))
        return {}
    loaded = {}
    for key, value in values.items():
        origin = Origin(file, _below(lines, (key,)))
        origins.add((kind, str(key)), origin)
        item = _parse(model, value, origin, origins)
        if item is not None:
            loaded[str(key)] = item
    return loaded


def _parse(model: type[Model], values: Any, origin: Origin, origins: Origins) -> Model | None:
    if values is None:
        return None  # the reader has already said why
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for item in error.errors():
            location = item["loc"]
            where = ".".join(str(part) for part in location) or "the entry"
            mend = _MENDS.get(item["type"], "correct it (see docs/editors.md)")
            origins.problems.append(origin.problem(location, f"{where}: {item['msg'].lower()}", mend))
        return None


def _read_file(path: Path, file: str, origins: Origins) -> tuple[Any, dict[Location, int]]:
    text = _read_text(path, file, origins)
    return (None, {}) if text is None else _read_part(text, file, 0, origins)


def _read_part(text: str, file: str, lines_before: int, origins: Origins) -> tuple[Any, dict[Location, int]]:
    try:
        values, lines = read_yaml(text)
    except YamlProblem as problem:
        origins.problems.append(
            Problem(
                file, problem.line + lines_before, problem.what, "correct the YAML; text with `:` or `#` needs quotes"
            )
        )
        return None, {}
    if values is None:
        origins.problems.append(Problem(file, 1, "the file is empty", "fill it in (see docs/editors.md)"))
    return values, {location: line + lines_before for location, line in lines.items()}


def _read_text(path: Path, file: str, origins: Origins) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        origins.problems.append(Problem(file, 1, "this file is missing", "put it back"))
    except UnicodeDecodeError:
        origins.problems.append(Problem(file, 1, "this is not UTF-8 text", "save it as UTF-8"))
    return None


def _below(lines: dict[Location, int], start: Location) -> dict[Location, int]:
    depth = len(start)
    return {location[depth:]: line for location, line in lines.items() if location[:depth] == start}


def _name(path: Path, data_dir: Path) -> str:
    return f"data/{path.relative_to(data_dir).as_posix()}"
