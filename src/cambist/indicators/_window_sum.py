"""Sums over a sliding window, without drift.

A running sum that adds the newcomer and takes away the leaver keeps the rounding error of every value that ever passed
through it. Here nothing is taken away: the series is cut into blocks of ``period`` values, and each window lies across
one cut: it holds the end of one block, summed backwards from the cut, and the start of the next, summed forwards. Two
additions per value whatever the period (van Herk, Gil and Werman), no cancellation, and a NaN spoils the windows that
hold it and no other. `rolling_std`, `zscore`, `linear_regression_slope` and `fibonacci_levels` go over windows in the
same way.

Results are made outside the kernels: numpy asks for large pages of memory, which takes less time than filling them.
"""

import numpy as np

from cambist.indicators._card import Floats
from cambist.indicators._kernel import compiled


def window_sum(values: Floats, period: int) -> Floats:
    """Return the sum of the last ``period`` values at each position; NaN for the first ``period - 1``."""
    out = np.empty(values.size)
    _window_sum(values, period, out)
    return out


def window_ratio(parts: Floats, wholes: Floats, period: int, empty: float) -> Floats:
    """Return the sum of ``parts`` over the sum of ``wholes`` in each window; ``empty`` where the latter is zero.

    ``wholes`` are not negative. NaN for the first ``period - 1`` values.
    """
    out = np.empty(parts.size)
    _window_ratio(parts, wholes, period, empty, out)
    return out


@compiled
def _window_sum(values: Floats, period: int, out: Floats) -> None:
    out[: period - 1] = np.nan
    tails = np.zeros(period)  # tails[k]: what the window that ends k values after the cut holds of the block before it
    backwards = tails[: period - 1][::-1]
    for cut in range(period - 1, values.size, period):
        before, after, sums = values[cut - period + 1 : cut][::-1], values[cut : cut + period], out[cut : cut + period]
        total = 0.0
        for k in range(before.size):
            total += before[k]
            backwards[k] = total
        total = 0.0
        for k in range(after.size):
            total += after[k]
            sums[k] = tails[k] + total


@compiled
def _window_ratio(parts: Floats, wholes: Floats, period: int, empty: float, out: Floats) -> None:
    out[: period - 1] = np.nan
    part_tails, whole_tails = np.zeros(period), np.zeros(period)
    part_back, whole_back = part_tails[: period - 1][::-1], whole_tails[: period - 1][::-1]
    for cut in range(period - 1, parts.size, period):
        parts_before, wholes_before = parts[cut - period + 1 : cut][::-1], wholes[cut - period + 1 : cut][::-1]
        parts_after, wholes_after = parts[cut : cut + period], wholes[cut : cut + period]
        ratios = out[cut : cut + period]
        part = whole = 0.0
        for k in range(parts_before.size):
            part += parts_before[k]
            whole += wholes_before[k]
            part_back[k], whole_back[k] = part, whole
        part = whole = 0.0
        for k in range(parts_after.size):
            part += parts_after[k]
            whole += wholes_after[k]
            over = whole_tails[k] + whole
            ratios[k] = (part_tails[k] + part) / over if over != 0.0 else empty
