"""Kaufman's adaptive moving average."""

import numpy as np

from cambist.indicators._card import Floats, Param, ema_memory, indicator
from cambist.indicators._kernel import compiled


def _warmup(period: int = 10, fast: int = 2, slow: int = 30) -> int:
    # How fast a seed is forgotten depends on the path, but never slower than at efficiency 0.
    return period + 1 + ema_memory((2.0 / (max(fast, slow) + 1.0)) ** 2)


@indicator(
    title="Kaufman's adaptive moving average",
    inputs="close",
    outputs="kama",
    unit="price",
    period=Param(10, 2, 10_000),
    fast=Param(2, 2, 100),
    slow=Param(30, 2, 100),
    warmup=_warmup,
    source="TA-Lib KAMA (fast 2, slow 30); Perry Kaufman, Smarter Trading, 1995: an exponential average whose weight "
    "goes from (2 / (slow + 1)) ** 2 to (2 / (fast + 1)) ** 2 with the efficiency of the move",
)
def kama(close: Floats, period: int = 10, fast: int = 2, slow: int = 30) -> Floats:
    """Return the adaptive average of ``close``: quick where prices go straight, slow where they go to and fro.

    Efficiency is the net move over ``period`` candles by the sum of all moves; 1 where nothing moved. NaN for the
    first ``period`` values; seeded with the value before the first. The warm-up is that of a market without any
    direction, so it holds on any path: some 6000 candles with the usual parameters.
    """
    out = np.empty(close.size)
    _kama(close, period, 2.0 / (fast + 1.0), 2.0 / (slow + 1.0), out)
    return out


@compiled
def _kama(close: Floats, period: int, fast: float, slow: float, out: Floats) -> None:
    size = close.size
    out[: min(period, size)] = np.nan
    if size <= period:
        return
    moves = 0.0
    still = 0  # candles since the last move
    for i in range(1, period):
        moves += abs(close[i] - close[i - 1])
        still = still + 1 if close[i] == close[i - 1] else 0
    average = close[period - 1]
    leaving = 0.0
    # Views: a loop over them needs no check of its indices.
    now, before = close[period:], close[period - 1 : size - 1]
    oldest, second = close[: size - period], close[1 : size - period + 1]
    tail = out[period:]
    for i in range(now.size):
        step = abs(now[i] - before[i])
        moves += step - leaving
        leaving = abs(second[i] - oldest[i])
        still = still + 1 if step == 0.0 else 0
        if still >= period:
            moves = 0.0  # exactly, not the rounding of what came before
        net = abs(now[i] - oldest[i])
        efficiency = 1.0 if moves <= net else net / moves
        root = efficiency * (fast - slow) + slow
        weight = root * root
        average = average * (1.0 - weight) + now[i] * weight
        tail[i] = average
