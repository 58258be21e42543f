"""Measure the whole way of a message over the development questions of `data/eval/`.

Sets: `questions/<lang>.yml` (text and the article that answers it, or null when nothing should, and `also` for a second
that would be as right), `redflags/<lang>.yml` (positives with their kind, hard negatives), `language/<lang>.yml`
(sentences and two-word messages, one a line), `dialogues/<lang>.yml` (turns with the kind of reply that is right). None
is trained on. `questions_independent` and `redflags_independent` are the same by people who had seen neither the
articles, nor the word lists, nor the other sets; nothing was fitted on them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from bot.asking import Asker, Question
from nlu.languages import LanguageIdentifier

AT_ONCE = 2
Figures = dict[str, float | int]


@dataclass(frozen=True)
class EvaluationSets:
    """The development sets by language."""

    questions: dict[str, list[dict[str, Any]]]
    redflags: dict[str, dict[str, list[Any]]]
    language: dict[str, dict[str, str]]
    dialogues: dict[str, list[dict[str, Any]]]
    questions_independent: dict[str, list[dict[str, Any]]]
    redflags_independent: dict[str, dict[str, list[Any]]]


def load_sets(data_dir: Path) -> EvaluationSets:
    """Read the sets; a language without a file is simply not measured."""
    return EvaluationSets(
        *(
            _by_language(data_dir / "eval" / name)
            for name in (
                "questions",
                "redflags",
                "language",
                "dialogues",
                "questions_independent",
                "redflags_independent",
            )
        )
    )


def recall_at_k(ranks: Iterable[int | None], k: int) -> float:
    """Return the share of questions whose article is among the first k; rank 1 is best, None is not found.

    Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval (2008), 8.4.
    """
    found = [rank is not None and rank <= k for rank in ranks]
    return sum(found) / len(found) if found else 0.0


def mean_reciprocal_rank(ranks: Iterable[int | None]) -> float:
    """Return the mean of 1/rank, an article that was not found counting 0.

    Source: Voorhees, The TREC-8 Question Answering Track Report (1999).
    """
    values = [1 / rank if rank else 0.0 for rank in ranks]
    return sum(values) / len(values) if values else 0.0


async def evaluate(
    client: httpx.AsyncClient, sets: EvaluationSets, data_dir: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Return the figures of every language, and each miss with what came instead."""
    asker = Asker(client)
    identifier = LanguageIdentifier.from_data(data_dir)
    report: dict[str, Any] = {"languages": {}, "misses": []}
    for lang in sorted(sets.questions | sets.redflags):
        say(f"Measuring {lang} ...")
        figures: Figures = {}
        figures |= await _questions(asker, lang, sets.questions.get(lang, []), report["misses"])
        figures |= await _redflags(asker, lang, sets.redflags.get(lang, {}), report["misses"])
        independent = await _questions(asker, lang, sets.questions_independent.get(lang, []), report["misses"])
        independent |= await _redflags(asker, lang, sets.redflags_independent.get(lang, {}), report["misses"])
        figures |= {f"independent_{name}": value for name, value in independent.items()}
        figures |= _language(identifier, lang, sets.language.get(lang, {}), report["misses"])
        figures |= await _dialogues(asker, lang, sets.dialogues.get(lang, []), report["misses"])
        report["languages"][lang] = figures
    await asker.close()
    return report


async def _questions(asker: Asker, lang: str, items: list[dict[str, Any]], misses: list[dict[str, Any]]) -> Figures:
    answers = await ask_all(asker, [item["text"] for item in items])
    inside = [(item, answer) for item, answer in zip(items, answers, strict=True) if item["article"]]
    outside = [(item, answer) for item, answer in zip(items, answers, strict=True) if not item["article"]]
    ranks = [_rank(_right(item), answer) for item, answer in inside]
    for (item, answer), rank in zip(inside, ranks, strict=True):
        if rank != 1:
            misses.append(_miss("article", lang, item["text"], item["article"], answer))
    for item, answer in outside:
        if answer.get("kind") == "answer":
            misses.append(_miss("out of scope", lang, item["text"], None, answer))
    wrong = [
        item for item, answer in inside if answer.get("kind") == "answer" and answer.get("article") not in _right(item)
    ]
    times = sorted(answer["ms"] for answer in answers if "ms" in answer)
    return {
        "questions": len(inside),
        "recall_at_1": recall_at_k(ranks, 1),
        "recall_at_3": recall_at_k(ranks, 3),
        "mrr": mean_reciprocal_rank(ranks),
        "answered_wrongly": _share(len(wrong), len(inside)),
        "abstained_in_scope": _share(sum(answer.get("kind") == "abstain" for _, answer in inside), len(inside)),
        "answered_out_of_scope": _share(sum(answer.get("kind") == "answer" for _, answer in outside), len(outside)),
        "reply_in_language": _share(sum(answer.get("lang") == lang for _, answer in inside), len(inside)),
        "median_ms": times[len(times) // 2] if times else 0.0,
    }


async def _redflags(asker: Asker, lang: str, items: dict[str, list[Any]], misses: list[dict[str, Any]]) -> Figures:
    positives, negatives = items.get("positives", []), items.get("negatives", [])
    raised = await ask_all(asker, [item["text"] for item in positives])
    quiet = await ask_all(asker, [item["text"] for item in negatives])
    caught = [answer.get("emergency") is not None for answer in raised]
    alarms = [answer.get("emergency") is not None for answer in quiet]
    right_kind = [answer.get("emergency") == item["kind"] for item, answer in zip(positives, raised, strict=True)]
    for item, answer, is_caught in zip(positives, raised, caught, strict=True):
        if not is_caught:
            misses.append(_miss("red flag", lang, item["text"], item["kind"], answer))
    for item, answer, is_alarm in zip(negatives, quiet, alarms, strict=True):
        if is_alarm:
            misses.append(_miss("false alarm", lang, item["text"], None, answer))
    return {
        "redflag_recall": _share(sum(caught), len(caught)),
        "redflag_right_kind": _share(sum(right_kind), len(right_kind)),
        "redflag_false_alarms": _share(sum(alarms), len(alarms)),
    }


def _language(
    identifier: LanguageIdentifier, lang: str, items: dict[str, str], misses: list[dict[str, Any]]
) -> Figures:
    figures: Figures = {}
    for name in ("sentences", "two_words"):
        texts = items.get(name, "").splitlines()
        guesses = [identifier.identify(text).lang for text in texts]
        figures[f"language_{name}"] = _share(sum(guess == lang for guess in guesses), len(guesses))
        for text, guess in zip(texts, guesses, strict=True):
            if guess != lang:
                misses.append({"what": "language", "lang": lang, "text": text, "wanted": lang, "got": guess})
    return figures


async def _dialogues(asker: Asker, lang: str, items: list[dict[str, Any]], misses: list[dict[str, Any]]) -> Figures:
    right, turns = 0, 0
    for dialogue in items:
        for turn in dialogue["turns"]:
            answer = await asker.ask(Question(text=turn["text"], conversation=f"eval-{lang}-{dialogue['id']}"))
            is_right = answer.get("kind") == turn["kind"] and turn.get("article") in (None, answer.get("article"))
            right, turns = right + is_right, turns + 1
            if not is_right:
                misses.append(_miss(f"dialogue {dialogue['id']}", lang, turn["text"], turn["kind"], answer))
    return {"dialogue_turns_right": _share(right, turns)}


async def ask_all(asker: Asker, texts: list[str]) -> list[dict[str, Any]]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(text: str) -> dict[str, Any]:
        async with gate:
            return await asker.ask(Question(text=text))

    return await asyncio.gather(*(one(text) for text in texts))


def _right(item: dict[str, Any]) -> set[str]:
    return {item[name] for name in ("article", "also") if item.get(name)}


def _rank(right: set[str], answer: dict[str, Any]) -> int | None:
    names = [candidate["article"] for candidate in answer.get("candidates", ())]
    return next((rank for rank, name in enumerate(names, 1) if name in right), None)


def _miss(what: str, lang: str, text: str, wanted: str | None, answer: dict[str, Any]) -> dict[str, Any]:
    got = answer.get("error") or f"{answer['kind']} {[candidate['article'] for candidate in answer['candidates'][:3]]}"
    return {"what": what, "lang": lang, "text": text, "wanted": wanted, "got": got}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def render_table(report: dict[str, Any]) -> str:
    """Return the figures as a table, a column a language."""
    languages = list(report["languages"])
    names = list(dict.fromkeys(name for figures in report["languages"].values() for name in figures))
    width = max(len(name) for name in names)
    lines = [" " * width + "".join(f"{lang:>9}" for lang in languages)]
    for name in names:
        cells = [report["languages"][lang].get(name, 0) for lang in languages]
        shown = [
            f"{cell:>9}" if isinstance(cell, int) else f"{cell:>9.1f}" if name.endswith("_ms") else f"{cell:>9.3f}"
            for cell in cells
        ]
        lines.append(f"{name:<{width}}" + "".join(shown))
    return "\n".join(lines)


def _by_language(folder: Path) -> dict[str, Any]:
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yml"))}
