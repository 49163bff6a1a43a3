"""Williams %R."""

import talib

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._rolling import standing


@indicator(
    title="Williams %R",
    inputs="high low close",
    outputs="williams_r",
    unit="index",
    period=Param(14, 2, 10_000),
    warmup=lambda period=14: period,
    source="TA-Lib WILLR; Larry Williams, 1973: -100 * (highest high - close) / (highest high - lowest low)",
)
def williams_r(high: Floats, low: Floats, close: Floats, period: int = 14) -> Floats:
    """Return where ``close`` stands in the range of the last ``period`` candles: 0 at its top, -100 at its bottom.

    NaN for the first ``period - 1`` candles; -50, the middle, where the range is zero (TA-Lib: 0).
    """
    place: Floats = talib.MAX(high, period)
    standing(close, place, talib.MIN(low, period), 0.0, -100.0)
    return place
