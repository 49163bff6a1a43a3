"""TRIX."""

import talib

from cambist.indicators._card import Floats, Param, ema_memory, indicator


@indicator(
    title="TRIX, the slope of a triple exponential average",
    inputs="close",
    outputs="trix",
    unit="percent",
    period=Param(15, 2, 3_000),
    # Three averages in a row, and a slope some thousand times smaller than the price whose seed is forgotten.
    warmup=lambda period=15: 3 * period + ema_memory(2.0 / (period + 1.0), 1e-18),
    source="TA-Lib TRIX; Jack Hutson, Technical Analysis of Stocks & Commodities, 1983",
)
def trix(close: Floats, period: int = 15) -> Floats:
    """Return by how many percent EMA(EMA(EMA(close))) moved since the candle before.

    NaN for the first ``3 * (period - 1) + 1`` values; 0 where prices do not move.
    """
    return talib.TRIX(close, period)  # type: ignore[no-any-return]
