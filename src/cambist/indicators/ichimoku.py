"""Ichimoku cloud."""

from typing import NamedTuple

import numpy as np
import talib

from cambist.indicators._card import Floats, Param, indicator


class Ichimoku(NamedTuple):
    """The five lines at each candle, all of them known when it closes."""

    conversion: Floats
    """Tenkan-sen."""
    base: Floats
    """Kijun-sen."""
    span_a: Floats
    """Senkou span A: one edge of the cloud under or over this candle, worked out ``displacement`` candles ago."""
    span_b: Floats
    """Senkou span B: the other edge."""
    lagging: Floats
    """Chikou span's newest point: this candle's close, which charts draw ``displacement`` candles back."""


@indicator(
    title="Ichimoku cloud",
    inputs="high low close",
    outputs="conversion base span_a span_b lagging",
    unit="price",
    conversion=Param(9, 2, 5_000),
    base=Param(26, 2, 5_000),
    span_b=Param(52, 2, 5_000),
    displacement=Param(26, 1, 5_000),
    warmup=lambda conversion=9, base=26, span_b=52, displacement=26: max(conversion, base, span_b) + displacement,
    source="Goichi Hosoda, Ichimoku Kinko Hyo, 1969; each line but the lagging one is a midpoint "
    "(highest high + lowest low) / 2, TA-Lib MIDPRICE",
)
def ichimoku(
    high: Floats,
    low: Floats,
    close: Floats,
    conversion: int = 9,
    base: int = 26,
    span_b: int = 52,
    displacement: int = 26,
) -> Ichimoku:
    """Return the lines of the cloud without any look into the future.

    Charts shift three of the lines in time; here every value stands at the candle at which it is known:

    - ``span_a[i]`` and ``span_b[i]`` are the cloud as it is drawn at candle ``i``: computed from candles up to
      ``i - displacement``. The cloud that is drawn ahead of the last candle is ``(conversion + base) / 2`` there.
    - ``lagging[i]`` is ``close[i]``. A chart draws it at candle ``i - displacement``, where it was not known yet. The
      usual question, is the lagging line above the price, is ``lagging[i] > close[i - displacement]``.

    Conversion and base are NaN for the first ``period - 1`` candles, the spans for ``displacement`` more, the lagging
    line for the first ``displacement``. TradingView counts the candle itself: its 26 is 25 here.
    """
    quick = _middle(high, low, conversion)
    calm = _middle(high, low, base)
    edge = quick + calm
    edge *= 0.5
    lagging = close.copy()
    lagging[:displacement] = np.nan
    return Ichimoku(quick, calm, _later(edge, displacement), _later(_middle(high, low, span_b), displacement), lagging)


def _middle(high: Floats, low: Floats, period: int) -> Floats:
    """Return the middle of the range of the last ``period`` candles."""
    middle: Floats = talib.MAX(high, period)
    middle += talib.MIN(low, period)
    middle *= 0.5
    return middle


def _later(values: Floats, candles: int) -> Floats:
    """Return ``values`` moved into the future: each stands ``candles`` further on."""
    moved = np.empty_like(values)
    moved[:candles] = np.nan
    moved[candles:] = values[: max(values.size - candles, 0)]
    return moved
