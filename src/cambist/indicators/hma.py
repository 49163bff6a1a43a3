"""Hull moving average."""

from math import isqrt

import talib

from cambist.indicators._card import Floats, Param, indicator


@indicator(
    title="Hull moving average",
    inputs="close",
    outputs="hma",
    unit="price",
    period=Param(20, 4, 10_000),
    warmup=lambda period=20: period + isqrt(period) - 1,
    source="Alan Hull, 2005: WMA(2 WMA(close, period / 2) - WMA(close, period), sqrt(period)), both rounded down",
)
def hma(close: Floats, period: int = 20) -> Floats:
    """Return the Hull average of ``close``: weighted averages that cancel each other's lag.

    NaN for the first ``period + isqrt(period) - 2`` values.
    """
    ahead = talib.WMA(close, period // 2)
    ahead *= 2.0
    ahead -= talib.WMA(close, period)
    return talib.WMA(ahead, isqrt(period))  # type: ignore[no-any-return]
