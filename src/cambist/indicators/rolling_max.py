"""Highest value of a sliding window."""

import talib

from cambist.indicators._card import Floats, Param, indicator


@indicator(
    title="Rolling maximum",
    inputs="close",
    outputs="rolling_max",
    unit="price",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period,
    source="TA-Lib MAX",
)
def rolling_max(close: Floats, period: int = 20) -> Floats:
    """Return the highest of the last ``period`` values of ``close`` (or of any series).

    NaN for the first ``period - 1`` values. The time does not depend on the period.
    """
    return talib.MAX(close, period)  # type: ignore[no-any-return]
