"""Chaikin oscillator."""

import numpy as np

from cambist.indicators._card import Floats, Param, ema_memory, indicator
from cambist.indicators._kernel import compiled


@indicator(
    title="Chaikin oscillator",
    inputs="high low close volume",
    outputs="chaikin_oscillator",
    unit="volume",
    fast=Param(3, 2, 10_000),
    slow=Param(10, 2, 10_000),
    # Two digits more than one average needs: the oscillator is a difference of two, and smaller than either.
    warmup=lambda fast=3, slow=10: max(fast, slow) + ema_memory(2.0 / (max(fast, slow) + 1.0), forget=1e-13),
    source="Chaikin, as TA-Lib ADOSC: fast minus slow EMA of the accumulation/distribution line, seeded with its start",
)
def chaikin_oscillator(
    high: Floats, low: Floats, close: Floats, volume: Floats, fast: int = 3, slow: int = 10
) -> Floats:
    """Return fast minus slow EMA of the accumulation/distribution line; NaN for the first ``max(fast, slow) - 1``.

    A candle without a range moves no money.
    """
    out = np.empty(close.size)
    _oscillator(high, low, close, volume, fast, slow, out)
    return out


@compiled
def _oscillator(high: Floats, low: Floats, close: Floats, volume: Floats, fast: int, slow: int, out: Floats) -> None:
    """Follow each average's distance from the line, not the average: ``EMA - line`` decays and meets each new flow.

    The line's own level, which grows for ever and eats the digits of a difference, never enters.
    """
    keep_fast, keep_slow = 1.0 - 2.0 / (fast + 1.0), 1.0 - 2.0 / (slow + 1.0)
    fast_gap = slow_gap = 0.0
    for i in range(1, close.size):
        span = high[i] - low[i]
        flow = volume[i] * ((close[i] - low[i]) - (high[i] - close[i])) / (span if span > 0.0 else 1.0)
        fast_gap = keep_fast * fast_gap - keep_fast * flow
        slow_gap = keep_slow * slow_gap - keep_slow * flow
        out[i] = fast_gap - slow_gap
    out[: max(fast, slow) - 1] = np.nan
