"""Supertrend."""

from math import ceil
from typing import NamedTuple

import numpy as np
import talib

from cambist.indicators._card import Floats, Param, ema_memory, indicator
from cambist.indicators._kernel import compiled


class Supertrend(NamedTuple):
    """The trailing stop, and which side of it the market is on: 1 above, -1 below."""

    line: Floats
    direction: Floats


def _warmup(period: int = 10, multiplier: float = 3.0) -> int:
    # Measured: of windows of random walks and of real candles, a tenth as many still differ after every
    # multiplier ** 2 candles, once their average true ranges agree. This is forty of those.
    return 1 + period + ema_memory(1.0 / period, 1e-12) + ceil(40.0 * multiplier**2)


@indicator(
    title="Supertrend",
    inputs="high low close",
    outputs="line direction",
    unit="price sign",
    period=Param(10, 1, 1_000),
    multiplier=Param(3.0, 0.1, 20.0),
    warmup=_warmup,
    source="Olivier Seban; as on TradingView: bands multiplier * ATR (Wilder's average) about (high + low) / 2",
)
def supertrend(high: Floats, low: Floats, close: Floats, period: int = 10, multiplier: float = 3.0) -> Supertrend:
    """Return the Supertrend line, below the market while it rises and above while it falls, and the direction.

    Bands ``multiplier`` average true ranges about the middle of the candle only move towards the market; a close
    beyond one turns the direction. The first direction is that of the close from the middle of its candle. NaN for the
    first ``period`` candles; on flat prices the line is the price and the direction 1.

    The bands depend on the path without limit in principle: two histories agree once the market has left the same
    bands, and no number of candles makes that certain. The warm-up (634 by default) was never too short in ten
    thousands of windows of random and real candles; the slowest of them took some 350.
    """
    reach = talib.ATR(high, low, close, period)
    reach *= multiplier
    result = Supertrend(np.empty(close.size), np.empty(close.size))
    _supertrend(high, low, close, reach, period, *result)
    return result


@compiled
def _supertrend(
    high: Floats, low: Floats, close: Floats, reach: Floats, start: int, line: Floats, direction: Floats
) -> None:
    size = close.size
    line[: min(start, size)] = np.nan
    direction[: min(start, size)] = np.nan
    if size <= start:
        return
    middle = 0.5 * (high[start] + low[start])
    upper, lower, before = np.inf, -np.inf, close[start]
    rising = before >= middle
    for i in range(start, size):
        middle = 0.5 * (high[i] + low[i])
        above, below = middle + reach[i], middle - reach[i]
        # A band only moves towards the market, until a close beyond it sets it free.
        upper = above if (above < upper) | (before > upper) else upper
        lower = below if (below > lower) | (before < lower) else lower
        before = close[i]
        rising = before >= lower if rising else before > upper
        line[i] = lower if rising else upper
        direction[i] = 1.0 if rising else -1.0
