"""What Meta posts to our webhook, as far as we read it.

pywa's own parsers read the first message of a post and want the name of its sender; Meta puts several into one post,
and a name is something that we do not need. So these shapes are ours, and they hold no more than we use.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.channels.base import WINDOW_CLOSED, Content, Location, Payload, Photo, Text, Unreadable, Unsupported

MESSAGES = "messages"
REENGAGEMENT = 131047  # more than 24 hours since the person's last message

State = Literal["delivered", "read", "failed"]
STATES: tuple[State, ...] = ("delivered", "read", "failed")  # each says more than the ones before it
_STATES: dict[str, State] = {"delivered": "delivered", "read": "read", "played": "read", "failed": "failed"}
CAPTION_ENDING = ":caption"
_UNREADABLE: dict[str, Unreadable] = {  # named as the other channels do
    "audio": "voice",
    "video": "video",
    "sticker": "sticker",
    "document": "document",
    "contacts": "contact",
    "order": "order",
    "interactive": "form",
}
# Kinds that Meta does not pass on: of these the person waits for an answer, of a vote or a changed line not.
# The list of kinds: Meta's reference of the webhook for unsupported messages.
_NOT_PASSED_ON = frozenset(
    (
        "gif",
        "group_invite",
        "image",
        "link_preview",
        "list",
        "location",
        "media_placeholder",
        "order",
        "poll_creation",
        "product",
    )
)
_UNAVAILABLE = 131060  # Meta knows that something was said, and cannot show it; seen with the first message of a person


def _as_text(value: object) -> object:
    return "" if value is None else value


_MaybeText = Annotated[str, BeforeValidator(_as_text)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Error(_Shape):
    code: int
    title: _MaybeText = ""


class Change(_Shape):
    """One change; `value` is read as `MessagesValue` when the field is `messages`, and otherwise passed over."""

    field: str
    value: Any = None


class Entry(_Shape):
    """The changes of one WhatsApp Business account."""

    changes: list[Change]


class Post(_Shape):
    """The body of one call of the webhook."""

    object: Literal["whatsapp_business_account"]
    entry: list[Entry]


class _Metadata(_Shape):
    phone_number_id: str


class MessagesValue(_Shape):
    """Messages and statuses of one number; each is read by itself, since one may be broken."""

    metadata: _Metadata
    messages: list[Any] = []
    statuses: list[Any] = []


class _Body(_Shape):
    body: str


class _Chosen(_Shape):
    id: str


class _Interactive(_Shape):
    button_reply: _Chosen | None = None
    list_reply: _Chosen | None = None


class _TemplateButton(_Shape):
    text: str


class _Position(_Shape):
    latitude: float
    longitude: float


class _Captioned(_Shape):
    caption: _MaybeText = ""


class _Unsupported(_Shape):
    type: _MaybeText = ""


class _Image(_Captioned):
    id: str = Field(min_length=1)
    mime_type: str = "image/jpeg"


class Message(_Shape):
    """One message of a person. Someone who hides their number behind a user name has only a `from_user_id`."""

    id: str = Field(min_length=1, max_length=120)  # with an ending it still fits our 128
    sender: _MaybeText = Field("", alias="from")
    from_user_id: _MaybeText = ""
    group_id: _MaybeText = ""
    timestamp: datetime
    type: str
    text: _Body | None = None
    interactive: _Interactive | None = None
    button: _TemplateButton | None = None
    location: _Position | None = None
    image: _Image | None = None
    video: _Captioned | None = None
    document: _Captioned | None = None
    unsupported: _Unsupported | None = None
    errors: list[_Error] = []

    @property
    def address(self) -> str:
        """Where an answer goes."""
        return self.sender or self.from_user_id


class Status(_Shape):
    """What became of a message of ours."""

    id: str = Field(min_length=1)
    status: str
    recipient_id: _MaybeText = ""
    recipient_user_id: _MaybeText = ""
    errors: list[_Error] = []

    @property
    def address(self) -> str:
        """Whom the message was for; empty where Meta does not say."""
        return self.recipient_id or self.recipient_user_id

    @property
    def state(self) -> State | None:
        """The state in our words; None for one that says nothing new (`sent`)."""
        return _STATES.get(self.status)

    @property
    def why(self) -> str | None:
        """The reason of a failure, as `StatusSink` wants it."""
        if self.state != "failed":
            return None
        if any(error.code == REENGAGEMENT for error in self.errors):
            return WINDOW_CLOSED
        return "; ".join(f"{error.code} {error.title}".strip() for error in self.errors) or "no reason given"


def contents_of(message: Message) -> list[tuple[str, Content]]:
    """Return what a person said, each with an ending that makes the message's id its own.

    The words under a picture are a message of their own and come first: they may tell of danger. What asks for no
    answer (a reaction, an edit, a deletion) is nothing.

    Raises:
        ValidationError: The content makes no sense, such as a position that is nowhere on earth.
    """
    content = _content_of(message)
    if content is None:
        return []
    captioned = message.image or message.video or message.document
    caption = captioned.caption.strip() if captioned else ""
    return [(CAPTION_ENDING, Text(text=caption)), ("", content)] if caption else [("", content)]


def _content_of(message: Message) -> Content | None:
    if message.type == "text" and message.text is not None:
        return Text(text=message.text.body)
    if message.type == "interactive" and message.interactive is not None:
        chosen = message.interactive.button_reply or message.interactive.list_reply
        if chosen is not None:
            return Payload(payload=chosen.id)
    if message.type == "button" and message.button is not None:
        # A button of the template: its payload is whatever was typed when the template was made, so its words count.
        return Text(text=message.button.text)
    if message.type == "location" and message.location is not None:
        return Location(latitude=message.location.latitude, longitude=message.location.longitude)
    if message.type == "image" and message.image is not None:
        return Photo(media_type=message.image.mime_type, file_id=message.image.id)
    if message.type == "request_welcome":
        return Payload(payload="start")
    if message.type in _UNREADABLE:
        return Unsupported(what=_UNREADABLE[message.type])
    if message.type == "unsupported" and _is_unanswered(message):
        return Unsupported(what="unknown")
    return None


def _is_unanswered(message: Message) -> bool:
    kind = message.unsupported.type if message.unsupported else ""
    return kind in _NOT_PASSED_ON or any(error.code == _UNAVAILABLE for error in message.errors)
