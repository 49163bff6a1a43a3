"""Standard deviation of a sliding window."""

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._rolling import moments


@indicator(
    title="Rolling standard deviation",
    inputs="close",
    outputs="rolling_std",
    unit="distance",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period,
    source="population standard deviation (divided by the period, as in TA-Lib STDDEV and Bollinger bands)",
)
def rolling_std(close: Floats, period: int = 20) -> Floats:
    """Return the population standard deviation of the last ``period`` values of ``close`` (or of any series).

    NaN for the first ``period - 1`` values; exactly 0 where all values are equal.
    """
    means, deviations = np.empty(close.size), np.empty(close.size)
    moments(close, period, means, deviations)
    return deviations
