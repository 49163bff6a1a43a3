"""Z-score of the volume."""

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators.zscore import window_zscore


@indicator(
    title="Volume z-score",
    inputs="volume",
    outputs="volume_zscore",
    unit="ratio",
    period=Param(20, 2, 10_000),
    warmup=lambda period=20: period,
    source="(volume - mean) / population standard deviation of the last `period` volumes, the newest among them",
)
def volume_zscore(volume: Floats, period: int = 20) -> Floats:
    """Return how many standard deviations ``volume`` lies from the mean of its last ``period`` values.

    NaN for the first ``period - 1`` values; 0 where all volumes are equal.
    """
    return window_zscore(volume, period)
