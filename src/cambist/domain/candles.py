"""Candles: one (`Candle`) and many (`Candles`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cambist.domain.timeframe import Timeframe

if TYPE_CHECKING:  # arrays are held, never computed with: the words need the standard library alone
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Candle:
    """One closed candle. ``ts`` is its open time in ms; prices in quote currency, volume in base currency."""

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candles:
    """A series of closed candles of one symbol, as arrays of one length, sorted by ``ts``, without duplicates.

    ``ts`` holds open times (int64, ms since the epoch, UTC); ``open high low close`` are prices in quote currency and
    ``volume`` is in base currency (float64). Slicing by position gives a view, not a copy.
    """

    venue: str
    symbol: str
    timeframe: Timeframe
    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "timeframe", Timeframe.parse(self.timeframe))  # or it was written as text: "1h"

    def __len__(self) -> int:
        return int(self.ts.size)

    def __getitem__(self, part: slice) -> Candles:
        return replace(
            self,
            ts=self.ts[part],
            open=self.open[part],
            high=self.high[part],
            low=self.low[part],
            close=self.close[part],
            volume=self.volume[part],
        )

    def __iter__(self) -> Iterator[Candle]:
        columns = (self.ts, self.open, self.high, self.low, self.close, self.volume)
        return (Candle(*row) for row in zip(*(column.tolist() for column in columns), strict=True))

    def __repr__(self) -> str:
        span = f" {int(self.ts[0])}..{int(self.ts[-1])}" if len(self) else ""
        return f"<Candles {self.venue} {self.symbol} {self.timeframe} {len(self)}{span}>"

    def between(self, since: int | None = None, until: int | None = None) -> Candles:
        """Return the candles that open in ``[since, until)`` (ms; None leaves that side open)."""
        first = 0 if since is None else int(self.ts.searchsorted(since))
        last = len(self) if until is None else int(self.ts.searchsorted(until))
        return self[first:last]
