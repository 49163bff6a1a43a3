"""Money flow index."""

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled
from cambist.indicators._window_sum import window_ratio


@indicator(
    title="Money flow index",
    inputs="high low close volume",
    outputs="mfi",
    unit="index",
    period=Param(14, 2, 10_000),
    warmup=lambda period=14: period + 1,
    source="Quong and Soudack (1989), as TA-Lib MFI: 100 * rising / (rising + falling) flow of typical price * volume",
)
def mfi(high: Floats, low: Floats, close: Floats, volume: Floats, period: int = 14) -> Floats:
    """Return the share of money (typical price times volume) that came with rising prices, 0 to 100.

    NaN for the first ``period`` values; 50 where no money flowed in either direction. TA-Lib gives 0 there, and also
    where less than one unit of quote currency flowed, which in a market quoted in bitcoin is an ordinary candle.
    """
    flow = np.empty(close.size)
    _signed_flow(high, low, close, volume, flow)
    rising = np.maximum(flow, 0.0)
    rising *= 100.0
    return window_ratio(rising, np.abs(flow, out=flow), period, 50.0)


@compiled
def _signed_flow(high: Floats, low: Floats, close: Floats, volume: Floats, flow: Floats) -> None:
    """Write three times the money flow, positive where the typical price rose, negative where it fell."""
    flow[:1] = np.nan
    for i in range(1, close.size):
        price, before = high[i] + low[i] + close[i], high[i - 1] + low[i - 1] + close[i - 1]
        flow[i] = price * volume[i] * ((1.0 if price > before else 0.0) - (1.0 if price < before else 0.0))
