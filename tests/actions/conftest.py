"""A library of the shipped content whose search decides what a test says, and a tracker that says what was said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import ReplyAction
from actions.handoff import HandoffAnswer, HandoffRequest, HandoffUnavailable
from actions.library import Library
from actions.settings import ActionSettings
from knowledge.base import KnowledgeBase
from knowledge.replies import Reply
from knowledge.retriever import Decision, Embedding

DATA = Path(__file__).resolve().parents[2] / "data"
KNOWLEDGE = KnowledgeBase.load(DATA)


class ToldLibrary(Library):
    """Finds what it is told to find."""

    def __init__(self) -> None:
        super().__init__(ActionSettings(data=DATA, var=DATA))
        self.decision = Decision(kind="abstain", candidates=())

    @property
    def knowledge(self) -> KnowledgeBase:
        return KNOWLEDGE

    def search(
        self, text: str, lang: str, priors: Mapping[str, float] | None = None, embedding: Embedding | None = None
    ) -> Decision:
        return self.decision


class ListHandoff:
    """Keeps the requests; refuses them when it is told to."""

    def __init__(self) -> None:
        self.requests: list[HandoffRequest] = []
        self.is_down = False
        self.opens_at: datetime | None = None

    async def request(self, request: HandoffRequest) -> HandoffAnswer:
        if self.is_down:
            raise HandoffUnavailable("down")
        self.requests.append(request)
        return HandoffAnswer(id="1", desk="WIN-punt", opens_at=self.opens_at)


@pytest.fixture
def library() -> ToldLibrary:
    return ToldLibrary()


@pytest.fixture
def handoff() -> ListHandoff:
    return ListHandoff()


def make_tracker(
    text: str = "",
    intent: str = "faq",
    lang: str = "pl",
    slots: Mapping[str, Any] | None = None,
    entities: Mapping[str, str] | None = None,
    loop: str | None = None,
) -> Tracker:
    message = {
        "text": text,
        "intent": {"name": intent, "confidence": 0.9},
        "entities": [{"entity": name, "value": value} for name, value in (entities or {}).items()],
        "metadata": {"lang": lang, "now": "2026-11-23T09:00:00Z"},
        "message_id": "m1",
    }
    active = {"name": loop} if loop else {}
    return Tracker("c1", dict(slots or {}), message, [], False, None, active, "action_listen")


async def run(action: ReplyAction, tracker: Tracker) -> tuple[Reply, dict[str, Any]]:
    """Return the one reply of an action and the slots that it set."""
    dispatcher = CollectingDispatcher()
    events = await action.run(dispatcher, tracker, {})
    (message,) = dispatcher.messages
    return Reply.model_validate(message["custom"]), {event["name"]: event["value"] for event in events}
