"""The word, rule by rule: what makes red, what forbids green, what is said, and that it is said in both languages."""

from dataclasses import replace
from math import isnan, nan
from typing import Any

import numpy as np
import pytest

from cambist.analytics.overfitting import moments
from cambist.analytics.resampling import RandomEntries
from cambist.backtest.optimise.judge import Evidence, judge
from cambist.backtest.optimise.reasons import EFFICIENCY, FEW_TRADES, PLATEAU
from cambist.domain.judgement import Judgement, Light
from cambist.domain.search import EXACT
from cambist.domain.text import all_texts, speak

DAYS = 1000
FIGURES = {
    *("sharpe", "probabilistic_sharpe", "deflated_sharpe", "expected_max_sharpe", "trials", "pbo", "track_days"),
    *("minimum_track_days", "band_low", "band_high", "drawdown_95", "double_costs_return", "buy_and_hold_return"),
    *("random_share", "out_of_sample_sharpe", "walk_efficiency", "neighbours_kept"),
}


def returns_of(sharpe_a_year: float, days: int = DAYS, seed: int = 0) -> np.ndarray:
    """Daily returns that have exactly this Sharpe ratio."""
    drawn = np.random.default_rng(seed).standard_normal(days)
    drawn = (drawn - drawn.mean()) / drawn.std(ddof=1)
    returns: np.ndarray = 0.01 * (drawn + sharpe_a_year / np.sqrt(365.0))
    return returns


def evidence(sharpe_a_year: float = 4.0, **changes: Any) -> Evidence:
    """All that a good search shows: 40 tries of which the last is by far the best."""
    rng = np.random.default_rng(1)
    others = [rng.normal(0.0002, 0.01, DAYS) for _ in range(39)]
    own = returns_of(sharpe_a_year)
    good = Evidence(
        returns=own,
        periods=365.0,
        market=rng.normal(0.0, 0.03, DAYS),
        pnl=rng.normal(30.0, 100.0, 200),
        cash=10_000.0,
        trials=40,
        sharpes=np.array([each.mean() / each.std(ddof=1) for each in (*others, own)]),
        moments=np.stack([moments(each)[EXACT] for each in (*others, own)]),
        double_costs_return=0.8,
        random=RandomEntries(results=np.linspace(-0.5, 0.5, 500), actual=2.0),
        out_of_sample=returns_of(3.0, 300, seed=3),
        walk_efficiency=0.8,
        neighbours_kept=0.9,
    )
    return replace(good, **changes)


def word(sharpe_a_year: float = 4.0, **changes: Any) -> Judgement:
    return judge(evidence(sharpe_a_year, **changes), draws=100)


def keys(found: Judgement) -> list[str]:
    return [reason.key.removeprefix("judgement.why.") for reason in found.reasons]


def test_what_is_asked_for_is_enough():
    pnl = evidence().pnl
    at_least = {"walk_efficiency": EFFICIENCY, "neighbours_kept": PLATEAU}
    assert word(pnl=pnl[:FEW_TRADES], **at_least).light is Light.GREEN
    assert word(pnl=pnl[: FEW_TRADES - 1], **at_least).light is Light.AMBER
    assert word(walk_efficiency=EFFICIENCY - 0.01).light is Light.AMBER


def test_green_when_every_test_is_passed():
    found = word()
    assert found.light is Light.GREEN
    assert len(found.reasons) == 3
    assert all(reason.good for reason in found.reasons)
    assert found.text.startswith("A real edge")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"proof_failed": True}, "proof"),
        ({"pnl": np.empty(0), "returns": np.zeros(DAYS)}, "no_trades"),
        ({"returns": returns_of(-1.0)}, "lost"),
        ({"returns": returns_of(1.0), "out_of_sample": None}, "luck"),
        ({"returns": returns_of(0.4), "out_of_sample": None, "trials": 1, "sharpes": np.zeros(1)}, "luck_one"),
        ({"out_of_sample": returns_of(-3.0, 300)}, "unseen_lost"),
        ({"returns": returns_of(2.1), "out_of_sample": returns_of(0.05, 300, seed=3)}, "luck_of_both"),
        ({"random": RandomEntries(results=np.linspace(0.0, 2.0, 100), actual=0.5)}, "timing"),
    ],
)
def test_red(changes, reason):
    found = word(**changes)
    assert found.light is Light.RED
    assert keys(found)[0] == reason
    assert not found.reasons[0].good
    assert found.text.startswith("No edge")


def test_red_when_it_is_nothing_but_a_share_of_the_market():
    market = returns_of(4.0, seed=5)
    found = word(market=market, returns=0.7 * market + 0.001 * np.random.default_rng(2).standard_normal(DAYS))
    assert found.figures["luck"] < 0.01
    assert (found.light, keys(found)[0]) == (Light.RED, "market")
    assert word(market=market, returns=0.5 * market).light is Light.RED  # nothing at all is left


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pnl": np.full(29, 100.0)}, "few_trades"),
        ({"double_costs_return": -0.05}, "costs_lost"),
        ({"walk_efficiency": 0.3}, "walk_kept"),
        ({"walk_efficiency": -0.3}, "walk_lost"),
        ({"neighbours_kept": 0.2}, "neighbours"),
        ({"neighbours_kept": -2.0}, "neighbours"),
        ({"out_of_sample": returns_of(-0.4, 300, seed=3)}, "unseen_lost"),
        ({"out_of_sample": np.zeros(300)}, "unseen_idle"),
        ({"random": RandomEntries(results=np.linspace(0.0, 2.0, 100), actual=1.5)}, "timing"),
        ({"random": None}, "timing_unknown"),
        ({"sharpes": np.append(np.linspace(-0.3, 0.3, 39), 0.2)}, "deflated"),
        ({"market": returns_of(6.0, seed=9)}, "hold_better"),
        ({"pnl": np.tile([4000.0, -3000.0], 100)}, "drawdown"),
        ({"moments": np.stack([moments(returns_of(0.0, DAYS, seed))[EXACT] for seed in range(40)])}, "pbo"),
    ],
)
def test_amber(changes, reason):
    found = word(**changes)
    assert found.light is Light.AMBER
    assert keys(found)[0] == reason
    assert not found.reasons[0].good


def test_what_is_held_back_can_lift_red_to_amber_and_not_further():
    weak = returns_of(1.6)
    assert word(returns=weak, out_of_sample=None).light is Light.RED
    lifted = word(returns=weak, out_of_sample=returns_of(6.0, 400, seed=3), market=-0.3 * weak)
    assert lifted.light is not Light.GREEN
    assert lifted.figures["luck_of_both"] < 0.05 < lifted.figures["luck"]


def test_what_was_held_back_wears_out_by_being_looked_at():
    once, often = (word(looks=looks).figures["out_of_sample_luck"] for looks in (1, 20))
    assert often == pytest.approx(20 * once, rel=0.1)
    # a small loss does not become a great one by it
    assert word(looks=50, out_of_sample=returns_of(-0.4, 300, seed=3)).light is Light.AMBER


@pytest.mark.parametrize("strength", [0.5, 4.0, 12.0])
@pytest.mark.parametrize("changes", [{"pnl": np.full(12, 100.0)}, {"days": 200}])
def test_too_little_is_never_green_and_is_said(strength, changes):
    days = changes.pop("days", None) if (changes := dict(changes)) else None
    short = {} if days is None else {"returns": returns_of(strength, days), "market": returns_of(0.3, days, seed=4)}
    found = word(strength, **changes, **short, out_of_sample=None)
    assert found.light is not Light.GREEN
    assert {"few_trades", "few_days"} & set(keys(found))
    if strength == 12.0:
        assert found.light is Light.AMBER
        assert found.text.startswith("Too little to tell")


def test_a_failed_proof_is_red_whatever_else():
    found = word(12.0, proof_failed=True)
    assert found.light is Light.RED
    assert found.key == "judgement.red.proof"


def test_more_trials_never_make_it_better():
    order = [Light.GREEN, Light.AMBER, Light.RED]
    found = [order.index(word(2.9, trials=trials).light) for trials in (1, 40, 1000, 10**5, 10**7)]
    assert found == sorted(found)
    assert found[-1] == 2


def test_figures_go_along():
    figures = word().figures
    assert figures.keys() >= FIGURES
    assert not [name for name in FIGURES if isnan(figures[name])]
    assert figures["sharpe"] == pytest.approx(4.0)
    assert figures["track_days"] == DAYS
    assert figures["minimum_track_days"] < DAYS
    assert figures["out_of_sample_sharpe"] == pytest.approx(3.0)


def test_what_is_unknown_is_not_a_number_and_gives_no_reason():
    bare = word(
        moments=None, random=None, out_of_sample=None, walk_efficiency=None, neighbours_kept=None,
        double_costs_return=nan, sharpes=np.empty(0),
    )  # fmt: skip
    assert bare.light is Light.AMBER
    assert all(isnan(bare.figures[name]) for name in ("pbo", "random_share", "walk_efficiency", "out_of_sample_return"))
    assert len(bare.reasons) == 3


def test_the_least_that_can_be_known():
    nothing = judge(
        Evidence(
            returns=np.zeros(0), periods=365.0, market=np.zeros(0), pnl=np.zeros(0), cash=1.0, trials=0,
            sharpes=np.zeros(0),
        )
    )  # fmt: skip
    assert nothing.light is Light.RED
    assert nothing.key == "judgement.red.no_trades"
    assert nothing.text
    assert len(nothing.reasons) == 3
    ruined = word(returns=np.append(returns_of(4.0, DAYS - 1), -1.0))
    assert (ruined.light, keys(ruined)[0]) == (Light.RED, "lost")


def test_the_same_evidence_gives_the_same_word():
    assert word().figures == word().figures


def test_every_sentence_is_said_whole_in_both_languages():
    mine = {key: pair for key, pair in all_texts().items() if key.startswith("judgement.")}
    assert len(mine) > 30
    seen = [word(), word(1.0, out_of_sample=None), word(proof_failed=True), word(pnl=np.full(9, 1.0)), word(trials=1)]
    seen += [word(double_costs_return=-0.1), word(walk_efficiency=0.1), word(random=None)]
    seen += [word(walk_efficiency=nan), word(out_of_sample=np.zeros(300))]
    try:
        for language in ("en", "fr"):
            speak(language)
            for found in seen:
                for text in (found.text, *(reason.text for reason in found.reasons)):
                    assert text.endswith(".")
                    assert "{" not in text
                    assert "nan" not in text.split()
    finally:
        speak("en")


def test_the_sentence_a_beginner_reads():
    found = word(1.9, out_of_sample=None, trials=640)
    said = next(reason.text for reason in found.reasons if reason.key.endswith("why.luck"))
    cases = round(100 * found.figures["luck"])
    assert said == f"Of 640 combinations tried, the best would look this good by luck alone in {cases} cases of 100."


def test_held_back_without_a_trade_is_no_loss_of_nothing():
    for changes in ({"out_of_sample": np.zeros(300)}, {"out_of_sample_trades": 0.0}):
        found = word(**changes)
        assert (found.light, keys(found)[0]) == (Light.AMBER, "unseen_idle")
        assert "made no trade" in found.reasons[0].text
    # what was bought and sold at one price, without costs, was traded
    assert keys(word(out_of_sample=np.zeros(300), out_of_sample_trades=1.0))[0] == "unseen_lost"


def test_a_walk_that_kept_nothing_worth_a_ratio_speaks_against():
    found = word(walk_efficiency=nan)
    assert (found.light, keys(found)[0]) == (Light.AMBER, "walk_unknown")
    assert word(walk_efficiency=None).light is Light.GREEN


def test_a_single_return_that_was_held_back_counts():
    lost = word(out_of_sample=np.array([-0.5]))
    assert (lost.light, keys(lost)[0]) == (Light.AMBER, "unseen_lost")
    assert lost.figures["out_of_sample_return"] == pytest.approx(-0.5)
    assert lost.figures["luck_of_both"] == lost.figures["luck"]
    assert word(out_of_sample=np.array([0.01])).light is Light.GREEN
