"""`SqlHeartbeatLog`: the heartbeat's signals and sources in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from cambist.adapters.storage.database import insert_into, obeying, open_database, rows_of, writing
from cambist.adapters.storage.tables.book import heartbeat_signals as signals_table
from cambist.adapters.storage.tables.book import heartbeat_sources as sources_table
from cambist.domain.timeframe import Timeframe
from cambist.ports.heartbeat_log import SignalRow, SourceStatus

_FIELDS = tuple(field.name for field in fields(SignalRow))

# to make a statement takes longer than to run it
_RECENT = (
    sa.select(*(signals_table.c[name] for name in _FIELDS))
    .where(signals_table.c.timeframe == sa.bindparam("timeframe"))
    .order_by(signals_table.c.close_ms.desc(), signals_table.c.id.desc())
    .limit(sa.bindparam("limit"))
)
_STATUS = sa.select(sources_table).order_by(sources_table.c.source)


class SqlHeartbeatLog:
    """The port `HeartbeatLog` over SQL. The database is opened, and migrated if need be, when it is first used."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def record(self, signals: Sequence[SignalRow]) -> None:
        """Keep ``signals``, all or none; one that is known (source, venue, symbol, signal id) stays as it was."""
        rows = [{name: getattr(signal, name) for name in _FIELDS} for signal in signals]
        if rows:
            self._write(insert_into(self._engine, signals_table).on_conflict_do_nothing(), rows)

    def recent(self, timeframe: Timeframe | str, limit: int = 60) -> list[SignalRow]:
        """Return the newest signals of a timeframe, by close time, newest first."""
        found = rows_of(self._engine, _RECENT, timeframe=Timeframe.parse(timeframe), limit=limit)
        return [_signal(row) for row in found]

    def seen(self, venue: str, symbol: str, timeframe: Timeframe, since: int, until: int) -> list[SignalRow]:
        """Return the signals whose candles open in ``[since, until)`` (ms), by open time, the first told of each."""
        table = signals_table
        query = (
            sa.select(*(table.c[name] for name in _FIELDS))
            .where(table.c.venue == venue, table.c.symbol == symbol, table.c.timeframe == timeframe)
            .where(table.c.candle_ms >= since, table.c.candle_ms < until)
            .order_by(table.c.candle_ms, table.c.received_ms.desc(), table.c.id.desc())
        )
        return list({row["candle_ms"]: _signal(row) for row in rows_of(self._engine, query)}.values())

    def started(self, source: str, ts: int, symbols: Sequence[str]) -> None:
        """Say that ``source`` is connected since ``ts`` (ms) and hears ``symbols``."""
        self._tell(source, is_connected=True, last_start_ms=ts, symbols=list(symbols))

    def stopped(self, source: str, ts: int) -> None:
        """Say that ``source`` was stopped on purpose."""
        self._tell(source, is_connected=False, last_stop_ms=ts)

    def failed(self, source: str, ts: int, error: str) -> None:
        """Say that ``source`` lost its connection, and why."""
        self._tell(source, is_connected=False, last_stop_ms=ts, last_error=error)

    def status(self) -> list[SourceStatus]:
        """Return every source that was ever heard of, by name."""
        found = rows_of(self._engine, _STATUS)
        return [SourceStatus(**{**row, "symbols": tuple(row["symbols"])}) for row in found]

    def _tell(self, source: str, **news: Any) -> None:
        first = {"last_error": "", "symbols": []} | news
        insert = insert_into(self._engine, sources_table).values(source=source, **first)
        self._write(insert.on_conflict_do_update(index_elements=["source"], set_=news))

    def _write(self, statement: sa.Insert, rows: Sequence[dict[str, Any]] | None = None) -> None:
        with obeying(), writing(self._engine).begin() as connection:
            connection.execute(statement, rows)

    @cached_property
    def _engine(self) -> sa.Engine:
        return open_database(self._url)


def _signal(row: Mapping[Any, Any]) -> SignalRow:
    return SignalRow(**{**row, "timeframe": Timeframe(row["timeframe"])})
