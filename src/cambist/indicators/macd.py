"""Moving average convergence divergence."""

from typing import NamedTuple

import numpy as np

from cambist.indicators._card import Floats, Param, ema_memory, indicator
from cambist.indicators._kernel import compiled


class Macd(NamedTuple):
    """The difference of two averages, its own average, and what is between them."""

    macd: Floats
    signal: Floats
    histogram: Floats


def _warmup(fast: int = 12, slow: int = 26, signal: int = 9) -> int:
    # The difference is some thousand times smaller than the price whose seed is to be forgotten.
    return max(fast, slow) + signal + ema_memory(2.0 / (max(fast, slow, signal) + 1.0), 1e-16)


@indicator(
    title="Moving average convergence divergence",
    inputs="close",
    outputs="macd signal histogram",
    unit="distance",
    fast=Param(12, 2, 5_000),
    slow=Param(26, 2, 5_000),
    signal=Param(9, 1, 5_000),
    warmup=_warmup,
    source="TA-Lib MACD; Gerald Appel, 1979: EMA(fast) - EMA(slow), both seeded so that they start together, its EMA "
    "(signal), and the difference (histogram)",
)
def macd(close: Floats, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    """Return MACD, signal line and histogram; all NaN for the first ``slow + signal - 2`` values.

    With ``fast`` above ``slow`` the signs turn round, as the formula has it (TA-Lib silently swaps the two).
    """
    result = Macd(np.empty(close.size), np.empty(close.size), np.empty(close.size))
    _macd(close, fast, slow, signal, *result)
    return result


@compiled
def _macd(close: Floats, fast: int, slow: int, signal: int, line: Floats, average: Floats, histogram: Floats) -> None:
    size = close.size
    start = max(fast, slow)
    head = start + signal - 2
    for i in range(min(head, size)):
        line[i] = average[i] = histogram[i] = np.nan
    if size <= head:
        return
    quick = close[start - fast : start].sum() / fast
    calm = close[start - slow : start].sum() / slow
    # e * (1 - a) + a * x in place of e + a * (x - e): one fused step on the chain from candle to candle, not two.
    a, b, c = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0), 2.0 / (signal + 1.0)
    mean = quick - calm
    for i in range(start, head + 1):
        quick = quick * (1.0 - a) + a * close[i]
        calm = calm * (1.0 - b) + b * close[i]
        mean += quick - calm
    mean /= signal
    line[head], average[head], histogram[head] = quick - calm, mean, quick - calm - mean
    for i in range(head + 1, size):
        quick = quick * (1.0 - a) + a * close[i]
        calm = calm * (1.0 - b) + b * close[i]
        gap = quick - calm
        mean = mean * (1.0 - c) + c * gap
        line[i] = gap
        average[i] = mean
        histogram[i] = gap - mean
