"""Lowest value of a sliding window."""

import talib

from cambist.indicators._card import Floats, Param, indicator


@indicator(
    title="Rolling minimum",
    inputs="close",
    outputs="rolling_min",
    unit="price",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period,
    source="TA-Lib MIN",
)
def rolling_min(close: Floats, period: int = 20) -> Floats:
    """Return the lowest of the last ``period`` values of ``close`` (or of any series).

    NaN for the first ``period - 1`` values. The time does not depend on the period.
    """
    return talib.MIN(close, period)  # type: ignore[no-any-return]
