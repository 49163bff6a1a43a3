"""Chaikin money flow."""

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled
from cambist.indicators._window_sum import window_ratio


@indicator(
    title="Chaikin money flow",
    inputs="high low close volume",
    outputs="cmf",
    unit="ratio",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period,
    source="Chaikin: sum(volume * ((close - low) - (high - close)) / (high - low)) / sum(volume) over the period",
)
def cmf(high: Floats, low: Floats, close: Floats, volume: Floats, period: int = 20) -> Floats:
    """Return the volume of ``period`` candles weighted by where in its range each closed, over all volume: -1 to 1.

    NaN for the first ``period - 1`` values. A candle without a range adds no flow; 0 where nothing was traded.
    """
    flow = np.empty(close.size)
    _flow(high, low, close, volume, flow)
    return window_ratio(flow, volume, period, 0.0)


@compiled
def _flow(high: Floats, low: Floats, close: Floats, volume: Floats, flow: Floats) -> None:
    for i in range(close.size):
        span = high[i] - low[i]
        flow[i] = volume[i] * ((close[i] - low[i]) - (high[i] - close[i])) / (span if span != 0.0 else 1.0)
