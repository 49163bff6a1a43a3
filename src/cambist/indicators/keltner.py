"""Keltner channel."""

from typing import NamedTuple

import talib

from cambist.indicators._card import Floats, Param, ema_memory, indicator


class Keltner(NamedTuple):
    """The channel, as it stands at each candle."""

    upper: Floats
    middle: Floats
    lower: Floats


def _warmup(period: int = 20, atr_period: int = 10, multiplier: float = 2.0) -> int:
    average = period + ema_memory(2.0 / (period + 1.0))
    return max(average, 1 + atr_period + ema_memory(1.0 / atr_period, 1e-12))


@indicator(
    title="Keltner channel",
    inputs="high low close",
    outputs="upper middle lower",
    unit="price",
    period=Param(20, 2, 10_000),
    atr_period=Param(10, 1, 10_000),
    multiplier=Param(2.0, 0.0, 100.0),
    warmup=_warmup,
    source="Chester Keltner, 1960, as revised by Linda Raschke: EMA(close) +- multiplier * ATR (Wilder's average)",
)
def keltner(
    high: Floats, low: Floats, close: Floats, period: int = 20, atr_period: int = 10, multiplier: float = 2.0
) -> Keltner:
    """Return an exponential average of ``close`` and lines ``multiplier`` average true ranges above and below it.

    The middle is NaN for the first ``period - 1`` candles, the others also for the first ``atr_period``. On flat
    prices all three are the price.
    """
    middle = talib.EMA(close, period)
    reach = talib.ATR(high, low, close, atr_period)
    reach *= multiplier
    upper = middle + reach
    return Keltner(upper, middle, middle - reach)
