"""Bots that were deleted stay, so that their names do; a request that is put once more under its key is the same."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("bots", sa.Column("deleted_ms", sa.BigInteger()))
    op.add_column("requests", sa.Column("key", sa.String()))
    op.create_index("ix_requests_key", "requests", ["user_id", "key"], unique=True)
    op.create_index("ix_past_fills_order", "past_fills", ["account", "client_id"])


def downgrade() -> None:
    """Drop them: what was deleted is there again, with nothing to trade with."""
    op.drop_index("ix_past_fills_order", "past_fills")
    op.drop_index("ix_requests_key", "requests")
    with op.batch_alter_table("requests") as table:
        table.drop_column("key")
    with op.batch_alter_table("bots") as table:
        table.drop_column("deleted_ms")
