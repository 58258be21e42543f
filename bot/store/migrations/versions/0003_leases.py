"""Leases: which of several bot processes works on a conversation."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "lease",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        # Not worth a write to disk: after a crash of the database every lease has ended anyway.
        prefixes=["UNLOGGED"] if is_postgresql else [],
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("lease")
