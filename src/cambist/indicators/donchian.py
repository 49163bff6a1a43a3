"""Donchian channel."""

from typing import NamedTuple

import talib

from cambist.indicators._card import Floats, Param, indicator


class Donchian(NamedTuple):
    """The channel, as it stands at each candle."""

    upper: Floats
    middle: Floats
    lower: Floats


@indicator(
    title="Donchian channel",
    inputs="high low",
    outputs="upper middle lower",
    unit="price",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period,
    source="Richard Donchian; TA-Lib MAX and MIN: the highest high and the lowest low of the last `period` candles",
)
def donchian(high: Floats, low: Floats, period: int = 20) -> Donchian:
    """Return the highest high, the lowest low and their mean over the last ``period`` candles.

    The candle itself counts, as on TradingView: a close can touch the channel, never leave it. To trade break-outs,
    compare with the channel of the candle before. NaN for the first ``period - 1`` candles.
    """
    upper = talib.MAX(high, period)
    lower = talib.MIN(low, period)
    middle = upper + lower
    middle *= 0.5
    return Donchian(upper, middle, lower)
