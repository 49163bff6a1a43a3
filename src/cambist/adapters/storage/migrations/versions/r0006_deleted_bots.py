"""Bots that were deleted stay, so that their names do: the journal and what was read off it speak of them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("bots", sa.Column("deleted_ms", sa.BigInteger()))


def downgrade() -> None:
    """Drop it: what was deleted is there again, with nothing to trade with."""
    with op.batch_alter_table("bots") as table:
        table.drop_column("deleted_ms")
