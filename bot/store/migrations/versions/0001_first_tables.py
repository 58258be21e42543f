"""First tables: conversations, inbox, outbox, escalations, feedback."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def _key(table: str, on_delete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([f"{table}_id"], [f"{table}.id"], ondelete=on_delete)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("address", sa.String(128), nullable=False),
        sa.Column("lang", sa.String(35)),
        sa.Column("is_lang_chosen", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("place", sa.String(128)),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("is_with_human", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("is_privacy_shown", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("apologised_at", INSTANT),
        sa.UniqueConstraint("channel", "address"),
    )
    op.create_table(
        "escalation",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("place", sa.String(128)),
        sa.Column("lang", sa.String(35), nullable=False),
        sa.Column("has_consent", sa.Boolean, nullable=False),
        sa.Column("topic", sa.String(64)),
        sa.Column("win_point", sa.String(64)),
        sa.Column("created_at", INSTANT, nullable=False),
        _key("conversation", "CASCADE"),
        sa.UniqueConstraint("message_id"),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.String(64)),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("external_id", sa.String(128), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("lang", sa.String(35)),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=False),
        sa.Column("error", sa.String(200)),
        _key("conversation", "SET NULL"),
        sa.UniqueConstraint("channel", "external_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("inbox_id", sa.Integer),
        sa.Column("reply_to", sa.String(128)),
        sa.Column("reply", sa.JSON, nullable=False),
        sa.Column("is_urgent", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=False),
        sa.Column("error", sa.String(200)),
        sa.Column("channel_message_id", sa.String(128)),
        _key("conversation", "CASCADE"),
        _key("inbox", "SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "feedback",
        sa.Column("outbox_id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("article", sa.String(64)),
        sa.Column("lang", sa.String(35), nullable=False),
        sa.Column("is_helpful", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        _key("outbox", "CASCADE"),
        _key("conversation", "CASCADE"),
    )
    for table in ("escalation", "inbox", "outbox", "feedback"):
        op.create_index(None, table, ["conversation_id"])
    for table in ("inbox", "outbox"):
        op.create_index(None, table, ["status", "next_attempt_at"])


def downgrade() -> None:
    """Remove the tables with all they hold."""
    for table in ("feedback", "outbox", "inbox", "escalation", "conversation"):
        op.drop_table(table)
