"""Rasa's locks in a Redis that several Rasa servers share, so that a conversation has one turn at a time.

The bot already sends one message of a conversation at a time; a lock matters where one Rasa server is still busy with
a message that the bot has given up and sent to another.
"""

import logging

import redis
from rasa.core.lock import TicketLock
from rasa.core.lock_store import LockError, RedisLockStore
from rasa.utils.endpoints import EndpointConfig

logger = logging.getLogger(__name__)

PREFIX = "zorgbrug:lock:"
ANSWER_SECONDS = 2.0
# Longer than any ticket in it; what a server that died has left goes by itself, and names nobody for ever.
KEPT_SECONDS = 120


class SharedLockStore(RedisLockStore):
    """A `RedisLockStore` that takes an address as a whole, and forgets."""

    def __init__(self, endpoint_config: EndpointConfig) -> None:
        self.red = redis.StrictRedis.from_url(
            endpoint_config.url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        )
        self.key_prefix = PREFIX

    def get_lock(self, conversation_id: str) -> TicketLock | None:
        """Return the lock of a conversation.

        Raises:
            LockError: Redis is away.
        """
        try:
            return super().get_lock(conversation_id)
        except redis.RedisError as error:
            raise LockError(f"Redis does not answer ({type(error).__name__}).") from error

    def save_lock(self, lock: TicketLock) -> None:
        """Store it, for a while."""
        self.red.set(self.key_prefix + lock.conversation_id, lock.dumps(), ex=KEPT_SECONDS)

    def cleanup(self, conversation_id: str, ticket_number: int) -> None:
        """Give the lock back. The turn is done, so if Redis is away just now the ticket is left to end by itself."""
        try:
            super().cleanup(conversation_id, ticket_number)
        except (LockError, redis.RedisError) as error:
            logger.warning("A lock could not be given back: %s", type(error).__name__)
