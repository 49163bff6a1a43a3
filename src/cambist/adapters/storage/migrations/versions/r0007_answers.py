"""Answers are kept with their headers; what was asked is kept as a digest that nobody can make without our key."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and forget the plain digests: a password could be guessed from one."""
    op.add_column("answered", sa.Column("headers", sa.JSON()))
    # their keys stay taken: what was done once is not done again
    op.execute(sa.text("UPDATE answered SET request = ''"))


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("answered") as table:
        table.drop_column("headers")
