"""Weighted moving average."""

import talib

from cambist.indicators._card import Floats, Param, indicator


@indicator(
    title="Weighted moving average",
    inputs="close",
    outputs="wma",
    unit="price",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period,
    source="TA-Lib WMA: weights 1, 2 ... period, the newest value weighs most",
)
def wma(close: Floats, period: int = 20) -> Floats:
    """Return the linearly weighted mean of the last ``period`` values; NaN for the first ``period - 1`` values."""
    return talib.WMA(close, period)  # type: ignore[no-any-return]
