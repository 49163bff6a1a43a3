"""Rate of change."""

import talib

from cambist.indicators._card import Floats, Param, indicator


@indicator(
    title="Rate of change",
    inputs="close",
    outputs="roc",
    unit="percent",
    period=Param(10, 1, 10_000),
    warmup=lambda period=10: period + 1,
    source="TA-Lib ROC: (close / close `period` candles ago - 1) * 100",
)
def roc(close: Floats, period: int = 10) -> Floats:
    """Return by how many percent ``close`` differs from ``period`` candles ago; 0 where that value was 0.

    NaN for the first ``period`` values.
    """
    return talib.ROC(close, period)  # type: ignore[no-any-return]
