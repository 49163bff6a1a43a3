"""Compiled loops over equity, for years of one-minute candles."""

import numpy as np
import numpy.typing as npt
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def underwater(
    ts: npt.NDArray[np.int64], equity: npt.NDArray[np.float64], start_ts: int, start: float
) -> tuple[float, int]:
    """Return the deepest drawdown (0 to -1) and the longest time from a peak to its recovery (ms), in one pass.

    The first peak is ``start`` at ``start_ts``, which is positive. A recovery that never comes lasts to the end.
    Candles are compared with the price at which the drawdown would be a new worst, so that nothing is divided until
    there is one.
    """
    peak, peak_ts = start, start_ts
    worst, floor = 0.0, start
    longest, below = 0, False
    for i in range(equity.size):
        value = equity[i]
        if value >= peak:
            if below:
                longest = max(longest, ts[i] - peak_ts)
                below = False
            peak, peak_ts = value, ts[i]
            floor = peak * (1.0 + worst)
        else:
            below = True
            if value < floor:
                floor = max(value, 0.0)
                worst = floor / peak - 1.0
    if below:
        longest = max(longest, ts[-1] - peak_ts)
    return worst, longest
