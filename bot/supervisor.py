"""Start the processes of a service in order, restart what dies, and stop them together.

honcho starts processes but neither orders nor restarts them: see docs/decisions/0003-supervisor.md.
Each process gets a session of its own, so Ctrl-C reaches the supervisor alone and the processes end in reverse order.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

STOP_TIMEOUT_SECONDS = 10.0
RESTART_DELAYS_SECONDS = (0.2, 1.0, 2.0, 5.0, 10.0)
STABLE_AFTER_SECONDS = 60.0
MOST_ENDS_BEFORE_READY = 3
LARGEST_LOG_BYTES = 20 * 1024**2
LOG_ROUND_SECONDS = 600.0


class SupervisorError(Exception):
    """The service cannot start; the text says why and what to do."""


class PortTaken(SupervisorError):
    """Something already listens where a process of ours must."""

    def __init__(self, name: str, host: str, port: int, setting: str) -> None:
        super().__init__(
            f"Port {port} for {name} is taken: something already listens on {host}:{port}. Stop it, or choose "
            f"another port with {setting}, for example `{setting}={port + 1} make run`."
        )
        self.port = port


class ProcessNotReady(SupervisorError):
    """A process did not answer its health check in time, or ended again and again before it could."""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else ""
        super().__init__(f"{name} {reason}. The end of {log}:\n{last}")
        self.log = log


@dataclass(frozen=True)
class ProcessSpec:
    """What to run, and how to see that it is ready."""

    name: str
    command: Sequence[str]
    health_url: str
    environment: dict[str, str] = field(default_factory=dict)
    ready_timeout_seconds: float = 120.0


def ensure_port_free(name: str, host: str, port: int, setting: str) -> None:
    """Raise PortTaken when something already listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(name, host, port, setting) from error


class Supervisor:
    """Runs the processes until it is told to stop."""

    def __init__(self, specs: Sequence[ProcessSpec], log_dir: Path, say: Callable[[str], None]) -> None:
        self._specs = list(specs)
        self._log_dir = log_dir
        self._say = say
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._ends: Counter[str] = Counter()
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Start all in order and return when each has answered its health check.

        Raises:
            ProcessNotReady: One did not; all of them have been stopped again.
        """
        self._log_dir.mkdir(parents=True, exist_ok=True)
        self._keepers.append(asyncio.create_task(self._keep_logs_small()))
        for spec in self._specs:
            await self._spawn(spec)
            self._keepers.append(asyncio.create_task(self._keep(spec)))
        try:
            for spec in self._specs:
                seconds = await self._wait_ready(spec)
                self._say(f"  {spec.name} ready after {seconds:.0f} s")
        except BaseException:
            await self.stop()
            raise

    async def run_until(self, stop: asyncio.Event) -> None:
        """Keep the processes alive until `stop` is set, then end them."""
        await stop.wait()
        await self.stop()

    async def stop(self) -> None:
        """End the processes in reverse order: politely, then after a while by force."""
        self._stopping.set()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for spec in reversed(self._specs):
            process = self._running.get(spec.name)
            if process is None or process.returncode is not None:
                continue
            _signal_group(process.pid, signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_SECONDS)
            except TimeoutError:
                _signal_group(process.pid, signal.SIGKILL)
                await process.wait()

    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        return {name: process.pid for name, process in self._running.items()}

    async def _spawn(self, spec: ProcessSpec) -> None:
        log = (self._log_dir / f"{spec.name}.log").open("ab")
        try:
            self._running[spec.name] = await asyncio.create_subprocess_exec(
                *spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **spec.environment, "ZORGBRUG_SUPERVISOR_PID": str(os.getpid())},
                start_new_session=True,
            )
        finally:
            log.close()

    async def _keep(self, spec: ProcessSpec) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            code = await self._running[spec.name].wait()
            if time.monotonic() - started > STABLE_AFTER_SECONDS:
                failures = 0
            self._ends[spec.name] += 1
            delay = RESTART_DELAYS_SECONDS[min(failures, len(RESTART_DELAYS_SECONDS) - 1)]
            failures += 1
            self._say(f"  {spec.name} ended ({_describe(code)}); starting it again in {delay:g} s")
            await asyncio.sleep(delay)
            await self._spawn(spec)

    async def _keep_logs_small(self) -> None:
        while True:
            for log in self._log_dir.glob("*.log"):
                trim_log(log)
            await asyncio.sleep(LOG_ROUND_SECONDS)

    async def _wait_ready(self, spec: ProcessSpec) -> float:
        started = time.monotonic()
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            while True:
                try:
                    if (await client.get(spec.health_url)).status_code == 200:
                        return time.monotonic() - started
                except httpx.HTTPError:
                    pass
                log = self._log_dir / f"{spec.name}.log"
                if self._ends[spec.name] >= MOST_ENDS_BEFORE_READY:
                    raise ProcessNotReady(spec.name, f"ended {self._ends[spec.name]} times before it was ready", log)
                if time.monotonic() - started > spec.ready_timeout_seconds:
                    raise ProcessNotReady(spec.name, f"was not ready after {spec.ready_timeout_seconds:.0f} s", log)
                await asyncio.sleep(0.1)


def trim_log(log: Path, largest: int = LARGEST_LOG_BYTES) -> None:
    """Begin a log that has grown large anew and keep what was in it as `.log.1`, in the place of an older one.

    The process goes on writing into the same open file, so it is emptied; a line written just then may be lost.
    """
    if log.stat().st_size > largest:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def end_with_supervisor() -> None:
    """Let the kernel end this process when its supervisor dies, so a kill -9 leaves no orphans (Linux only)."""
    supervisor = os.environ.get("ZORGBRUG_SUPERVISOR_PID")
    if supervisor is None or not Path("/proc/self").exists():
        return
    import ctypes

    pr_set_pdeathsig = 1  # prctl(2)
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
    if os.getppid() != int(supervisor):  # it died before the line above took effect
        raise SystemExit(0)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
