"""True range."""

import talib

from cambist.indicators._card import Floats, indicator


@indicator(
    title="True range",
    inputs="high low close",
    outputs="true_range",
    unit="distance",
    warmup=lambda: 2,
    source="TA-Lib TRANGE; J. Welles Wilder, New Concepts in Technical Trading Systems, 1978",
)
def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return the range of each candle, the gap from the close before it included; NaN for the first candle.

    ``max(high, close before) - min(low, close before)``.
    """
    return talib.TRANGE(high, low, close)  # type: ignore[no-any-return]
