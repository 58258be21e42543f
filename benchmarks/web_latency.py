"""How long a text answer takes through the web channel, and what the processes weigh. One question at a time.

    .venv/bin/python benchmarks/web_latency.py [--base-url http://127.0.0.1:8080] [--count 200]

Without --base-url it starts a service of its own. Times are from sending the message to the reply on the event stream.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import time
from pathlib import Path

import yaml

from bot.service import temporary_service
from bot.settings import Settings
from bot.web_client import WebConversation, connect

ROOT = Path(__file__).resolve().parents[1]
MESSAGES_PER_CONVERSATION = 10


def questions() -> list[str]:
    """Return the development questions of all languages, languages mixed."""
    sets = [
        yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "data/eval/questions").glob("*.yml"))
    ]
    return [item["text"] for row in zip(*sets, strict=False) for item in row]


async def measure(url: str, count: int) -> list[float]:
    """Return the milliseconds of each answer."""
    times = []
    texts = (questions() * (count // len(questions()) + 1))[:count]
    async with connect(url) as client:
        for start in range(0, count, MESSAGES_PER_CONVERSATION):
            conversation = WebConversation(client)
            await conversation.open()
            for text in texts[start : start + MESSAGES_PER_CONVERSATION]:
                began = time.perf_counter()
                await conversation.send(30.0, text=text)
                times.append((time.perf_counter() - began) * 1000)
            await conversation.close()
    return times


def resident_megabytes(pid: int) -> float:
    """Return the proportional memory (PSS) of a process and its children, in MB; shared pages count once."""
    total = 0.0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError):
            session = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[3])
            if session == pid:
                rollup = (folder / "smaps_rollup").read_text()
                total += int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1]) / 1024
    return total


def show(times: list[float]) -> None:
    """Print the distribution."""
    ordered = sorted(times)
    p95 = ordered[int(len(ordered) * 0.95) - 1]
    print(f"answers {len(times)}  median {statistics.median(times):.0f} ms  p95 {p95:.0f} ms  max {ordered[-1]:.0f} ms")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-url")
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    if options.base_url:
        show(await measure(options.base_url, options.count))
        return
    began = time.perf_counter()
    async with temporary_service(Settings.load(_env_file=None), print) as running:
        print(f"service ready after {time.perf_counter() - began:.0f} s")
        await measure(running.url, 20)
        show(await measure(running.url, options.count))
        weights = {name: resident_megabytes(pid) for name, pid in running.supervisor.pids().items()}
        print(
            "memory (PSS) " + "  ".join(f"{name} {mb:.0f} MB" for name, mb in weights.items()),
            f" total {sum(weights.values()):.0f} MB",
        )


if __name__ == "__main__":
    asyncio.run(main())
