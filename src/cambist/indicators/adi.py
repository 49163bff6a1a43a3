"""Accumulation/distribution line."""

import talib

from cambist.indicators._card import Floats, indicator


@indicator(
    title="Accumulation/distribution line",
    inputs="high low close volume",
    outputs="adi",
    unit="volume",
    warmup=lambda: 2,
    source="Chaikin, as TA-Lib AD: sum of volume * ((close - low) - (high - close)) / (high - low)",
    relative_level=True,
)
def adi(high: Floats, low: Floats, close: Floats, volume: Floats) -> Floats:
    """Return the running sum of ``volume`` weighted by where in its range each candle closed (+1 high, -1 low).

    A candle without a range adds nothing; never NaN. The level is relative: it depends on where history starts. Only
    differences and slopes mean anything.
    """
    return talib.AD(high, low, close, volume)  # type: ignore[no-any-return]
