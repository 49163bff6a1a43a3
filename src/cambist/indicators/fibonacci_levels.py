"""Fibonacci retracement levels of the latest swing."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled


class FibonacciLevels(NamedTuple):
    """Prices at which 0 to 100 % of the move between two extremes are given back; arrays of one length."""

    level_0: Floats
    """Where the move ended."""
    level_23_6: Floats
    level_38_2: Floats
    level_50: Floats
    level_61_8: Floats
    level_78_6: Floats
    level_100: Floats
    """Where the move began."""


SHARES = np.array([0.0, 0.236, 0.382, 0.5, 0.618, 0.786, 1.0])


@indicator(
    title="Fibonacci retracement levels",
    inputs="high low",
    outputs=" ".join(FibonacciLevels._fields),
    unit="price",
    period=Param(100, 2, 10_000),
    warmup=lambda period=100: period,
    source="retracements of 0, 23.6, 38.2, 50, 61.8, 78.6 and 100 % between the highest high and the lowest low",
)
def fibonacci_levels(high: Floats, low: Floats, period: int = 100) -> FibonacciLevels:
    """Return the retracement levels between the highest high and the lowest low of the last ``period`` candles.

    If the high is the newer one the move went up: 0 % is the high, 100 % the low, and retracing goes down. If the low
    is newer, the other way round. Of equal extremes the newest counts; where one candle holds both, the move counts as
    upward. The candle of the value itself, closed by then, is the last of the ``period``. NaN for the first
    ``period - 1`` values.
    """
    top, bottom = np.empty(high.size, np.int64), np.empty(high.size, np.int64)
    _newest_highest(high, period, top)
    _newest_highest(-low, period, bottom)
    levels = np.empty((SHARES.size, high.size))
    _levels(high, low, top, bottom, period, SHARES, levels)
    return FibonacciLevels(*levels)


@compiled
def _levels(
    high: Floats,
    low: Floats,
    top: npt.NDArray[np.int64],
    bottom: npt.NDArray[np.int64],
    period: int,
    shares: Floats,
    levels: Floats,
) -> None:
    levels[:, : period - 1] = np.nan
    for i in range(period - 1, high.size):
        highest, lowest = high[top[i]], low[bottom[i]]
        end, begin = (highest, lowest) if top[i] >= bottom[i] else (lowest, highest)
        for k in range(shares.size):  # a weighted mean, so that 0 and 100 % are the extremes to the last bit
            levels[k, i] = end * (1.0 - shares[k]) + begin * shares[k]


@compiled
def _newest_highest(values: Floats, period: int, out: npt.NDArray[np.int64]) -> None:
    """Write the position of the highest of the last ``period`` values, the newest of equals, where there are so many.

    Goes over windows as `_window_sum` does, so the time does not depend on the period.
    """
    tails, places = np.full(period, -np.inf), np.zeros(period, np.int64)
    for cut in range(period - 1, values.size, period):
        best, place = -np.inf, cut
        for k in range(period - 1):
            i = cut - 1 - k
            if values[i] > best:
                best, place = values[i], i
            tails[period - 2 - k], places[period - 2 - k] = best, place
        best, place = -np.inf, cut
        for i in range(cut, min(cut + period, values.size)):
            if values[i] >= best:
                best, place = values[i], i
            k = i - cut
            out[i] = place if best >= tails[k] else places[k]
