"""Volume-weighted average price over a sliding window."""

import numpy as np

from cambist.indicators._card import Floats, Param, indicator
from cambist.indicators._kernel import compiled


@indicator(
    title="Volume-weighted average price, rolling",
    inputs="high low close volume",
    outputs="rolling_vwap",
    unit="price",
    period=Param(20, 2, 100_000),
    warmup=lambda period=20: period,
    source="sum(typical price * volume) / sum(volume) over the period; typical price (high + low + close) / 3",
)
def rolling_vwap(high: Floats, low: Floats, close: Floats, volume: Floats, period: int = 20) -> Floats:
    """Return the volume-weighted mean of the typical price over the last ``period`` candles.

    NaN for the first ``period - 1`` values. Where nothing was traded, the plain mean: what equal weights give.
    """
    out = np.empty(close.size)
    _vwap((high + low + close) / 3.0, volume, period, out)
    return out


@compiled
def _vwap(price: Floats, volume: Floats, period: int, out: Floats) -> None:
    """Sum as in `_window_sum`, but distances from the price at the cut: prices that stand still give just that one."""
    out[: period - 1] = np.nan
    plains, monies, traded = np.zeros(period), np.zeros(period), np.zeros(period)
    plains_back, monies_back, traded_back = (
        plains[: period - 1][::-1],
        monies[: period - 1][::-1],
        traded[: period - 1][::-1],
    )
    for cut in range(period - 1, price.size, period):
        prices_before, volumes_before = price[cut - period + 1 : cut][::-1], volume[cut - period + 1 : cut][::-1]
        prices_after, volumes_after = price[cut : cut + period], volume[cut : cut + period]
        means = out[cut : cut + period]
        anchor = price[cut]
        plain = money = amount = 0.0
        for k in range(prices_before.size):
            distance = prices_before[k] - anchor
            plain += distance
            money += distance * volumes_before[k]
            amount += volumes_before[k]
            plains_back[k], monies_back[k], traded_back[k] = plain, money, amount
        plain = money = amount = 0.0
        for k in range(prices_after.size):
            distance = prices_after[k] - anchor
            plain += distance
            money += distance * volumes_after[k]
            amount += volumes_after[k]
            over = traded[k] + amount
            means[k] = anchor + ((monies[k] + money) / over if over != 0.0 else (plains[k] + plain) / period)
