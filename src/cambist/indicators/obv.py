"""On-balance volume."""

import numpy as np

from cambist.indicators._card import Floats, indicator
from cambist.indicators._kernel import compiled


@indicator(
    title="On-balance volume",
    inputs="close volume",
    outputs="obv",
    unit="volume",
    warmup=lambda: 2,
    source="Granville, New Key to Stock Market Profits (1963), as TA-Lib OBV: starts at the first candle's volume",
    relative_level=True,
)
def obv(close: Floats, volume: Floats) -> Floats:
    """Return the running sum of ``volume``, counted up where the close rose, down where it fell; never NaN.

    Its level is relative: it depends on where history starts. Only differences and slopes mean anything.
    """
    out = np.empty(close.size)
    _obv(close, volume, out)
    return out


@compiled
def _obv(close: Floats, volume: Floats, out: Floats) -> None:
    level = volume[0]
    out[0] = level
    for i in range(1, close.size):
        # Two comparisons, no branch: the sign of a price move is what a processor cannot predict.
        level += volume[i] * ((1.0 if close[i] > close[i - 1] else 0.0) - (1.0 if close[i] < close[i - 1] else 0.0))
        out[i] = level
