"""Vortex indicator."""

from typing import NamedTuple

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled


class Vortex(NamedTuple):
    """Upward and downward movement, by the true range; about 1 each."""

    plus: Floats
    minus: Floats


@indicator(
    title="Vortex indicator",
    inputs="high low close",
    outputs="plus minus",
    unit="ratio",
    period=Param(14, 2, 10_000),
    warmup=lambda period=14: period + 1,
    source="Etienne Botes and Douglas Siepman, Technical Analysis of Stocks & Commodities, 2010: sums over `period` of "
    "|high - low before| (plus) and |low - high before| (minus), by the sum of true ranges",
)
def vortex(high: Floats, low: Floats, close: Floats, period: int = 14) -> Vortex:
    """Return the vortex lines VI+ and VI-; NaN for the first ``period`` candles, 0 both where nothing moved."""
    result = Vortex(np.empty(close.size), np.empty(close.size))
    _vortex(high, low, close, period, *result)
    return result


@compiled
def _vortex(high: Floats, low: Floats, close: Floats, period: int, plus: Floats, minus: Floats) -> None:
    size = close.size
    plus[: min(period, size)] = np.nan
    minus[: min(period, size)] = np.nan
    ups = downs = ranges = 0.0
    still = 0  # candles without any range
    for i in range(1, size):
        up, down, reach = _moves(high, low, close, i)
        still = still + 1 if reach == 0.0 else 0
        if i > period:
            up_gone, down_gone, reach_gone = _moves(high, low, close, i - period)
            up, down, reach = up - up_gone, down - down_gone, reach - reach_gone
        ups, downs, ranges = ups + up, downs + down, ranges + reach
        if still >= period:
            ranges = 0.0  # exactly, not the rounding of what came before
        if still > period:  # the first still candle may yet be off the high and low before it
            ups = downs = 0.0
        if i >= period:
            plus[i] = 0.0 if ranges == 0.0 else ups / ranges
            minus[i] = 0.0 if ranges == 0.0 else downs / ranges


@compiled
def _moves(high: Floats, low: Floats, close: Floats, i: int) -> tuple[float, float, float]:
    """Return the upward and downward movement and the true range of candle ``i``."""
    reach = max(high[i], close[i - 1]) - min(low[i], close[i - 1])
    return abs(high[i] - low[i - 1]), abs(low[i] - high[i - 1]), reach
