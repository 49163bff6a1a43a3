"""The tables of the database. A row that a user owns carries that user's id."""

import math
from typing import Any

import sqlalchemy as sa

HEAD = "0001"
"""The revision in ``migrations/versions`` that makes the tables below: what a database must stand at to be used."""

_NOT_FINITE = "$numberDouble"  # as MongoDB's Extended JSON writes the floats that JSON lacks


class Document(sa.TypeDecorator[Any]):
    """A JSON value that keeps floats exactly, NaN and the infinities included (which JSON, and PostgreSQL, refuse)."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        """Return what is written."""
        return _to_json(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """Return what was written."""
        return _from_json(value)


def _to_json(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {_NOT_FINITE: repr(float(value))}  # float() because numpy's floats are floats that print otherwise
    if isinstance(value, dict):
        return {key: _to_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(one) for one in value]
    return value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_NOT_FINITE}:
            return float(value[_NOT_FINITE])
        return {key: _from_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_from_json(one) for one in value]
    return value


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

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
