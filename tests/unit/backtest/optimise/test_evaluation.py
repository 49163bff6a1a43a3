"""What a combination gives: the figures of a backtest, on spans, on several symbols and timeframes, in any process."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.unit.backtest.made import HOUR, START, rules, walk

import cambist as cb
from cambist.backtest.optimise.evaluation import Evaluator
from cambist.backtest.result import Settings
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, StrategyFailed
from cambist.domain.metrics import METRICS
from cambist.domain.search import Span
from cambist.domain.timeframe import Timeframe
from cambist.strategies._load import from_source

HISTORY = walk(1_500)
PRICES = ("open", "high", "low", "close")
SPAN = Span(start_ts=START + 400 * HOUR, stop_ts=START + 1_000 * HOUR)
SOURCE = """
import numpy as np
import cambist as cb

class Pair(cb.SignalStrategy):
    fast = cb.param(5, low=2, high=50)
    slow = cb.param(20, low=2, high=200)

    def signals(self, candles):
        quick, calm = cb.indicators.ema(candles.close, self.fast), cb.indicators.ema(candles.close, self.slow)
        return cb.Signals(
            enter_long=cb.crossed_above(quick, calm), exit_long=cb.crossed_below(quick, calm), stop_loss=0.03
        )
"""
Pair: Any = from_source(SOURCE, "pair.py")


def evaluator(strategy: Any = Pair, series: tuple[Candles, ...] = (HISTORY,), **more: Any) -> Evaluator:
    return Evaluator(strategy, series, settings=Settings(), **more)


def same(found: dict[str, float], wanted: dict[str, float]) -> None:
    assert set(found) == set(wanted) == set(METRICS)
    np.testing.assert_allclose(
        [found[name] for name in wanted], list(wanted.values()), rtol=1e-9, atol=1e-9, equal_nan=True
    )


@pytest.mark.parametrize("name", ["ema_cross", "bollinger_breakout", "rsi_reversion", "multi_timeframe_trend"])
def test_over_all_history_it_is_the_backtest(name: str):
    made = evaluator(cb.load_strategy(name))
    result = cb.backtest(name, HISTORY)
    assert result.metrics["trades"] > 0
    same(made.evaluate({})[0].metrics, result.metrics)
    finished = made.finished({})
    same(finished.metrics, result.metrics)
    assert finished.proof == result.proof
    assert finished.data_hash == made.data_hash == result.data_hash
    assert finished.code_hash == made.code_hash == result.code_hash
    assert made.fused == (name == "bollinger_breakout")


@pytest.mark.parametrize("name", ["ema_cross", "bollinger_breakout"])
def test_a_span_is_traded_from_cash_with_the_history_before_it_known(name: str):
    made = evaluator(cb.load_strategy(name))
    found = made.evaluate({}, [SPAN])[0]
    finished = made.finished({}, SPAN)
    same(found.metrics, finished.metrics)
    assert finished.ts[0] == SPAN.start_ts + HOUR
    assert finished.ts[-1] == SPAN.stop_ts
    assert len(finished.legs[0].candles) == finished.ts.size == 600
    assert all(line.values.size == 600 for line in finished.legs[0].lines)
    assert finished.trades.entry_ts.min() < SPAN.start_ts + 40 * HOUR  # it knows what came before
    same(finished.metrics, cb.backtest(name, HISTORY[:1_000], since=SPAN.start_ts, proof=False).metrics)


def test_nothing_after_the_stop_is_used():
    class Peeks(cb.SignalStrategy):
        def signals(self, candles: Candles) -> cb.Signals:
            best = np.zeros(len(candles), np.bool_)
            best[int(candles.close.argmin())] = True
            return cb.Signals(enter_long=best, take_profit=0.01)

    until = walk(1_500)
    later = Candles(
        venue=until.venue, symbol=until.symbol, timeframe=until.timeframe, ts=until.ts, volume=until.volume,
        **{name: np.where(until.ts < SPAN.stop_ts, getattr(until, name), 1e-3) for name in PRICES},
    )  # fmt: skip
    one, other = (evaluator(Peeks, (candles,)).evaluate({}, [SPAN])[0] for candles in (until, later))
    same(one.metrics, other.metrics)


def test_returns_are_as_many_for_every_combination_even_after_ruin():
    class Shorts(cb.SignalStrategy):
        ruin = cb.param(True)

        def signals(self, candles: Candles) -> cb.Signals:
            return cb.Signals(enter_short=np.full(len(candles), self.ruin))

    rising = walk(800, seed=2)
    steep = Candles(
        venue="test", symbol="BTC/USDT", timeframe=rising.timeframe, ts=rising.ts, volume=rising.volume,
        **{name: getattr(rising, name) * np.linspace(1, 9, 800) for name in ("open", "high", "low", "close")},
    )  # fmt: skip
    made = evaluator(Shorts, (steep,), instruments={"BTC/USDT": rules()})
    lost, idle = (made.evaluate({"ruin": ruin})[0] for ruin in (True, False))
    assert lost.metrics["total_return"] <= -1.0
    assert lost.returns.size == idle.returns.size
    assert lost.returns.min() == -1.0
    assert not lost.returns[int(lost.returns.argmin()) + 1 :].any()
    assert lost.periods == 365.0


def test_symbols_trade_equal_parts_and_are_summed():
    other = walk(1_300, seed=4, symbol="ETH/USDT", start=START + 100 * HOUR)
    made = evaluator(series=(HISTORY, other))
    found = made.evaluate({"fast": 7})[0]
    alone = [cb.backtest(Pair(fast=7), one, cash=5_000.0, proof=False) for one in (HISTORY, other)]
    assert found.metrics["pnl"] == pytest.approx(sum(one.metrics["pnl"] for one in alone))
    assert found.metrics["trades"] == sum(one.metrics["trades"] for one in alone)
    finished = made.finished({"fast": 7})
    same(finished.metrics, found.metrics)
    assert finished.settings.cash == 10_000.0
    assert finished.equity[0] == pytest.approx(10_000.0)
    assert set(finished.trades.symbols) == {"BTC/USDT", "ETH/USDT"}
    assert (np.diff(finished.trades.exit_ts) >= 0).all()
    held = sum(one.metrics["exposure"] * one.ts.size for one in alone) / finished.ts.size
    assert held / 2 < found.metrics["exposure"] < held
    assert made.whole == Span(start_ts=int(other.ts[0]), stop_ts=int(other.ts[-1]) + HOUR)


def test_a_timeframe_is_an_axis():
    day = cb.resample(HISTORY, "4h")
    made = evaluator(series=(HISTORY, day))
    assert made.timeframes == ("1h", "4h")
    for timeframe, one in (("1h", HISTORY), ("4h", day)):
        wanted = cb.backtest(Pair(slow=10), one, proof=False)
        same(made.evaluate({"slow": 10, "timeframe": timeframe})[0].metrics, wanted.metrics)
    with pytest.raises(BadInput, match="1h, 4h"):
        made.evaluate({"timeframe": "5m"})
    with pytest.raises(BadInput, match="1h, 4h"):
        made.evaluate({})


def test_finer_candles_go_through_the_event_loop():
    fine = walk(6_000, timeframe=Timeframe.M15)
    whole = cb.resample(fine, "1h")
    made = evaluator(series=(whole,), detail=[fine])
    assert not made.fused
    same(made.evaluate({})[0].metrics, cb.backtest(Pair, whole, detail=fine, proof=False).metrics)


def test_what_travels_gives_the_same():
    made = evaluator(base={"slow": 33}, memory_mb=3.0)
    made.evaluate({})
    other = pickle.loads(pickle.dumps(made))
    assert other.memory_mb == 3.0
    assert (other.code_hash, other.data_hash, other.whole) == (made.code_hash, made.data_hash, made.whole)
    assert other.evaluate({})[0].metrics == made.evaluate({})[0].metrics
    assert other.strategy is not Pair  # it was read anew from its text


def test_threads_give_what_one_gives_whatever_is_kept():
    combinations = [{"fast": fast, "slow": slow} for fast in range(2, 8) for slow in range(10, 16)]
    wanted = [evaluator(memory_mb=0.0).evaluate(one)[0].metrics for one in combinations]
    for made in (evaluator(memory_mb=0.05), evaluator()):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(made.evaluate, combinations, [[SPAN]] * len(combinations)))  # shares with what comes
            found = list(pool.map(made.evaluate, combinations))
        assert made._store.bytes <= made.memory_mb * 1e6
        for (one,), other in zip(found, wanted, strict=True):
            same(one.metrics, other)


def test_who_writes_into_an_indicator_has_it_alone():
    class Writes(cb.SignalStrategy):
        period = cb.param(9)

        def signals(self, candles: Candles) -> cb.Signals:
            line = cb.indicators.sma(candles.close, self.period)
            line[:100] = np.nan
            return cb.Signals(enter_long=cb.crossed_above(candles.close, line), take_profit=0.02)

    wanted = cb.backtest(Writes, HISTORY, proof=False).metrics
    made = evaluator(Writes)
    same(made.evaluate({})[0].metrics, wanted)
    same(made.evaluate({})[0].metrics, wanted)


def test_candles_cannot_be_written_into():
    class Spoils(cb.SignalStrategy):
        def signals(self, candles: Candles) -> cb.Signals:
            candles.close[:] = 1.0
            return cb.Signals()

    before = HISTORY.close.copy()
    with pytest.raises(StrategyFailed, match="read-only"):
        evaluator(Spoils).evaluate({})
    np.testing.assert_array_equal(HISTORY.close, before)


def test_what_will_not_do_is_said():
    class Fails(cb.SignalStrategy):
        def signals(self, candles: Candles) -> cb.Signals:
            raise ZeroDivisionError("no luck")

    with pytest.raises(StrategyFailed, match="no luck"):
        evaluator(Fails).evaluate({})
    with pytest.raises(BadInput, match="fast"):
        evaluator().evaluate({"fast": 1})
    with pytest.raises(BadInput, match="speed"):
        evaluator().evaluate({"speed": 1})
    with pytest.raises(BadInput, match="two candles"):
        evaluator().evaluate({}, [Span(start_ts=SPAN.start_ts, stop_ts=SPAN.start_ts + HOUR)])
    with pytest.raises(BadInput):
        evaluator(series=())


def test_twice_the_costs_are_other_settings():
    made = evaluator()
    dear = made.evaluate({}, settings=Settings(fee_bps=20.0))[0].metrics
    same(dear, cb.backtest(Pair, HISTORY, fee_bps=20.0, proof=False).metrics)
    assert dear["fees"] > 1.5 * made.evaluate({})[0].metrics["fees"]


def test_candles_out_of_order_in_themselves_take_the_long_way():
    odd = Candles(
        venue="test", symbol="BTC/USDT", timeframe=HISTORY.timeframe, ts=HISTORY.ts, volume=HISTORY.volume,
        open=HISTORY.open, high=HISTORY.high, low=HISTORY.low * 1.01, close=HISTORY.close,
    )  # fmt: skip
    same(evaluator(series=(odd,)).evaluate({})[0].metrics, cb.backtest(Pair, odd, proof=False).metrics)


def test_a_symbol_on_two_venues_is_two_markets():
    other = replace(walk(1_300, seed=4, start=START + 100 * HOUR), venue="other")
    made = evaluator(series=(HISTORY, other))
    assert made.fused
    found = made.evaluate({"fast": 7})[0]
    alone = [cb.backtest(Pair(fast=7), one, cash=5_000.0, proof=False) for one in (HISTORY, other)]
    assert found.metrics["trades"] == sum(one.metrics["trades"] for one in alone)
    assert found.metrics["final_equity"] == pytest.approx(sum(one.equity[-1] for one in alone))
    same(made.finished({"fast": 7}).metrics, found.metrics)
