"""What the actions answer from: the published snapshot, the texts and the retriever, loaded at first use.

The snapshot may change while we serve: every call asks the reader, which swaps it whole.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property

from actions.settings import ActionSettings
from knowledge.base import KnowledgeBase
from knowledge.encoder import Encoder
from knowledge.locales import Locales
from knowledge.models import Contact, Status
from knowledge.replies import Button, article_buttons
from knowledge.retriever import Decision, Embedding, Retriever
from knowledge.snapshots import Snapshot, SnapshotReader

NATIONAL_WIN_POINT = "workinnl"


class Library:
    """Articles, contacts, texts and search for the actions."""

    def __init__(self, settings: ActionSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._retriever: tuple[Snapshot, Retriever] | None = None

    @cached_property
    def locales(self) -> Locales:
        """The texts of the assistant."""
        return Locales.load(self._settings.data)

    @property
    def knowledge(self) -> KnowledgeBase:
        """The articles and contacts that are published now."""
        return self._snapshot().knowledge

    @property
    def languages(self) -> Mapping[str, str]:
        """The served languages: code to own name."""
        knowledge = self.knowledge
        return {code: knowledge.languages[code].own_name for code in knowledge.served_languages}

    @property
    def least_status(self) -> Status:
        """The least status of a text that may be shown."""
        return self._settings.served_status

    def search(
        self, text: str, lang: str, priors: Mapping[str, float] | None = None, embedding: Embedding | None = None
    ) -> Decision:
        """Return what the retriever decides; blocking (about 15 ms), so call it from a thread."""
        with self._lock:
            snapshot = self._snapshot()
            if self._retriever is None or self._retriever[0] is not snapshot:
                self._retriever = (snapshot, Retriever(snapshot, self._encoder))
            retriever = self._retriever[1]
        return retriever.search(text, lang, priors, embedding)

    def article_buttons(self, articles: Iterable[str], lang: str, today: date, most: int = 3) -> tuple[Button, ...]:
        """Return buttons for articles that may be shown today."""
        return article_buttons(self.knowledge, articles, lang, today, most)

    def win_point(self, municipality: str | None) -> Contact:
        """Return the WIN-punt that serves a municipality, else the national site."""
        knowledge = self.knowledge
        for contact in knowledge.contacts.values():
            if contact.kind == "win-point" and municipality is not None and municipality in contact.municipalities:
                return contact
        return knowledge.contact(NATIONAL_WIN_POINT)

    def warm_up(self) -> None:
        """Load snapshot and encoder before the first person asks."""
        self.search("huisarts", "nl")

    @cached_property
    def _reader(self) -> SnapshotReader:
        # A snapshot that another encoder made is refused, and the one in use stays.
        return SnapshotReader(self._settings.var / "snapshots", self._encoder.name)

    def _snapshot(self) -> Snapshot:
        return self._reader.current()

    @cached_property
    def _encoder(self) -> Encoder:
        from knowledge.encoder import load_encoder

        return load_encoder(self._settings.encoder)
