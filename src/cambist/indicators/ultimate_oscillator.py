"""Ultimate oscillator."""

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled


@indicator(
    title="Ultimate oscillator",
    inputs="high low close",
    outputs="ultimate_oscillator",
    unit="index",
    short=Param(7, 1, 10_000),
    medium=Param(14, 1, 10_000),
    long=Param(28, 1, 10_000),
    warmup=lambda short=7, medium=14, long=28: max(short, medium, long) + 1,
    source="TA-Lib ULTOSC; Larry Williams, Technical Analysis of Stocks & Commodities, 1985: "
    "buying pressure by true range over three spans, weighed 4 : 2 : 1",
)
def ultimate_oscillator(
    high: Floats, low: Floats, close: Floats, short: int = 7, medium: int = 14, long: int = 28
) -> Floats:
    """Return the ultimate oscillator, 0 to 100; NaN for the first ``max(short, medium, long)`` candles.

    A span without any range counts as 50, the middle (TA-Lib: 0). The weights go with the names, whichever span is
    the longest (TA-Lib sorts them).
    """
    out = np.empty(close.size)
    _ultimate(high, low, close, short, medium, long, out)
    return out


@compiled
def _ultimate(high: Floats, low: Floats, close: Floats, short: int, medium: int, long: int, out: Floats) -> None:
    size = close.size
    longest = max(short, medium, long)
    out[: min(longest, size)] = np.nan
    room = 2
    while room <= longest:
        room *= 2
    pressures, ranges = np.zeros(room), np.zeros(room)  # the last candles, round and round
    last = room - 1
    p0 = p1 = p2 = r0 = r1 = r2 = 0.0
    still = 0  # candles without any range
    for i in range(1, size):
        floor = min(low[i], close[i - 1])
        p = close[i] - floor
        r = max(high[i], close[i - 1]) - floor
        old0, old1, old2 = (i - short) & last, (i - medium) & last, (i - long) & last
        p0, p1, p2 = p0 + (p - pressures[old0]), p1 + (p - pressures[old1]), p2 + (p - pressures[old2])
        r0, r1, r2 = r0 + (r - ranges[old0]), r1 + (r - ranges[old1]), r2 + (r - ranges[old2])
        pressures[i & last], ranges[i & last] = p, r
        still = still + 1 if r == 0.0 else 0
        if i >= longest:
            shares = 4.0 * _share(p0, r0, still >= short) + 2.0 * _share(p1, r1, still >= medium)
            out[i] = (shares + _share(p2, r2, still >= long)) * (100.0 / 7.0)


@compiled
def _share(pressure: float, reach: float, still: bool) -> float:
    """Return the buying pressure by the range; a still span is known by its count, for its sums keep some rounding."""
    return 0.5 if still or reach <= 0.0 else pressure / reach
