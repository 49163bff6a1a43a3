"""Trades: positions that were opened and closed, as columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cambist.domain.candles import Floats, Ints


class ExitReason(StrEnum):
    """Why a position ended."""

    SIGNAL = "signal"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"
    LIMIT = "limit"
    OPEN = "open"
    """It has not ended: still held after the last candle, valued at its close."""


EXIT_REASONS = tuple(ExitReason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One position from its first fill to its last. Times in ms (open time of the candle in which it filled)."""

    symbol: str
    side: str
    """``long`` or ``short``."""
    entry_ts: int
    entry_price: float
    exit_ts: int
    exit_price: float
    quantity: float
    pnl: float
    """Profit in quote currency after fees and funding."""
    fees: float
    exit_reason: ExitReason
    slippage: float = 0.0
    """What slippage and spread cost, in quote currency (already in the prices)."""
    strategy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trades:
    """Trades as arrays of one length, in the order in which they ended.

    ``side`` is +1 (long) or -1 (short), ``exit_reason`` a position in `EXIT_REASONS`, ``symbol`` a position in
    ``symbols``, ``strategy`` one in ``strategies``; prices are averages over the fills, weighted by quantity.
    """

    side: npt.NDArray[np.int8]
    entry_ts: Ints
    entry_price: Floats
    exit_ts: Ints
    exit_price: Floats
    quantity: Floats
    pnl: Floats
    fees: Floats
    slippage: Floats
    exit_reason: npt.NDArray[np.int8]
    symbol: npt.NDArray[np.int16]
    strategy: npt.NDArray[np.int16]
    symbols: tuple[str, ...]
    strategies: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.side.size)

    def __getitem__(self, i: int) -> Trade:
        return Trade(
            symbol=self.symbols[self.symbol[i]],
            side="long" if self.side[i] > 0 else "short",
            entry_ts=int(self.entry_ts[i]),
            entry_price=float(self.entry_price[i]),
            exit_ts=int(self.exit_ts[i]),
            exit_price=float(self.exit_price[i]),
            quantity=float(self.quantity[i]),
            pnl=float(self.pnl[i]),
            fees=float(self.fees[i]),
            exit_reason=EXIT_REASONS[self.exit_reason[i]],
            slippage=float(self.slippage[i]),
            strategy=self.strategies[self.strategy[i]],
        )

    def __iter__(self) -> Iterator[Trade]:
        return (self[i] for i in range(len(self)))

    @property
    def closed(self) -> npt.NDArray[np.bool_]:
        """Return which trades have ended (all but those still open after the last candle)."""
        return self.exit_reason != EXIT_REASONS.index(ExitReason.OPEN)

    def rows(self) -> list[dict[str, Any]]:
        """Return the trades as plain dictionaries, one per trade, ready for JSON."""
        return [
            {
                "symbol": trade.symbol,
                "strategy": trade.strategy,
                "side": trade.side,
                "entry_ts": trade.entry_ts,
                "entry_price": trade.entry_price,
                "exit_ts": trade.exit_ts,
                "exit_price": trade.exit_price,
                "quantity": trade.quantity,
                "pnl": trade.pnl,
                "fees": trade.fees,
                "slippage": trade.slippage,
                "exit_reason": str(trade.exit_reason),
            }
            for trade in self
        ]
