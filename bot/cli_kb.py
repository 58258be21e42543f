"""`zorgbrug kb`: what content editors do from a terminal: check, stamp, publish, fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from bot.errors import BotError
from bot.settings import Settings
from knowledge.errors import KnowledgeError

if TYPE_CHECKING:
    from knowledge.fitting import Quality
    from knowledge.problems import Problem

kb_app = typer.Typer(help="The knowledge base: check, stamp, embed, publish, fit.", no_args_is_help=True)

Articles = Annotated[list[str] | None, typer.Argument(help="Ids of articles; without any, all that have no stamp yet.")]
Languages = Annotated[list[str] | None, typer.Option("--lang", help="Only this language; may be given more than once.")]
Ship = Annotated[bool, typer.Option("--ship", help="Write all vectors to data/vectors.npz too, for new machines.")]
Anyway = Annotated[bool, typer.Option("--anyway", help="Publish although the checks found problems.")]


class KnowledgeSettings(Settings):
    """The settings of the bot, and the encoder that the action server reads under the same name."""

    encoder: str = "bundled"


def _settings() -> KnowledgeSettings:
    return cast(KnowledgeSettings, KnowledgeSettings.load())


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except (KnowledgeError, BotError) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None


@kb_app.command()
def check() -> None:
    """Look for every problem in the content; exit 1 when there is one."""
    from knowledge.base import KnowledgeBase
    from knowledge.checks import check as find_problems

    with _clear_errors():
        knowledge = KnowledgeBase.load(_settings().data)
        problems = find_problems(knowledge, datetime.now(UTC).date())
    if problems:
        _show(problems)
        raise typer.Exit(1)
    texts = [text for article in knowledge.articles.values() for text in article.translations.values()]
    questions = sum(len(text.questions) for text in texts)
    typer.echo(
        f"All is well: {len(knowledge.articles)} articles, {len(texts)} texts, {questions} questions, "
        f"{len(knowledge.contacts)} contacts, {len(knowledge.facts)} yearly figures."
    )


@kb_app.command()
def stamp(articles: Articles = None, languages: Languages = None) -> None:
    """Mark translations as being of the present Dutch text."""
    from knowledge.stamping import stamp as stamp_translations

    with _clear_errors():
        changed = stamp_translations(_settings().data, articles or (), languages or ())
    typer.echo(f"Stamped {len(changed)} translations.")


@kb_app.command()
def overview(
    write: Annotated[Path | None, typer.Option("--write", help="Put it between the marks of this file.")] = None,
) -> None:
    """Show which languages and topics there are, as the README has it."""
    from knowledge.base import KnowledgeBase
    from knowledge.overview import counts, with_overview
    from knowledge.overview import overview as make_overview

    with _clear_errors():
        knowledge = KnowledgeBase.load(_settings().data)
        tables = make_overview(knowledge)
    if write is None:
        typer.echo(f"{counts(knowledge)}\n\n{tables}")
        return
    try:
        write.write_text(with_overview(write.read_text(encoding="utf-8"), tables), encoding="utf-8")
    except (OSError, ValueError) as problem:
        typer.echo(f"{write} was not changed: {problem}.", err=True)
        raise typer.Exit(1) from None


@kb_app.command()
def embed(ship: Ship = False) -> None:
    """Embed the questions that are new, with every core, so that publishing and training find them ready."""
    from knowledge.base import KnowledgeBase
    from knowledge.encoder import LazyEncoder
    from knowledge.publishing import embed_passages, searched_passages, ship_vectors

    with _clear_errors():
        settings = _settings()
        passages = searched_passages(KnowledgeBase.load(settings.data), settings.data)
        encoder = LazyEncoder(settings.encoder)
        embed_passages(passages, encoder, settings.data, settings.var / "snapshots", _progress())
        if ship:
            count = ship_vectors(encoder.name, settings.data, settings.var)
            typer.echo(f"{count} vectors go with the data now.")


@kb_app.command()
def publish(anyway: Anyway = False) -> None:
    """Build a snapshot and make it the one in use; running services take it over by themselves."""
    from knowledge.base import KnowledgeBase
    from knowledge.checks import check as find_problems
    from knowledge.encoder import LazyEncoder
    from knowledge.publishing import build_snapshot

    with _clear_errors():
        settings = _settings()
        knowledge = KnowledgeBase.load(settings.data)
        problems = find_problems(knowledge)
        if problems:
            _show(problems)
            if not anyway:
                typer.echo("Nothing was published. Mend these, or add --anyway.", err=True)
                raise typer.Exit(1)
        encoder = LazyEncoder(settings.encoder)
        made = build_snapshot(settings.data, settings.var / "snapshots", encoder, progress=_progress())
    if made.is_new:
        typer.echo(
            f"Published {made.folder.name}: {made.articles} articles, {made.passages} passages, {made.seconds:.0f} s."
        )
    else:
        typer.echo(f"Nothing has changed; {made.folder.name} stays in use.")


@kb_app.command()
def fit() -> None:
    """Fit the weights and thresholds of search and write data/retrieval.yml; some minutes."""
    from knowledge.encoder import LazyEncoder
    from knowledge.fitting_run import fit_and_measure

    with _clear_errors():
        settings = _settings()
        report = fit_and_measure(settings.data, settings.var / "snapshots", LazyEncoder(settings.encoder), _progress())
    typer.echo("Cross-validation over the questions of the articles:")
    _show_quality(report.cross_validated)
    typer.echo("Development questions (data/eval), whose thresholds these are:")
    _show_quality(report.development)
    typer.echo("Wrote data/retrieval.yml. Publish it with `zorgbrug kb publish`.")


def _show(problems: list[Problem]) -> None:
    for problem in problems:
        typer.echo(str(problem), err=True)
    typer.echo(f"{len(problems)} problem{'' if len(problems) == 1 else 's'}.", err=True)


def _show_quality(qualities: Mapping[str, Quality]) -> None:
    typer.echo(f"{'':5}{'n':>6}{'recall@1':>10}{'recall@3':>10}{'answered':>10}{'wrongly':>9}{'abstained':>11}")
    for lang, item in qualities.items():
        typer.echo(
            f"{lang:5}{item.questions:6}{item.recall_at_1:10.3f}{item.recall_at_3:10.3f}"
            f"{item.answered_right:10.3f}{item.answered_wrong:9.3f}{item.abstained_right:11.3f}"
        )


def _progress() -> Callable[[int, int], None]:
    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        tenth = 10 * done // total
        if tenth != shown:
            shown = tenth
            typer.echo(f"  embedded {done} of {total} passages", err=True)

    return show
