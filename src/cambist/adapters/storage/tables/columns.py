"""What tables are made of: the columns that keep floats and money exactly, and the names of keys."""

import math
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

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


class Money(sa.TypeDecorator[Decimal]):
    """An exact amount, as text: neither SQLite's REAL nor a rounded NUMERIC. Floats are refused."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> str:
        """Return what is written."""
        if not isinstance(value, Decimal) or not value.is_finite():
            raise TypeError(f"money is a finite Decimal, not {value!r}")
        return str(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Decimal:
        """Return what was written, to the last digit."""
        return Decimal(value)


Counter = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts only what is called INTEGER

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
