"""Kernels over rolling windows that several indicators share."""

import numpy as np

from cambist.indicators._card import Floats
from cambist.indicators._kernel import compiled


@compiled
def moments(values: Floats, period: int, means: Floats, deviations: Floats) -> None:
    """Write the mean and the population standard deviation of the last ``period`` values; NaN until there are enough.

    Sums are kept about an origin near the window, and taken afresh when the deviation has become small beside what
    has gone through them (cancellation) or when they are old (rounding). So a quiet stretch after a spike, or a price
    of 1e-9, keeps ten digits, where the usual sum of squares has none left. A window of equal values gives exactly
    their value and 0.
    """
    size = values.size
    means[: min(period - 1, size)] = np.nan
    deviations[: min(period - 1, size)] = np.nan
    if size < period:
        return
    share = 1.0 / period
    oldest = 16 * period + 64
    origin, total, square = _afresh(values, 0, period)
    peak, age = square, 0
    means[period - 1] = origin + total * share
    deviations[period - 1] = np.sqrt(square * share)
    coming, going = values[period:], values[: size - period]  # views: a loop over them needs no check of its indices
    mean, deviation = means[period:], deviations[period:]
    for i in range(coming.size):
        new = coming[i] - origin
        old = going[i] - origin
        total += new - old
        square += (new - old) * (new + old)
        spread = square - total * total * share
        peak = max(peak, square)
        age += 1
        if age > oldest or not spread >= 1e-3 * peak:  # so put, NaN is caught too and leaves with its window
            origin, total, square = _afresh(values, i + 1, period)
            spread, peak, age = square, square, 0
        mean[i] = origin + total * share
        deviation[i] = np.sqrt(spread * share)


@compiled
def _afresh(values: Floats, start: int, period: int) -> tuple[float, float, float]:
    """Return an origin for a window, and the sums of the differences from it and of their squares."""
    window = values[start : start + period]
    if window.min() == window.max():
        return window[0], 0.0, 0.0  # the mean of equal values may differ from them in the last digit
    origin = window.sum() / period
    total = square = 0.0
    for value in window:
        total += value - origin
        square += (value - origin) * (value - origin)
    return origin, total, square - total * total / period


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
