"""How alike two series of one pair are: a wrong label or a test network shows beside another series, never alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cambist.domain.candles import Candles


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two series over the candles that both have and in which both moved."""

    candles: int
    """How many these are."""
    same: float
    """Share of them that close at exactly the same price (1 if there are none). Two markets seldom do."""
    apart: float
    """Typical distance of their closes (median of the absolute log ratio). Arbitrage keeps it small."""


def likeness(one: Candles, other: Candles) -> Likeness:
    """Compare two series of one timeframe by their closes."""
    _, mine, theirs = np.intersect1d(one.ts, other.ts, assume_unique=True, return_indices=True)
    moved = (one.high[mine] > one.low[mine]) & (other.high[theirs] > other.low[theirs])
    closes, others = one.close[mine][moved], other.close[theirs][moved]
    if not closes.size:
        return Likeness(0, 1.0, 0.0)
    return Likeness(closes.size, float(np.mean(closes == others)), float(np.median(np.abs(np.log(closes / others)))))
