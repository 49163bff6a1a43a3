"""Stochastic RSI."""

from typing import NamedTuple

import talib

from cambist.indicators._card import Floats, Param, ema_memory, indicator
from cambist.indicators._rolling import standing
from cambist.indicators.rsi import rsi

_LEAST = 1e-9
"""A range of the RSI narrower than this is rounding, not movement."""


class StochasticRsi(NamedTuple):
    """The oscillator and its signal line, 0 to 100."""

    k: Floats
    d: Floats


def _warmup(rsi_period: int = 14, period: int = 14, smooth_k: int = 3, smooth_d: int = 3) -> int:
    return rsi_period + ema_memory(1.0 / rsi_period, 1e-14) + period + smooth_k + smooth_d


@indicator(
    title="Stochastic RSI",
    inputs="close",
    outputs="k d",
    unit="index",
    rsi_period=Param(14, 2, 5_000),
    period=Param(14, 2, 5_000),
    smooth_k=Param(3, 1, 1_000),
    smooth_d=Param(3, 1, 1_000),
    warmup=_warmup,
    source="Tushar Chande and Stanley Kroll, The New Technical Trader, 1994: the stochastic oscillator of the RSI; "
    "TA-Lib STOCHRSI is `smooth_k` 1",
)
def stochastic_rsi(
    close: Floats, rsi_period: int = 14, period: int = 14, smooth_k: int = 3, smooth_d: int = 3
) -> StochasticRsi:
    """Return where the RSI stands in its own range of the last ``period`` values, and the signal line.

    The defaults are TradingView's. Where the RSI does not move, 50. %K is NaN for the first
    ``rsi_period + period + smooth_k - 2`` values, %D for ``smooth_d - 1`` more.
    """
    strength = rsi(close, rsi_period)
    place: Floats = talib.MAX(strength, period)
    standing(strength, place, talib.MIN(strength, period), _LEAST, 0.0)
    k = talib.MA(place, smooth_k)
    return StochasticRsi(k, talib.MA(k, smooth_d))
