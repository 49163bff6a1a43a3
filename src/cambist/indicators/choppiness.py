"""Choppiness index."""

import numpy as np
import talib

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._window_sum import window_sum


@indicator(
    title="Choppiness index",
    inputs="high low close",
    outputs="choppiness",
    unit="index",
    period=Param(14, 2, 10_000),
    warmup=lambda period=14: period + 1,
    source="Dreiss: 100 * log(sum of true ranges / (highest true high - lowest true low)) / log(period)",
)
def choppiness(high: Floats, low: Floats, close: Floats, period: int = 14) -> Floats:
    """Return how much of its way the price wasted going back and forth: near 0 a straight trend, near 100 all chop.

    NaN for the first ``period`` values; 100 where the price did not move at all. The span is that of true highs and
    lows (which reach to the close before), so the index stays within 0 to 100 across gaps too.
    """
    out = np.full(close.size, np.nan)
    if close.size <= period:
        return out
    true_high, true_low = np.maximum(high[1:], close[:-1]), np.minimum(low[1:], close[:-1])
    path = window_sum(true_high - true_low, period)
    span = talib.MAX(true_high, period) - talib.MIN(true_low, period)
    # A price that stood still counts as one that used up its whole way: log(period) / log(period).
    waste = np.divide(path, span, out=np.full_like(path, period), where=span != 0.0)
    out[1:] = np.log10(waste) * (100.0 / np.log10(period))
    return out
