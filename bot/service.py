"""The whole service under one supervisor, for `zorgbrug up` and for commands that need it for a moment."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bot.settings import PREFIX, Settings
from bot.supervisor import ProcessSpec, Supervisor, SupervisorError, ensure_port_free

# What would lead a service of its own to the store or the processes of the real one.
ELSEWHERE_UNSET = {
    name: "" for name in ("database_url", "redis_url", "rasa_tracker_url", "rasa_url", "actions_url", "public_url")
}


class NotSetUp(SupervisorError):
    """Something that set-up makes is missing."""

    def __init__(self, what: str, command: str) -> None:
        super().__init__(f"There is no {what} yet. Run `{command}` first.")


def process_environment(settings: Settings) -> dict[str, str]:
    """Return what each process must know of the others, whichever of them it is."""
    secrets = settings.secrets
    return {
        # The encoder is quickest alone with two threads, but spends half as much again on the waiting of one for the
        # other: with people writing at the same time that is lost. See docs/measurements/service.md.
        "OMP_NUM_THREADS": "1",
        "ZORGBRUG_DATA": str(settings.data.resolve()),
        "ZORGBRUG_VAR": str(settings.var.resolve()),
        "ZORGBRUG_PORT": str(settings.port),
        "ZORGBRUG_RASA_PORT": str(settings.rasa_port),
        "ZORGBRUG_ACTIONS_PORT": str(settings.actions_port),
        "ZORGBRUG_RASA_TOKEN": secrets.rasa_token,
        "ZORGBRUG_INTERNAL_TOKEN": secrets.internal_token,
        "ZORGBRUG_BOT_URL": settings.bot_base_url,
        "ZORGBRUG_ACTIONS_URL": settings.actions_base_url,
        "ZORGBRUG_RASA_TRACKER_URL": settings.rasa_tracker_url,
        "ZORGBRUG_REDIS_URL": settings.redis_url,
    }


def share_settings(settings: Settings) -> None:
    """Put them into the environment of a process that was started by hand; what is set there already holds."""
    for name, value in process_environment(settings).items():
        os.environ.setdefault(name, value)


def process_specs(settings: Settings) -> list[ProcessSpec]:
    """Return the three processes in the order in which they start."""
    zorgbrug = str(Path(sys.executable).with_name("zorgbrug"))
    environment = process_environment(settings)
    rasa_status = f"{settings.rasa_base_urls[0]}/status?token={settings.secrets.rasa_token}"
    return [
        ProcessSpec("actions", [zorgbrug, "actions"], f"{settings.actions_base_url}/health", environment),
        ProcessSpec("rasa", [zorgbrug, "rasa"], rasa_status, environment),
        ProcessSpec("bot", [zorgbrug, "serve"], f"{settings.bot_base_url}/health", environment),
    ]


def ensure_startable(settings: Settings) -> None:
    """Raise SupervisorError when something is missing or a port is taken, before anything is started."""
    if not (settings.var / "models" / "zorgbrug.tar.gz").exists():
        raise NotSetUp("trained Rasa model", "make setup")
    if not (settings.var / "snapshots").exists():
        raise NotSetUp("published knowledge", "make setup")
    ensure_port_free("the web chat", settings.host, settings.port, "ZORGBRUG_PORT")
    ensure_port_free("Rasa", "127.0.0.1", settings.rasa_port, "ZORGBRUG_RASA_PORT")
    ensure_port_free("the action server", "127.0.0.1", settings.actions_port, "ZORGBRUG_ACTIONS_PORT")


async def run_service(settings: Settings, say: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        SupervisorError: The service could not start; nothing is left running.
    """
    ensure_startable(settings)
    supervisor = Supervisor(process_specs(settings), settings.var / "logs", say)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    say("Starting Zorgbrug (20 to 40 seconds) ...")
    starting = asyncio.create_task(supervisor.start())
    interrupted = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, interrupted}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        starting.result()
        say(
            f"\nThe web chat is on http://localhost:{settings.port}  (Ctrl-C stops it; logs in {settings.var / 'logs'})"
        )
        await supervisor.run_until(stop)
    else:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
    interrupted.cancel()
    say("Zorgbrug has stopped.")


@dataclass(frozen=True)
class RunningService:
    """A service that a command or a test started for itself."""

    url: str
    supervisor: Supervisor
    var: Path


@asynccontextmanager
async def temporary_service(
    settings: Settings, say: Callable[[str], None], environment: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[RunningService]:
    """Yield a service of its own: free ports, an empty store, no Telegram, the model and knowledge in use.

    Args:
        settings: Where data, model and knowledge are; nothing else of it counts.
        say: Told what starts and ends.
        environment: More settings for the processes, as environment variables.
    """
    with tempfile.TemporaryDirectory(prefix="zorgbrug-") as folder:
        var = Path(folder)
        for name in ("models", "snapshots"):
            if not (settings.var / name).exists():
                raise NotSetUp(name, "make setup")
            (var / name).symlink_to((settings.var / name).resolve())
        web, rasa, actions = free_ports(3)
        own = Settings.load(
            _env_file=None,
            data=settings.data,
            var=var,
            host="127.0.0.1",
            port=web,
            rasa_port=rasa,
            actions_port=actions,
            **ELSEWHERE_UNSET,
        )
        specs = process_specs(own)
        quiet = {
            "ZORGBRUG_TELEGRAM_TOKEN": "",
            "ZORGBRUG_MESSAGES_PER_MINUTE": "100000",
            "ZORGBRUG_OPENINGS_PER_MINUTE": "100000",
            "ZORGBRUG_HOST": own.host,
        }
        quiet |= {PREFIX + name.upper(): value for name, value in ELSEWHERE_UNSET.items() if name != "actions_url"}
        for spec in specs:
            spec.environment.update({**quiet, **environment})
        supervisor = Supervisor(specs, var / "logs", say)
        try:
            await supervisor.start()
            yield RunningService(f"http://127.0.0.1:{web}", supervisor, var)
        finally:
            await supervisor.stop()
            if os.environ.get("ZORGBRUG_KEEP_LOGS"):
                shutil.copytree(var / "logs", settings.var / "logs" / "temporary", dirs_exist_ok=True)


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on just now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for item in sockets:
            item.bind(("127.0.0.1", 0))
        return [int(item.getsockname()[1]) for item in sockets]
    finally:
        for item in sockets:
            item.close()
