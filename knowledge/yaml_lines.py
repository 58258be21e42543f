"""Read YAML and keep the line of every value, so that a message can point at it."""

from __future__ import annotations

from typing import Any

import yaml

from knowledge.origins import Location


class YamlProblem(Exception):
    """The text is not the YAML it should be; `line` counts from 1 in the text."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


def read_yaml(text: str) -> tuple[Any, dict[Location, int]]:
    """Return the value of a YAML text and the line of each value in it, from 1.

    Raises:
        YamlProblem: The text is not YAML, or names a field twice.
    """
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            lines: dict[Location, int] = {}
            if node is not None:
                _note_lines(node, (), lines)
            return (None if node is None else loader.construct_document(node)), lines
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlProblem(mark.line + 1 if mark else 1, error.problem or str(error)) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-13-45
        raise YamlProblem(1, str(error).splitlines()[0]) from error


def _note_lines(node: yaml.Node, location: Location, lines: dict[Location, int]) -> None:
    lines[location] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = int(key.value) if key.tag.endswith(":int") and key.value.isdigit() else str(key.value)
            if (*location, name) in lines:
                raise YamlProblem(key.start_mark.line + 1, f"`{name}` stands here twice")
            _note_lines(value, (*location, name), lines)
            lines[(*location, name)] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*location, index), lines)
