"""Candles made by hand or by seeded random numbers, and strategies that do what a plan says at which candle."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

import cambist as cb
from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.timeframe import Timeframe
from cambist.market.series import build

START = 1_704_067_200_000  # Monday 2024-01-01
HOUR = 3_600_000
Bar = tuple[float, float, float, float] | tuple[float, float, float, float, float]


def of_bars(
    bars: Sequence[Bar],
    *,
    symbol: str = "BTC/USDT",
    timeframe: Timeframe = Timeframe.H1,
    start: int = START,
    volume: float = 1_000.0,
) -> Candles:
    """Candles of rows (open, high, low, close[, volume]), one after the other."""
    rows = np.array([(*bar, volume)[:5] for bar in bars], dtype=np.float64)
    ts = start + np.arange(len(rows), dtype=np.int64) * timeframe.ms
    return build("test", symbol, timeframe, ts, *rows.T)


def walk(
    count: int,
    *,
    seed: int = 1,
    symbol: str = "BTC/USDT",
    timeframe: Timeframe = Timeframe.H1,
    start: int = START,
    step: float = 0.01,
    volume: float = 1e6,
) -> Candles:
    """A random walk around 100 whose opens are near the closes before; prices to four digits."""
    rng = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, step, count))), 4)
    opened = np.round(np.concatenate([[100.0], close[:-1]]) * (1 + rng.normal(0, step / 10, count)), 4)
    reach = np.abs(rng.normal(0, step / 2, (2, count)))
    high = np.round(np.maximum(opened, close) * (1 + reach[0]), 4)
    low = np.round(np.minimum(opened, close) * (1 - reach[1]), 4)
    ts = start + np.arange(count, dtype=np.int64) * timeframe.ms
    traded = np.round(volume * rng.uniform(0.5, 1.5, count), 3)
    return build("test", symbol, timeframe, ts, opened, high, low, close, traded)


def rules(
    kind: Kind = Kind.PERPETUAL, *, tick: str = "0.01", lot: str = "0.001", symbol: str = "BTC/USDT", **more: Any
) -> Instrument:
    return Instrument(venue="test", symbol=symbol, kind=kind, tick_size=Decimal(tick), lot_step=Decimal(lot), **more)


FREE: dict[str, Any] = {"fee_bps": 0.0, "slippage_bps": 0.0, "volume_share": None, "proof": False}
"""Neither costs nor limits, so that hand-made numbers stay short."""

Plan = Mapping[int, Callable[[Any], None]]


def following(plan: Plan) -> type[cb.Strategy]:
    """A strategy that does at candle number i what ``plan[i]`` says."""

    class Following(cb.Strategy):
        def next(self) -> None:
            number = (self.ts - int(self.candles.candles.ts[0])) // self.candles.candles.timeframe.ms
            if number in plan:
                plan[number](self)

    return Following


def told(plan: Plan, candles: Candles, **how: Any) -> list[tuple[Any, ...]]:
    """The trades of ``plan`` on ``candles`` without costs: (side, entry candle, price, exit candle, price, why)."""
    kwargs = {**FREE, "instrument": rules(), **how}
    result = cb.backtest(following(plan), candles, **kwargs)
    number = {ts: i for i, ts in enumerate(candles.ts.tolist())}
    return [
        (t.side, number[t.entry_ts], t.entry_price, number[t.exit_ts], t.exit_price, str(t.exit_reason))
        for t in result.trades
    ]


def rough(
    rng: np.random.Generator,
    count: int,
    *,
    symbol: str = "BTC/USDT",
    timeframe: Timeframe = Timeframe.M1,
    level: int = 100,
    step: int = 3,
    unit: float = 0.01,
    quiet: float = 0.05,
    volume: float = 50.0,
) -> Candles:
    """Candles on a coarse grid of prices, so that levels are touched exactly; gaps in price and time, idle ones too."""
    close = np.maximum(level + np.cumsum(rng.integers(-step, step + 1, count)), 5)
    jump = np.where(rng.random(count) < 0.2, rng.integers(-step, step + 1, count), 0)
    opened = np.maximum(np.concatenate([[level], close[:-1]]) + jump, 5)
    high = np.maximum(opened, close) + rng.integers(0, step + 1, count)
    low = np.maximum(np.minimum(opened, close) - rng.integers(0, step + 1, count), 1)
    traded = np.where(rng.random(count) < quiet, 0.0, np.round(rng.exponential(volume, count), 3))
    ts = START + timeframe.ms * np.cumsum(rng.poisson(0.05, count) + 1)
    opened, high, low, close = (np.round(column * unit, 10) for column in (opened, high, low, close))
    return build("test", symbol, timeframe, ts.astype(np.int64), opened, high, low, close, traded)
