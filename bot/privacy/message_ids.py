"""How a service's own id of a message is stored: the id must be known again, and must not tell whose it was. Pure."""

from __future__ import annotations

import hashlib

# An id of WhatsApp (`wamid.…`) is base64, and the person's phone number stands in it. It also holds enough that nobody
# can guess, so a hash without a key will do.
CHANNELS_WHOSE_IDS_TELL = frozenset({"whatsapp"})


def stored_id(channel: str, message_id: str) -> str:
    """Return what is stored for the id of a message, at most 64 characters where it is not the id itself."""
    if channel not in CHANNELS_WHOSE_IDS_TELL:
        return message_id
    return hashlib.sha256(message_id.encode()).hexdigest()
