"""Read the YAML files of `data/`, with errors that name the file and the mend.

The one place in `nlu` that needs PyYAML. Unlike plain PyYAML, `no`, `on` and `yes` stay words (they are words in the
languages we serve), only `true` and `false` are truths, and a key written twice is an error instead of a silent loss.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, ClassVar

import yaml

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times faster, where it is built


class DataFileError(ValueError):
    """A data file is missing, unreadable or not in the shape that its reader expects."""

    def __init__(self, path: Path, problem: str, mend: str, line: int | None = None) -> None:
        where = f"{path}:{line}" if line else f"{path}"
        super().__init__(f"{where}: {problem} {mend}")
        self.path = path
        self.problem = problem
        self.mend = mend
        self.line = line


class _DuplicateKey(Exception):
    def __init__(self, key: Hashable, line: int) -> None:
        super().__init__(key)
        self.key = key
        self.line = line


class _Loader(_Base):
    """A safe loader that refuses duplicate keys and knows only `true` and `false` as truths."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, resolvers in _Base.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise _DuplicateKey(key, key_node.start_mark.line + 1)
            seen.add(key)
        result: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return result


def load_yaml(path: Path | str) -> Any:
    """Return the content of one YAML file (UTF-8, safe tags only).

    Raises:
        DataFileError: The file is missing, not UTF-8, not YAML, or has a key twice.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataFileError(path, "The file is missing.", "Restore it, or check the data folder setting.") from None
    except UnicodeDecodeError as error:
        raise DataFileError(path, f"Not UTF-8 (byte {error.start}).", "Save the file as UTF-8.") from error
    except OSError as error:
        raise DataFileError(path, f"Cannot be read ({error.strerror}).", "Check the file and its rights.") from error
    try:
        return yaml.load(text, Loader=_Loader)
    except _DuplicateKey as error:
        raise DataFileError(path, f"The key `{error.key}` is there twice.", "Merge the two.", error.line) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark else None
        raise DataFileError(path, f"Not valid YAML ({problem}).", "Check indents, colons and quotes.", line) from error


def load_mapping(path: Path | str) -> dict[str, Any]:
    """Return the content of a YAML file that must be a mapping with text keys.

    Raises:
        DataFileError: As `load_yaml`, or the file holds something else.
    """
    content = load_yaml(path)
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise DataFileError(Path(path), "The file must hold `key: value` lines.", "Write one mapping with text keys.")
    return content
