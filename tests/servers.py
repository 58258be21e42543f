"""Real servers for the tests, each private to one run: PostgreSQL and Redis on free loopback ports.

They keep their data in a temporary folder and end with the run. `Wire` stands between a test and a server, and can be
cut or frozen as a network can.
"""

from __future__ import annotations

import asyncio
import glob
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bot.service import free_ports

START_SECONDS = 30.0
OWNER = "zorgbrug"


def program(name: str) -> str:
    """Return where a program of the servers is; Debian keeps those of PostgreSQL off the PATH."""
    found = shutil.which(name) or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None)
    if found is None:
        raise AssertionError(f"There is no {name} here. Run `python scripts/bootstrap.py --for-tests`.")
    return found


class PostgresServer:
    """A PostgreSQL of this run alone; whoever asks gets an empty database."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._as_user = _unprivileged_user()
        self.port = free_ports(1)[0]
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        if self._as_user:
            shutil.chown(folder, self._as_user["user"], self._as_user["group"])
        command = [program("initdb"), "-D", str(self._data), "-U", OWNER, "--auth=trust", "-E", "UTF8", "--locale=C"]
        subprocess.run([*command, "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd="/", **self._as_user)

    def start(self) -> None:
        """Start it, again on the same port, and wait until it answers."""
        # Nothing here outlives the run, so it need not reach the disk.
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off",
            "full_page_writes": "off", "shared_buffers": "32MB", "max_connections": 200,
        }  # fmt: skip
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program("postgres"), "-D", str(self._data), *options],
                stdout=log, stderr=log, cwd="/", **self._as_user,
            )  # fmt: skip
        ready = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        _wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, self._process, self._log)

    def stop(self) -> None:
        """End it at once, as a machine does that fails; the next start recovers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=START_SECONDS)
            self._process = None

    def new_database(self, like: str = "template1") -> str:
        """Return the name of a new database."""
        name = f"test_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {like}")
        return name

    def url(self, database: str, driver: str = "asyncpg", port: int | None = None) -> str:
        """Return its address for SQLAlchemy."""
        return f"postgresql+{driver}://{OWNER}@127.0.0.1:{port or self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement from outside and return what it gives: a line a row, columns between bars."""
        command = [program("psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, "-d", database, "-qAtX"]
        done = subprocess.run(
            [*command, "-v", "ON_ERROR_STOP=1", "-c", statement], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()


class RedisServer:
    """A Redis of this run alone, which keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "server.log"
        self.port = free_ports(1)[0]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, again on the same port, and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program("redis-server"), *options, "--dir", str(self._folder)], stdout=log, stderr=log
            )
        _wait_until(lambda: _listens(self.port), self._process, self._log)

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=START_SECONDS)
            self._process = None


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Yield a PostgreSQL that lives as long as the block."""
    with tempfile.TemporaryDirectory(prefix="zorgbrug-postgres-") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Yield a Redis that lives as long as the block."""
    with tempfile.TemporaryDirectory(prefix="zorgbrug-redis-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


class Wire:
    """Passes bytes on to a server's port; while it is cut nothing gets through, while it is frozen nothing moves."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._moves = asyncio.Event()
        self._moves.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Wire:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def cut(self) -> None:
        """Close every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for end in list(self._ends):
            end.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        self._moves.set()
        await asyncio.sleep(0)

    async def mend(self) -> None:
        """Let connections through, again on the same port."""
        self._moves.set()
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def freeze(self) -> None:
        """Keep every byte until `thaw`, and leave the connections open."""
        self._moves.clear()

    def thaw(self) -> None:
        """Let the bytes go on."""
        self._moves.set()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        for source, sink in ((reader, to_server), (from_server, writer)):
            task = asyncio.create_task(self._pass_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        self._ends.add(sink)
        try:
            with suppress(OSError):
                while some := await source.read(65536):
                    await self._moves.wait()
                    sink.write(some)
                    await sink.drain()
        finally:
            self._ends.discard(sink)
            sink.close()


def _unprivileged_user() -> dict[str, Any]:
    """Return whom to run PostgreSQL as: it refuses to be root, and else we are somebody already."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _wait_until(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise AssertionError(f"The server did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
