"""Double exponential moving average."""

import talib

from cambist.indicators._card import Floats, Param, ema_memory, indicator


@indicator(
    title="Double exponential moving average",
    inputs="close",
    outputs="dema",
    unit="price",
    period=Param(20, 2, 5_000),
    # An average of an average forgets its seed as steps * (1 - alpha) ** steps: two digits more than one average.
    warmup=lambda period=20: 2 * period + ema_memory(2.0 / (period + 1.0), 1e-13),
    source="TA-Lib DEMA; Patrick Mulloy, Technical Analysis of Stocks & Commodities, 1994: 2 EMA - EMA(EMA)",
)
def dema(close: Floats, period: int = 20) -> Floats:
    """Return twice the exponential average of ``close`` less the average of that average, which cancels half the lag.

    NaN for the first ``2 * (period - 1)`` values.
    """
    return talib.DEMA(close, period)  # type: ignore[no-any-return]
