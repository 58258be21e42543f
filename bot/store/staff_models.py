"""The tables of the staff: accounts, where they belong, who is logged in, and the log of what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.models import Base


class Staff(Base):
    """One account. Without `password_hash` the invitation has not been taken up yet.

    `langs` are the languages the person speaks. `totp_sealed` is the encrypted secret of the second factor, in force
    once `is_totp_on`; `totp_last_step` is the last time step that was used, so that no code counts twice.
    """

    __tablename__ = "staff"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(10))
    langs: Mapped[dict[str, Any]]
    ui_lang: Mapped[str] = mapped_column(String(2), default="nl", server_default="nl")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    totp_sealed: Mapped[str | None] = mapped_column(Text)
    is_totp_on: Mapped[bool] = mapped_column(default=False, server_default=false())
    totp_last_step: Mapped[int | None]
    is_disabled: Mapped[bool] = mapped_column(default=False, server_default=false())
    failed_logins: Mapped[int] = mapped_column(default=0, server_default="0")
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class StaffDesk(Base):
    """A WIN-punt that a person of the staff belongs to."""

    __tablename__ = "staff_desk"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True)
    desk: Mapped[str] = mapped_column(String(64), primary_key=True)


class StaffSession(Base):
    """Somebody who is logged in on one browser; only the digest of the cookie's value is kept."""

    __tablename__ = "staff_session"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    last_at: Mapped[datetime]
    is_second_factor_done: Mapped[bool] = mapped_column(default=False, server_default=false())


class Invitation(Base):
    """A link by which somebody sets a password, once and for a while; only its digest is kept."""

    __tablename__ = "invitation"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]


class AuditEntry(Base):
    """One look at or act on a case or an account. The database refuses to change or delete a row (migration 0002).

    `details` holds ids and names of states, never what anybody wrote.
    """

    __tablename__ = "audit"
    __table_args__ = (Index(None, "case_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    staff_id: Mapped[int | None]
    case_id: Mapped[int | None]
    act: Mapped[str] = mapped_column(String(32))
    details: Mapped[dict[str, Any]]
