"""`SqlResults`: finished backtests in the database."""

import time
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from cambist.adapters.storage.owned import Owned
from cambist.adapters.storage.tables.book import backtest_results as table
from cambist.domain.account import LOCAL_USER
from cambist.domain.errors import NotFound
from cambist.ports.results import StoredResult

_FIELDS = tuple(field.name for field in fields(StoredResult))
_HEAVY = ("trades", "equity")
"""What a list of results leaves out."""
# to make a statement takes longer than to run it
_LATEST = (
    sa.select(*(table.c[name] for name in _FIELDS if name not in _HEAVY))
    .order_by(table.c.id.desc())
    .limit(sa.bindparam("limit"))
)


class SqlResults(Owned):
    """The port `ResultStore` over SQL, for one user."""

    def __init__(self, database_url: str, user_id: int = LOCAL_USER) -> None:
        super().__init__(database_url, user_id)
        self._owner = user_id

    def keep(self, result: StoredResult) -> int:
        """Keep ``result`` and return its id; its own ``id`` and ``created_ms`` are not looked at."""
        row = row_of(result, self._owner, time.time_ns() // 1_000_000)
        return int(self._add(table, row))

    def get(self, result_id: int) -> StoredResult:
        """Return the result ``result_id`` with its trades and equity; raise `NotFound`."""
        for row in self._read(sa.select(*(table.c[name] for name in _FIELDS)).where(table.c.id == result_id)):
            return _result(row)
        raise NotFound("results.not_found", id=result_id)

    def latest(
        self,
        limit: int = 50,
        strategy: str | None = None,
        *,
        venue: str | None = None,
        timeframe: str | None = None,
        before: int | None = None,
    ) -> list[StoredResult]:
        """Return the newest results first, without trades and equity; with ``before`` those of a smaller id."""
        query = _LATEST
        for column, wanted in ((table.c.strategy, strategy), (table.c.venue, venue), (table.c.timeframe, timeframe)):
            if wanted is not None:
                query = query.where(column == wanted)
        if before is not None:
            query = query.where(table.c.id < before)
        return [_result(row) for row in self._read(query, limit=limit)]

    def forget(self, result_id: int) -> None:
        """Delete one result; raise `NotFound`."""
        if not self._change(sa.delete(table).where(table.c.id == result_id)):
            raise NotFound("results.not_found", id=result_id)


def row_of(result: StoredResult, user_id: int, created_ms: int) -> dict[str, Any]:
    """Return ``result`` as a row of ``user_id``'s."""
    from cambist.adapters.storage.trade_columns import pack_equity, pack_trades

    row = {name: getattr(result, name) for name in _FIELDS if name != "id"}
    return row | {
        "user_id": user_id,
        "created_ms": created_ms,
        "trades": pack_trades(result.trades),
        "equity": pack_equity(result.equity),
    }


def _result(values: dict[str, Any]) -> StoredResult:
    values["symbols"] = tuple(values["symbols"])
    values["notes"] = tuple(values["notes"])
    if "trades" in values:
        # here, so that a list of results does not wait for numpy
        from cambist.adapters.storage.trade_columns import unpack_equity, unpack_trades

        values |= {"trades": unpack_trades(values["trades"]), "equity": unpack_equity(values["equity"])}
    return StoredResult(**values)
