"""The event loop and the compiled simulator obey one law: the same trades, to the tick."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cambist as cb
from cambist.backtest.run import backtest
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.timeframe import Timeframe

MINUTE = 60_000


class Given(cb.SignalStrategy):
    """Signals as the test gives them."""

    columns: dict

    def signals(self, candles):
        return cb.Signals(**self.columns)


def candles_of(rng: np.random.Generator, count: int, *, unit: float, level: int, step: int, quiet: float) -> cb.Candles:
    """Candles on a coarse grid of prices, so that levels are touched exactly; with gaps in price and in time."""
    close = np.maximum(level + np.cumsum(rng.integers(-step, step + 1, count)), 5)
    opened = np.concatenate([[level], close[:-1]]) + np.where(
        rng.random(count) < 0.2, rng.integers(-step, step + 1, count), 0
    )
    opened = np.maximum(opened, 5)
    high = np.maximum(opened, close) + rng.integers(0, step + 1, count)
    low = np.maximum(np.minimum(opened, close) - rng.integers(0, step + 1, count), 1)
    volume = np.where(rng.random(count) < quiet, 0.0, np.round(rng.exponential(50.0, count), 3))
    ts = MINUTE * (28_400_000 + np.cumsum(1 + rng.poisson(0.1, count)))
    prices = (np.round(column * unit, 10) for column in (opened, high, low, close))
    opened, high, low, close = prices
    return cb.Candles(
        venue="test", symbol="BTC/USDT", timeframe=Timeframe.M1,
        ts=ts.astype(np.int64), open=opened, high=high, low=low, close=close, volume=volume,
    )  # fmt: skip


def signals_of(rng: np.random.Generator, count: int, often: float) -> dict:
    def flags():
        return rng.random(count) < often

    def fractions(values):
        return rng.choice(np.array(values), count) if rng.random() < 0.5 else float(rng.choice(values))

    return {
        "enter_long": flags(),
        "exit_long": flags(),
        "enter_short": flags() if rng.random() < 0.7 else None,
        "exit_short": flags(),
        "stop_loss": fractions([0.0, 0.0001, 0.01, 0.02, 0.05, 1.5, np.inf, np.nan]),
        "take_profit": fractions([0.0, 0.0001, 0.01, 0.02, 0.1, 1.5, np.inf, np.nan]),
        "size": fractions([0.1, 0.5, 1.0, 2.0, np.nan, 0.0, -1.0]),
    }


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(2, 250),
    often=st.sampled_from([0.02, 0.1, 0.4]),
    unit=st.sampled_from([1.0, 0.01, 0.5, 0.00001]),
    perpetual=st.booleans(),
    fee_bps=st.sampled_from([0.0, 10.0, 7.5, -1.0]),
    slippage_bps=st.sampled_from([0.0, 5.0, 50.0]),
    spread_bps=st.sampled_from([0.0, 3.0]),
    volume_share=st.sampled_from([None, 0.1, 1.0]),
    lot=st.sampled_from(["1", "0.001", "0.00001", "0.25"]),
    ticks=st.sampled_from([None, 1, 5]),
    funded=st.booleans(),
)
def test_the_same_trades(
    seed, count, often, unit, perpetual, fee_bps, slippage_bps, spread_bps, volume_share, lot, ticks, funded
):
    rng = np.random.default_rng(seed)
    candles = candles_of(
        rng, count, unit=unit, level=int(rng.integers(40, 400)), step=int(rng.integers(1, 6)), quiet=0.05
    )
    tick = Decimal(repr(unit)) * ticks if ticks else Decimal("1e-9")
    instrument = Instrument(
        venue="test", symbol="BTC/USDT", kind=Kind.PERPETUAL if perpetual else Kind.SPOT,
        tick_size=tick, lot_step=Decimal(lot),
        min_notional=Decimal(str(rng.choice([0.0, 7.3131]))), min_quantity=Decimal(str(rng.choice([0.0, 0.7777]))),
    )  # fmt: skip
    funding = None
    if funded:
        span = candles.ts[-1] - candles.ts[0] + 2 * MINUTE
        at = np.sort(candles.ts[0] - MINUTE + rng.integers(0, span // 10_000, 20) * 10_000)
        funding = (at, np.round(rng.normal(0.0, 0.001, 20), 6))
    strategy = type("Drawn", (Given,), {"columns": signals_of(rng, count, often)})
    how = {
        "cash": float(rng.choice([10_000.0, 333.33])), "fee_bps": fee_bps, "slippage_bps": slippage_bps,
        "spread_bps": spread_bps, "volume_share": volume_share, "instrument": instrument, "funding": funding,
        "proof": False,
    }  # fmt: skip
    loop = backtest(strategy, candles, engine="event loop", **how)
    compiled = backtest(strategy, candles, engine="compiled", **how)

    for column in ("side", "entry_ts", "exit_ts", "exit_reason"):
        np.testing.assert_array_equal(getattr(compiled.trades, column), getattr(loop.trades, column), err_msg=column)
    np.testing.assert_array_equal(compiled.trades.entry_price, loop.trades.entry_price)
    scale = loop.trades.quantity * loop.trades.entry_price
    for column in ("quantity", "exit_price", "fees", "slippage"):
        np.testing.assert_allclose(
            getattr(compiled.trades, column), getattr(loop.trades, column), rtol=1e-9, atol=1e-12, err_msg=column
        )
    # profits near nothing are differences of large numbers: to 1e-9 of themselves or 1e-12 of what was traded
    assert np.all(
        np.abs(compiled.trades.pnl - loop.trades.pnl) <= np.maximum(1e-9 * np.abs(loop.trades.pnl), 1e-12 * scale)
    )
    np.testing.assert_allclose(compiled.equity, loop.equity, rtol=1e-9, atol=1e-9)
    assert compiled.metrics["exposure"] == pytest.approx(loop.metrics["exposure"])
    # what was refused is told alike, but for what the loop can tell more finely
    assert {note for note in compiled.notes if "spot" in note} == {note for note in loop.notes if "spot" in note}


def test_the_examples_do_trade():
    """The property is worth something only if its examples reach every kind of exit."""
    reasons: set[str] = set()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        candles = candles_of(rng, 250, unit=0.01, level=100, step=3, quiet=0.05)
        strategy = type("Drawn", (Given,), {"columns": signals_of(rng, 250, 0.1)})
        result = backtest(strategy, candles, proof=False, volume_share=None)
        reasons |= {str(trade.exit_reason) for trade in result.trades}
    assert reasons == {"signal", "stop_loss", "take_profit", "open"}
