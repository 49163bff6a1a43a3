"""`cb.sweep` as a notebook calls it: whoever works, the same digits; and a word that can be trusted."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import distributed
import numpy as np
import pytest

import cambist as cb
from cambist.domain.errors import BadInput
from cambist.domain.judgement import Light
from cambist.strategies._load import from_source

START = 1_704_067_200_000
HOUR = 3_600_000
SIGNALS = """
import cambist as cb


class Cross(SignalStrategy):
    fast = param(5, low=2, high=100)
    slow = param(30, low=5, high=400)

    def signals(self, candles):
        quick, calm = cb.indicators.ema(candles.close, self.fast), cb.indicators.ema(candles.close, self.slow)
        return Signals(enter_long=quick > calm, exit_long=quick <= calm, size=0.9)
"""
LOOP = """
class Loop(Strategy):
    fast = param(5, low=2, high=100)
    slow = param(30, low=5, high=400)

    def init(self):
        self.quick, self.calm = self.ema(self.fast), self.ema(self.slow)

    def next(self):
        if crossed_above(self.quick, self.calm):
            self.buy(fraction=0.5, stop_loss=0.03)
        elif crossed_below(self.quick, self.calm):
            self.close()
"""
GRID = {"fast": [3, 6, 12], "slow": [20, 40]}
QUIET: dict[str, Any] = {"fee_bps": 1.0, "slippage_bps": 0.0, "volume_share": None}


def market(count: int = 2_000, seed: int = 3, symbol: str = "BTC/USDT", timeframe: str = "1h") -> cb.Candles:
    return cb.synthetic_market((symbol,), start_ms=START, count=count, timeframe=timeframe, seed=seed)[symbol]


def digits(found: Any) -> tuple[Any, ...]:
    """Return every figure of a search, to the last digit."""
    table = found.table
    columns = {name: column.tobytes() for name, column in table.metrics.items()}
    word = {name: repr(value) for name, value in found.judgement.figures.items()}
    walk = None if found.walk is None else found.walk.equity.tobytes()
    return table.number.tobytes(), table.values.tobytes(), columns, word, found.paths.sharpes.tobytes(), walk


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", host="127.0.0.1"
    ) as workers:
        yield workers.scheduler_address


@pytest.mark.parametrize("source", [SIGNALS, LOOP], ids=["compiled", "event loop"])
@pytest.mark.parametrize("method", ["grid", "tpe"])
def test_one_worker_two_and_a_cluster_give_the_same_digits(source, method, cluster, tmp_path, monkeypatch):
    how: dict[str, Any] = {"method": method} | (
        {"grid": GRID, "walk_forward": "30d/15d"} if method == "grid" else {"trials": 10}
    )
    seen = []
    for number, who in enumerate(({"jobs": 1}, {"jobs": 2}, {"cluster": cluster})):
        monkeypatch.setenv("CAMBIST_HOME", str(tmp_path / str(number)))
        seen.append(digits(cb.sweep(from_source(source, "mine.py"), market(1_500), study="same", **how, **who)))
    assert seen[0] == seen[1] == seen[2]


def test_several_symbols_share_the_cash_and_a_timeframe_is_a_parameter():
    series = [
        market(1_200, seed, symbol, timeframe)
        for seed, symbol in ((3, "BTC/USDT"), (4, "ETH/USDT"))
        for timeframe in ("1h", "4h")
    ]
    found = cb.sweep(from_source(SIGNALS, "mine.py"), series, grid=GRID, cash=8_000.0)
    assert len(found.table) == 12
    assert set(found.table.params) == {"timeframe", "fast", "slow"}
    assert found.symbols == ("BTC/USDT", "ETH/USDT")
    assert {leg.candles.symbol for leg in found.chosen.legs} == set(found.symbols)
    assert found.chosen.settings.cash == 8_000.0
    assert {str(leg.candles.timeframe) for leg in found.chosen.legs} == {found.best.params["timeframe"]}


def test_a_study_counts_every_try_and_asks_nothing_twice(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMBIST_HOME", str(tmp_path))
    strategy = from_source(SIGNALS, "mine.py")
    first = cb.sweep(strategy, market(), grid=GRID, study="mine")
    heard: list[Any] = []
    again = cb.sweep(strategy, market(), grid=GRID, study="mine", progress=heard.append)
    assert (first.counted, again.counted) == (6, 6)
    assert digits(first) == digits(again)
    assert heard[0].done == heard[-1].done == 6
    more = cb.sweep(strategy, market(), grid={"fast": [4, 5]}, study="mine", where=lambda params: params["fast"] == 5)
    assert (len(more.table), more.counted) == (1, 7)


def test_what_would_not_fit_is_refused_with_what_would():
    with pytest.raises(BadInput, match=r"memory.* MB"):
        cb.sweep(from_source(SIGNALS, "mine.py"), market(), grid={"fast": "2:100:1", "slow": "5:400:1"}, jobs=10**9)


def walk(seed: int, persistence: float) -> cb.Candles:
    """Return hours whose returns go on as they were with ``persistence``: 0 is a random walk."""
    rng = np.random.default_rng(seed)
    drift = np.zeros(9_000)
    noise = rng.normal(size=drift.size)
    for i in range(1, drift.size):
        drift[i] = 0.98 * drift[i - 1] + noise[i]
    moves = 0.004 * rng.normal(size=drift.size) + persistence * drift
    close = 100.0 * np.exp(np.cumsum(moves - moves.mean()))
    opened = np.concatenate(([100.0], close[:-1]))
    candles = market(drift.size)
    return replace(
        candles,
        open=opened,
        high=np.maximum(opened, close),
        low=np.minimum(opened, close),
        close=close,
        volume=np.ones(close.size),
    )


def test_on_random_walks_it_says_no_edge_through_the_whole_engine():
    strategy = from_source(SIGNALS, "mine.py")
    lights = [cb.sweep(strategy, walk(seed, 0.0), grid=GRID, jobs=1, **QUIET).judgement.light for seed in range(10)]
    assert lights.count(Light.RED) >= 9


def test_a_planted_edge_is_found_through_the_whole_engine():
    found = cb.sweep(from_source(SIGNALS, "mine.py"), walk(1, 0.0006), grid=GRID, jobs=1, split=None, **QUIET)
    assert found.judgement.light is Light.GREEN, found.judgement
    assert found.judgement.figures["deflated_sharpe"] > 0.95
