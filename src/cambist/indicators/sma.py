"""Simple moving average."""

import talib

from cambist.indicators._card import Floats, Param, indicator


@indicator(
    title="Simple moving average",
    inputs="close",
    outputs="sma",
    unit="price",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period,
    source="TA-Lib SMA: the arithmetic mean of the last `period` values",
)
def sma(close: Floats, period: int = 20) -> Floats:
    """Return the mean of the last ``period`` values of ``close``; NaN for the first ``period - 1`` values."""
    return talib.SMA(close, period)  # type: ignore[no-any-return]
