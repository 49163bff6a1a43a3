"""The tables of the book, of finished backtests, and of what belongs to no user."""

import sqlalchemy as sa

from cambist.adapters.storage.tables.columns import Counter, Document, Money, metadata

# Columns are named as the fields of `StoredResult`. Nothing here is money that changes hands: metrics, trades and
# equity of a backtest are estimates, so floats. `trades` and `equity` come last: a list of results never reads them.
backtest_results = sa.Table(
    "backtest_results",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("strategy", sa.String, nullable=False),
    sa.Column("params", Document, nullable=False),
    sa.Column("settings", Document, nullable=False),
    sa.Column("engine", sa.String, nullable=False),
    sa.Column("venue", sa.String, nullable=False),
    sa.Column("symbols", Document, nullable=False),
    sa.Column("timeframe", sa.String, nullable=False),
    sa.Column("first_ts", sa.BigInteger, nullable=False),
    sa.Column("last_ts", sa.BigInteger, nullable=False),
    sa.Column("candles", sa.BigInteger, nullable=False),
    sa.Column("data_hash", sa.String, nullable=False),
    sa.Column("code_hash", sa.String, nullable=False),
    sa.Column("metrics", Document, nullable=False),
    sa.Column("proof", Document, nullable=False),
    sa.Column("notes", Document, nullable=False),
    sa.Column("trades", sa.LargeBinary, nullable=False),
    sa.Column("equity", sa.LargeBinary, nullable=False),
    sa.Index(None, "user_id", "strategy"),
    sqlite_autoincrement=True,  # an id that people wrote down never comes to name another result
)

# -- the book: columns are named as the fields of the records in `ports.book`, `domain.account` and `domain.ledger`

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("venue", sa.String, nullable=False),
    sa.Column("mode", sa.String, nullable=False),
    sa.Column("quote", sa.String, nullable=False),
    sa.Column("settings", Document(none_as_null=True)),
    sa.Index(None, "user_id"),
)

bots = sa.Table(
    "bots",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("account", sa.String, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("strategy", sa.String, nullable=False),
    sa.Column("params", Document, nullable=False),
    sa.Column("symbol", sa.String, nullable=False),
    sa.Column("timeframe", sa.String, nullable=False),
    sa.Column("budget", Money, nullable=False),
    sa.Column("since_ms", sa.BigInteger),
    sa.Column("until_ms", sa.BigInteger),
    sa.Column("pyramiding", sa.Integer, nullable=False),
    sa.Column("deleted_ms", sa.BigInteger),
    sa.Index(None, "user_id"),
    sa.Index(None, "account"),
)

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("account", sa.String, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("bot", sa.String, nullable=False),
    sa.Column("params", sa.String, nullable=False),
    sa.Column("asked_ms", sa.BigInteger, nullable=False),
    sa.Column("done_ms", sa.BigInteger),
    sa.Column("answer", sa.String, nullable=False),
    sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("key", sa.String),
    sa.Column("language", sa.String),
    sa.Index("ix_requests_key", "user_id", "key", unique=True),
    # the engine asks for these all day, and there are few
    sa.Index(
        "ix_requests_waiting",
        "id",
        sqlite_where=sa.text("done_ms IS NULL"),
        postgresql_where=sa.text("done_ms IS NULL"),
    ),
    sqlite_autoincrement=True,
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("ts", sa.BigInteger, nullable=False),
    sa.Column("level", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("params", Document, nullable=False),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("bot", sa.String, nullable=False),
    sa.Index(None, "user_id", "id"),
)

# Its key is the fence: two engines cannot both write the same entry of an account. Without a rowid of its own the
# table is laid out by that key, so an append touches one tree and a replay reads straight on.
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("ts", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("body", sa.String, nullable=False),
    sqlite_with_rowid=False,
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("body", sa.String, nullable=False),
)

ledger_lines = sa.Table(
    "ledger_lines",
    metadata,
    sa.Column("id", Counter, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("entry", sa.String, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("ts", sa.BigInteger, nullable=False),
    sa.Column("cause", sa.String, nullable=False),
    sa.Column("place", sa.String, nullable=False),
    sa.Column("asset", sa.String, nullable=False),
    sa.Column("amount", Money, nullable=False),
    sa.UniqueConstraint("account", "entry", "line"),  # a movement is never booked twice
    sa.Index(None, "account", "id"),
)

# -- what belongs to no user: the heartbeat, and what venues have forbidden us

heartbeat_signals = sa.Table(
    "heartbeat_signals",
    metadata,
    sa.Column("id", Counter, primary_key=True),
    sa.Column("received_ms", sa.BigInteger, nullable=False),
    sa.Column("candle_ms", sa.BigInteger, nullable=False),
    sa.Column("close_ms", sa.BigInteger, nullable=False),
    sa.Column("timeframe", sa.String, nullable=False),
    sa.Column("symbol", sa.String, nullable=False),
    sa.Column("venue", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("repaired", sa.Boolean, nullable=False),
    sa.Column("signal_id", sa.String, nullable=False),
    sa.Column("open", Money, nullable=False),
    sa.Column("high", Money, nullable=False),
    sa.Column("low", Money, nullable=False),
    sa.Column("close", Money, nullable=False),
    sa.Column("volume", Money, nullable=False),
    sa.UniqueConstraint("source", "venue", "symbol", "signal_id"),
    sa.Index(None, "timeframe", "close_ms"),
)

heartbeat_sources = sa.Table(
    "heartbeat_sources",
    metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("is_connected", sa.Boolean, nullable=False),
    sa.Column("last_start_ms", sa.BigInteger),
    sa.Column("last_stop_ms", sa.BigInteger),
    sa.Column("last_error", sa.String, nullable=False),
    sa.Column("symbols", Document, nullable=False),
)

budget_bans = sa.Table(
    "budget_bans",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("until_ms", sa.BigInteger, nullable=False),
)
