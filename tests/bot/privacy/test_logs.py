"""Logs hold no number of a person and no word of an exception, whoever writes them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from bot.logs import JsonLines, Masking, set_up_logging
from bot.privacy.traces import MOST_FRAMES, trace

WORDS = "Ana has pain, bsn 111222333"


class Written:
    """A logger whose handler is set up as that of the service, and the lines that it wrote."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self._out = io.StringIO()
        self.handler = logging.StreamHandler(self._out)
        self.handler.setFormatter(formatter)
        self.handler.addFilter(Masking())
        self.logger = logging.Logger("test")
        self.logger.addHandler(self.handler)

    @property
    def text(self) -> str:
        return self._out.getvalue()

    @property
    def line(self) -> dict[str, Any]:
        return dict(json.loads(self.text))


@pytest.fixture
def written() -> Written:
    return Written(JsonLines())


def fail() -> None:
    raise ValueError(WORDS)


def fail_in_a_chain() -> None:
    try:
        fail()
    except ValueError:
        raise RuntimeError(f"because {WORDS}") from None


def fail_because() -> None:
    try:
        fail()
    except ValueError as error:
        raise RuntimeError(f"because {WORDS}") from error


def fail_together() -> None:
    raise ExceptionGroup(WORDS, [ValueError(WORDS), RuntimeError(f"{WORDS}!")])


@pytest.mark.parametrize("formatter", [JsonLines(), logging.Formatter("%(message)s")])
@pytest.mark.parametrize("break_it", [fail, fail_in_a_chain, fail_because, fail_together])
def test_a_traceback_says_where_and_which_type_but_not_what(
    formatter: logging.Formatter, break_it: Callable[[], None]
) -> None:
    written = Written(formatter)
    try:
        break_it()
    except Exception as error:
        written.logger.exception("it broke: %s", error)
    assert "Ana" not in written.text
    assert "111222333" not in written.text
    assert f" {break_it.__name__}" in written.text
    assert "test_logs.py:" in written.text
    assert "it broke: " in written.text


def test_what_led_to_an_exception_stands_before_it() -> None:
    with pytest.raises(RuntimeError) as caught:
        fail_because()
    lines = trace(caught.value).splitlines()
    assert [line for line in lines if ":" not in line] == ["ValueError", "RuntimeError"]


def test_an_exception_that_refers_to_itself_and_one_without_end_are_cut_short() -> None:
    def recurse() -> None:
        recurse()

    with pytest.raises(RecursionError) as caught:
        recurse()
    caught.value.__cause__ = KeyError("first")
    caught.value.__cause__.__cause__ = caught.value
    assert len(trace(caught.value).splitlines()) == MOST_FRAMES + 2


def test_a_text_that_another_handler_made_of_the_exception_is_not_written(written: Written) -> None:
    careless = logging.StreamHandler(io.StringIO())
    written.logger.handlers.insert(0, careless)
    try:
        fail()
    except ValueError:
        written.logger.exception("it broke")
    assert "Ana" not in written.text
    assert "ValueError" in written.line["traceback"]


async def test_asyncio_s_own_report_of_a_lost_task_has_no_words(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asyncio.base_events.logger", written.logger)

    async def lose() -> None:
        fail()

    task = asyncio.create_task(lose())
    await asyncio.wait({task})
    del task
    await asyncio.sleep(0)
    assert "never retrieved" in written.text
    assert "Ana" not in written.text


def test_numbers_and_addresses_are_masked_in_the_event_and_in_every_field(written: Written) -> None:
    fields = {
        "reason": "no 0612345678",
        "deep": {"a@b.nl": ["NL91ABNA0417164300"]},
        "count": 3,
        "cause": ValueError(WORDS),
    }
    written.logger.warning("person %s wrote", "111222333", extra=fields)
    line = written.line
    assert line["event"] == "person [BSN] wrote"
    assert {name: line[name] for name in fields} == {
        "reason": "no [telefoon]", "deep": {"[e-mail]": ["[IBAN]"]}, "count": 3, "cause": "ValueError",
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [("one", "two"), ({"a": 1},), (ValueError(WORDS), 2)])
def test_a_log_line_that_is_itself_wrong_is_written_all_the_same(written: Written, arguments: tuple[Any, ...]) -> None:
    written.logger.warning("only %d", *arguments)
    assert written.line["event"] == "only %d"


def test_an_exception_as_the_event_is_named_by_type(written: Written) -> None:
    written.logger.error(ValueError(WORDS))
    assert written.line["event"] == "ValueError"


def test_exc_info_without_an_exception_does_no_harm(written: Written) -> None:
    written.logger.error("nothing at hand", exc_info=True)
    assert written.line["event"] == "nothing at hand"


def test_every_handler_masks_once_the_service_has_set_up_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    for already in ([logging.NullHandler()], []):
        monkeypatch.setattr(logging.root, "handlers", already)
        set_up_logging("INFO")
        set_up_logging("INFO")
        assert [[type(item) for item in handler.filters] for handler in logging.root.handlers] == [[Masking]]
