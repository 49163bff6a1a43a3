"""Volume-weighted average price over a sliding window."""

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._window_sum import window_ratio, window_sum


@indicator(
    title="Volume-weighted average price, rolling",
    inputs="high low close volume",
    outputs="rolling_vwap",
    unit="price",
    period=Param(20, 2, 100_000),
    warmup=lambda period=20: period,
    source="sum(typical price * volume) / sum(volume) over the period; typical price (high + low + close) / 3",
)
def rolling_vwap(high: Floats, low: Floats, close: Floats, volume: Floats, period: int = 20) -> Floats:
    """Return the volume-weighted mean of the typical price over the last ``period`` candles.

    NaN for the first ``period - 1`` values. Where nothing was traded, the plain mean: what equal weights give.
    """
    price = (high + low + close) / 3.0
    mean: Floats = window_ratio(price * volume, volume, period, np.inf)
    idle = np.isinf(mean)
    if idle.any():
        mean[idle] = window_sum(price, period)[idle] / period
    return mean
