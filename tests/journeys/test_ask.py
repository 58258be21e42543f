"""`zorgbrug ask --json` as an evaluator uses it, against the whole service."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.service import RunningService

pytestmark = [pytest.mark.rasa, pytest.mark.asyncio(loop_scope="session")]
ZORGBRUG = Path(sys.executable).with_name("zorgbrug")


async def ask(service: RunningService, *lines: dict[str, Any] | bytes) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        str(ZORGBRUG), "ask", "--json", "--base-url", service.url,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    raw = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    out, _ = await process.communicate(raw)
    return [json.loads(line) for line in out.decode().splitlines()]


@pytest.mark.parametrize(
    ("lang", "text", "article"),
    [
        ("nl", "hoe schrijf ik me in bij een huisarts?", "gp-register"),
        ("en", "how much is the own risk per year?", "insurance-deductible"),
        ("pl", "jak zapisać się do lekarza rodzinnego w Holandii?", "gp-register"),
        ("ro", "cum primesc bsn?", "bsn"),
        ("bg", "нямам застраховка, мога ли да отида на лекар?", "uninsured-care"),
    ],
)
async def test_a_question_gets_its_article_in_its_own_language(
    service: RunningService, lang: str, text: str, article: str
) -> None:
    (line,) = await ask(service, {"id": "q", "text": text})
    assert (line["kind"], line["article"], line["lang"]) == ("answer", article, lang)
    assert line["candidates"][0]["article"] == article
    assert line["reply"]
    assert set(line) == {"id", "kind", "article", "candidates", "lang", "reply", "buttons", "ms"}


async def test_a_red_flag_gets_the_emergency_answer(service: RunningService) -> None:
    (line,) = await ask(service, {"id": 1, "text": "mój mąż ma silny ból w klatce piersiowej i nie może oddychać"})
    assert (line["kind"], line["emergency"], line["lang"]) == ("emergency", "medical", "pl")
    assert "112" in line["reply"]


async def test_a_request_for_a_dose_gets_no_medical_content(service: RunningService) -> None:
    (line,) = await ask(service, {"id": 1, "text": "hoeveel paracetamol mag ik mijn kind geven?"})
    assert line["kind"] == "medical_advice"
    assert not any(unit in line["reply"] for unit in ("mg", "gram", "tablet"))


async def test_lines_with_one_conversation_share_it(service: RunningService) -> None:
    lines = [
        {"id": 1, "text": "ik wil met een mens praten", "conversation": "a"},
        {"id": 2, "text": "Breda", "conversation": "a"},
        {"id": 3, "text": "nee", "conversation": "a"},
    ]
    answers = await ask(service, *lines)
    assert [line["kind"] for line in answers] == ["handoff", "form", "handoff"]
    assert "Stadskantoor Breda" in answers[-1]["reply"]


async def test_a_line_that_cannot_be_read_says_so_and_the_next_one_is_answered(service: RunningService) -> None:
    answers = await ask(service, b'{"id": 1, "text"', b'{"id": 2, "text": "hall\xff\xfeo"}', {"id": 3, "text": ""})
    assert "Line 1" in answers[0]["error"]
    assert [line["id"] for line in answers[1:]] == [2, 3]
    assert all("kind" in line for line in answers[1:])


async def test_red_flags_are_answered_while_rasa_and_the_action_server_are_down(service: RunningService) -> None:
    pids = service.supervisor.pids()
    stopped = [pids["rasa"], pids["actions"]]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        (line,) = await ask(service, {"id": 1, "text": "she is unconscious and not breathing"})
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert (line["kind"], line["emergency"]) == ("emergency", "medical")
    assert line["ms"] < 2000
