"""Pivot points of the day."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cambist.domain.timeframe import DAY_MS
from cambist.indicators._card import Floats, Param, indicator


class PivotPoints(NamedTuple):
    """The pivot, three resistances above it and three supports below it: prices, arrays of one length."""

    pivot: Floats
    r1: Floats
    r2: Floats
    r3: Floats
    s1: Floats
    s2: Floats
    s3: Floats


@indicator(
    title="Pivot points, daily",
    inputs="ts high low close",
    outputs=" ".join(PivotPoints._fields),
    unit="price",
    candles_per_day=Param(1440, 1, 1440),
    # The day before must be whole, and today's candles have to be passed to reach it.
    warmup=lambda candles_per_day=1440: 2 * candles_per_day,
    source="classic floor-trader pivots: P = (H + L + C) / 3, R1 = 2P - L, R2 = P + (H - L), R3 = H + 2(P - L)",
)
def pivot_points(
    ts: npt.NDArray[np.int64], high: Floats, low: Floats, close: Floats, candles_per_day: int = 1440
) -> PivotPoints:
    """Return the pivot points of each candle's UTC day, from high, low and close of the last day before it.

    ``ts`` holds the candles' open times in ms. All candles of one day have the same levels, known before it began.
    NaN on the first day, and on the second too if the data begin inside the first: its extremes are then unknown.
    ``candles_per_day`` changes no value, only the warm-up: two days (2880 candles of one minute, 48 of one hour).
    """
    with np.errstate(invalid="ignore"):  # a candle that is missing altogether comes as NaN
        opens = np.asarray(ts, dtype=np.int64)
    midnights = DAY_MS * np.arange(opens[0] // DAY_MS + 1, opens[-1] // DAY_MS + 1)
    starts = np.unique(np.concatenate(([0], np.searchsorted(opens, midnights))))  # days without candles fall together
    lengths = np.diff(starts, append=opens.size)
    H = np.maximum.reduceat(high, starts)
    L = np.minimum.reduceat(low, starts)
    C = close[starts + lengths - 1]
    if opens[0] % DAY_MS:
        H[0] = np.nan
    P = (H + L + C) / 3.0
    up, down = P - L, H - P
    levels = (P, P + up, P + (H - L), H + 2.0 * up, P - down, P - (H - L), L - 2.0 * down)
    return PivotPoints(*(np.repeat(np.concatenate(([np.nan], level[:-1])), lengths) for level in levels))
