"""The tables of the message store.

Change a table here and in a new migration together; a test compares the two. All instants are UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# A held reply waits for the person to write again, as WhatsApp wants after 24 hours.
PENDING, DONE, FAILED, HELD = "pending", "done", "failed", "held"

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware and UTC in Python, whatever the database makes of time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time, which would be some machine's local one."""
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs a time zone; use datetime.now(UTC)")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC; SQLite gives the time back without its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of the tables."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime(), dict[str, Any]: JSON()}


class Conversation(Base):
    """One person on one channel.

    `address` is the keyed hash of what the channel needs to reply, and `address_sealed` that itself, encrypted.
    `lang` is the language of the last message, or the chosen one while `is_lang_chosen`; `is_lang_clear` once a message
    has plainly shown it or the person has chosen. `apologised_at` is set while an outage lasts, so the person hears of
    it once.
    """

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("channel", "address"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    channel: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(128))
    address_sealed: Mapped[str | None] = mapped_column(Text)
    lang: Mapped[str | None] = mapped_column(String(35))
    is_lang_chosen: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_lang_clear: Mapped[bool] = mapped_column(default=False, server_default=false())
    place: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime]
    last_at: Mapped[datetime]
    is_with_human: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_privacy_shown: Mapped[bool] = mapped_column(default=False, server_default=false())
    apologised_at: Mapped[datetime | None]


class Inbox(Base):
    """What a person sent. An erased message leaves its row with its id alone, so that a repeat stays known.

    `attempts` counts tries in which Rasa could have answered; waiting out an outage does not count. `case_id` says
    that a person of the staff had the conversation, so it went to them and not to Rasa.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "external_id"),
        Index(None, "status", "next_attempt_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversation.id", ondelete="SET NULL"), index=True)
    channel: Mapped[str] = mapped_column(String(32))
    external_id: Mapped[str] = mapped_column(String(128))
    content: Mapped[dict[str, Any]]
    lang: Mapped[str | None] = mapped_column(String(35))
    received_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(8), default=PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(String(200))
    case_id: Mapped[int | None] = mapped_column(index=True)


class Outbox(Base):
    """A reply on its way. `urgent` ones (emergencies) overtake what waits; otherwise the order is that of the ids.

    `staff_id` wrote it, within `case_id`. `delivery` is what the channel tells of it later: delivered, read, failed.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "status", "next_attempt_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), index=True)
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id", ondelete="SET NULL"))
    reply_to: Mapped[str | None] = mapped_column(String(128))
    reply: Mapped[dict[str, Any]]
    is_urgent: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(8), default=PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(String(200))
    channel_message_id: Mapped[str | None] = mapped_column(String(128), index=True)
    case_id: Mapped[int | None] = mapped_column(index=True)
    staff_id: Mapped[int | None]
    delivery: Mapped[str | None] = mapped_column(String(9))


class Feedback(Base):
    """A thumb under a reply; the last one of a reply counts."""

    __tablename__ = "feedback"

    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), index=True)
    article: Mapped[str | None] = mapped_column(String(64))
    lang: Mapped[str] = mapped_column(String(35))
    is_helpful: Mapped[bool]
    created_at: Mapped[datetime]
