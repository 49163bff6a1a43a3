"""Momentum."""

import talib

from cambist.indicators._card import Floats, Param, indicator


@indicator(
    title="Momentum",
    inputs="close",
    outputs="momentum",
    unit="distance",
    period=Param(10, 1, 10_000),
    warmup=lambda period=10: period + 1,
    source="TA-Lib MOM: close - close `period` candles ago",
)
def momentum(close: Floats, period: int = 10) -> Floats:
    """Return by how much ``close`` differs from ``period`` candles ago; NaN for the first ``period`` values."""
    return talib.MOM(close, period)  # type: ignore[no-any-return]
