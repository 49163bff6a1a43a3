"""The book: accounts, bots, requests, alerts, journal, snapshots, ledger; the heartbeat's log; bans of venues."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    "budget_bans",
    "heartbeat_sources",
    "heartbeat_signals",
    "ledger_lines",
    "snapshots",
    "journal",
    "alerts",
    "requests",
    "bots",
    "accounts",
)


def upgrade() -> None:
    """Create the tables of the book, and those beside it."""
    _register()
    _journal()
    _heartbeat()
    op.create_table(
        "budget_bans",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_budget_bans"),
    )


def downgrade() -> None:
    """Drop them, and all that they hold."""
    for table in _TABLES:
        op.drop_table(table)


def _counter() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _register() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("venue", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("quote", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
    )
    op.create_index("ix_accounts_user_id", "accounts", ["user_id"])
    op.create_table(
        "bots",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("timeframe", sa.String(), nullable=False),
        sa.Column("budget", sa.String(), nullable=False),
        sa.Column("since_ms", sa.BigInteger()),
        sa.Column("until_ms", sa.BigInteger()),
        sa.Column("pyramiding", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bots"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_bots_account"),
    )
    op.create_index("ix_bots_user_id", "bots", ["user_id"])
    op.create_index("ix_bots_account", "bots", ["account"])
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("bot", sa.String(), nullable=False),
        sa.Column("params", sa.String(), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("done_ms", sa.BigInteger()),
        sa.Column("answer", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_requests_account"),
        sqlite_autoincrement=True,
    )
    waiting = sa.text("done_ms IS NULL")
    op.create_index("ix_requests_waiting", "requests", ["id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("bot", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_user_id_id", "alerts", ["user_id", "id"])


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("account", "seq", name="pk_journal"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "snapshots",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_snapshots"),
    )
    op.create_table(
        "ledger_lines",
        sa.Column("id", _counter(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("entry", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_lines"),
        sa.UniqueConstraint("account", "entry", "line", name="uq_ledger_lines_account"),
    )
    op.create_index("ix_ledger_lines_account_id", "ledger_lines", ["account", "id"])


def _heartbeat() -> None:
    op.create_table(
        "heartbeat_signals",
        sa.Column("id", _counter(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("candle_ms", sa.BigInteger(), nullable=False),
        sa.Column("close_ms", sa.BigInteger(), nullable=False),
        sa.Column("timeframe", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("venue", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("repaired", sa.Boolean(), nullable=False),
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_heartbeat_signals"),
        sa.UniqueConstraint("source", "venue", "symbol", "signal_id", name="uq_heartbeat_signals_source"),
    )
    op.create_index("ix_heartbeat_signals_timeframe_close_ms", "heartbeat_signals", ["timeframe", "close_ms"])
    op.create_table(
        "heartbeat_sources",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("is_connected", sa.Boolean(), nullable=False),
        sa.Column("last_start_ms", sa.BigInteger()),
        sa.Column("last_stop_ms", sa.BigInteger()),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.Column("symbols", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_heartbeat_sources"),
    )
