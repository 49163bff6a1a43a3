"""The fused simulator gives what a backtest gives: the same trades to the tick, the same figures to 1e-9."""

from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.backtest.made import HOUR, rough, walk

import cambist as cb
from cambist.backtest.optimise.evaluation import Evaluator
from cambist.backtest.optimise.signalled import simulated
from cambist.backtest.result import Settings
from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.search import Span
from cambist.domain.timeframe import Timeframe

TABLE = ("side", "entry_ts", "entry_price", "exit_ts", "exit_price", "quantity", "pnl", "fees", "slippage")


class Given(cb.SignalStrategy):
    """Signals as the test gives them, as far as history is known."""

    columns: dict[str, Any]

    def signals(self, candles: Candles) -> cb.Signals:
        known = {
            name: column[: len(candles)] if isinstance(column, np.ndarray) else column
            for name, column in self.columns.items()
        }
        return cb.Signals(**known)


def signals_of(rng: np.random.Generator, count: int, often: float) -> dict[str, Any]:
    def flags():
        return rng.random(count) < often

    def fractions(values):
        return rng.choice(np.array(values), count) if rng.random() < 0.5 else float(rng.choice(values))

    return {
        "enter_long": flags() if rng.random() < 0.9 else None,
        "exit_long": flags() if rng.random() < 0.8 else None,
        "enter_short": flags() if rng.random() < 0.7 else None,
        "exit_short": flags(),
        "stop_loss": fractions([0.0, 0.01, 0.02, 0.05, np.nan]),
        "take_profit": fractions([0.0, 0.01, 0.02, 0.1, np.nan]),
        "size": fractions([0.1, 0.5, 1.0, 2.0, 9.0, np.nan, 0.0, -1.0]),
    }


def same_figures(found: dict[str, float], wanted: dict[str, float], cash: float) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        near = np.isclose(found[name], value, rtol=1e-9, atol=1e-12 * (cash if name in ("pnl", "expectancy") else 1.0))
        assert near or (np.isnan(found[name]) and np.isnan(value)), (name, found[name], value)


@settings(max_examples=250, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(4, 400),
    often=st.sampled_from([0.005, 0.03, 0.1, 0.4]),
    perpetual=st.booleans(),
    fee_bps=st.sampled_from([0.0, 10.0, -1.0, 300.0]),
    slippage_bps=st.sampled_from([0.0, 5.0, 50.0]),
    volume_share=st.sampled_from([None, 0.1, 1.0]),
    lot=st.sampled_from(["1", "0.001", "0.25"]),
    timeframe=st.sampled_from([Timeframe.M1, Timeframe.H4, Timeframe.D1, Timeframe.W1]),
    funded=st.booleans(),
    part=st.booleans(),
)
def test_it_gives_what_a_backtest_gives(
    seed, count, often, perpetual, fee_bps, slippage_bps, volume_share, lot, timeframe, funded, part
):
    rng = np.random.default_rng(seed)
    level, step = int(rng.integers(20, 400)), int(rng.integers(1, 9))
    candles = rough(rng, count, timeframe=timeframe, level=level, step=step, symbol="BTC/USDT")
    instrument = Instrument(
        venue="test", symbol="BTC/USDT", kind=Kind.PERPETUAL if perpetual else Kind.SPOT,
        tick_size=Decimal("0.01") * int(rng.choice([1, 5])), lot_step=Decimal(lot),
        min_notional=Decimal(str(rng.choice([0.0, 7.3131]))), min_quantity=Decimal(str(rng.choice([0.0, 0.7777]))),
    )  # fmt: skip
    funding = None
    if funded:
        at = np.sort(rng.integers(candles.ts[0] - timeframe.ms, candles.ts[-1] + 2 * timeframe.ms, 30))
        funding = (at, np.round(rng.normal(0.0, rng.choice([0.001, 0.2]), 30), 6))
    signals = signals_of(rng, count, often)
    drawn = type("Drawn", (Given,), {"columns": signals})
    how = Settings(
        cash=float(rng.choice([10_000.0, 33.33])), fee_bps=fee_bps, slippage_bps=slippage_bps, volume_share=volume_share
    )
    start, stop = sorted(rng.choice(count + 1, 2, replace=False)) if part else (0, count)
    start = min(start, stop - 2) if stop > 2 else 0
    stop = max(stop, 2)
    evaluator = Evaluator(
        drawn, [candles], settings=how, instruments={"BTC/USDT": instrument},
        funding=None if funding is None else {"BTC/USDT": funding},
    )  # fmt: skip
    assert evaluator.fused
    span = Span(start_ts=int(candles.ts[start]), stop_ts=int(candles.ts[stop - 1]) + timeframe.ms) if part else None
    if timeframe.is_calendar:
        return
    found = evaluator.evaluate({}, None if span is None else [span])[0]
    result = cb.backtest(
        drawn, candles[:stop], cash=how.cash, fee_bps=fee_bps, slippage_bps=slippage_bps, volume_share=volume_share,
        instrument=instrument, funding=funding, proof=False, engine="compiled",
        since=None if span is None else span.start_ts,
    )  # fmt: skip
    same_figures(found.metrics, result.metrics, how.cash)
    stretch = evaluator._market.over(timeframe, span, how)
    columns = [drawn()._columns(candles)[name] for name in ("enter_long", "exit_long", "enter_short", "exit_short")]
    columns += [drawn()._columns(candles)[name] for name in ("stop_loss", "take_profit", "size")]
    table = simulated(stretch, columns)[0]
    assert table.size == len(result.trades)
    for name in TABLE:
        column = candles.ts[table[name]] if name.endswith("_ts") else table[name]
        np.testing.assert_array_equal(column, getattr(result.trades, name), err_msg=name)
    np.testing.assert_array_equal(table["exit_reason"], result.trades.exit_reason)
    if part:  # a span is as if history began there, but for what the strategy knows
        cut = {k: v[start:stop] if isinstance(v, np.ndarray) else v for k, v in signals.items()}
        alone = Evaluator(
            type("Cut", (Given,), {"columns": cut}), [candles[start:stop]], settings=how,
            instruments={"BTC/USDT": instrument}, funding=None if funding is None else {"BTC/USDT": funding},
        )  # fmt: skip
        same_figures(found.metrics, alone.evaluate({})[0].metrics, how.cash)
    assert found.returns.size == evaluator._market.over(timeframe, span, how).samples[0].size


def test_the_examples_reach_what_they_must():
    """The property is worth something only if its examples come to every kind of exit, to ruin, and to recovery."""
    reasons: set[int] = set()
    ruined = recovered = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        candles = rough(rng, 400, level=20, step=8)
        drawn = type("Drawn", (Given,), {"columns": signals_of(rng, 400, 0.03)})
        rules = Instrument(
            venue="test", symbol="BTC/USDT", kind=Kind.PERPETUAL,
            tick_size=Decimal("0.01"), lot_step=Decimal("0.001"),
        )  # fmt: skip
        result = cb.backtest(drawn, candles, proof=False, volume_share=None, instrument=rules)
        reasons |= set(result.trades.exit_reason.tolist())
        ruined += bool((result.equity <= 0).any())
        recovered += bool(result.metrics["total_return"] > 0)
    assert len(reasons) == 4
    assert ruined
    assert recovered


def test_years_of_it_are_the_same():
    candles = walk(20_000, seed=5, timeframe=Timeframe.M15)
    evaluator = Evaluator(cb.load_strategy("bollinger_breakout"), [candles], settings=Settings())
    result = cb.backtest("bollinger_breakout", candles, proof=False)
    assert result.metrics["trades"] > 100
    same_figures(evaluator.evaluate({})[0].metrics, result.metrics, 10_000.0)
    halves = [
        Span(start_ts=int(candles.ts[0]), stop_ts=int(candles.ts[10_000])),
        Span(start_ts=int(candles.ts[10_000]), stop_ts=int(candles.ts[-1]) + HOUR),
    ]
    for span, found in zip(halves, evaluator.evaluate({}, halves), strict=True):
        whole = cb.backtest("bollinger_breakout", candles.between(None, span.stop_ts), since=span.start_ts, proof=False)
        same_figures(found.metrics, whole.metrics, 10_000.0)


def test_all_spans_of_a_call_are_those_of_calls_of_their_own():
    candles = walk(4_000, seed=8)
    evaluator = Evaluator(cb.load_strategy("donchian_trend"), [candles], settings=Settings())
    spans = [Span(start_ts=int(candles.ts[i]), stop_ts=int(candles.ts[i + 900])) for i in (0, 500, 2_000, 3_000)]
    together = evaluator.evaluate({}, spans)
    for span, found in zip(spans, together, strict=True):
        same_figures(evaluator.evaluate({}, [span])[0].metrics, found.metrics, 1.0)
