"""The proof: what looks ahead fails in every shape and is named; what is honest passes."""

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.backtest.made import rules, walk

import cambist as cb
from cambist.backtest.proof import _cuts
from cambist.backtest.run import Finished
from cambist.domain.instrument import Kind
from cambist.domain.proof import Proof, Verdict
from cambist.domain.timeframe import Timeframe
from cambist.strategies._load import from_source, samples

CANDLES = walk(900, seed=1)
HOURS = [int(ts) for ts in CANDLES.ts]


def run(strategy: Any, candles: cb.Candles = CANDLES, **how: Any) -> Finished:
    return cb.backtest(strategy, candles, instrument=rules(), **how)


def resampled_too_soon(candles: cb.Candles) -> np.ndarray:
    """Closes of 4 h candles, shown from the open of each on."""
    hours = pd.Series(candles.close, index=pd.to_datetime(candles.ts, unit="ms"))
    return hours.resample("4h").last().reindex(hours.index, method="ffill").to_numpy()


# -- what looks ahead: each gives an array of which every value is of use ---------------------------------------------

PEEKS: dict[str, Callable[[cb.Candles], np.ndarray]] = {
    "shift(-1)": lambda c: pd.Series(c.close).shift(-1).to_numpy(),
    "centred window": lambda c: pd.Series(c.close).rolling(9, center=True).mean().to_numpy(),
    "bfill": lambda c: pd.Series(np.where(np.arange(len(c)) % 5 == 4, c.close, np.nan)).bfill().to_numpy(),
    "normalised": lambda c: c.close - 0.5 - (c.close - c.close.mean()) / c.close.std(),
    "future index": lambda c: np.array([c.close[min(i + 1, len(c) - 1)] for i in range(len(c))]),
    "larger too soon": resampled_too_soon,
    "reversed": lambda c: pd.Series(c.close[::-1]).ewm(span=9).mean().to_numpy()[::-1],
}


def honest(candles: cb.Candles) -> np.ndarray:
    return pd.Series(candles.close).ewm(span=9).mean().to_numpy()


def as_lines(peek: Callable[[cb.Candles], np.ndarray]) -> type[cb.Strategy]:
    class Lines(cb.Strategy):
        def init(self):
            self.peeked = self.line("peeked", peek(self.candles.candles))

        def next(self):
            if self.peeked > self.candles.close:
                self.buy(fraction=0.5)
            else:
                self.close()

    return Lines


def as_arrays(peek: Callable[[cb.Candles], np.ndarray]) -> type[cb.Strategy]:
    class Arrays(cb.Strategy):
        def init(self):
            self.peeked = peek(self.candles.candles)

        def next(self):
            now = len(self.candles.close) - 1
            if self.peeked[now] > self.candles.close[-1]:
                self.buy(fraction=0.5)
            else:
                self.close()

    return Arrays


def as_lists(peek: Callable[[cb.Candles], np.ndarray]) -> type[cb.Strategy]:
    class Lists(cb.Strategy):
        def init(self):
            self.peeked = peek(self.candles.candles).tolist()

        def next(self):
            if self.peeked[len(self.candles.close) - 1] > self.candles.close[-1]:
                self.buy(fraction=0.5)
            else:
                self.close()

    return Lists


def as_signals(peek: Callable[[cb.Candles], np.ndarray]) -> type[cb.SignalStrategy]:
    class Flags(cb.SignalStrategy):
        def signals(self, candles):
            above = peek(candles) > candles.close
            return cb.Signals(enter_long=above, exit_long=~above, size=0.5)

    return Flags


def as_template(peek: Callable[[cb.Candles], np.ndarray]) -> type[cb.TemplateStrategy]:
    class Template(cb.TemplateStrategy):
        def __init__(self, candles, balance, position=None):
            super().__init__(candles, balance, position)
            columns = {name: candles[name].to_numpy() for name in ("open", "high", "low", "close", "volume")}
            self.candles["peeked"] = peek(replace(CANDLES, ts=candles["timestamp"].to_numpy(), **columns))

        def should_long(self):
            return bool(self.candles["peeked"].iloc[-1] > self.candles["close"].iloc[-1])

        def should_short(self):
            return not self.should_long()

        def calculate_position_size(self):
            return 500.0

    return Template


SHAPES = {
    "lines": as_lines,
    "arrays": as_arrays,
    "lists": as_lists,
    "signals": as_signals,
    "template": as_template,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", PEEKS)
def test_looking_ahead_is_caught_and_named(shape, name):
    result = run(SHAPES[shape](PEEKS[name]))
    proof, found = result.proof, result.proof.look_ahead_difference
    assert proof.look_ahead is Verdict.FAIL
    assert not proof.passed
    assert found is not None
    assert found.ts in HOURS
    assert found.symbol == "BTC/USDT"
    assert found.column
    assert found.used != found.truncated
    at = HOURS.index(found.ts)
    if shape in ("lines", "arrays", "template"):  # the column itself is named, with both of its values
        assert found.column == "peeked"
        assert found.used == pytest.approx(PEEKS[name](CANDLES)[at], nan_ok=True)
        assert found.truncated == pytest.approx(PEEKS[name](CANDLES[: at + 1])[-1], nan_ok=True)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_shapes_pass_when_honest(shape):
    proof = run(SHAPES[shape](honest)).proof
    assert (proof.look_ahead, proof.warm_up) == (Verdict.PASS, Verdict.PASS), proof


def test_the_first_difference_that_was_looked_at_is_the_one_named():
    class Late(cb.SignalStrategy):
        def signals(self, candles):
            close = pd.Series(candles.close)
            peeked = (close.shift(-1) > close).to_numpy() & (np.arange(len(candles)) >= 700)
            return cb.Signals(enter_long=peeked, exit_long=~peeked)

    found = run(Late).proof.look_ahead_difference
    assert found is not None
    assert HOURS.index(found.ts) >= 700
    assert (found.column, found.used, found.truncated) in (("enter_long", 1.0, 0.0), ("exit_long", 0.0, 1.0))


def test_looking_ahead_in_a_rare_exit_alone_is_caught():
    """Honest entries; exits one candle before each of some forty deep falls."""

    class Leaves(cb.SignalStrategy):
        def signals(self, candles):
            close = pd.Series(candles.close)
            falls = (close.shift(-1) / close < 0.98).to_numpy()
            quick, calm = close.ewm(span=5).mean().to_numpy(), close.ewm(span=20).mean().to_numpy()
            return cb.Signals(enter_long=cb.crossed_above(quick, calm), exit_long=falls)

    proof = run(Leaves).proof
    assert 5 < np.count_nonzero(CANDLES.close[1:] / CANDLES.close[:-1] < 0.98) < 60
    assert proof.look_ahead is Verdict.FAIL


@pytest.mark.parametrize("shape", SHAPES)
def test_looking_ahead_is_caught_on_histories_shorter_than_the_warm_up(shape):
    proof = run(SHAPES[shape](PEEKS["shift(-1)"]), CANDLES[:200]).proof
    assert (proof.look_ahead, proof.warm_up) == (Verdict.FAIL, Verdict.SKIPPED)


def test_next_that_reads_beyond_now_is_caught():
    class Reads(cb.Strategy):
        def next(self):
            later = self.candles.candles.close  # the whole arrays: nothing forbids it but the proof
            now = len(self.candles.close) - 1
            if now + 1 < later.size and later[now + 1] > later[now]:
                self.buy(fraction=0.5, take_profit=0.01)
            else:
                self.close()

    proof = run(Reads).proof
    assert proof.look_ahead is Verdict.FAIL
    assert proof.look_ahead_difference is not None
    assert proof.look_ahead_difference.column in ("buy", "exit", "buy take_profit")


# -- what is honest ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", samples())
def test_the_samples_pass(name):
    candles = walk(4_000, seed=3)
    proof = run(samples()[name], candles).proof
    assert proof.passed, proof
    assert proof.checks >= 24


class Flow(cb.Strategy):
    """Cumulative indicators: only how they move means anything."""

    def init(self):
        self.flow, self.lines = self.obv(), self.adi()
        self.calm = self.ema(20, of=self.flow)

    def next(self):
        if cb.crossed_above(self.flow, self.calm) and self.lines[-1] > self.lines[-2]:
            self.buy(fraction=0.4, stop_loss=0.02)
        elif cb.crossed_below(self.flow, self.calm):
            self.close()


class Holes(cb.Strategy):
    """Values that are absent most of the time."""

    def init(self):
        close = np.asarray(self.candles.close)
        self.rare = np.where(close > pd.Series(close).rolling(50).max().shift().to_numpy(), close, np.nan)
        self.line("mostly nan", self.rare)

    def next(self):
        if not np.isnan(self.rare[len(self.candles.close) - 1]):
            self.buy(fraction=0.3, take_profit=0.02, stop_loss=0.02)


class Remembers(cb.Strategy):
    """What next() keeps for itself is honest, whatever it is."""

    def init(self):
        self.mean = self.sma(10)
        self.waited, self.seen, self.highest = 0, [], None

    def next(self):
        self.waited += 1
        self.seen.append(self.candles.close[-1])
        self.last = self.candles.close[-1]
        self.highest = max(self.highest or 0.0, self.last)
        if self.waited > 15 and not self.position and self.mean > self.last:
            self.buy(fraction=0.5, stop_loss=0.03)
            self.waited = 0
        elif self.position and len(self.seen) > 40 and self.last > self.highest * 0.99:
            self.close()
            self.seen.clear()


class Uneasy(cb.Strategy):
    """Asks about its money and its position."""

    def init(self):
        self.mean = self.ema(15)

    def next(self):
        if not self.position and cb.crossed_above(self.candles.close, self.mean):
            self.buy(notional=max(100.0, self.equity / 10), trailing_stop=0.02)
        elif self.position.is_long and self.candles.close[-1] > self.position.entry_price * 1.03:
            self.close()


@pytest.mark.parametrize("strategy", [Flow, Holes, Remembers, Uneasy])
def test_unusual_but_honest_strategies_pass(strategy):
    result = run(strategy)
    assert result.proof.passed, result.proof
    assert len(result.trades) > 3


NAMES = cb.indicators.names()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    chosen=st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True),
    frame=st.sampled_from([None, None, "4h"]),
    seed=st.integers(0, 1_000),
)
def test_any_indicators_together_pass(chosen, frame, seed):
    class Drawn(cb.Strategy):
        def init(self):
            view = self if frame is None else self.on(frame)
            for name in chosen:
                getattr(view, name)()
            self.quick = self.ema(5)

        def next(self):
            if cb.crossed_above(self.candles.close, self.quick):
                self.buy(fraction=0.2)
            else:
                self.close()

    proof = run(Drawn, walk(1_500, seed=seed)).proof
    assert proof.look_ahead is not Verdict.FAIL, (chosen, proof)
    assert proof.warm_up is not Verdict.FAIL, (chosen, proof)


# -- warm-up ----------------------------------------------------------------------------------------------------------


class Short(cb.SignalStrategy):
    warmup = 5

    def signals(self, candles):
        calm = cb.indicators.ema(candles.close, 200)
        return cb.Signals(enter_long=candles.close > calm, exit_long=candles.close < calm)


def test_too_short_a_warm_up_fails_as_such_and_not_as_looking_ahead():
    proof = run(Short).proof
    assert (proof.look_ahead, proof.warm_up) == (Verdict.PASS, Verdict.FAIL)
    assert proof.warm_up_candles == 5
    assert proof.warm_up_difference is not None
    assert proof.warm_up_difference.column in ("enter_long", "exit_long")
    assert proof.look_ahead_difference is None

    enough = type("Enough", (Short,), {"warmup": 800})
    assert run(enough, walk(3_000)).proof.passed


def test_a_strategy_that_reads_further_back_than_its_indicators_need_says_how_much():
    class Back(cb.Strategy):
        def init(self):
            self.mean = self.sma(5)

        def next(self):
            if len(self.mean) > 300 and self.mean > self.candles.close[-200]:
                self.buy(fraction=0.5)

    proof = run(Back).proof
    assert (proof.look_ahead, proof.warm_up) == (Verdict.PASS, Verdict.FAIL)
    assert run(type("Told", (Back,), {"warmup": 301})).proof.passed


def test_a_strategy_that_cannot_be_computed_on_its_warm_up_alone_has_too_short_a_one():
    class Impatient(cb.Strategy):
        warmup = 5

        def init(self):
            if len(self.candles.close) < 600:
                raise ValueError("too few")

        def next(self):
            self.buy(fraction=0.1)

    proof = run(Impatient).proof
    assert (proof.look_ahead, proof.warm_up) == (Verdict.PASS, Verdict.FAIL)


def test_what_is_looked_at_has_its_warm_up_behind_it_where_there_is_enough():
    assert min(_cuts(1_000, 10, 200, range(1_000))) >= 200
    assert min(_cuts(150, 10, 200, range(150))) in range(10, 150)


def test_a_template_that_looks_at_all_history_has_too_short_a_warm_up():
    source = """
class Highest(TemplateStrategy):
    def __init__(self, candles, balance, position=None):
        super().__init__(candles, balance, position)
        self.candles["top"] = self.candles["close"].cummax()
    def should_long(self):
        return bool(self.candles["close"].iloc[-1] < 0.9 * self.candles["top"].iloc[-1])
    def calculate_position_size(self):
        return 100.0
"""
    assert run(from_source(source, "highest.py")).proof.warm_up is Verdict.FAIL


# -- the stamp --------------------------------------------------------------------------------------------------------


def test_doing_without_brands():
    proof = run(Short, proof=False).proof
    assert proof == Proof(look_ahead=Verdict.SKIPPED, warm_up=Verdict.SKIPPED)
    assert not proof.passed


def test_one_that_fails_speaks_for_all():
    series = [walk(600, symbol=symbol, seed=4) for symbol in ("A/USDT", "B/USDT")]
    result = cb.backtest([as_signals(PEEKS["shift(-1)"]), Flow], series)
    assert result.proof.look_ahead is Verdict.FAIL
    alone = [cb.backtest(Flow, one).proof.checks for one in series]
    assert result.proof.checks > sum(alone)


@pytest.mark.parametrize("count", [2, 3, 5, 20])
def test_very_short_histories_are_not_called_proved(count):
    result = run(samples()["ema_cross"], walk(count))
    assert not result.proof.passed
    assert result.proof.look_ahead is not Verdict.FAIL


class Crosses(cb.SignalStrategy):
    def signals(self, candles):
        quick, calm = cb.indicators.ema(candles.close, 10), cb.indicators.ema(candles.close, 20)
        return cb.Signals(
            enter_long=cb.crossed_above(quick, calm), exit_long=cb.crossed_below(quick, calm), stop_loss=0.005
        )


@pytest.mark.parametrize(("strategy", "count"), [(samples()["ema_cross"], 150_000), (Crosses, 525_600)])
def test_the_proof_of_a_long_run_passes_and_what_it_adds_is_told(strategy, count, capsys):
    candles = walk(count, seed=6, timeframe=Timeframe.M1, step=0.001)
    run(strategy, candles[:2_000])  # warm
    took: dict[bool, float] = {}
    for proof in (False, True) * 3:
        start = perf_counter()
        stamp = run(strategy, candles, proof=proof).proof
        took[proof] = min(took.get(proof, np.inf), perf_counter() - start)
    assert stamp.look_ahead is Verdict.PASS
    share = took[True] / took[False] - 1
    with capsys.disabled():  # how long it takes hangs on what else the machine does: told, and measured by `make bench`
        print(f"\n{strategy.__name__}, {count:,} candles: {took[False]:.3f} s, the proof adds {share:.1%}")


def test_kinds_do_not_matter_to_the_proof():
    for kind in Kind:
        proof = cb.backtest(as_template(honest), CANDLES, instrument=rules(kind)).proof
        assert proof.passed
