"""Standard deviation of a sliding window."""

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled


@indicator(
    title="Rolling standard deviation",
    inputs="close",
    outputs="rolling_std",
    unit="price",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period,
    source="population standard deviation (divided by the period, as in TA-Lib STDDEV and Bollinger bands)",
)
def rolling_std(close: Floats, period: int = 20) -> Floats:
    """Return the population standard deviation of the last ``period`` values of ``close`` (or of any series).

    NaN for the first ``period - 1`` values; exactly 0 where all values are equal.
    """
    out = np.empty(close.size)
    _std(close, period, out)
    return out


@compiled
def _std(values: Floats, period: int, out: Floats) -> None:
    """Sum as in `_window_sum`, but distances from the value at the cut, which every window of that cut holds.

    A distance is at most the window's own range, so ``mean square - square of mean`` loses no more digits than the
    period costs, however far from zero the prices lie.
    """
    out[: period - 1] = np.nan
    tails, square_tails = np.zeros(period), np.zeros(period)
    backwards, square_backwards = tails[: period - 1][::-1], square_tails[: period - 1][::-1]
    share = 1.0 / period
    for cut in range(period - 1, values.size, period):
        before, after = values[cut - period + 1 : cut][::-1], values[cut : cut + period]
        variance = out[cut : cut + period]
        anchor, total, squares = values[cut], 0.0, 0.0
        for k in range(before.size):
            distance = before[k] - anchor
            total += distance
            squares += distance * distance
            backwards[k], square_backwards[k] = total, squares
        total = squares = 0.0
        for k in range(after.size):
            distance = after[k] - anchor
            total += distance
            squares += distance * distance
            mean = (tails[k] + total) * share
            variance[k] = (square_tails[k] + squares) * share - mean * mean
    for i in range(out.size):  # apart from the sums, so that roots are taken four at a time
        out[i] = np.sqrt(0.5 * (out[i] + abs(out[i])))  # a variance of -1e-17 is none
