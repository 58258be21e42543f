"""What a channel is: it hands messages in, and carries replies out.

A channel turns whatever its service sends into an `IncomingMessage` and gives it to the `Intake`. Once `accept` has
returned, the message is safe: it is stored, and the channel may acknowledge it to its service. Replies come back
through `deliver`, one at a time and in order for each conversation. A channel never talks to Rasa or to the store.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Annotated, Literal, Protocol

from fastapi import APIRouter
from pydantic import BaseModel, Field

from knowledge.replies import Reply


class Text(BaseModel, frozen=True):
    """Something the person typed, exactly as it came; cleaning is the core's work."""

    kind: Literal["text"] = "text"
    text: str


class Payload(BaseModel, frozen=True):
    """A tapped button or a menu entry: one of the payloads in docs/developers.md, or `start` for a first hello."""

    kind: Literal["payload"] = "payload"
    payload: str


class Location(BaseModel, frozen=True):
    """A shared position, in degrees (WGS 84). It is turned into a municipality and then forgotten."""

    kind: Literal["location"] = "location"
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class Photo(BaseModel, frozen=True):
    """A picture. Only its id is here: `Channel.fetch` brings the bytes, to the one who may look at it."""

    kind: Literal["photo"] = "photo"
    media_type: str
    file_id: str


# What the console has a name for (`entry.unsupported.*`); `unknown` is what WhatsApp does not pass on.
Unreadable = Literal["contact", "document", "form", "order", "sticker", "unknown", "video", "voice"]


class Unsupported(BaseModel, frozen=True):
    """Something we cannot read yet, such as a sticker or a voice message; nothing of it is kept."""

    kind: Literal["unsupported"] = "unsupported"
    what: Unreadable


Content = Annotated[Text | Payload | Location | Photo | Unsupported, Field(discriminator="kind")]


class IncomingMessage(BaseModel, frozen=True):
    """One thing a person sent.

    Attributes:
        channel: The channel's `name`.
        address: Where a reply goes, in the channel's own terms (a chat id); one address is one conversation.
        external_id: The service's own id of this message. The same id again is a repeat and is dropped.
        content: What was sent.
        lang_hint: Language of the person's app, if the service tells; only a first guess.
        sent_at: Instant of sending, UTC.
    """

    channel: str
    address: str
    external_id: str = Field(min_length=1, max_length=128)
    content: Content
    lang_hint: str | None = None
    sent_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Receipt(BaseModel, frozen=True):
    """What became of an incoming message: stored under `inbox_id`, or recognised as a repeat; and its language.

    `case` is the open case of the conversation, if the staff have one.
    """

    conversation: str
    inbox_id: int
    is_duplicate: bool
    lang: str | None = None
    case: int | None = None


class OutgoingMessage(BaseModel, frozen=True):
    """One reply on its way to a person.

    Attributes:
        id: Outbox id: the same reply keeps it over every attempt; thumbs are `thumb:up:<id>`, `thumb:down:<id>`.
        conversation: Our id of the conversation.
        address: Where it goes, as the channel gave it in `IncomingMessage.address`.
        reply: What to show.
        reply_to: `external_id` of the message it answers, if there is one.
        created_at: Instant of composing, UTC.
    """

    id: int
    conversation: str
    address: str
    reply: Reply
    reply_to: str | None = None
    created_at: datetime


class DeliveryFailed(Exception):
    """The service did not take a reply.

    Attributes:
        retry_after_seconds: How long the service asked us to wait; None leaves the pause to our backoff.
        is_permanent: Trying again cannot help (the person blocked the bot, the chat is gone).
    """

    def __init__(self, why: str, *, retry_after_seconds: float | None = None, is_permanent: bool = False) -> None:
        super().__init__(why)
        self.retry_after_seconds = retry_after_seconds
        self.is_permanent = is_permanent


class WindowClosed(DeliveryFailed):
    """The service takes no message until the person writes again (WhatsApp, 24 hours after their last one)."""


WINDOW_CLOSED = "window_closed"  # the `why` of a failed status; see `StatusSink`


class FetchFailed(Exception):
    """A file that a person sent could not be had.

    Attributes:
        is_too_large: It is larger than what was asked for; the person can send a smaller one.
    """

    def __init__(self, why: str, *, is_too_large: bool = False) -> None:
        super().__init__(why)
        self.is_too_large = is_too_large


class StatusSink(Protocol):
    """Who wants to know what became of sent messages, on channels whose service tells (WhatsApp)."""

    async def delivered(
        self,
        channel: str,
        channel_message_id: str,
        state: Literal["delivered", "read", "failed"],
        why: str | None = None,
    ) -> None:
        """Take note of a status; an unknown id is ignored.

        The service may tell a status twice, late, and "delivered" after "read": only the furthest one holds.

        Args:
            channel: The channel's `name`.
            channel_message_id: What `Channel.deliver` returned.
            state: "failed" says that a message which the service had taken did not arrive after all.
            why: Of a failure. `WINDOW_CLOSED` means the same as the error `WindowClosed`: hold the reply.

        Raises:
            StoreUnavailable: Nothing was kept; the service will tell again.
        """


class Intake(Protocol):
    """Where channels bring their messages; the conversation core is the one at run time."""

    async def accept(self, message: IncomingMessage) -> Receipt:
        """Store a message in one transaction and start its processing.

        Raises:
            StoreUnavailable: The store stayed locked or away; nothing was kept, so do not acknowledge.
        """


class Channel(ABC):
    """One channel. `bot.app` builds it, calls `start` once the store is ready and `stop` before it closes."""

    name: str
    statuses: StatusSink | None = None  # set by `bot.app` before `start`, where somebody wants to know

    @abstractmethod
    async def start(self, intake: Intake) -> None:
        """Begin to receive, and give every message to `intake`."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop receiving; what was accepted is already safe."""

    @abstractmethod
    async def deliver(self, message: OutgoingMessage) -> str | None:
        """Bring one reply to the person.

        Returns:
            The service's id of the sent message, if it has one.

        Raises:
            DeliveryFailed: It did not arrive; the outbox tries again unless that cannot help.
        """

    async def show_typing(self, address: str) -> None:  # noqa: B027 - a channel without such a sign shows nothing
        """Show that an answer is on its way; failing to is not an error."""

    async def fetch(self, file_id: str, most_bytes: int) -> bytes:
        """Return a file that a person sent, such as a `Photo`.

        Raises:
            FetchFailed: It is gone, larger than `most_bytes`, or the service does not answer.
        """
        raise FetchFailed("no files on this channel")

    def router(self) -> APIRouter | None:
        """Return HTTP routes of this channel (a webhook, a web API), or None."""
        return None
