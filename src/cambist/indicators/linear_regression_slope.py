"""Slope of the regression line through a sliding window."""

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled


@indicator(
    title="Linear regression slope",
    inputs="close",
    outputs="linear_regression_slope",
    unit="distance",
    period=Param(14, 2, 10_000),
    warmup=lambda period=14: period,
    source="ordinary least squares over the last `period` values, as TA-Lib LINEARREG_SLOPE",
)
def linear_regression_slope(close: Floats, period: int = 14) -> Floats:
    """Return the slope, per candle, of the straight line fitted to the last ``period`` values of ``close``.

    NaN for the first ``period - 1`` values; exactly 0 where all values are equal.
    """
    out = np.empty(close.size)
    _slope(close, period, out)
    return out


@compiled
def _slope(values: Floats, period: int, out: Floats) -> None:
    """Sum as in `_window_sum`: distances from the value at the cut, times their places from the window's middle.

    When the window moves on by one candle each place drops by one, so the weighted sum falls by the plain sum: both
    halves of a window are carried along by additions alone.
    """
    out[: period - 1] = np.nan
    tails = np.zeros(period)
    backwards = tails[: period - 1][::-1]
    half = 0.5 * (period - 1)
    scale = 12.0 / (period * (period * period - 1.0))  # one over the sum of squared places
    for cut in range(period - 1, values.size, period):
        before, after = values[cut - period + 1 : cut][::-1], values[cut : cut + period]
        slopes = out[cut : cut + period]
        anchor, total, weighted = values[cut], 0.0, 0.0
        for k in range(before.size):
            distance = before[k] - anchor
            weighted += total - half * distance
            total += distance
            backwards[k] = weighted
        total = weighted = 0.0
        for k in range(after.size):
            distance = after[k] - anchor
            weighted += half * distance - total
            total += distance
            slopes[k] = (tails[k] + weighted) * scale
