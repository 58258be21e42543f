"""Says where an exception came from without what it says: its text may quote a person. Pure."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

MOST_FRAMES = 30  # of each exception, the innermost ones: endless recursion has a thousand
MOST_LINKED = 10
SHORTEST_TEXT = 4  # a shorter text of an exception, such as "0", tells nothing and stands in every line


def trace(error: BaseException) -> str:
    """Return the type of an exception and the file, line and function of each frame, the innermost last.

    What led to it stands before it, as Python does it, and the members of a group behind the group.
    """
    return "\n".join(line for each in _linked(error) for line in (*_frames(each), name_of(each)))


def without_its_words(text: str, error: BaseException) -> str:
    """Return a text that tells of an exception, with the exception's name for what it says."""
    for each in _linked(error):
        for words in (repr(each), str(each)):
            if len(words) >= SHORTEST_TEXT:
                text = text.replace(words, name_of(each))
    return text


def name_of(error: BaseException) -> str:
    """Return the type of an exception, as Python writes it."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _linked(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    _add(error, found, {})
    return found


def _add(error: BaseException, found: list[BaseException], seen: dict[int, BaseException]) -> None:
    if id(error) in seen or len(seen) >= MOST_LINKED:
        return
    seen[id(error)] = error
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        _add(earlier, found, seen)
    found.append(error)
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            _add(member, found, seen)


def _frames(error: BaseException) -> Iterator[str]:
    for frame, line in list(traceback.walk_tb(error.__traceback__))[-MOST_FRAMES:]:
        yield f"{frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}"
