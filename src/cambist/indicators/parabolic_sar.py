"""Parabolic stop and reverse."""

from math import ceil

import talib

from cambist.indicators._card import Floats, Param, indicator


def _warmup(step: float = 0.02, maximum: float = 0.2) -> int:
    # Measured: of windows of random walks and of real candles, a tenth as many still differ after every
    # 0.35 / step + 1.5 / maximum candles. This is twenty of those.
    return ceil(20.0 * (0.35 / min(step, maximum) + 1.5 / maximum))


@indicator(
    title="Parabolic stop and reverse",
    inputs="high low",
    outputs="parabolic_sar",
    unit="price",
    step=Param(0.02, 0.001, 1.0),
    maximum=Param(0.2, 0.01, 1.0),
    warmup=_warmup,
    source="TA-Lib SAR; J. Welles Wilder, New Concepts in Technical Trading Systems, 1978",
)
def parabolic_sar(high: Floats, low: Floats, step: float = 0.02, maximum: float = 0.2) -> Floats:
    """Return Wilder's trailing stop: below the market while it rises, above while it falls; NaN for the first candle.

    Its pace grows by ``step`` with each new extreme, up to ``maximum`` (a ``step`` above it counts as ``maximum``).

    The stop depends on the path without limit in principle: two histories agree once they have reversed on the same
    candle, and no number of candles makes that certain. The warm-up (500 by default) was never too short in ten
    thousands of windows of random and real candles; the slowest of them took half of it with the defaults.
    """
    return talib.SAR(high, low, step, maximum)  # type: ignore[no-any-return]
