"""Aroon."""

from typing import NamedTuple

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled


class Aroon(NamedTuple):
    """How fresh the latest extremes are, 0 to 100, and the difference, -100 to 100."""

    up: Floats
    down: Floats
    oscillator: Floats


@indicator(
    title="Aroon",
    inputs="high low",
    outputs="up down oscillator",
    unit="index",
    period=Param(25, 2, 10_000),
    warmup=lambda period=25: period + 1,
    source="TA-Lib AROON; Tushar Chande, 1995: 100 * (period - candles since the highest high) / period",
)
def aroon(high: Floats, low: Floats, period: int = 25) -> Aroon:
    """Return how long ago the extremes of the last ``period + 1`` candles were: 100 now, 0 ``period`` candles ago.

    Of equal extremes the latest counts, so that flat prices give 100 both ways. NaN for the first ``period`` candles.
    """
    up, down = np.empty(high.size), np.empty(high.size)
    _freshness(high, 1.0, period, up)
    _freshness(low, -1.0, period, down)
    return Aroon(up, down, up - down)


@compiled
def _freshness(values: Floats, sign: float, period: int, out: Floats) -> None:
    """Write how fresh the highest (``sign`` 1) or lowest (-1) of the last ``period + 1`` values is, 0 to 100.

    In blocks as long as the window (van Herk, 1992): a window is the end of one block and the beginning of the next,
    so its extreme is the better of two running extremes. The time does not depend on the period.
    """
    width = period + 1
    ends, places = np.full(width, -np.inf), np.zeros(width)  # best of the last block from k on, and where it stands
    for start in range(0, values.size, width):
        block, fresh = values[start : start + width], out[start : start + width]
        best, place = -np.inf, 0
        for k in range(block.size):
            value = sign * block[k]
            place = k if value >= best else place
            best = value if value >= best else best
            since = float(k - place)
            if k < period and ends[k + 1] > best:
                since = k + width - places[k + 1]
            fresh[k] = 100.0 * (period - since) / period
        best, place = -np.inf, 0
        for k in range(block.size - 1, -1, -1):
            value = sign * block[k]
            place = k if value > best else place
            best = value if value > best else best
            ends[k], places[k] = best, place
    out[: min(period, values.size)] = np.nan
