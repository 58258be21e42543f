"""`zorgbrug kb` as an editor runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli_kb import kb_app
from tests.knowledge.conftest import PieceEncoder, change


class Terminal:
    """Runs `zorgbrug kb …` on a data folder of the test."""

    def __init__(self, data_dir: Path, var: Path) -> None:
        self.environment = {"ZORGBRUG_DATA": str(data_dir), "ZORGBRUG_VAR": str(var)}

    def run(self, *arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(kb_app, list(arguments), env=self.environment)
        return result.exit_code, result.output


@pytest.fixture
def terminal(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr("knowledge.encoder.LazyEncoder", lambda setting: PieceEncoder(name=setting))
    for path in data_dir.glob("kb/*/article.yml"):  # the example must not expire under the test
        change(path, "2027-11-23", "2999-11-23")
    return Terminal(data_dir, tmp_path / "var")


def test_a_clean_check_prints_what_was_counted(terminal: Terminal) -> None:
    code, output = terminal.run("check")
    assert (code, output) == (0, "All is well: 3 articles, 9 texts, 72 questions, 2 contacts, 3 yearly figures.\n")


def test_a_check_prints_all_problems_and_fails(terminal: Terminal, data_dir: Path) -> None:
    change(data_dir / "kb/dentist/pl.md", " (tandarts)", "")
    change(data_dir / "kb/gp-register/article.yml", "[helpline]", "[ghost]")
    code, output = terminal.run("check")
    assert code == 1
    assert "data/kb/dentist/pl.md:17: the Dutch term 'tandarts' is missing" in output
    assert "there is no contact ghost" in output
    assert output.endswith("2 problems.\n")


def test_a_malformed_article_is_told_without_a_traceback(terminal: Terminal, data_dir: Path) -> None:
    (data_dir / "kb/dentist/article.yml").write_text("id: [", encoding="utf-8")
    for command in ("check", "publish", "stamp", "fit"):
        code, output = terminal.run(command)
        assert code == 1
        assert "data/kb/dentist/article.yml:1:" in output
        assert "Traceback" not in output


def test_publishing_builds_once_and_says_so(terminal: Terminal) -> None:
    code, output = terminal.run("publish")
    assert code == 0
    assert "3 articles" in output
    code, output = terminal.run("publish")
    assert code == 0
    assert "Nothing has changed" in output


def test_publishing_refuses_content_with_problems_unless_told_otherwise(terminal: Terminal, data_dir: Path) -> None:
    change(data_dir / "kb/dentist/pl.md", " (tandarts)", "")
    code, output = terminal.run("publish")
    assert code == 1
    assert "Nothing was published" in output
    assert not list(Path(terminal.environment["ZORGBRUG_VAR"]).glob("snapshots/snapshot-*"))
    assert terminal.run("publish", "--anyway")[0] == 0


def test_stamping_counts_and_names_an_unknown_article(terminal: Terminal) -> None:
    assert terminal.run("stamp") == (0, "Stamped 6 translations.\n")
    assert terminal.run("stamp") == (0, "Stamped 0 translations.\n")
    code, output = terminal.run("stamp", "ghost")
    assert code == 1
    assert "There is no article 'ghost'" in output


def test_fitting_prints_the_quality_by_language(terminal: Terminal, data_dir: Path) -> None:
    code, output = terminal.run("fit")
    assert code == 0
    assert "recall@1" in output
    assert (data_dir / "retrieval.yml").exists()
