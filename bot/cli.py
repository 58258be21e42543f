"""The command `zorgbrug`: everything an operator, editor or developer does from a terminal.

Heavy imports stand inside the commands, so that `--help` and the small ones answer at once.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bot.cli_kb import kb_app
from bot.cli_privacy import privacy_app
from bot.cli_user import user_app
from bot.errors import BotError
from bot.settings import Settings
from bot.supervisor import SupervisorError, end_with_supervisor
from bot.training import TrainingFailed
from bot.web_client import ServiceUnreachable
from knowledge.errors import KnowledgeError
from nlu.datafiles import DataFileError

T = TypeVar("T")

app = typer.Typer(help="Zorgbrug: helps migrants in the Netherlands find their way to care.", no_args_is_help=True)
app.add_typer(kb_app, name="kb")
app.add_typer(user_app, name="user")
app.add_typer(privacy_app, name="privacy")

BaseUrl = Annotated[
    str | None, typer.Option(help="A running service; without it the command starts one and stops it again.")
]


@contextmanager
def clear_errors() -> Iterator[None]:
    """Show an error of ours as its sentence, without a traceback."""
    try:
        yield
    except (BotError, SupervisorError, TrainingFailed, ServiceUnreachable, KnowledgeError, DataFileError) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None


def say(text: str) -> None:
    """Tell the person at the terminal how far things are; standard output stays for results."""
    typer.echo(text, err=True)


@app.command()
def up() -> None:
    """Run the whole service until Ctrl-C."""
    from bot.service import run_service

    with clear_errors():
        asyncio.run(run_service(Settings.load(), say))


@app.command()
def serve() -> None:
    """Run the bot alone: channels, web chat, message store."""
    import uvicorn

    from bot.app import create_app

    end_with_supervisor()
    with clear_errors():
        settings = Settings.load()
        application = create_app(settings)
        uvicorn.run(
            application,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=3,  # open event streams would keep it waiting for ever
        )


@app.command()
def rasa() -> None:
    """Run the Rasa server alone."""
    from bot.service import share_settings
    from bot.training import exec_rasa

    end_with_supervisor()
    with clear_errors():
        settings = Settings.load()
        share_settings(settings)
        exec_rasa(
            settings.var,
            settings.rasa_port,
            settings.secrets.rasa_token,
            settings.rasa_host,
            settings.rasa_endpoints,
        )


@app.command()
def actions() -> None:
    """Run the action server alone."""
    from actions.server import run
    from bot.service import share_settings

    end_with_supervisor()
    with clear_errors():
        share_settings(Settings.load())
        run()


@app.command()
def train(force: Annotated[bool, typer.Option(help="Train even if nothing has changed.")] = False) -> None:
    """Train Rasa if what it learns from has changed."""
    from bot.training import train as train_rasa

    with clear_errors():
        settings = Settings.load()
        say("Training Rasa if needed (up to 2 minutes) ...")
        trained = train_rasa(settings.data, settings.var, force)
        say("Rasa is trained." if trained else "Rasa was trained on exactly this already.")


@app.command()
def ask(
    json_lines: Annotated[
        bool, typer.Option("--json", help="JSON lines in on standard input, JSON lines out.")
    ] = False,
    text: Annotated[str | None, typer.Argument(help="One question, instead of --json.")] = None,
    base_url: BaseUrl = None,
) -> None:
    """Ask questions the way a person in the chat does."""
    from bot.asking import Question, ask_lines, render
    from bot.web_client import connect

    if json_lines == (text is not None):
        raise typer.BadParameter('Give one question, or --json with lines {"id", "text"} on standard input.')
    lines = [Question(text=text).model_dump_json()] if text is not None else _decoded_lines()

    async def work(url: str) -> bool:
        failed = False
        async with connect(url) as client:
            async for line in ask_lines(client, lines):
                failed |= "error" in line
                if json_lines:
                    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
                    sys.stdout.flush()
                else:
                    typer.echo(line.get("error") or render({**line, "text": line["reply"]}))
        return failed

    if _with_service(base_url, work):
        raise typer.Exit(1)


@app.command()
def chat(base_url: BaseUrl = None) -> None:
    """Chat on the terminal; a number taps the button of that number, Ctrl-D ends."""
    from bot.asking import chat as converse
    from bot.web_client import connect

    def read() -> str | None:
        try:
            return input("> ").strip()
        except EOFError:
            return None

    async def work(url: str) -> None:
        async with connect(url) as client:
            await converse(client, read, lambda reply: typer.echo(f"\n{reply}\n"))

    _with_service(base_url, work)


@app.command()
def lang(json_lines: Annotated[bool, typer.Option("--json", help="JSON lines in, JSON lines out.")] = False) -> None:
    """Say in which language each line of standard input is; the identifier alone, no service."""
    from pydantic import ValidationError

    from bot.asking import Question
    from nlu.languages import LanguageIdentifier

    with clear_errors():
        identifier = LanguageIdentifier.from_data(Settings.load().data)
    failed = False
    for number, line in enumerate(_decoded_lines(), start=1):
        if not line.strip():
            continue
        if not json_lines:
            typer.echo(identifier.identify(line.strip()).lang)
            continue
        try:
            question = Question.model_validate_json(line)
        except ValidationError as error:
            failed = True
            result: dict[str, object] = {
                "id": None,
                "error": f'Line {number} is not {{"id", "text"}} as JSON: {error.errors()[0]["msg"]}',
            }
        else:
            guess = identifier.identify(question.text, question.lang)
            result = {"id": question.id, "lang": guess.lang, "confidence": round(guess.confidence, 4)}
        typer.echo(json.dumps(result, ensure_ascii=False))
    if failed:
        raise typer.Exit(1)


@app.command()
def eval(
    base_url: BaseUrl = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the figures to this file.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Measure what one would pick instead as well.")] = False,
    errors: Annotated[bool, typer.Option("--errors", help="Show each wrong answer and what it was near to.")] = False,
) -> None:
    """Measure over data/eval: articles found, language, red flags, abstention, per language."""
    if compare or errors:
        _with_service(base_url, lambda url: _compare(url, show_errors=errors))
        return
    from bot.evaluation import evaluate, load_sets, render_table
    from bot.web_client import connect

    with clear_errors():
        settings = Settings.load()
    sets = load_sets(settings.data)

    async def work(url: str) -> None:
        async with connect(url) as client:
            report = await evaluate(client, sets, settings.data, say)
        typer.echo(render_table(report))
        if json_file:
            json_file.write_text(json.dumps(report, ensure_ascii=False, indent=2), encoding="utf-8")

    _with_service(base_url, work)


async def _compare(url: str, *, show_errors: bool) -> None:
    """Show the wrong answers to the development questions, or measure all and the rivals: docs/evaluation.md."""
    from bot.asking import Asker
    from bot.comparison.errors import render_errors
    from bot.comparison.run import OURS, ask_ours, ask_rivals, write_report
    from bot.training import RASA_PYTHON, ROOT
    from bot.web_client import connect
    from knowledge.fitting import DEVELOPMENT, INDEPENDENT, read_questions

    settings = Settings.load()
    snapshots = settings.var / "snapshots"
    development, independent = (read_questions(settings.data, name) for name in (DEVELOPMENT, INDEPENDENT))
    questions = development if show_errors else [*development, *independent]
    async with connect(url) as client:
        asker = Asker(client)
        say(f"Asking {len(questions)} questions ...")
        ours = await ask_ours(asker, questions)
        await asker.close()
    if show_errors:
        for line in render_errors(ours, settings.data, snapshots):
            typer.echo(line)
        return
    others = ask_rivals(questions, settings.data, snapshots, RASA_PYTHON, ROOT, say)
    everybody = {OURS: ours, **others}
    results = {
        "development": {name: outcomes[: len(development)] for name, outcomes in everybody.items()},
        "independent": {name: outcomes[len(development) :] for name, outcomes in everybody.items()},
    }
    typer.echo(write_report(results, settings.data, ROOT / "docs" / "evaluation.md"))


@app.command()
def doctor() -> None:
    """Say what is configured, reachable and expired."""
    from bot.doctor import examine

    with clear_errors():
        findings = asyncio.run(examine(Settings.load()))
    for finding in findings:
        typer.echo(f"{finding.mark}  {finding.what}: {finding.says}")
    if any(finding.is_problem for finding in findings):
        raise typer.Exit(1)


def _decoded_lines() -> Iterator[str]:
    """Yield lines of standard input; broken UTF-8 becomes the replacement character, so one bad line harms no other."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace")


def _with_service(base_url: str | None, work: Callable[[str], Awaitable[T]]) -> T:
    """Run `work(url)` against a running service, or one that lives just as long."""
    from bot.service import temporary_service

    async def run() -> T:
        if base_url:
            return await work(base_url)
        say("Starting a service for this command ...")
        async with temporary_service(Settings.load(), lambda _: None) as running:
            return await work(running.url)

    with clear_errors():
        return asyncio.run(run())
