"""Average directional index."""

from typing import NamedTuple

import numpy as np

from cambist.indicators._card import Floats, Param, ema_memory, indicator
from cambist.indicators._kernel import compiled


class Adx(NamedTuple):
    """The strength of the trend, and the two directional indicators, 0 to 100."""

    adx: Floats
    plus_di: Floats
    minus_di: Floats


@indicator(
    title="Average directional index",
    inputs="high low close",
    outputs="adx plus_di minus_di",
    unit="index",
    period=Param(14, 2, 10_000),
    # An average of ratios of averages: two digits more than a single one.
    warmup=lambda period=14: 2 * period + ema_memory(1.0 / period, 1e-14),
    source="TA-Lib ADX, PLUS_DI, MINUS_DI; J. Welles Wilder, New Concepts in Technical Trading Systems, 1978",
)
def adx(high: Floats, low: Floats, close: Floats, period: int = 14) -> Adx:
    """Return the average directional index with +DI and -DI.

    The directional indicators are NaN for the first ``period`` candles, the index for ``2 * period - 1``. Where
    nothing moved all are 0.
    """
    result = Adx(np.empty(close.size), np.empty(close.size), np.empty(close.size))
    _adx(high, low, close, period, *result)
    return result


@compiled
def _adx(high: Floats, low: Floats, close: Floats, period: int, adx: Floats, plus: Floats, minus: Floats) -> None:
    size = close.size
    adx[: min(2 * period - 1, size)] = np.nan
    plus[: min(period, size)] = np.nan
    minus[: min(period, size)] = np.nan
    weight = 1.0 / period
    rises = falls = ranges = index = 0.0
    for i in range(1, size):
        up = high[i] - high[i - 1]
        down = low[i - 1] - low[i]
        # Wilder's sums; the first `period` - 1 candles add up undiminished. No branch depends on the direction.
        keep = 1.0 if i < period else 1.0 - weight
        rises = rises * keep + (up if (up > down) & (up > 0.0) else 0.0)
        falls = falls * keep + (down if (down > up) & (down > 0.0) else 0.0)
        ranges = ranges * keep + (max(high[i], close[i - 1]) - min(low[i], close[i - 1]))
        if i < period:
            continue
        still = ranges == 0.0
        plus[i] = 0.0 if still else 100.0 * rises / ranges
        minus[i] = 0.0 if still else 100.0 * falls / ranges
        both = rises + falls
        dx = 0.0 if both == 0.0 else 100.0 * abs(rises - falls) / both
        if i < 2 * period:
            index += dx * weight
            if i == 2 * period - 1:
                adx[i] = index
        else:
            index = index * (1.0 - weight) + dx * weight
            adx[i] = index
