"""Stochastic oscillator."""

from typing import NamedTuple

import talib

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._rolling import standing


class Stochastic(NamedTuple):
    """The oscillator and its signal line, 0 to 100."""

    k: Floats
    d: Floats


@indicator(
    title="Stochastic oscillator",
    inputs="high low close",
    outputs="k d",
    unit="index",
    period=Param(14, 2, 10_000),
    smooth_k=Param(3, 1, 1_000),
    smooth_d=Param(3, 1, 1_000),
    warmup=lambda period=14, smooth_k=3, smooth_d=3: period + smooth_k + smooth_d - 2,
    source="TA-Lib STOCH; George Lane: 100 * (close - lowest low) / (highest high - lowest low), averaged (%K) "
    "and averaged again (%D)",
)
def stochastic(
    high: Floats, low: Floats, close: Floats, period: int = 14, smooth_k: int = 3, smooth_d: int = 3
) -> Stochastic:
    """Return where ``close`` stands in the range of the last ``period`` candles, and the signal line.

    ``smooth_k`` 1 is the fast, 3 the slow stochastic. A range of zero counts as 50, the middle (TA-Lib: 0). %K is NaN
    for the first ``period + smooth_k - 2`` candles, %D for ``smooth_d - 1`` more.
    """
    place: Floats = talib.MAX(high, period)
    standing(close, place, talib.MIN(low, period), 0.0, 0.0)
    k = talib.MA(place, smooth_k)
    return Stochastic(k, talib.MA(k, smooth_d))
