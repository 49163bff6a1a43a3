"""Several symbols, each traded from an equal part of the cash, as one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from cambist.backtest.result import markets_of
from cambist.domain.trade import EXIT_REASONS, ExitReason, Trades

if TYPE_CHECKING:
    import numpy.typing as npt

    from cambist.domain.candles import Candles, Floats, Ints

_OPEN = EXIT_REASONS.index(ExitReason.OPEN)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One symbol's run over the candles that it traded; or the sum of several."""

    ts: Ints
    """Closes (ms)."""
    equity: Floats
    trades: Trades
    exposure: float
    """Share of the candles at whose close something was held."""
    volume_traded: float
    """Notional of all fills."""


def joined(parts: Sequence[Part], series: Sequence[Candles], share: float) -> Part:
    """Return the sum of ``parts``; each began with ``share`` in cash and traded one of ``series``."""
    if len(parts) == 1:
        return parts[0]
    ts = np.unique(np.concatenate([part.ts for part in parts]))
    equity, held = np.zeros(ts.size), np.zeros(ts.size, np.bool_)
    for part, candles in zip(parts, series, strict=True):
        rows = np.searchsorted(part.ts, ts, side="right") - 1
        equity += np.where(rows >= 0, part.equity[np.maximum(rows, 0)], share)
        held |= (rows >= 0) & _held(part.trades, candles)[np.maximum(rows, 0)]
    return Part(
        ts=ts,
        equity=equity,
        trades=merged(
            [replace(part.trades, symbols=(market,)) for part, market in zip(parts, markets_of(series), strict=True)]
        ),
        exposure=float(held.mean()),
        volume_traded=sum(part.volume_traded for part in parts),
    )


def _held(trades: Trades, candles: Candles) -> npt.NDArray[np.bool_]:
    """Return at which closes of ``candles`` something was held: from an entry's candle until that of the exit."""
    turns = np.zeros(len(candles) + 1, np.int64)
    np.add.at(turns, candles.ts.searchsorted(trades.entry_ts), 1)
    ends = candles.ts.searchsorted(trades.exit_ts) + (trades.exit_reason == _OPEN)
    np.add.at(turns, ends, -1)
    held: npt.NDArray[np.bool_] = np.cumsum(turns[:-1]) > 0
    return held


def merged(tables: Sequence[Trades]) -> Trades:
    """Return the trades of all ``tables``, in the order in which they ended."""
    symbols = tuple(dict.fromkeys(name for table in tables for name in table.symbols))
    strategies = tuple(dict.fromkeys(name for table in tables for name in table.strategies))
    order = np.argsort(np.concatenate([table.exit_ts for table in tables]), kind="stable")
    places = {
        "symbol": [
            np.array([symbols.index(name) for name in table.symbols], np.int16)[table.symbol] for table in tables
        ],
        "strategy": [
            np.array([strategies.index(name) for name in table.strategies], np.int16)[table.strategy]
            for table in tables
        ],
    }
    columns = {
        field.name: np.concatenate(places.get(field.name) or [getattr(table, field.name) for table in tables])[order]
        for field in fields(Trades)
        if field.name not in ("symbols", "strategies")
    }
    return Trades(**columns, symbols=symbols, strategies=strategies)
