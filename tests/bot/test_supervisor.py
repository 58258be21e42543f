"""The supervisor against real small processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

from bot.service import free_ports
from bot.supervisor import PortTaken, ProcessNotReady, ProcessSpec, Supervisor, ensure_port_free, trim_log

SERVER = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


def web_server(name: str, port: int) -> ProcessSpec:
    return ProcessSpec(
        name, [sys.executable, "-c", SERVER, str(port)], f"http://127.0.0.1:{port}/", ready_timeout_seconds=15
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def answers(port: int, within_seconds: float = 10.0) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(int(within_seconds / 0.1)):
            try:
                return (await client.get(f"http://127.0.0.1:{port}/")).status_code == 200
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
    return False


async def test_a_process_that_is_killed_is_started_again(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    supervisor = Supervisor([web_server("web", port)], tmp_path, lambda _: None)
    await supervisor.start()
    try:
        first = supervisor.pids()["web"]
        os.kill(first, signal.SIGKILL)
        await asyncio.sleep(0.5)
        assert await answers(port)
        assert supervisor.pids()["web"] != first
    finally:
        await supervisor.stop()


async def test_stopping_ends_every_process(tmp_path: Path) -> None:
    ports = free_ports(2)
    supervisor = Supervisor([web_server(f"web{port}", port) for port in ports], tmp_path, lambda _: None)
    await supervisor.start()
    pids = list(supervisor.pids().values())
    await supervisor.stop()
    assert not any(is_alive(pid) for pid in pids)


async def test_a_process_that_never_gets_ready_stops_the_start_and_leaves_nothing_running(tmp_path: Path) -> None:
    good, bad = free_ports(2)
    deaf = ProcessSpec(
        "deaf", [sys.executable, "-c", "import time; print('still loading', flush=True); time.sleep(60)"],
        f"http://127.0.0.1:{bad}/", ready_timeout_seconds=1.0,
    )  # fmt: skip
    supervisor = Supervisor([web_server("web", good), deaf], tmp_path, lambda _: None)
    with pytest.raises(ProcessNotReady, match="still loading"):
        await supervisor.start()
    assert not any(is_alive(pid) for pid in supervisor.pids().values())


async def test_a_process_that_keeps_ending_stops_the_start_with_its_last_words(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-c", "raise SystemExit('data/x.yml: no such word')"]
    broken = ProcessSpec("broken", command, f"http://127.0.0.1:{port}/", ready_timeout_seconds=60.0)
    with pytest.raises(ProcessNotReady, match=r"broken ended 3 times before it was ready(.|\n)*no such word"):
        await Supervisor([broken], tmp_path, lambda _: None).start()


def test_a_taken_port_is_named_with_the_setting_that_changes_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} for the web chat is taken.*ZORGBRUG_PORT"):
            ensure_port_free("the web chat", "127.0.0.1", port, "ZORGBRUG_PORT")


def test_a_log_that_has_grown_large_begins_anew_and_the_process_goes_on_writing(tmp_path: Path) -> None:
    log = tmp_path / "bot.log"
    with log.open("ab", buffering=0) as written_by_the_process:
        written_by_the_process.write(b"0123456789")
        trim_log(log, largest=10)
        assert log.read_bytes() == b"0123456789"
        written_by_the_process.write(b"!")
        trim_log(log, largest=10)
        written_by_the_process.write(b"new")
    assert log.read_bytes() == b"new"
    assert (tmp_path / "bot.log.1").read_bytes() == b"0123456789!"
