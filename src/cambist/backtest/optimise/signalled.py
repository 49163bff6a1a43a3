"""A `SignalStrategy` on one symbol through the fused simulator: one combination over several spans."""

from __future__ import annotations

from collections.abc import Sequence
from threading import local
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.analytics.performance import Course, of_trades, padded, relative_changes, summed
from cambist.backtest.engines import frozen
from cambist.backtest.optimise.stretches import Evaluated, Stretch
from cambist.domain.trade import EXIT_REASONS, ExitReason

if TYPE_CHECKING:
    import numpy.typing as npt

    from cambist.strategies._signals import SignalStrategy

_OPEN = EXIT_REASONS.index(ExitReason.OPEN)
_FLAGS = ("enter_long", "exit_long", "enter_short", "exit_short")
_FRACTIONS = ("stop_loss", "take_profit", "size")
_TABLES = local()
"""Each thread's table of trades: as long as the longest that it has written."""


def signalled(strategy: SignalStrategy, stretches: Sequence[Stretch]) -> list[Evaluated]:
    """Return what ``strategy`` gives over each of ``stretches``; signals are computed once, up to the last stop."""
    last = max(stretches, key=lambda stretch: len(stretch.seats[0].candles))
    columns = strategy._columns(last.seats[0].candles)
    return [_over(stretch, [frozen(columns[name]) for name in (*_FLAGS, *_FRACTIONS)]) for stretch in stretches]


def _over(stretch: Stretch, columns: list[npt.NDArray[Any]]) -> Evaluated:
    trades, account, course, sampled = simulated(stretch, columns)
    cash, seat = stretch.cash, stretch.seats[0]
    rows, periods = stretch.samples
    count = len(seat.candles) - stretch.starts[0]
    ended = trades.size - int(trades.size > 0 and trades["exit_reason"][-1] == _OPEN)  # at most the last has not
    pnl = np.ascontiguousarray(trades["pnl"][:ended])
    returns = relative_changes(sampled, cash)
    metrics = summed(
        Course(
            elapsed_ms=int(stretch.ts[-1]) - stretch.start_ts,
            final=float(course["final"]),
            mean=float(course["sum"]) / count,
            drawdown=float(course["worst"]),
            underwater_ms=int(course["longest"]),
            returns=returns,
            periods=periods,
        ),
        of_trades(pnl, trades.size, float(trades["fees"].sum()), float(trades["slippage"].sum())),
        cash=cash,
        held=stretch.held,
        exposure=float(account["candles_held"]) / count,
        volume_traded=float(account["traded"]),
    )
    return Evaluated(metrics=metrics, returns=padded(returns, rows.size), periods=periods)


def simulated(stretch: Stretch, columns: list[npt.NDArray[Any]]) -> tuple[Any, Any, Any, npt.NDArray[np.float64]]:
    """Trade the only seat of ``stretch`` by whole ``columns`` of signals; return trades, account, course, samples.

    The times of the trades are positions of candles.
    """
    from cambist.backtest.compiled import ACCOUNT
    from cambist.backtest.optimise.fused import COURSE, trade

    seat, history, start = stretch.seats[0], stretch.histories[0], stretch.starts[0]
    candles = seat.candles
    stop = len(candles)
    known = [column[:stop] if column.size > 1 else column for column in columns]
    entries = sum(np.count_nonzero(known[_FLAGS.index(name)][start:]) for name in ("enter_long", "enter_short"))
    account, course = np.zeros(1, ACCOUNT), np.zeros(1, COURSE)
    account["cash"] = course["peak"] = course["floor"] = stretch.settings.cash
    course["start_ts"], course["peak_row"] = stretch.start_ts, -1
    rows, _ = stretch.samples
    sampled = np.empty(rows.size)
    table = _table(int(entries) + 1)
    closes_at = history.closes_at
    trade(
        start, candles.ts, closes_at[:stop], candles.open, candles.high, candles.low, candles.close, candles.volume,
        *known, *stretch.funding, stretch.rows, stretch.rules, account[0], course[0], table, sampled,
    )  # fmt: skip
    return table[: account["trades"][0]], account[0], course[0], sampled


def _table(size: int) -> npt.NDArray[np.void]:
    from cambist.backtest.compiled import TRADE

    table: npt.NDArray[np.void] | None = getattr(_TABLES, "table", None)
    if table is None or table.size < size:
        table = _TABLES.table = np.empty(size, TRADE)
    return table
