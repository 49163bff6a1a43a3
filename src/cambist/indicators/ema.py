"""Exponential moving average."""

import talib

from cambist.indicators._card import Floats, Param, ema_memory, indicator


@indicator(
    title="Exponential moving average",
    inputs="close",
    outputs="ema",
    unit="price",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period + ema_memory(2.0 / (period + 1.0)),
    source="TA-Lib EMA: seeded with the simple average of the first `period` values, then weight 2 / (period + 1)",
)
def ema(close: Floats, period: int = 20) -> Floats:
    """Return the exponential moving average of ``close``; NaN for the first ``period - 1`` values."""
    return talib.EMA(close, period)  # type: ignore[no-any-return]
