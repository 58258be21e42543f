"""Each process is killed in turn while messages come in; nothing is lost and nothing is answered twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import uuid

import httpx
import pytest

from bot.service import RunningService

pytestmark = [pytest.mark.rasa, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]
TEXTS = (
    "hoe schrijf ik me in bij een huisarts",
    "wat is eigen risico",
    "waar krijg ik een bsn",
    "kan ik zorgtoeslag krijgen",
)


async def post(client: httpx.AsyncClient, headers: dict[str, str], identifier: str, text: str) -> None:
    """Send until it is taken, as the page does: with the same id."""
    async with asyncio.timeout(60):
        while True:
            try:
                answer = await client.post("/api/messages", json={"id": identifier, "text": text}, headers=headers)
                if answer.status_code == 202:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("victim", ["bot", "actions", "rasa"])
async def test_killing_a_process_loses_no_message_and_answers_each_once(service: RunningService, victim: str) -> None:
    async with httpx.AsyncClient(base_url=service.url, timeout=10.0, trust_env=False) as client:
        token = (await client.post("/api/conversations", json={"lang": "nl"})).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        identifiers = [str(uuid.uuid4()) for _ in TEXTS]
        for index, (identifier, text) in enumerate(zip(identifiers, TEXTS, strict=True)):
            await post(client, headers, identifier, text)
            if index == 1:
                os.kill(service.supervisor.pids()[victim], signal.SIGKILL)
        await post(client, headers, identifiers[0], TEXTS[0])
        answers = await wait_for_answers(service, identifiers)
    assert answers == {identifier: 1 for identifier in identifiers}


async def wait_for_answers(service: RunningService, identifiers: list[str]) -> dict[str, int]:
    """Return how many answers each message has, once each has one or a minute and a half is over."""
    query = (
        "select inbox.external_id, count(*) from outbox join inbox on inbox.id = outbox.inbox_id "
        "where outbox.status = 'done' and json_extract(outbox.reply, '$.kind') = 'answer' group by inbox.external_id"
    )
    found: dict[str, int] = {}
    for _ in range(180):
        with sqlite3.connect(service.var / "zorgbrug.db") as store:
            counted = {name.rsplit(":", 1)[-1]: count for name, count in store.execute(query)}
            found = {name: counted[name] for name in identifiers if name in counted}
        if len(found) == len(identifiers):
            break
        await asyncio.sleep(0.5)
    return found
