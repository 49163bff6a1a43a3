"""Kernels over rolling windows that several indicators share."""

import numpy as np

from cambist.indicators._card import Floats
from cambist.indicators._kernel import compiled


@compiled
def moments(values: Floats, period: int, means: Floats, deviations: Floats) -> None:
    """Write the mean and the population standard deviation of the last ``period`` values; NaN until there are enough.

    The windows are cut as in `_window_sum`, and distances taken from the value at the cut, which every window of
    that cut holds. A distance is at most the window's own range, so ``mean square - square of mean`` keeps its digits
    at any price and after any spike; and a window of equal values has exactly their mean, and deviation 0.
    """
    means[: min(period - 1, values.size)] = np.nan
    deviations[: min(period - 1, values.size)] = np.nan
    tails, square_tails = np.zeros(period), np.zeros(period)  # what the k-th window after the cut holds of before it
    backwards, square_backwards = tails[: period - 1][::-1], square_tails[: period - 1][::-1]
    share = 1.0 / period
    for cut in range(period - 1, values.size, period):
        anchor, total, squares = values[cut], 0.0, 0.0
        before = values[cut - period + 1 : cut][::-1]
        for k in range(before.size):
            distance = before[k] - anchor
            total += distance
            squares += distance * distance
            backwards[k], square_backwards[k] = total, squares
        after, mean, deviation = values[cut : cut + period], means[cut : cut + period], deviations[cut : cut + period]
        total = squares = 0.0
        for k in range(after.size):
            distance = after[k] - anchor
            total += distance
            squares += distance * distance
            shift = (tails[k] + total) * share
            mean[k] = anchor + shift
            deviation[k] = (square_tails[k] + squares) * share - shift * shift
        for k in range(after.size):  # apart from the sums, so that roots are taken four at a time
            deviation[k] = np.sqrt(0.5 * (deviation[k] + abs(deviation[k])))  # a variance of -1e-17 is none


@compiled
def standing(values: Floats, highest: Floats, lowest: Floats, least: float, bottom: float) -> None:
    """Write into ``highest`` where values stand between ``lowest`` and ``highest``: from ``bottom`` to 100 above it.

    In the middle where the range is no wider than ``least``: neither extreme is near, and no signal should come of it.
    In place, because the pages of a new array cost more than the arithmetic.
    """
    middle = bottom + 50.0
    for i in range(values.size):
        width = highest[i] - lowest[i]
        highest[i] = middle if width <= least else bottom + 100.0 * ((values[i] - lowest[i]) / width)
