"""Relative strength index."""

import numpy as np

from cambist.indicators._card import Floats, Param, ema_memory, indicator
from cambist.indicators._kernel import compiled


@indicator(
    title="Relative strength index",
    inputs="close",
    outputs="rsi",
    unit="index",
    period=Param(14, 2, 10_000),
    warmup=lambda period=14: 1 + period + ema_memory(1.0 / period, 1e-12),
    source="TA-Lib RSI; J. Welles Wilder, New Concepts in Technical Trading Systems, 1978: "
    "100 * average gain / (average gain + average loss), averages seeded with the mean of `period` changes",
)
def rsi(close: Floats, period: int = 14) -> Floats:
    """Return Wilder's relative strength, 0 to 100; NaN for the first ``period`` values.

    50 where nothing moved (TA-Lib: 0, which reads as oversold). Unlike TA-Lib's, moves below 1e-14 count, so coins
    that cost next to nothing have an index too.
    """
    out = np.empty(close.size)
    _rsi(close, period, out)
    return out


@compiled
def _rsi(close: Floats, period: int, out: Floats) -> None:
    size = close.size
    for i in range(min(period, size)):
        out[i] = np.nan
    if size <= period:
        return
    gains = losses = 0.0
    for i in range(1, period):
        change = close[i] - close[i - 1]
        gain = change if change > 0.0 else 0.0
        gains += gain
        losses += gain - change
    keep = 1.0
    for i in range(period, size):
        # Sums in place of means: the ratio is the same, and the chain of dependent operations shorter.
        change = close[i] - close[i - 1]
        gain = change if change > 0.0 else 0.0
        gains = gains * keep + gain
        losses = losses * keep + (gain - change)
        both = gains + losses
        out[i] = 50.0 if both == 0.0 else 100.0 * gains / both
        keep = 1.0 - 1.0 / period
