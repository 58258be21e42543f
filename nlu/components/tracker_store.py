"""Rasa's SQL tracker store, with one more thing: it can forget a person."""

from typing import Any

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import FailSafeTrackerStore, InMemoryTrackerStore, SQLTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain


class ErasableTrackerStore(SQLTrackerStore):
    """Keeps conversations in SQL; SQLite overwrites what is deleted instead of leaving it in the file."""

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(domain=domain, host=host, event_broker=event_broker, **settings)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _set_up_sqlite)
            self.engine.dispose()  # connections made before know nothing of it

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


def _set_up_sqlite(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()
