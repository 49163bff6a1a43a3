"""Trades: positions that were opened and closed, as columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
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
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        at = i % len(self)
        return next(self._rows(at, at + 1))

    def __iter__(self) -> Iterator[Trade]:
        return self._rows(0, len(self))

    def _rows(self, start: int, stop: int) -> Iterator[Trade]:
        # whole columns as lists: several times quicker than single numbers out of arrays
        names = ("side", "entry_ts", "entry_price", "exit_ts", "exit_price", "quantity", "pnl", "fees", "slippage")
        columns = [getattr(self, name)[start:stop].tolist() for name in (*names, "exit_reason", "symbol", "strategy")]
        for side, *numbers, reason, symbol, strategy in zip(*columns, strict=True):
            yield Trade(
                **dict(zip(names[1:], numbers, strict=True)),
                side="long" if side > 0 else "short",
                exit_reason=EXIT_REASONS[reason],
                symbol=self.symbols[symbol],
                strategy=self.strategies[strategy],
            )

    @property
    def closed(self) -> npt.NDArray[np.bool_]:
        """Return which trades have ended (all but those still open after the last candle)."""
        closed: npt.NDArray[np.bool_] = self.exit_reason != EXIT_REASONS.index(ExitReason.OPEN)
        return closed

    def rows(self) -> list[dict[str, Any]]:
        """Return the trades as plain dictionaries, one per trade, ready for JSON."""
        return [{**asdict(trade), "exit_reason": str(trade.exit_reason)} for trade in self]
