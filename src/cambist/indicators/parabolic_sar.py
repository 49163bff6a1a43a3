"""Parabolic stop and reverse."""

import talib

from cambist.indicators._card import Floats, Param, indicator


@indicator(
    title="Parabolic stop and reverse",
    inputs="high low",
    outputs="parabolic_sar",
    unit="price",
    step=Param(0.02, 0.0, 1.0),
    maximum=Param(0.2, 0.0, 1.0),
    warmup=lambda step=0.02, maximum=0.2: 1000,
    source="TA-Lib SAR; J. Welles Wilder, New Concepts in Technical Trading Systems, 1978",
)
def parabolic_sar(high: Floats, low: Floats, step: float = 0.02, maximum: float = 0.2) -> Floats:
    return talib.SAR(high, low, step, maximum)  # type: ignore[no-any-return]
