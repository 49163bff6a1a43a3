"""The tables of what people make and ask for, of what exchanges list, and of what has become of orders."""

import sqlalchemy as sa

from cambist.adapters.storage.tables.columns import Counter, Document, Money, metadata

strategies = sa.Table(
    "strategies",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("description", sa.String, nullable=False),
    sa.Column("timeframe", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("changed_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("user_id", "name"),
    sqlite_autoincrement=True,
)

strategy_versions = sa.Table(
    "strategy_versions",
    metadata,
    sa.Column("strategy", sa.Integer, sa.ForeignKey("strategies.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("code", sa.String, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("verdict", Document, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("params", Document, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("step", sa.String, nullable=False),
    sa.Column("percent", sa.Integer, nullable=False),
    sa.Column("cancelling", sa.Boolean, nullable=False),
    sa.Column("asked_ms", sa.BigInteger, nullable=False),
    sa.Column("started_ms", sa.BigInteger),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("result", Document, nullable=False),
    sa.Column("error", Document, nullable=False),
    sa.Column("cpu_ms", sa.BigInteger, nullable=False),
    sa.Index(None, "user_id", "asked_ms"),
)

# Columns are named as the fields of `StoredSearch`; `detail` comes last: a list of searches never reads it.
searches = sa.Table(
    "searches",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("study", sa.String, nullable=False),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("strategy", sa.String, nullable=False),
    sa.Column("params", Document, nullable=False),
    sa.Column("values", Document, nullable=False),
    sa.Column("metrics", Document, nullable=False),
    sa.Column("out_of_sample", Document(none_as_null=True)),
    sa.Column("judgement", Document, nullable=False),
    sa.Column("method", sa.String, nullable=False),
    sa.Column("goals", Document, nullable=False),
    sa.Column("axes", Document, nullable=False),
    sa.Column("where", Document, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("settings", Document, nullable=False),
    sa.Column("venue", sa.String, nullable=False),
    sa.Column("symbols", Document, nullable=False),
    sa.Column("timeframes", Document, nullable=False),
    sa.Column("first_ts", sa.BigInteger, nullable=False),
    sa.Column("last_ts", sa.BigInteger, nullable=False),
    sa.Column("split_ts", sa.BigInteger),
    sa.Column("trials", sa.BigInteger, nullable=False),
    sa.Column("counted", sa.BigInteger, nullable=False),
    sa.Column("data_hash", sa.String, nullable=False),
    sa.Column("code_hash", sa.String, nullable=False),
    sa.Column("notes", Document, nullable=False),
    sa.Column("detail", Document, nullable=False),
    sa.Index(None, "user_id", "strategy"),
    sqlite_autoincrement=True,
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("account", sa.String, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("bots", Document, nullable=False),
    sa.Column("settings", Document, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("preview", sa.Boolean, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("user_id", "name"),
    sa.Index(None, "account"),
)

webhook_calls = sa.Table(
    "webhook_calls",
    metadata,
    sa.Column("id", Counter, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("webhook", sa.String, sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("received_ms", sa.BigInteger, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("body", sa.String, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("why", Document, nullable=False),
    sa.Column("wish", Document, nullable=False),
    sa.Column("request", sa.Integer),
    sa.Column("took_us", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("webhook", "key"),  # a call is acted on once, however often it comes
    sa.Index(None, "user_id", "id"),
)

account_keys = sa.Table(
    "account_keys",
    metadata,
    sa.Column("account", sa.String, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("rights", Document, nullable=False),
    sa.Column("tested_ms", sa.BigInteger, nullable=False),
)

# -- what belongs to no user: the markets that exchanges list

exchange_symbols = sa.Table(
    "exchange_symbols",
    metadata,
    sa.Column("exchange", sa.String, primary_key=True),
    sa.Column("testnet", sa.Boolean, primary_key=True),
    sa.Column("symbol", sa.String, primary_key=True),
    sa.Column("base", sa.String, nullable=False),
    sa.Column("quote", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("tick_size", Money, nullable=False),
    sa.Column("lot_step", Money, nullable=False),
    sa.Column("min_quantity", Money, nullable=False),
    sa.Column("min_notional", Money, nullable=False),
    sa.Index(None, "exchange", "testnet", "quote"),
)

exchange_lists = sa.Table(
    "exchange_lists",
    metadata,
    sa.Column("exchange", sa.String, primary_key=True),
    sa.Column("testnet", sa.Boolean, primary_key=True),
    sa.Column("refreshed_ms", sa.BigInteger, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
)

# -- what has become of orders: read off the journal, which can make all of it again

history_marks = sa.Table(
    "history_marks",
    metadata,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String, nullable=False),
)

past_orders = sa.Table(
    "past_orders",
    metadata,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("client_id", sa.String, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("bot", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("strategy", sa.String, nullable=False),
    sa.Column("symbol", sa.String, nullable=False),
    sa.Column("side", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("quantity", Money, nullable=False),
    sa.Column("filled", Money, nullable=False),
    sa.Column("price", sa.String),
    sa.Column("trigger", sa.String),
    sa.Column("average", sa.String),
    sa.Column("sent_ms", sa.BigInteger, nullable=False),
    sa.Column("changed_ms", sa.BigInteger, nullable=False),
    sa.Index(None, "user_id", "changed_ms"),
)

past_fills = sa.Table(
    "past_fills",
    metadata,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("bot", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("client_id", sa.String, nullable=False),
    sa.Column("trade_id", sa.String, nullable=False),
    sa.Column("ts", sa.BigInteger, nullable=False),
    sa.Column("symbol", sa.String, nullable=False),
    sa.Column("side", sa.String, nullable=False),
    sa.Column("quantity", Money, nullable=False),
    sa.Column("price", Money, nullable=False),
    sa.Column("fee", Money, nullable=False),
    sa.Column("fee_asset", sa.String, nullable=False),
    sa.Column("liquidity", sa.String, nullable=False),
    sa.Index(None, "user_id", "ts"),
    sa.Index("ix_past_fills_order", "account", "client_id"),
)

past_trades = sa.Table(
    "past_trades",
    metadata,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("bot", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("strategy", sa.String, nullable=False),
    sa.Column("symbol", sa.String, nullable=False),
    sa.Column("quote", sa.String, nullable=False),
    sa.Column("side", sa.String, nullable=False),
    sa.Column("entry_ts", sa.BigInteger, nullable=False),
    sa.Column("entry_price", Money, nullable=False),
    sa.Column("exit_ts", sa.BigInteger, nullable=False),
    sa.Column("exit_price", Money, nullable=False),
    sa.Column("quantity", Money, nullable=False),
    sa.Column("pnl", Money, nullable=False),
    sa.Column("fees", Money, nullable=False),
    sa.Column("slippage", Money, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Index(None, "user_id", "exit_ts"),
)

past_equity = sa.Table(
    "past_equity",
    metadata,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("bot", sa.String, primary_key=True),
    sa.Column("ts", sa.BigInteger, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("quote", sa.String, nullable=False),
    sa.Column("equity", Money, nullable=False),
    sa.Index(None, "user_id", "ts"),
)
