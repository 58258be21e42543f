"""People: cases in place of escalations, accounts of the staff, the audit log, sealed addresses, delivery states."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

REFUSAL = "the audit log is only ever added to"
SQLITE_GUARD = """
    CREATE TRIGGER audit_is_kept_from_{verb} BEFORE {verb} ON audit
    BEGIN SELECT RAISE(ABORT, '{refusal}'); END
"""
POSTGRESQL_GUARDS = (
    f"""
    CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$
    """,
    "CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_kept()",
    "CREATE TRIGGER audit_is_whole BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()",
)


def _key(column: str, target: str, on_delete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], ondelete=on_delete)


def upgrade() -> None:
    """Make the tables, and a case of every escalation."""
    _make_staff_tables()
    _make_case_tables()
    op.execute("""
        INSERT INTO support_case (conversation_id, request_id, reason, topic, place, lang, channel, has_consent,
            is_inside_hours, desk, opened_at, waiting_since)
        SELECT e.conversation_id, e.message_id, SUBSTR(e.reason, 1, 16), e.topic, e.place, e.lang, c.channel,
            e.has_consent, TRUE, COALESCE(e.win_point, 'workinnl'), e.created_at, e.created_at
        FROM escalation e JOIN conversation c ON c.id = e.conversation_id ORDER BY e.created_at
    """)
    op.drop_table("escalation")
    op.add_column("conversation", sa.Column("address_sealed", sa.Text))
    op.add_column("inbox", sa.Column("case_id", sa.Integer))
    for column in (
        sa.Column("case_id", sa.Integer), sa.Column("staff_id", sa.Integer), sa.Column("delivery", sa.String(9)),
    ):  # fmt: skip
        op.add_column("outbox", column)
    op.create_index(None, "inbox", ["case_id"])
    for name in ("case_id", "channel_message_id"):
        op.create_index(None, "outbox", [name])


def _make_staff_tables() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("langs", sa.JSON, nullable=False),
        sa.Column("ui_lang", sa.String(2), server_default="nl", nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("totp_sealed", sa.Text),
        sa.Column("is_totp_on", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("totp_last_step", sa.Integer),
        sa.Column("is_disabled", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("failed_logins", sa.Integer, server_default="0", nullable=False),
        sa.Column("locked_until", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("email"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "staff_desk",
        sa.Column("staff_id", sa.Integer, primary_key=True),
        sa.Column("desk", sa.String(64), primary_key=True),
        _key("staff_id", "staff", "CASCADE"),
    )
    op.create_table(
        "staff_session",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("staff_id", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("is_second_factor_done", sa.Boolean, server_default=sa.false(), nullable=False),
        _key("staff_id", "staff", "CASCADE"),
    )
    op.create_table(
        "invitation",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("staff_id", sa.Integer, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        _key("staff_id", "staff", "CASCADE"),
    )
    for table in ("staff_session", "invitation"):
        op.create_index(None, table, ["staff_id"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("staff_id", sa.Integer),
        sa.Column("case_id", sa.Integer),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "audit", ["case_id"])
    if op.get_bind().dialect.name == "postgresql":
        for guard in POSTGRESQL_GUARDS:
            op.execute(guard)
    else:
        for verb in ("UPDATE", "DELETE"):
            op.execute(SQLITE_GUARD.format(verb=verb, refusal=REFUSAL))


def _make_case_tables() -> None:
    op.create_table(
        "support_case",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.String(64)),
        sa.Column("request_id", sa.String(64)),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("topic", sa.String(64)),
        sa.Column("place", sa.String(128)),
        sa.Column("lang", sa.String(35), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("has_consent", sa.Boolean, nullable=False),
        sa.Column("is_urgent", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("is_inside_hours", sa.Boolean, nullable=False),
        sa.Column("desk", sa.String(64), nullable=False),
        sa.Column("status", sa.String(8), server_default="waiting", nullable=False),
        sa.Column("assigned_to", sa.Integer),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("waiting_since", INSTANT, nullable=False),
        *(sa.Column(name, INSTANT) for name in ("claimed_at", "first_reply_at", "person_wrote_at", "staff_wrote_at")),
        sa.Column("told_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("close_reason", sa.String(16)),
        sa.Column("outcome", sa.String(16)),
        _key("conversation_id", "conversation", "SET NULL"),
        _key("assigned_to", "staff", "SET NULL"),
        sa.UniqueConstraint("request_id"),
        sqlite_autoincrement=True,
    )
    for columns in (["status", "is_urgent", "waiting_since"], ["desk", "status"], ["conversation_id"], ["assigned_to"]):
        op.create_index(None, "support_case", columns)
    op.create_table(
        "note",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("case_id", sa.Integer, nullable=False),
        sa.Column("staff_id", sa.Integer),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        _key("case_id", "support_case", "CASCADE"),
        _key("staff_id", "staff", "SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "attachment",
        sa.Column("inbox_id", sa.Integer, primary_key=True),
        sa.Column("case_id", sa.Integer, nullable=False),
        sa.Column("media_type", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        _key("inbox_id", "inbox", "CASCADE"),
        _key("case_id", "support_case", "CASCADE"),
    )
    for table in ("note", "attachment"):
        op.create_index(None, table, ["case_id"])


def downgrade() -> None:
    """Go back to escalations; accounts, notes and the audit log go, and sealed addresses stay hashes."""
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
        _key("conversation_id", "conversation", "CASCADE"),
        sa.UniqueConstraint("message_id"),
    )
    op.create_index(None, "escalation", ["conversation_id"])
    op.execute("""
        INSERT INTO escalation (id, conversation_id, message_id, reason, place, lang, has_consent, topic, win_point,
            created_at)
        SELECT CAST(id AS VARCHAR(64)), conversation_id, COALESCE(request_id, 'case-' || CAST(id AS VARCHAR(50))),
            reason, place, lang, has_consent, topic, desk, opened_at
        FROM support_case WHERE conversation_id IS NOT NULL
    """)
    for table in ("attachment", "note", "support_case", "invitation", "staff_session", "staff_desk", "audit", "staff"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_kept()")
    for table, names in (("outbox", ("case_id", "channel_message_id")), ("inbox", ("case_id",))):
        for name in names:
            op.drop_index(f"ix_{table}_{name}", table)
    for table, columns in (("outbox", ("case_id", "staff_id", "delivery")), ("inbox", ("case_id",))):
        for column in columns:
            op.drop_column(table, column)
    op.drop_column("conversation", "address_sealed")
