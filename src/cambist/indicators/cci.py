"""Commodity channel index."""

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled

_BLOCK = 512
"""Candles worked on at once; their sums fit the fastest cache."""


@indicator(
    title="Commodity channel index",
    inputs="high low close",
    outputs="cci",
    unit="index",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period,
    source="TA-Lib CCI; Donald Lambert, Commodities, 1980: (typical price - its mean) / (0.015 * its mean deviation)",
)
def cci(high: Floats, low: Floats, close: Floats, period: int = 20) -> Floats:
    """Return how far the typical price, (high + low + close) / 3, is from its mean, in 0.015 mean deviations.

    NaN for the first ``period - 1`` candles; 0 where the typical price did not move.
    """
    typical = high + low
    typical += close
    typical /= 3.0
    out = np.empty(close.size)
    _cci(typical, period, out)
    return out


@compiled
def _cci(typical: Floats, period: int, out: Floats) -> None:
    size = typical.size
    out[: min(period - 1, size)] = np.nan
    means, deviations = np.empty(_BLOCK), np.empty(_BLOCK)
    for start in range(0, size - period + 1, _BLOCK):
        count = min(_BLOCK, size - period + 1 - start)
        # A candle's sum stays in the order of time, but the sums of neighbours run side by side in vector registers.
        means[:] = 0.0
        for j in range(period):
            values = typical[start + j : start + j + count]
            for i in range(count):
                means[i] += values[i]
        means /= period
        deviations[:] = 0.0
        for j in range(period):
            values = typical[start + j : start + j + count]
            for i in range(count):
                deviations[i] += abs(values[i] - means[i])
        latest, tail = typical[start + period - 1 :], out[start + period - 1 :]
        for i in range(count):
            # The mean of equal values may differ from them in the last digits; that is no deviation.
            still = deviations[i] <= 3e-16 * period * period * abs(means[i])
            tail[i] = 0.0 if still else (latest[i] - means[i]) * period / (0.015 * deviations[i])
