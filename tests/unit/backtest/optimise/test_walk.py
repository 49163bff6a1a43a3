"""Walks forward, over real strategies and a market whose regime changes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import count, pairwise
from math import isnan, prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.backtest.made import HOUR, START, rules

import cambist as cb
from cambist.adapters.crew.local import Threads
from cambist.adapters.proposals.optuna import OptunaProposers
from cambist.analytics.performance import max_drawdown, relative_changes, samples, sharpe
from cambist.backtest.optimise import driver, goals
from cambist.backtest.optimise.evaluation import Evaluator
from cambist.backtest.optimise.paths import purged_paths
from cambist.backtest.optimise.plan import Plan, Seen
from cambist.backtest.optimise.plateau import plateau
from cambist.backtest.optimise.ranking import standing, table_of
from cambist.backtest.optimise.result import Walk
from cambist.backtest.optimise.splits import Cut, Scheme
from cambist.backtest.optimise.walk import walk_forward
from cambist.backtest.result import Settings
from cambist.domain.candles import Candles
from cambist.domain.errors import Stopped
from cambist.domain.search import Axis, Method, Trial
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.market.series import build

SETTINGS = Settings(fee_bps=1.0, slippage_bps=0.0, volume_share=None)
SPAN_MS = {"train_ms": 20 * DAY_MS, "test_ms": 10 * DAY_MS}


class Sided(cb.SignalStrategy):
    """In the market, on one side, for ``hold`` hours of every ``2 * hold``."""

    way = cb.param(1, low=-1, high=1)
    hold = cb.param(6, low=1, high=48)

    def signals(self, candles: Candles) -> cb.Signals:
        place = candles.ts // HOUR % (2 * self.hold)
        enter, leave = place == 0, place == self.hold
        return cb.Signals(
            enter_long=enter & (self.way > 0),
            exit_long=leave,
            enter_short=enter & (self.way < 0),
            exit_short=leave,
            size=0.5,
        )


def market(days: int = 120, turn: int = 60, seed: int = 1) -> Candles:
    """Up until day ``turn``, then down."""
    count = 24 * days
    rng = np.random.default_rng(seed)
    drift = np.where(np.arange(count) < 24 * turn, 0.0006, -0.0006)
    close = np.round(100 * np.exp(np.cumsum(drift + rng.normal(0.0, 0.004, count))), 4)
    opened = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    ts = START + HOUR * np.arange(count, dtype=np.int64)
    return build("test", "BTC/USDT", Timeframe.H1, ts, opened, high, low, close, np.full(count, 1e6))


MARKET = market()
AXES = (Axis(name="way", values=(-1, 1)), Axis(name="hold", values=(4, 6, 12)))


def evaluator(candles: Candles = MARKET, strategy: Any = Sided) -> Evaluator:
    return Evaluator(strategy, [candles], settings=SETTINGS, instruments={"BTC/USDT": rules()})


def plan(**more: Any) -> Plan:
    return Plan(**{"axes": AXES, "goals": goals.parse(["sharpe"]), **more})


class Backwards:
    """A crew that does all its work from the last batch to the first."""

    workers = 3

    def work(self, do: Callable[[Any, Any], Any], shared: Any, batches: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        for batch in reversed(list(batches)):
            yield batch, do(shared, batch)

    def close(self) -> None:
        """Nothing to let go."""


def walked(
    how: Plan,
    windows: tuple[Cut, ...],
    tmp_path: Path,
    *,
    crew: Any = None,
    over: Evaluator | None = None,
    **more: Any,
) -> Walk:
    return walk_forward(
        over or evaluator(), how, windows, crew=crew or Threads(1), proposers=OptunaProposers(tmp_path), **more
    )


def rolling(purge_ms: int = 0, *, anchored: bool = False, over: Evaluator | None = None) -> tuple[Cut, ...]:
    whole = (over or evaluator()).whole
    return Scheme(**SPAN_MS, anchored=anchored).windows(whole, purge_ms=purge_ms)


def test_a_rolling_walk_follows_the_change_of_regime_sooner_than_an_anchored_one(tmp_path: Path) -> None:
    windows = rolling()
    assert len(windows) == 10
    found = walked(plan(), windows, tmp_path)
    ways = [window.params["way"] for window in found.windows]
    # tests begin on days 20, 30, ..., 110; the market turns on day 60; by day 80 training knows nothing else
    assert ways[:5] == [1] * 5
    assert ways[6:] == [-1] * 4
    assert found.windows[4].metrics["total_return"] < 0.0
    assert found.metrics["total_return"] > 0.0
    anchored = walked(plan(), rolling(anchored=True), tmp_path, anchored=True)
    late = [window.params["way"] for window in anchored.windows]
    assert anchored.anchored
    assert not found.anchored
    assert late.count(1) > ways.count(1)
    assert found.metrics["total_return"] > anchored.metrics["total_return"]


def test_each_choice_is_the_best_of_all_on_its_training(tmp_path: Path) -> None:
    one = evaluator()
    windows = rolling(over=one)
    how = plan(goals=goals.parse(["max_drawdown", "sharpe"]), where=("hold * way > -12",))
    found = walked(how, windows, tmp_path, over=one)
    for window, (train, test) in zip(found.windows, windows, strict=True):
        assert (window.train, window.test) == (train, test)
        every = {
            (way, hold): one.evaluate({"way": way, "hold": hold}, [train])[0].metrics["max_drawdown"]
            for way in (-1, 1)
            for hold in (4, 6, 12)
            if hold * way > -12
        }
        assert window.value == max(every.values())
        assert every[window.params["way"], window.params["hold"]] == window.value
        assert window.metrics == pytest.approx(one.evaluate(window.params, [test])[0].metrics, nan_ok=True)


def test_tests_are_chained_from_the_cash_and_start_flat(tmp_path: Path) -> None:
    one = evaluator()
    windows = rolling(over=one)
    found = walked(plan(), windows, tmp_path, over=one)
    assert found.equity[0] == SETTINGS.cash
    assert found.equity.size == found.ts.size + 1
    grown = prod(1.0 + window.metrics["total_return"] for window in found.windows)
    assert found.equity[-1] == pytest.approx(SETTINGS.cash * grown)
    assert found.metrics["total_return"] == pytest.approx(grown - 1.0)
    days = START + DAY_MS * np.arange(21, 121)
    np.testing.assert_array_equal(found.ts, days)  # one a day, of the tests alone
    assert found.metrics["sharpe"] == pytest.approx(sharpe(found.equity[1:] / found.equity[:-1] - 1.0))
    pieces = [one.finished(window.params, window.test, proof=False) for window in found.windows]
    for window, piece in zip(found.windows, pieces, strict=True):
        assert piece.trades.entry_ts.min() >= window.test.start_ts
        assert piece.trades.exit_ts.max() < window.test.stop_ts
    growth, curve = SETTINGS.cash, []
    for piece in pieces:
        curve.append(growth * piece.equity / SETTINGS.cash)
        growth = float(curve[-1][-1])
    assert found.metrics["max_drawdown"] == pytest.approx(max_drawdown(np.concatenate(curve), SETTINGS.cash))
    inside = [one.evaluate(window.params, [window.train])[0].metrics["sharpe"] for window in found.windows]
    outside = [window.metrics["sharpe"] for window in found.windows]
    assert found.efficiency == pytest.approx(np.mean(outside) / np.mean(inside))


def test_purging_keeps_trades_and_prices_of_the_gap_out_of_training(tmp_path: Path) -> None:
    windows = rolling(purge_ms=2 * DAY_MS)
    one = evaluator()
    found = walked(plan(), windows, tmp_path, over=one)
    for window in found.windows:
        trades = one.finished(window.params, window.train, proof=False).trades
        assert trades.exit_ts.max() < window.train.stop_ts == window.test.start_ts - 2 * DAY_MS
        assert trades.entry_ts.min() >= window.train.start_ts
    # another market from the end of the third training on: what was chosen up to then stays
    stop = windows[2][0].stop_ts
    known = int(MARKET.ts.searchsorted(stop))
    other = market(seed=9)
    factor = MARKET.close[known - 1] / other.close[known - 1]
    prices: dict[str, Any] = {
        name: np.concatenate((getattr(MARKET, name)[:known], getattr(other, name)[known:] * factor))
        for name in ("open", "high", "low", "close")
    }
    mixed = replace(MARKET, **prices)
    again = walked(plan(), windows, tmp_path, over=evaluator(mixed))
    chosen = [(window.params, window.value) for window in found.windows]
    rechosen = [(window.params, window.value) for window in again.windows]
    assert rechosen[:3] == chosen[:3]
    assert rechosen[3] != chosen[3]


def same(one: Walk, other: Walk) -> bool:
    return (
        [(w.params, w.value, w.metrics) for w in one.windows] == [(w.params, w.value, w.metrics) for w in other.windows]
        and bool(np.array_equal(one.equity, other.equity))
        and one.efficiency == other.efficiency
    )


def test_a_grid_gives_the_same_whoever_works(tmp_path: Path) -> None:
    first = walked(plan(), rolling(), tmp_path)
    assert same(first, walked(plan(), rolling(), tmp_path, crew=Threads(2)))
    assert same(first, walked(plan(), rolling(), tmp_path, crew=Backwards()))


@pytest.mark.parametrize("method", [Method.RANDOM, Method.TPE])
def test_other_methods_search_each_window_anew(tmp_path: Path, method: Method) -> None:
    axes = (AXES[0], Axis(name="hold", low=1, high=48, whole=True))
    how = plan(axes=axes, method=method, trials=10, seed=3)
    windows = Scheme.parse("3").windows(evaluator().whole)
    heard: list[Seen] = []
    first = walked(how, windows, tmp_path / "a", progress=heard.append)
    assert (heard[-1].done, heard[-1].total) == (30, 30)
    assert [window.params["way"] for window in first.windows] == [1, 1, -1]
    assert same(first, walked(how, windows, tmp_path / "b", crew=Threads(2)))
    other = walked(replace(how, seed=4), windows, tmp_path / "c")
    assert [window.params for window in other.windows] != [window.params for window in first.windows]


def test_slow_trials_of_a_window_end_at_their_number(tmp_path: Path) -> None:
    how = plan(axes=(AXES[0], Axis(name="hold", low=1, high=48, whole=True)), method=Method.TPE, trials=12, seed=3)
    windows = Scheme.parse("2").windows(evaluator().whole)
    heard: list[Seen] = []

    def progress(seen: Seen) -> None:
        heard.append(seen)
        assert len(heard) < 50, "it goes on for ever"

    clock = count().__next__  # so slow that the search looks in its log after each generation
    found = walked(how, windows, tmp_path / "a", progress=progress, seconds=lambda: float(clock()))
    assert max(seen.done for seen in heard) == 24
    assert same(found, walked(how, windows, tmp_path / "b"))


def test_where_nothing_has_a_value_the_cash_stays_in_hand(tmp_path: Path) -> None:
    class Idle(cb.SignalStrategy):
        """Wakes on a day."""

        day = cb.param(50, low=0, high=200)

        def signals(self, candles: Candles) -> cb.Signals:
            awake = candles.ts >= START + self.day * DAY_MS
            beat = candles.ts // HOUR % 12
            return cb.Signals(enter_long=awake & (beat == 0), exit_long=beat == 6)

    idle = evaluator(strategy=Idle)
    found = walked(plan(axes=(Axis(name="day", values=(50, 60)),)), rolling(), tmp_path, over=idle)
    asleep = [window for window in found.windows if window.train.stop_ts <= START + 50 * DAY_MS]
    assert len(asleep) == 4
    for window in asleep:
        assert window.params == {}
        assert isnan(window.value)
        assert (window.metrics["total_return"], window.metrics["trades"]) == (0.0, 0.0)
    # the forty days in hand are days like others: figures per year and ratios are over all hundred
    np.testing.assert_array_equal(found.ts, START + DAY_MS * np.arange(21, 121))
    assert np.all(found.equity[:41] == SETTINGS.cash)
    total = found.metrics["total_return"]
    assert found.metrics["annual_return"] == pytest.approx((1.0 + total) ** 3.65 - 1.0)
    assert found.metrics["sharpe"] == pytest.approx(sharpe(found.equity[1:] / found.equity[:-1] - 1.0))
    assert [window.params["day"] for window in found.windows[4:5]] == [50]
    assert found.equity[-1] != SETTINGS.cash


def test_short_tests_are_stitched_candle_by_candle(tmp_path: Path) -> None:
    one = evaluator(MARKET[: 24 * 9])
    windows = Scheme.parse("4d/36h").windows(one.whole)
    found = walked(plan(), windows, tmp_path, over=one)
    assert [test.stop_ts - test.start_ts for _, test in windows] == [36 * HOUR, 36 * HOUR, 48 * HOUR]
    np.testing.assert_array_equal(found.ts, START + HOUR * np.arange(24 * 4 + 1, 24 * 9 + 1))
    rows, periods = samples(found.ts)
    assert found.metrics["sharpe"] == pytest.approx(
        sharpe(relative_changes(found.equity[1:][rows], SETTINGS.cash), periods)
    )


def test_the_event_loop_gives_the_same_walk(tmp_path: Path) -> None:
    class Looped(cb.Strategy):
        """What `Sided` is, decided candle by candle."""

        way = cb.param(1, low=-1, high=1)
        hold = cb.param(6, low=1, high=48)

        def next(self) -> None:
            place = self.ts // HOUR % (2 * self.hold)
            if place == 0:
                (self.buy if self.way > 0 else self.sell)(fraction=0.5)
            elif place == self.hold:
                self.close()

    windows = Scheme.parse("10d/5d").windows(evaluator(MARKET[: 24 * 20]).whole)
    quick = walked(plan(), windows, tmp_path, over=evaluator(MARKET[: 24 * 20]))
    slow = walked(plan(), windows, tmp_path, over=evaluator(MARKET[: 24 * 20], Looped))
    assert [window.params for window in quick.windows] == [window.params for window in slow.windows]
    np.testing.assert_allclose(slow.equity, quick.equity, rtol=1e-6)


def test_ctrl_c_stops_it_and_says_how_far_it_came(tmp_path: Path) -> None:
    def press(seen: Seen) -> None:
        if seen.done:
            raise KeyboardInterrupt

    for method in (Method.GRID, Method.RANDOM):
        clock = iter(count()).__next__  # each look is a second later: each batch is shown
        with pytest.raises(Stopped) as stopped:
            walked(plan(method=method, trials=4), rolling(), tmp_path, progress=press, seconds=clock)
        assert stopped.value.key == "walk.stopped"
        assert 0 < int(str(stopped.value.params["done"])) < 40


class Kept:
    """As much of a log as a search writes and reads, in memory."""

    def __init__(self) -> None:
        self.trials: dict[int, Trial] = {}

    def append(self, trials: Iterable[Trial]) -> None:
        self.trials |= {trial.number: trial for trial in trials}

    def numbers(self) -> set[int]:
        return set(self.trials)

    def read(self) -> Iterator[Trial]:
        yield from (self.trials[number] for number in sorted(self.trials))


def test_a_search_from_end_to_end(tmp_path: Path) -> None:
    one, how, crew = evaluator(), plan(), Threads(2)
    log: Any = Kept()
    train, _ = rolling()[0]
    how = replace(how, span=replace(train, stop_ts=START + 60 * DAY_MS))
    driver.run(one, how, crew=crew, log=log)
    table = table_of(log.read(), how.axes, how.goals)
    best, _ = standing(log, table, how.goals)
    assert best.params["way"] == 1
    assert plateau(table, how.axes, best).importance["way"] > 0.8
    made = purged_paths(log.read(), one, crew=crew, span=how.span, groups=6, tested=2)
    assert made is not None
    assert made.sharpes.shape == (5,)
    assert np.all(made.sharpes > 0.0)  # whatever is left out, up is up
    assert made.equities.shape == (5, 61)
    again = purged_paths(log.read(), one, crew=Threads(1), span=how.span, groups=6, tested=2)
    assert again is not None
    np.testing.assert_array_equal(made.equities, again.equities)
    assert all(a < b for a, b in pairwise([trial.number for trial in log.read()]))
