"""Requests know in which language they are answered: that of who asked, not of the engine."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("requests", sa.Column("language", sa.String()))


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("requests") as table:
        table.drop_column("language")
