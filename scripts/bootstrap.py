"""Make the two Python environments, then train and publish. Needs nothing but some Python 3.8 or newer.

A stamp inside each environment holds the digest of what it was built from: an environment without the right stamp
is made again, and the one it replaces stays until the new one is whole.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple, Sequence

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "var" / "logs"
STAMP = ".zorgbrug-stamp"
GIB = 1024**3
NEEDED_BYTES = 7 * GIB  # both environments together take about 5 GiB, pip's unpacking the rest
PROBE = "import sys, ensurepip, sqlite3, ssl; print('%d.%d' % sys.version_info[:2])"


class SetupFailed(Exception):
    """Set-up cannot go on; the text says what is wrong and what to do."""


def runs_as(command: Sequence[str], versions: Sequence[str]) -> bool:
    """Say whether the command starts a complete Python of one of the versions.

    A pyenv shim may be on the PATH and still fail, so only a run counts.
    """
    try:
        done = subprocess.run([*list(command), "-c", PROBE], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() in versions


def candidates(versions: Sequence[str]) -> list[str]:
    """Return interpreters worth a try: the PATH, then pyenv's folder, then what uv knows."""
    found = [path for path in (shutil.which("python" + version) for version in versions) if path]
    generic = shutil.which("python3")
    if generic:
        found.append(generic)
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
    for version in versions:
        found += [str(path) for path in sorted(pyenv.glob(version + ".*/bin/python"), reverse=True)]
    return found


def from_uv(version: str) -> str | None:
    """Let uv, where it is installed, find or download an interpreter."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    subprocess.run([uv, "python", "install", version], capture_output=True, check=False)
    done = subprocess.run([uv, "python", "find", version], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def find_python(versions: Sequence[str], purpose: str) -> str:
    """Return an interpreter of one of the versions, the first that really runs.

    Raises:
        SetupFailed: None is there; the text says what to install.
    """
    for path in candidates(versions):
        if runs_as([path], versions):
            return path
    path_from_uv = from_uv(versions[0])
    if path_from_uv and runs_as([path_from_uv], versions):
        return path_from_uv
    raise SetupFailed(
        "No working Python {0} for {1}. Install it (for example `pyenv install {0}`, `uv python install {0}`, or your "
        "system's package with its venv module) and run this again.".format(versions[0], purpose)
    )


def digest(paths: Sequence[Path], extra: str) -> str:
    """Return one digest over the files' contents and a text."""
    total = hashlib.sha256(extra.encode())
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()


class Environment:
    """One virtual environment and what it is made from."""

    def __init__(
        self, name: str, versions: Sequence[str], purpose: str, inputs: Sequence[str], pip: Sequence[str]
    ) -> None:
        self.folder = ROOT / name
        self.versions = versions
        self.purpose = purpose
        self.inputs = [ROOT / item for item in inputs]
        self.pip = list(pip)

    def is_current(self) -> bool:
        stamp = self.folder / STAMP
        python = self.folder / "bin" / "python"
        return (
            stamp.exists()
            and stamp.read_text() == digest(self.inputs, str(ROOT))
            and runs_as([str(python)], self.versions)
        )

    def build(self) -> None:
        """Make the environment anew; the one in use comes back when that fails."""
        previous = self.folder.with_name(self.folder.name + ".previous")
        if not previous.exists() and self.folder.exists():
            self.folder.rename(previous)
        shutil.rmtree(str(self.folder), ignore_errors=True)
        try:
            self.install()
        except BaseException:
            shutil.rmtree(str(self.folder), ignore_errors=True)
            if previous.exists():
                previous.rename(self.folder)
            raise
        shutil.rmtree(str(previous), ignore_errors=True)

    def install(self) -> None:
        """Fill an empty folder; the stamp is written last."""
        python = find_python(self.versions, self.purpose)
        log = LOGS / f"setup{self.folder.name}.log"
        pip = [str(self.folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
        with log.open("w") as out:
            steps = (
                [python, "-m", "venv", str(self.folder)],
                [*pip, "pip<26", "setuptools<81", "wheel"],
                pip + self.pip,
            )
            for step in steps:
                if subprocess.run(step, cwd=str(ROOT), stdout=out, stderr=subprocess.STDOUT).returncode:
                    raise SetupFailed(
                        f"Could not make {self.folder.name}. The end of {log.relative_to(ROOT)}:\n{tail(log)}"
                    )
        (self.folder / STAMP).write_text(digest(self.inputs, str(ROOT)))


def tail(path: Path, lines: int = 12) -> str:
    """Return the last lines of a log."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


ENVIRONMENTS = (
    Environment(
        ".venv",
        ("3.11", "3.12", "3.13"),
        "Zorgbrug itself",
        ("pyproject.toml", "constraints.txt"),
        ("-c", "constraints.txt", "-e", ".[dev]"),
    ),
    Environment(
        ".venv-rasa",
        ("3.10",),
        "Rasa, which runs on nothing newer",
        ("nlu/requirements.txt", "nlu/constraints.txt"),
        ("-c", "nlu/constraints.txt", "-r", "nlu/requirements.txt"),
    ),
)


def check_disk() -> None:
    """Refuse before anything is written when the disk is too full."""
    free = shutil.disk_usage(str(ROOT)).free
    if free < NEEDED_BYTES:
        raise SetupFailed(
            f"Only {free / GIB:.1f} GB free in {ROOT}; the environments need about {NEEDED_BYTES / GIB:.0f} GB. "
            "Free some space and run this again."
        )


def build_all(outdated: Sequence[Environment]) -> None:
    """Build side by side, since both mostly wait for downloads; say every 15 seconds that it goes on."""
    failures = []  # type: List[Tuple[Environment, Exception]]

    def work(environment: Environment) -> None:
        try:
            environment.build()
        except (SetupFailed, OSError) as problem:
            failures.append((environment, problem))

    threads = {environment.folder.name: threading.Thread(target=work, args=(environment,)) for environment in outdated}
    started = time.monotonic()
    for thread in threads.values():
        thread.start()
    while any(thread.is_alive() for thread in threads.values()):
        for thread in threads.values():
            thread.join(timeout=15 / len(threads))
        busy = [name for name, thread in threads.items() if thread.is_alive()]
        if busy:
            say(
                "  {} still installing, {:.0f} s (details in var/logs/)".format(
                    " and ".join(busy), time.monotonic() - started
                )
            )
    for _, problem in failures:
        raise SetupFailed(str(problem))


def say(text: str) -> None:
    print(text, flush=True)


def prepare_data() -> None:
    """Train Rasa and publish the knowledge where their inputs changed; the commands decide that themselves.

    Embedding keeps all cores busy and serves both; after it they run side by side, each on one core.
    """
    zorgbrug = str(ROOT / ".venv" / "bin" / "zorgbrug")
    environment = dict(os.environ, RASA_TELEMETRY_ENABLED="false")
    for commands in ((["kb", "embed"],), (["kb", "publish"], ["train"])):
        running = [subprocess.Popen([zorgbrug, *command], cwd=str(ROOT), env=environment) for command in commands]
        codes = [process.wait() for process in running]
        for command, code in zip(commands, codes):
            if code:
                raise SetupFailed(
                    f"`zorgbrug {' '.join(command)}` failed; its message is above. Nothing that was in use has changed."
                )


class Program(NamedTuple):
    """A program that only the tests need, and the Debian packages that bring it."""

    name: str
    command: str
    packages: Sequence[str]

    def is_there(self) -> bool:
        # Debian keeps the programs of each PostgreSQL version in a folder of its own, off the PATH.
        return bool(shutil.which(self.command) or glob.glob("/usr/lib/postgresql/*/bin/" + self.command))


TEST_PROGRAMS = (
    Program("Chromium", "chromium", ("chromium", "fonts-noto-core")),
    Program("PostgreSQL", "initdb", ("postgresql",)),
    Program("Redis", "redis-server", ("redis-server",)),
)


def ensure_test_programs() -> None:
    """The tests drive a real browser and real servers, which they start for themselves; install them where we may."""
    missing = [program for program in TEST_PROGRAMS if not program.is_there()]
    if not missing:
        return
    names = " and ".join(program.name for program in missing)
    packages = [package for program in missing for package in program.packages]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise SetupFailed(
            f"The tests need {names}. Install it (Debian: `sudo apt-get install {' '.join(packages)}`) and run this "
            "again."
        )
    say(f"Installing {names} for the tests ...")
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "setup-test-programs.log"
    with log.open("w") as out:
        for step in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *packages]):
            environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
            if subprocess.run(step, stdout=out, stderr=subprocess.STDOUT, env=environment).returncode:
                raise SetupFailed(f"Could not install {names}. The last lines of {log.relative_to(ROOT)}:\n{tail(log)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--for-tests", action="store_true", help="also install what only the tests need")
    options = parser.parse_args()
    try:
        LOGS.mkdir(parents=True, exist_ok=True)
        outdated = [environment for environment in ENVIRONMENTS if not environment.is_current()]
        if outdated:
            check_disk()
            for environment in outdated:
                find_python(environment.versions, environment.purpose)
            say("Installing {} (3 to 6 minutes, once) ...".format(" and ".join(item.folder.name for item in outdated)))
            build_all(outdated)
        if options.for_tests:
            ensure_test_programs()
        prepare_data()
    except SetupFailed as problem:
        print(f"Set-up stopped: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "Set-up interrupted. Run the same command again: it goes on from the last finished step.", file=sys.stderr
        )
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
