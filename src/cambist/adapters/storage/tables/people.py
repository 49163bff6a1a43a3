"""The tables of people: who they are, how they come in, what they keep secret, and what they have done."""

import sqlalchemy as sa

from cambist.adapters.storage.tables.columns import Document, metadata

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("password", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("profile", Document, nullable=False),
    sa.Column("limits", Document, nullable=False),
    sa.Column("totp_on", sa.Boolean, nullable=False),
    sa.Column("totp_used", sa.BigInteger, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("seen_ms", sa.BigInteger),
    sqlite_autoincrement=True,  # a number of somebody who is gone never comes to mean somebody else
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("secret", sa.String, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("used_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("agent", sa.String, nullable=False),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("why_ended", sa.String, nullable=False),
    sa.Index(None, "user_id"),
)

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("secret", sa.String, nullable=False),
    sa.Column("scopes", Document, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger),
    sa.Column("used_ms", sa.BigInteger),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Index(None, "user_id"),
)

invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("secret", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
    sa.Column("used_by", sa.Integer),
)

secrets = sa.Table(
    "secrets",
    metadata,
    sa.Column("user_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("record", sa.String, primary_key=True),
    sa.Column("purpose", sa.String, primary_key=True),
    sa.Column("key_id", sa.String, nullable=False),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

server_settings = sa.Table(
    "server_settings",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", Document, nullable=False),
)

# A chain: each row holds the hash of the one before it and its own.
audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("ts", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("target", sa.String, nullable=False),
    sa.Column("details", sa.String, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("request_id", sa.String, nullable=False),
    sa.Column("previous", sa.String, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
    sa.Index(None, "user_id", "seq"),
)

# What was answered to a request that carried an idempotency key, so that its repetition is answered alike.
answered = sa.Table(
    "answered",
    metadata,
    sa.Column("user_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("request", sa.String, nullable=False),
    sa.Column("ts", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("body", sa.String, nullable=False),
    sa.Column("headers", Document(none_as_null=True)),
)
