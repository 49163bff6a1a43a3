"""Average true range."""

import talib

from cambist.indicators._card import Floats, Param, ema_memory, indicator


@indicator(
    title="Average true range",
    inputs="high low close",
    outputs="atr",
    unit="distance",
    period=Param(14, 1, 10_000),
    warmup=lambda period=14: 1 + period + ema_memory(1.0 / period, 1e-12),
    source="TA-Lib ATR; J. Welles Wilder, New Concepts in Technical Trading Systems, 1978: seeded with the mean of the "
    "first `period` true ranges, then weight 1 / period",
)
def atr(high: Floats, low: Floats, close: Floats, period: int = 14) -> Floats:
    """Return Wilder's average of the true range; NaN for the first ``period`` candles."""
    return talib.ATR(high, low, close, period)  # type: ignore[no-any-return]
