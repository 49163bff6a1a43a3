"""`SqlSymbols`: what exchanges list, in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from cambist.adapters.storage.database import insert_into, obeying, open_database, rows_of, writing
from cambist.adapters.storage.tables.work import exchange_lists as lists_table
from cambist.adapters.storage.tables.work import exchange_symbols as table
from cambist.domain.instrument import Kind
from cambist.domain.market import ListedExchange, Listing
from cambist.ports.symbols import Found, SymbolQuery

_FIELDS = tuple(field.name for field in fields(Listing))
_ALL = 4
"""Beyond the last rank."""
_LISTED = sa.select(lists_table).order_by(lists_table.c.exchange, lists_table.c.testnet)


class SqlSymbols:
    """The port `Symbols` over SQL. The database is opened, and migrated if need be, when it is first used."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def replace(self, exchange: str, testnet: bool, listings: Sequence[Listing], now_ms: int) -> None:
        """Put ``listings`` in place of all that were known of the exchange, at once: nobody sees half of them."""
        rows = [{name: getattr(one, name) for name in _FIELDS} for one in listings]
        news = {"refreshed_ms": now_ms, "count": len(rows)}
        told = insert_into(self._engine, lists_table).values(exchange=exchange, testnet=testnet, **news)
        with obeying(), writing(self._engine).begin() as connection:
            # first, for whoever refreshes the same exchange waits here, and then replaces what we have written
            connection.execute(told.on_conflict_do_update(index_elements=["exchange", "testnet"], set_=news))
            connection.execute(sa.delete(table).where(*_of(exchange, testnet)))
            if rows:
                connection.execute(sa.insert(table), rows)

    def search(self, query: SymbolQuery, limit: int, after: tuple[int, str] | None = None) -> list[Found]:
        """Return what fits, the best first and then by symbol, beyond ``after`` (rank, symbol)."""
        rank, symbol = _rank(query.text), self._by_code_point(table.c.symbol)
        shown = (table.c[name] for name in _FIELDS)
        wanted = sa.select(*shown, (sa.literal(0) if rank is None else rank).label("rank"))
        wanted = wanted.where(*_of(query.exchange, query.testnet))
        for name in ("quote", "kind", "active"):
            value = getattr(query, name)
            if value is not None:
                wanted = wanted.where(table.c[name] == value)
        order = [symbol]  # as the primary key has it
        beyond = None if after is None else symbol > after[1]
        if rank is not None:
            wanted, order = wanted.where(rank < _ALL), [rank, symbol]
            beyond = None if after is None else sa.or_(rank > after[0], sa.and_(rank == after[0], symbol > after[1]))
        if beyond is not None:
            wanted = wanted.where(beyond)
        return [Found(rank=row["rank"], listing=_listing(row)) for row in self._read(wanted, *order, limit=limit)]

    def quotes(self, exchange: str, testnet: bool = False) -> dict[str, int]:
        """Return how many active symbols there are per quote currency, the most first."""
        count = sa.func.count()
        wanted = sa.select(table.c.quote, count.label("count")).where(*_of(exchange, testnet), table.c.active)
        rows = self._read(wanted.group_by(table.c.quote), count.desc(), table.c.quote)
        return {row["quote"]: row["count"] for row in rows}

    def listed(self) -> list[ListedExchange]:
        """Return the exchanges whose symbols are known, by name."""
        return [ListedExchange(**row) for row in rows_of(self._engine, _LISTED)]

    def _read(self, query: sa.Select[Any], *order: Any, limit: int | None = None) -> list[dict[str, Any]]:
        return rows_of(self._engine, query.order_by(*order).limit(limit))

    def _by_code_point(self, column: Any) -> Any:
        """Return ``column`` as SQLite orders it by itself: PostgreSQL's order hangs on how it was installed."""
        return sa.collate(column, "C") if self._engine.dialect.name == "postgresql" else column

    @cached_property
    def _engine(self) -> sa.Engine:
        return open_database(self._url)


def _of(exchange: str, testnet: bool) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.exchange == exchange, table.c.testnet.is_(testnet)


def _rank(text: str) -> sa.ColumnElement[int] | None:
    """Return how well a row fits ``text``; `_ALL` if it does not. None without a text: then all fit alike."""
    wanted = "".join(sign for sign in text.upper() if sign not in "/-_: ")
    if not wanted:
        return None
    plain = sa.func.replace(sa.func.replace(sa.func.upper(table.c.symbol), "/", ""), ":", "")
    return sa.case(
        (plain == wanted, 0),
        (sa.func.upper(table.c.base) == wanted, 1),
        (plain.startswith(wanted, autoescape=True), 2),
        (plain.contains(wanted, autoescape=True), 3),
        else_=_ALL,
    )


def _listing(row: Mapping[str, Any]) -> Listing:
    return Listing(**{name: row[name] for name in _FIELDS} | {"kind": Kind(row["kind"])})
