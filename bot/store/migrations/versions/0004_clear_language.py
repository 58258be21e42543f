"""Whether it is clear which language a person speaks; where it is not, the hand-off form asks."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of conversations that run already it is taken for clear."""
    op.add_column("conversation", sa.Column("is_lang_clear", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(sa.text("UPDATE conversation SET is_lang_clear = true WHERE lang IS NOT NULL"))


def downgrade() -> None:
    """Remove it."""
    op.drop_column("conversation", "is_lang_clear")
