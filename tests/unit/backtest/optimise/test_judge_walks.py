"""The word on what searches find where there is nothing to find, and where there is.

The seeds are fixed and were not looked at when the thresholds were set: those come from the literature alone.
"""

from collections import Counter

import numpy as np
import pytest
from tests.unit.backtest.optimise.walks import A_DAY, VOLATILITY, Rules, martingale, momentum, paths, searched

from cambist.backtest.optimise.judge import Evidence, judge
from cambist.domain.judgement import Judgement, Light

DAYS = 3 * 365
COST = 0.0015


def words(prices: np.ndarray, rules: Rules) -> list[Judgement]:
    return [judge(evidence, draws=50) for evidence in searched(prices, rules, seed=1)]


def lights(found: list[Judgement]) -> Counter[Light]:
    return Counter(judgement.light for judgement in found)


@pytest.mark.parametrize("cost", [0.0, COST])
def test_on_random_walks_there_is_no_edge_at_least_95_times_in_100(cost):
    found = words(martingale(np.random.default_rng(2024), 100, DAYS), Rules(cost=cost, shorts=True))
    assert lights(found)[Light.RED] >= 95
    assert all(word.text.startswith("No edge") for word in found if word.light is Light.RED)
    assert all(len(word.reasons) == 3 for word in found)


def test_on_strategies_that_have_nothing_in_common_either():
    # the hardest case: the best of 100 pairs of averages is not much luckier than one, the best of 100 strangers is
    rng = np.random.default_rng(2028)
    reds = 0
    for _ in range(100):
        trials = 0.01 * rng.standard_normal((100, DAYS))
        ratios = trials.mean(axis=1) / trials.std(axis=1, ddof=1)
        best = Evidence(
            returns=trials[ratios.argmax()],
            periods=365.0,
            market=0.03 * rng.standard_normal(DAYS),
            pnl=rng.normal(20.0, 100.0, 100),
            cash=10_000.0,
            trials=100,
            sharpes=ratios,
        )
        reds += judge(best, draws=5).light is Light.RED
    assert 95 <= reds < 100  # one in forty passes


def test_a_market_that_rises_by_itself_is_no_edge_of_whoever_is_in_it():
    # 60 % a year: whoever is in it earns, and has a Sharpe ratio that luck alone hardly gives
    shape = (30, DAYS * A_DAY)
    rising = paths(VOLATILITY * np.random.default_rng(2025).standard_normal(shape) + 0.6 / (365 * A_DAY))
    found = words(rising, Rules())
    assert lights(found)[Light.RED] >= 28
    assert np.median([word.figures["total_return"] for word in found]) > 0.5


def test_a_clear_edge_is_found():
    found = words(momentum(np.random.default_rng(2026), 20, DAYS, strength=9.0), Rules(cost=COST, shorts=True))
    assert np.median([word.figures["sharpe"] for word in found]) > 3.0  # after costs, as it was chosen
    assert lights(found)[Light.GREEN] >= 15
    assert lights(found)[Light.RED] <= 1


def test_the_more_edge_there_is_the_rarer_is_red():
    reds = []
    for strength in (0.0, 5.0, 9.0):
        prices = momentum(np.random.default_rng(2027), 10, DAYS, strength)
        reds.append(lights(words(prices, Rules(cost=COST, shorts=True)))[Light.RED])
    assert reds[0] >= 9
    assert reds[2] <= 1
    assert reds[0] >= reds[1] >= reds[2]
