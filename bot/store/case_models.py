"""The tables of the cases: a conversation that a person of the staff has, or is asked to have."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.models import Base

WAITING, CLAIMED, CLOSED = "waiting", "claimed", "closed"


class Case(Base):
    """A request for a person of the staff; `request_id` (the message that asked) makes the same request twice one.

    Without `has_consent` the staff see language, place and topic, and only what is said within the case.
    `conversation_id` is empty once the conversation is erased; what stays serves the figures alone.

    `waiting_since` is when the case last came into the queue, `person_wrote_at` and `staff_wrote_at` the last message
    of each side within it, `told_at` when the person was last told that nobody has answered yet.
    """

    __tablename__ = "support_case"
    __table_args__ = (
        Index(None, "status", "is_urgent", "waiting_since"),
        Index(None, "desk", "status"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversation.id", ondelete="SET NULL"), index=True)
    request_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    reason: Mapped[str] = mapped_column(String(16))
    topic: Mapped[str | None] = mapped_column(String(64))
    place: Mapped[str | None] = mapped_column(String(128))
    lang: Mapped[str] = mapped_column(String(35))
    channel: Mapped[str] = mapped_column(String(32))
    has_consent: Mapped[bool]
    is_urgent: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_inside_hours: Mapped[bool]
    desk: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(8), default=WAITING, server_default=WAITING)
    assigned_to: Mapped[int | None] = mapped_column(ForeignKey("staff.id", ondelete="SET NULL"), index=True)
    opened_at: Mapped[datetime]
    waiting_since: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    first_reply_at: Mapped[datetime | None]
    person_wrote_at: Mapped[datetime | None]
    staff_wrote_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str | None] = mapped_column(String(16))
    outcome: Mapped[str | None] = mapped_column(String(16))


class Note(Base):
    """What the staff write to each other about a case; the person never sees it."""

    __tablename__ = "note"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id", ondelete="CASCADE"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id", ondelete="SET NULL"))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Attachment(Base):
    """A photo that the person sent within a case, encrypted; it goes when the case is closed."""

    __tablename__ = "attachment"

    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id", ondelete="CASCADE"), index=True)
    media_type: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
