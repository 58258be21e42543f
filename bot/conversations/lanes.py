"""Work that must keep its order within one conversation and may run beside that of others."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from bot.store.leases import Leases, NoLeases

logger = logging.getLogger(__name__)

# While another process works on the conversation it takes up most of what comes; what came as it ended is tried again.
TRIES = 10
TRY_AGAIN_SECONDS = 0.1


class Lanes:
    """One lane a conversation: `wake` it and its work runs, once more if it was woken meanwhile.

    `work` does all that is due for the conversation and returns. What it raises is logged; a later wake tries again.
    """

    def __init__(
        self, name: str, work: Callable[[str], Awaitable[None]], most_at_once: int, leases: Leases | None = None
    ) -> None:
        self._name = name
        self._work = work
        self._leases = leases or NoLeases()
        self._places = asyncio.Semaphore(most_at_once)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    @property
    def is_full(self) -> bool:
        """Whether another conversation would have to wait."""
        return self._places.locked()

    def wake(self, conversation: str) -> None:
        """Have the conversation's work done soon."""
        if conversation in self._lanes:
            self._again.add(conversation)
        else:
            self._lanes[conversation] = asyncio.create_task(self._run(conversation), name=f"{self._name}-lane")

    async def stop(self) -> None:
        """Break off; whatever was not finished is still in the store."""
        tasks = list(self._lanes.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, conversation: str) -> None:
        try:
            while True:
                self._again.discard(conversation)
                await self._work_in_turn(conversation)
                if conversation not in self._again:
                    break
        except Exception as error:
            # Only the type: the text of an exception may quote what a person wrote.
            logger.error("lane_failed", extra={"lane": self._name, "error": type(error).__name__})
        finally:
            self._again.discard(conversation)
            del self._lanes[conversation]

    async def _work_in_turn(self, conversation: str) -> None:
        """Do the work once it is ours; after a while it is left to the next round."""
        for _ in range(TRIES):
            async with self._places, self._leases.held(f"{self._name}:{conversation}") as is_ours:
                if is_ours:
                    await self._work(conversation)
                    return
            await asyncio.sleep(TRY_AGAIN_SECONDS * random.uniform(0.5, 1.5))
