"""Z-score: distance from the mean in standard deviations."""

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled


@indicator(
    title="Z-score",
    inputs="close",
    outputs="zscore",
    unit="ratio",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period,
    source="(close - mean) / population standard deviation of the last `period` values, the newest among them",
)
def zscore(close: Floats, period: int = 20) -> Floats:
    """Return how many standard deviations ``close`` (or any series) lies from the mean of its last ``period`` values.

    NaN for the first ``period - 1`` values; 0 where all values are equal.
    """
    return window_zscore(close, period)


def window_zscore(values: Floats, period: int) -> Floats:
    """Return the z-scores of a contiguous float64 array."""
    out = np.empty(values.size)
    _zscore(values, period, out)
    return out


@compiled
def _zscore(values: Floats, period: int, out: Floats) -> None:
    """Sum as in `_rolling.moments`, but never add the price back: distance less mean keeps its digits."""
    out[: period - 1] = np.nan
    tails, square_tails = np.zeros(period), np.zeros(period)
    backwards, square_backwards = tails[: period - 1][::-1], square_tails[: period - 1][::-1]
    share = 1.0 / period
    for cut in range(period - 1, values.size, period):
        before, after = values[cut - period + 1 : cut][::-1], values[cut : cut + period]
        scores = out[cut : cut + period]
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
            variance = (square_tails[k] + squares) * share - mean * mean
            # A variance that is not positive is none; one that is NaN stays NaN.
            scores[k] = 0.0 if variance <= 0.0 else (distance - mean) / np.sqrt(variance)
