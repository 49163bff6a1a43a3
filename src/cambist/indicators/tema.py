"""Triple exponential moving average."""

import talib

from cambist.indicators._card import Floats, Param, ema_memory, indicator


@indicator(
    title="Triple exponential moving average",
    inputs="close",
    outputs="tema",
    unit="price",
    period=Param(20, 2, 3_000),
    # Three averages in a row forget the seed as steps ** 2 * (1 - alpha) ** steps: four digits more than one.
    warmup=lambda period=20: 3 * period + ema_memory(2.0 / (period + 1.0), 1e-15),
    source="TA-Lib TEMA; Patrick Mulloy, Technical Analysis of Stocks & Commodities, 1994: "
    "3 EMA - 3 EMA(EMA) + EMA(EMA(EMA))",
)
def tema(close: Floats, period: int = 20) -> Floats:
    """Return the triple exponential average of ``close``; NaN for the first ``3 * (period - 1)`` values."""
    return talib.TEMA(close, period)  # type: ignore[no-any-return]
