"""Set-up: what a machine may lack gets one clear sentence, and a failure changes nothing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "scripts" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "LOGS", tmp_path)
    return module


def test_an_interpreter_counts_only_if_it_really_runs(bootstrap: ModuleType, tmp_path: Path) -> None:
    shim = tmp_path / "python3.10"
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.10: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert not bootstrap.runs_as([str(shim)], ("3.10",))
    assert bootstrap.runs_as([sys.executable], (version,))
    assert not bootstrap.runs_as([sys.executable], ("2.7",))


def test_a_missing_interpreter_is_named_with_what_to_install(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "candidates", lambda versions: ["/nowhere/python"])
    monkeypatch.setattr(bootstrap, "from_uv", lambda version: None)
    with pytest.raises(bootstrap.SetupFailed, match=r"No working Python 3\.10 for Rasa.*pyenv install 3\.10"):
        bootstrap.find_python(("3.10",), "Rasa")


def test_a_full_disk_is_refused_before_anything_is_written(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "NEEDED_BYTES", 10**18)
    with pytest.raises(bootstrap.SetupFailed, match=r"GB free in .* need about"):
        bootstrap.check_disk()


def test_a_failed_installation_brings_back_the_environment_that_was_in_use(
    bootstrap: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "inputs.txt").write_text("1")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    environment = bootstrap.Environment(".env-x", (version,), "a test", (), ("--no-index", "no-such-package-anywhere"))
    environment.inputs = [tmp_path / "inputs.txt"]
    environment.folder = tmp_path / ".env-x"
    environment.folder.mkdir()
    (environment.folder / "in-use").write_text("yes")
    with pytest.raises(bootstrap.SetupFailed, match="no-such-package-anywhere"):
        environment.build()
    assert (environment.folder / "in-use").read_text() == "yes"
    assert not (tmp_path / ".env-x.previous").exists()


def test_an_environment_without_the_stamp_of_its_inputs_is_not_current(bootstrap: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "inputs.txt").write_text("1")
    environment = bootstrap.Environment(".env-y", ("3.11",), "a test", (), ())
    environment.inputs = [tmp_path / "inputs.txt"]
    environment.folder = tmp_path / ".env-y"
    (environment.folder / "bin").mkdir(parents=True)
    (environment.folder / "bin" / "python").symlink_to(sys.executable)
    assert not environment.is_current()


def test_what_the_tests_lack_is_named_with_its_packages_where_it_may_not_be_installed(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"chromium"}
    monkeypatch.setattr(bootstrap.shutil, "which", lambda command: "/usr/bin/x" if command in there else None)
    monkeypatch.setattr(bootstrap.glob, "glob", lambda pattern: [])
    with pytest.raises(bootstrap.SetupFailed, match=r"PostgreSQL and Redis.*apt-get install postgresql redis-server`"):
        bootstrap.ensure_test_programs()


def test_the_programs_of_postgresql_are_found_where_debian_keeps_them(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda command: None if command == "initdb" else "/usr/bin/x")
    monkeypatch.setattr(bootstrap.glob, "glob", lambda pattern: [pattern.replace("*", "15")])
    bootstrap.ensure_test_programs()
