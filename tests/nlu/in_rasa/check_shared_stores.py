"""Rasa's trackers in a PostgreSQL and its locks in a Redis, both of them given by tests/nlu/test_shared_stores.py."""
# ruff: noqa: PT027 - there is no pytest in the Rasa environment

import asyncio
import os
import unittest

import redis
import sqlalchemy as sa
from rasa.core.lock_store import LockError, LockStore
from rasa.core.tracker_store import FailSafeTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SlotSet, UserUttered
from rasa.utils.endpoints import read_endpoint_config

from nlu.components.lock_store import PREFIX, SharedLockStore
from nlu.components.tracker_store import LONGEST_SESSION, ErasableTrackerStore, erase_conversation

DOMAIN = Domain.load(["data/domain"])
ENDPOINTS = "endpoints-scale.yml"


class TrackerStoreTest(unittest.TestCase):
    def setUp(self) -> None:
        self.store = self.of_another_server()

    def of_another_server(self) -> ErasableTrackerStore:
        """Return a store as Rasa makes it from our endpoints file."""
        made = TrackerStore.create(read_endpoint_config(ENDPOINTS, "tracker_store"), DOMAIN)
        store = made._tracker_store if isinstance(made, FailSafeTrackerStore) else made
        assert isinstance(store, ErasableTrackerStore)
        self.addCleanup(store.engine.dispose)
        return store

    def talk(self, sender: str, turns: int) -> None:
        tracker = asyncio.run(self.store.get_or_create_tracker(sender))
        for number in range(turns):
            tracker.update(UserUttered(f"secret {number}", {"name": "faq", "confidence": 1.0}))
            tracker.update(SlotSet("place", "Breda"))
            tracker.update(ActionExecuted("action_listen"))
        asyncio.run(self.store.save(tracker))

    def test_what_one_server_stored_the_other_knows_and_erases(self) -> None:
        self.talk("one", 3)
        self.talk("two", 1)
        other = self.of_another_server()
        assert asyncio.run(other.retrieve("one")).get_slot("place") == "Breda"
        assert erase_conversation(FailSafeTrackerStore(other), "one") > 3
        assert asyncio.run(self.store.retrieve("one")) is None
        assert asyncio.run(self.store.retrieve("two")) is not None

    def test_a_long_conversation_goes_on_in_a_new_session_with_its_slots(self) -> None:
        self.talk("long", LONGEST_SESSION)
        tracker = asyncio.run(self.of_another_server().retrieve("long"))
        assert len(tracker.events) < 20
        assert tracker.get_slot("place") == "Breda"

    def test_a_connection_that_the_database_has_ended_is_replaced_unnoticed(self) -> None:
        self.talk("broken", 1)
        other = self.of_another_server()
        with other.engine.connect() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
            )
        assert asyncio.run(self.store.retrieve("broken")).get_slot("place") == "Breda"


class LockStoreTest(unittest.TestCase):
    def setUp(self) -> None:
        self.stores = [LockStore.create(read_endpoint_config(ENDPOINTS, "lock_store")) for _ in range(2)]
        assert all(isinstance(store, SharedLockStore) for store in self.stores)

    def test_two_servers_have_one_turn_of_a_conversation_at_a_time(self) -> None:
        turns: list[str] = []

        async def turn(store: LockStore, name: str) -> None:
            async with store.lock("c1", wait_time_in_seconds=0.02):
                turns.append(f"{name} begins")
                await asyncio.sleep(0.1)
                turns.append(f"{name} ends")

        async def both() -> None:
            await asyncio.gather(*(turn(store, name) for store, name in zip(self.stores, ("a", "b"), strict=True)))

        asyncio.run(both())
        assert sorted(turns[:2]) != ["a begins", "b begins"], turns
        assert len(turns) == 4
        assert redis.StrictRedis.from_url(os.environ["ZORGBRUG_REDIS_URL"]).keys(f"{PREFIX}*") == []

    def test_what_a_server_that_died_has_left_goes_by_itself(self) -> None:
        self.stores[0].issue_ticket("c2", lock_lifetime=0.2)
        client = redis.StrictRedis.from_url(os.environ["ZORGBRUG_REDIS_URL"])
        assert 0 < client.ttl(f"{PREFIX}c2") <= 120

        async def turn() -> None:
            async with self.stores[1].lock("c2", wait_time_in_seconds=0.1):
                pass

        asyncio.run(asyncio.wait_for(turn(), 5))

    def test_without_redis_a_turn_is_refused_and_one_that_is_done_stays_done(self) -> None:
        store = self.stores[0]

        async def turn(*, is_cut_off: bool) -> None:
            async with store.lock("c3"):
                if is_cut_off:
                    store.red = redis.StrictRedis(port=1, socket_connect_timeout=1)

        asyncio.run(turn(is_cut_off=True))
        with self.assertRaises(LockError):
            asyncio.run(turn(is_cut_off=False))


if __name__ == "__main__":
    unittest.main()
