"""Rasa's SQL tracker store, with two more things: it can forget a person, and it keeps a turn quick.

Rasa reads a conversation again, event by event, at every turn, several times. So a long one is cut as Rasa does after
an hour of silence: a new session begins, with the slots carried over. What was said stays in the bot's message store.
"""

import itertools
from typing import Any

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import (
    FailSafeTrackerStore,
    InMemoryTrackerStore,
    SQLTrackerStore,
    TrackerStore,
    create_engine_kwargs,
)
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

LONGEST_SESSION = 60  # events, about half a dozen turns


class ErasableTrackerStore(SQLTrackerStore):
    """Keeps conversations in SQL: SQLite, which overwrites what is deleted, or PostgreSQL, which several may share."""

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(domain=domain, host=host, event_broker=event_broker, **settings)
        if self.engine.dialect.name == "sqlite":
            self._connect_with(poolclass=sa.pool.QueuePool, connect_args={"check_same_thread": False})
            sa.event.listen(self.engine, "connect", _set_up_sqlite)
        else:
            self._connect_with(**_for_a_server(self.engine.url))

    def _connect_with(self, **kwargs: Any) -> None:
        self.engine.dispose()
        self.engine = sa.create_engine(self.engine.url, **kwargs)
        self.sessionmaker = sa.orm.session.sessionmaker(bind=self.engine)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store what is new, and begin a new session where the old one has become long."""
        await super().save(tracker)
        is_waiting = tracker.latest_action_name == ACTION_LISTEN_NAME and not tracker.active_loop_name
        if is_waiting and _session_length(tracker) > LONGEST_SESSION:
            values = [(slot.name, slot.value) for slot in tracker.slots.values() if slot.has_been_set]
            # The events of a session are those with a later time than its start, so the order counts.
            start: list[Event] = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted()]
            slots = [SlotSet(name, value) for name, value in values]
            for event in (*start, *slots, ActionExecuted(ACTION_LISTEN_NAME)):
                tracker.update(event)
            await super().save(tracker)

    def erase(self, sender_id: str) -> int:
        """Delete every event of a conversation and return how many there were."""
        with self.session_scope() as session:
            events = session.query(self.SQLEvent).filter(self.SQLEvent.sender_id == sender_id)
            count = int(events.delete(synchronize_session=False))
            session.commit()
            if count and self.engine.dialect.name == "sqlite":
                session.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return count


class ErasureNotPossible(RuntimeError):
    """The tracker store of endpoints.yml is not one of ours."""

    def __init__(self, store: TrackerStore) -> None:
        super().__init__(
            f"{type(store).__name__} cannot delete a conversation. In endpoints.yml, set the tracker_store's type to "
            "nlu.components.tracker_store.ErasableTrackerStore."
        )


def erase_conversation(store: TrackerStore, sender_id: str) -> int:
    """Delete a conversation from the store that Rasa's agent holds, and return how many events there were.

    Raises:
        ErasureNotPossible: The store does not know how.
    """
    if isinstance(store, FailSafeTrackerStore):
        # Its fallback holds what it could not write while the database was away.
        fallback = store._fallback_tracker_store
        if isinstance(fallback, InMemoryTrackerStore):
            fallback.store.pop(sender_id, None)
        store = store._tracker_store
    if not isinstance(store, ErasableTrackerStore):
        raise ErasureNotPossible(store)
    return store.erase(sender_id)


def _session_length(tracker: DialogueStateTracker) -> int:
    session = itertools.takewhile(lambda event: not isinstance(event, SessionStarted), reversed(tracker.events))
    return sum(1 for _ in session)


def _for_a_server(url: sa.engine.URL) -> dict[str, Any]:
    """Return settings that end every wait: Rasa waits for its database with its one thread."""
    limits = {"connect_timeout": 3, "tcp_user_timeout": 5000, "options": "-c statement_timeout=5000"}
    kwargs = create_engine_kwargs(url)
    limits["options"] = f"{kwargs.get('connect_args', {}).get('options', '')} {limits['options']}".strip()
    # A connection that died while idle is replaced unnoticed; Rasa would answer out of an empty memory instead.
    return {**kwargs, "pool_pre_ping": True, "connect_args": limits}


def _set_up_sqlite(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()
