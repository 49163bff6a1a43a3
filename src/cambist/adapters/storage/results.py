"""`SqlResults`: finished backtests in the database."""

import time
from dataclasses import fields
from functools import cached_property
from typing import Any, TypeVar

import sqlalchemy as sa

from cambist.adapters.storage.database import obeying, open_database
from cambist.adapters.storage.tables.book import backtest_results as table
from cambist.domain.errors import NotFound
from cambist.ports.results import StoredResult

_Confined = TypeVar("_Confined", sa.Select[Any], sa.Delete)

_FIELDS = tuple(field.name for field in fields(StoredResult))
_HEAVY = ("trades", "equity")
"""What a list of results leaves out."""


class SqlResults:
    """The port `ResultStore` over SQL, for one user: it neither sees nor touches the results of others.

    The database is opened, and migrated if need be, when it is first used. All methods raise `StorageFailed` if the
    database does not obey.
    """

    def __init__(self, database_url: str, user_id: int = 1) -> None:
        self._url = database_url
        self._user_id = user_id

    def keep(self, result: StoredResult) -> int:
        """Keep ``result`` and return its id; its own ``id`` and ``created_ms`` are not looked at."""
        from cambist.adapters.storage.trade_columns import pack_equity, pack_trades

        row = {name: getattr(result, name) for name in _FIELDS if name != "id"}
        row |= {
            "user_id": self._user_id,
            "created_ms": time.time_ns() // 1_000_000,
            "trades": pack_trades(result.trades),
            "equity": pack_equity(result.equity),
        }
        with obeying(), self._engine.begin() as connection:
            kept: int = connection.execute(table.insert().values(row).returning(table.c.id)).scalar_one()
        return kept

    def get(self, result_id: int) -> StoredResult:
        """Return the result ``result_id`` with its trades and equity; raise `NotFound`."""
        with obeying(), self._engine.connect() as connection:
            row = connection.execute(self._confine(sa.select(*_columns())).where(table.c.id == result_id)).one_or_none()
        if row is None:
            raise NotFound("results.not_found", id=result_id)
        return _result(row)

    def latest(self, limit: int = 50, strategy: str | None = None) -> list[StoredResult]:
        """Return the newest results first, without trades and equity."""
        query = self._confine(sa.select(*_columns(without=_HEAVY))).order_by(table.c.id.desc()).limit(limit)
        if strategy is not None:
            query = query.where(table.c.strategy == strategy)
        with obeying(), self._engine.connect() as connection:
            return [_result(row) for row in connection.execute(query)]

    def forget(self, result_id: int) -> None:
        """Delete one result; raise `NotFound`."""
        with obeying(), self._engine.begin() as connection:
            gone = connection.execute(self._confine(sa.delete(table)).where(table.c.id == result_id))
        if gone.rowcount == 0:
            raise NotFound("results.not_found", id=result_id)

    def _confine(self, statement: _Confined) -> _Confined:
        """Return ``statement`` confined to this user's rows. No statement that reads or deletes goes without."""
        return statement.where(table.c.user_id == self._user_id)

    @cached_property
    def _engine(self) -> sa.Engine:
        return open_database(self._url)


def _columns(without: tuple[str, ...] = ()) -> list[sa.Column[Any]]:
    return [table.c[name] for name in _FIELDS if name not in without]


def _result(row: sa.Row[Any]) -> StoredResult:
    values = dict(row._mapping)
    values["symbols"] = tuple(values["symbols"])
    values["notes"] = tuple(values["notes"])
    if "trades" in values:
        # here, so that a list of results does not wait for numpy
        from cambist.adapters.storage.trade_columns import unpack_equity, unpack_trades

        values |= {"trades": unpack_trades(values["trades"]), "equity": unpack_equity(values["equity"])}
    return StoredResult(**values)
