"""Bollinger bands."""

from typing import NamedTuple

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled
from cambist.indicators._rolling import moments


class Bollinger(NamedTuple):
    """The bands, in the unit of the price, and where the close stands in them, as plain ratios."""

    upper: Floats
    middle: Floats
    lower: Floats
    percent_b: Floats
    """(close - lower) / (upper - lower): 0 at the lower band, 1 at the upper."""
    width: Floats
    """(upper - lower) / middle."""


@indicator(
    title="Bollinger bands",
    inputs="close",
    outputs="upper middle lower percent_b width",
    unit="price price price ratio ratio",
    period=Param(20, 2, 10_000),
    multiplier=Param(2.0, 0.0, 100.0),
    warmup=lambda period=20, multiplier=2.0: period,
    source="John Bollinger, Bollinger on Bollinger Bands, 2001; TA-Lib BBANDS: "
    "SMA +- multiplier * population standard deviation",
)
def bollinger(close: Floats, period: int = 20, multiplier: float = 2.0) -> Bollinger:
    """Return bands ``multiplier`` standard deviations about the mean of ``close``, %b and band width.

    NaN for the first ``period - 1`` values. Where the bands have no width, %b is 0.5 and the width 0; the width is
    also 0 where the mean is 0. TA-Lib takes variances below 1e-14 for zero and so gives cheap coins no bands; these
    hold at any price.
    """
    size = close.size
    result = Bollinger(np.empty(size), np.empty(size), np.empty(size), np.empty(size), np.empty(size))
    moments(close, period, result.middle, result.upper)
    _bands(close, multiplier, *result)
    return result


@compiled
def _bands(
    close: Floats, multiplier: float, upper: Floats, middle: Floats, lower: Floats, percent_b: Floats, width: Floats
) -> None:
    """Make bands of the mean (in ``middle``) and the standard deviation (in ``upper``)."""
    for i in range(close.size):
        mean = middle[i]
        reach = multiplier * upper[i]
        spread = 2.0 * reach
        upper[i] = mean + reach
        lower[i] = mean - reach
        percent_b[i] = 0.5 if spread == 0.0 else 0.5 + (close[i] - mean) / spread
        width[i] = 0.0 if mean == 0.0 else spread / mean
