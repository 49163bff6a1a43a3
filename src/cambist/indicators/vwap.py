"""Volume-weighted average price of the day."""

import numpy as np
import numpy.typing as npt

from cambist.domain.timeframe import DAY_MS
from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled


@indicator(
    title="Volume-weighted average price, daily",
    inputs="ts high low close volume",
    outputs="vwap",
    unit="price",
    candles_per_day=Param(1440, 1, 1440),
    warmup=lambda candles_per_day=1440: candles_per_day,
    source="Berkowitz, Logue and Noser (1988): sum(typical price * volume) / sum(volume), from 00:00 UTC",
)
def vwap(
    ts: npt.NDArray[np.int64], high: Floats, low: Floats, close: Floats, volume: Floats, candles_per_day: int = 1440
) -> Floats:
    """Return the volume-weighted mean of the typical price ``(high + low + close) / 3`` since 00:00 UTC.

    ``ts`` holds the candles' open times in ms. NaN until the first midnight in the data: a day whose start is missing
    has no known average. Until something is traded on a day, the candle's typical price. ``candles_per_day`` changes
    no value, only the warm-up: how many candles reach back to midnight (1440 of one minute, 24 of one hour).
    """
    with np.errstate(invalid="ignore"):  # a candle that is missing altogether comes as NaN
        opens = np.asarray(ts, dtype=np.int64)
    out = np.empty(close.size)
    _vwap(opens, high, low, close, volume, out)
    return out


@compiled
def _vwap(ts: npt.NDArray[np.int64], high: Floats, low: Floats, close: Floats, volume: Floats, out: Floats) -> None:
    midnight = -(-ts[0] // DAY_MS) * DAY_MS  # the first one in the data
    first = np.searchsorted(ts, midnight)
    out[:first] = np.nan
    anchor = money = traded = 0.0
    for i in range(first, ts.size):
        price = (high[i] + low[i] + close[i]) / 3.0
        if ts[i] >= midnight:
            anchor, money, traded = price, 0.0, 0.0  # sums of distances: prices that stand still give just that one
            midnight = (ts[i] // DAY_MS + 1) * DAY_MS
        money += (price - anchor) * volume[i]
        traded += volume[i]
        out[i] = anchor + money / traded if traded > 0.0 else price
