"""Nearest support and resistance."""

from typing import NamedTuple

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled


class SupportResistance(NamedTuple):
    """Prices, arrays of one length."""

    support: Floats
    """The highest known swing low at or below the close."""
    resistance: Floats
    """The lowest known swing high at or above the close."""


@indicator(
    title="Support and resistance",
    inputs="high low close",
    outputs=" ".join(SupportResistance._fields),
    unit="price",
    period=Param(200, 3, 10_000),
    strength=Param(5, 1, 1_000),
    # The oldest swing point that counts has `strength` candles on its left.
    warmup=lambda period=200, strength=5: period + strength,
    source="swing points (Williams fractals of any strength): higher, or lower, than `strength` candles on each side",
)
def support_resistance(
    high: Floats, low: Floats, close: Floats, period: int = 200, strength: int = 5
) -> SupportResistance:
    """Return the swing low next below and the swing high next above each close, among the last ``period`` candles.

    A swing high is higher than the ``strength`` highs before it and no lower than the ``strength`` highs after it (of
    equal neighbours the first counts); a swing low likewise. It is known only when those candles have closed,
    ``strength`` candles later, and counts from then on. NaN for the first ``period + strength - 1`` values, and where
    there is no such point: in a flat market, above the highest and below the lowest.
    """
    support, resistance = np.full(close.size, np.nan), np.full(close.size, np.nan)
    _nearest_swing(high, close, period, strength, resistance)
    _nearest_swing(-low, -close, period, strength, support)  # a floor is a ceiling upside down
    return SupportResistance(-support, resistance)


@compiled
def _nearest_swing(high: Floats, close: Floats, period: int, strength: int, out: Floats) -> None:
    """Write the lowest swing high at or above each close.

    The swing highs in sight are kept sorted, and the place of the close among them is walked from candle to candle:
    prices move past few of them at a time.
    """
    is_swing = np.zeros(close.size, np.bool_)
    in_sight = np.empty(period)
    known = place = 0
    for i in range(2 * strength, close.size):
        new, old = i - strength, i - period
        if old >= 0 and is_swing[old]:
            leaves = np.searchsorted(in_sight[:known], high[old])
            in_sight[leaves : known - 1] = in_sight[leaves + 1 : known].copy()
            known -= 1
        if new > old and _swings(high, new, strength):
            is_swing[new] = True
            enters = np.searchsorted(in_sight[:known], high[new])
            in_sight[enters + 1 : known + 1] = in_sight[enters:known].copy()
            in_sight[enters] = high[new]
            known += 1
        place = min(place, known)
        while place < known and in_sight[place] < close[i]:
            place += 1
        while place > 0 and in_sight[place - 1] >= close[i]:
            place -= 1
        if i >= period + strength - 1 and place < known:
            out[i] = in_sight[place]


@compiled
def _swings(high: Floats, i: int, strength: int) -> bool:
    for k in range(1, strength + 1):  # noqa: SIM110 - kernels have no generators
        if not (high[i - k] < high[i] and high[i + k] <= high[i]):
            return False
    return True
