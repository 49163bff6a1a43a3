"""Accounts have settings; the heartbeat keeps the candles that it told of, so that a bot's day can be replayed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_CANDLE = ("open", "high", "low", "close", "volume")


def upgrade() -> None:
    """Add the columns."""
    op.add_column("accounts", sa.Column("settings", sa.JSON()))
    op.execute("DELETE FROM heartbeat_signals")  # without prices they replay nothing; no released command wrote any
    for name in _CANDLE:
        op.add_column("heartbeat_signals", sa.Column(name, sa.String(), nullable=False, server_default="0"))
    with op.batch_alter_table("heartbeat_signals") as table:
        for name in _CANDLE:
            table.alter_column(name, server_default=None)


def downgrade() -> None:
    """Drop them, and what they hold."""
    with op.batch_alter_table("heartbeat_signals") as table:
        for name in _CANDLE:
            table.drop_column(name)
    with op.batch_alter_table("accounts") as table:
        table.drop_column("settings")
