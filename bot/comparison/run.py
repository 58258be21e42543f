"""One run of `zorgbrug eval --compare`: ask everybody the same, and write docs/evaluation.md."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.asking import Asker
from bot.comparison import rivals
from bot.comparison.detectors import SETS, detectors, measure, read_texts
from bot.comparison.figures import (
    Interval,
    Outcome,
    answered_wrongly,
    by_language,
    calibration_error,
    mean_over_languages,
    share,
)
from bot.comparison.plots import draw
from bot.evaluation import ask_all
from knowledge.base import KnowledgeBase
from knowledge.encoder import load_encoder
from knowledge.fitting import Question
from knowledge.passages import answers_of
from knowledge.publishing import embed_passages, searched_passages
from nlu.languages import LanguageIdentifier

OURS = "ours"
COMMAND = "zorgbrug eval --compare"


async def ask_ours(asker: Asker, questions: Sequence[Question]) -> list[Outcome]:
    """Ask the running service, the whole way of a chat message."""
    answers = await ask_all(asker, [question.text for question in questions])
    return [
        Outcome(
            question,
            str(answer.get("kind", "error")),
            tuple((item["article"], item["score"]) for item in answer.get("candidates", ())),
        )
        for question, answer in zip(questions, answers, strict=True)
    ]


def ask_rivals(
    questions: Sequence[Question],
    data_dir: Path,
    snapshots: Path,
    rasa_python: Path,
    root: Path,
    say: Callable[[str], None],
) -> dict[str, list[Outcome]]:
    """Return what each rival makes of the questions; without the Rasa bot when it does not train."""
    knowledge = KnowledgeBase.load(data_dir)
    passages = [*searched_passages(knowledge, data_dir), *answers_of(knowledge.articles.values())]
    encoder = load_encoder()
    say("Embedding what the encoder alone searches ...")
    vectors = embed_passages(passages, encoder, data_dir, snapshots)
    texts = [number for number, passage in enumerate(passages) if passage.kind in ("title", "answer")]
    every = [number for number, passage in enumerate(passages) if passage.kind != "negative"]
    found: dict[str, list[Outcome]] = {}
    for name, rows in (("encoder alone, articles", texts), ("encoder alone, articles and questions", every)):
        found[name] = rivals.encoder_alone(questions, [passages[row] for row in rows], vectors[rows], encoder)
    found["BM25"] = rivals.bm25(questions, [passages[row] for row in every])
    say("Training a plain Rasa bot (DIET and ResponseSelector), some minutes ...")
    try:
        found["Rasa (DIET, ResponseSelector)"] = rivals.rasa_bot(questions, passages, rasa_python, root)
    except rivals.RivalFailed as problem:
        say(f"{problem} The report goes without it.")
    return found


def write_report(results: Mapping[str, Mapping[str, Sequence[Outcome]]], data_dir: Path, target: Path) -> str:
    """Write docs/evaluation.md with its plots, and return its text.

    Args:
        results: The outcomes of everybody by set of questions; the plots are of the last set.
        data_dir: Where the texts for the language identifier are.
        target: The file to write; plots go to a folder beside it.
    """
    lines = [
        "# How well questions are understood",
        "",
        f"Made by `{COMMAND}` on {datetime.now(UTC):%d %B %Y}; do not edit by hand. The questions are those of",
        "`data/eval`, never trained on. The development questions were written by those who write the articles, and",
        "thresholds were chosen with them. The independent ones were written by others, who had seen neither the",
        "articles nor any other question of ours, and nothing was chosen with them: they tell what to expect. In",
        "brackets: 95% bootstrap intervals.",
        "",
    ]
    for name, of_set in results.items():
        lines += [
            f"## The right article: {name} questions",
            "",
            *_article_table(of_set),
            "",
            *_language_table(of_set),
            "",
        ]
    lines += [*_detector_tables(data_dir), "", f"## Plots ({name} questions)", ""]
    for name, shows in draw(of_set, OURS, target.with_suffix("")):
        lines += [f"{shows}:", "", f"![{shows}]({target.stem}/{name})", ""]
    text = "\n".join(lines)
    target.write_text(text, encoding="utf-8")
    return text


def _article_table(results: Mapping[str, Sequence[Outcome]]) -> list[str]:
    first = next(iter(results.values()))
    inside, outside = sum(item.article is not None for item in first), sum(item.article is None for item in first)
    rows = [
        f"{inside} questions in scope, {outside} out of scope.",
        "",
        "| who | recall@1 | recall@3 | answered wrongly | abstained in scope | answered out of scope | calibration |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, outcomes in results.items():
        at_1, at_3 = (mean_over_languages(by_language(outcomes, k)) for k in (1, 3))
        has_scores = name == OURS or name.startswith("Rasa")
        error = f"{calibration_error(outcomes):.3f}" if has_scores else "no probabilities"
        rows.append(
            f"| {name} | {at_1} | {at_3} | {answered_wrongly(outcomes):.3f} | {share(outcomes, 'abstain', True):.3f} "
            f"| {share(outcomes, 'answer', False):.3f} | {error} |"
        )
    return rows


def _language_table(results: Mapping[str, Sequence[Outcome]]) -> list[str]:
    languages = list(by_language(results[OURS], 1))
    rows = ["Recall@1 by language:", "", f"| who | {' | '.join(languages)} |", "| --- |" + " --- |" * len(languages)]
    for name, outcomes in results.items():
        found = by_language(outcomes, 1)
        cells = [f"{sum(found[lang]) / len(found[lang]):.3f}" for lang in languages]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    at_3 = by_language(results[OURS], 3)
    cells = [f"{sum(at_3[lang]) / len(at_3[lang]):.3f}" for lang in languages]
    return [*rows, f"| ours, recall@3 | {' | '.join(cells)} |"]


def _detector_tables(data_dir: Path) -> list[str]:
    texts = read_texts(data_dir)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    identifier = LanguageIdentifier.from_data(data_dir)
    took, grown = time.perf_counter() - started, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    rows = [
        "## The language of a message",
        "",
        "| who | sentences | two words | single words |",
        "| --- | --- | --- | --- |",
    ]
    found: dict[str, list[tuple[Interval, dict[str, float]]]] = {
        name: [measure(detect, texts[part]) for part in SETS] for name, detect in detectors(identifier).items()
    }
    for name, figures in found.items():
        rows.append(f"| {name} | {' | '.join(str(interval) for interval, _ in figures)} |")
    rows += ["", f"Ours by language (made in {took:.1f} s; this process grew by {grown:.0f} MB):", ""]
    languages = list(texts["sentences"])
    rows += [f"| texts | {' | '.join(languages)} |", "| --- |" + " --- |" * len(languages)]
    for part, (_, shares) in zip(SETS, found[OURS], strict=True):
        rows.append(
            f"| {part.replace('_', ' ')} | {' | '.join(f'{shares.get(lang, 0.0):.3f}' for lang in languages)} |"
        )
    return rows
