"""Sharpe ratios against luck: the papers' own examples, the laws, and cross-validation against a slow twin of it."""

from itertools import combinations
from math import inf, isnan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.analytics import overfitting as of
from cambist.analytics.performance import sharpe
from cambist.domain.search import BLOCKS, EXACT, MOMENTS, TRIMMED

ratios = st.floats(-0.5, 0.5)
counts = st.integers(2, 5000)
skews = st.floats(-3.0, 3.0)


def deflated(sharpe: float, count: int, skewness: float, kurtosis: float, *, variance: float, trials: int) -> float:
    return of.probabilistic_sharpe(sharpe, of.expected_max_sharpe(variance, trials), count, skewness, kurtosis)


# --- published examples


def test_the_deflated_sharpe_ratio_of_the_paper():
    # Bailey and Lopez de Prado, The Deflated Sharpe Ratio, 2014, section "A numerical example": five years of 250 days,
    # a Sharpe ratio of 2.5 a year, 100 trials whose ratios have a variance of 1/2 a year
    a_day, variance = 2.5 / sqrt(250.0), 0.5 / 250.0
    assert of.expected_max_sharpe(variance, 100) == pytest.approx(0.1132, abs=5e-5)
    found = deflated(a_day, 1250, -3.0, 10.0, variance=variance, trials=100)
    assert found == pytest.approx(0.9004, abs=5e-5)
    assert deflated(a_day, 1250, -3.0, 10.0, variance=variance, trials=46) == pytest.approx(0.9505, abs=5e-5)
    assert deflated(a_day, 1250, 0.0, 3.0, variance=variance, trials=88) == pytest.approx(0.9505, abs=5e-4)


def test_the_probabilistic_sharpe_ratio_of_the_paper():
    # Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier, 2012: 24 months with a ratio of 0.458
    assert of.probabilistic_sharpe(0.458, 0.0, 24) == pytest.approx(0.982, abs=5e-4)
    assert of.probabilistic_sharpe(0.458, 0.0, 24, -2.448, 10.164) == pytest.approx(0.913, abs=5e-4)


@pytest.mark.parametrize(("a_year", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_minimum_track_record_of_the_paper(a_year, years):
    # the same, to say at 95 % that a ratio of 2 a year is above 1
    found = of.minimum_track_record(2.0 / sqrt(a_year), 1.0 / sqrt(a_year))
    assert found / a_year == pytest.approx(years, abs=0.005)


def test_the_minimum_track_record_of_returns_that_are_not_normal():
    found = of.minimum_track_record(2.0 / sqrt(12.0), 1.0 / sqrt(12.0), -0.72, 5.78)
    assert found / 12.0 == pytest.approx(4.99, abs=0.005)


# --- laws


def test_no_record_is_long_enough_to_say_that_a_ratio_is_above_itself():
    assert of.minimum_track_record(0.1, 0.1) == of.minimum_track_record(0.1, 0.2) == inf


def test_the_expected_best_is_what_the_best_of_many_is():
    drawn = np.random.default_rng(5).standard_normal((20_000, 100)).max(axis=1).mean()
    assert of.expected_max_sharpe(1.0, 100) == pytest.approx(drawn, abs=0.03)


def test_the_luck_of_the_best_is_how_often_the_best_is_that_good():
    drawn = np.random.default_rng(6).standard_normal((1500, 50, 100))
    best = (drawn.mean(axis=2) / drawn.std(axis=2, ddof=1)).max(axis=1)
    for share in (0.5, 0.2, 0.05):
        ratio = float(np.quantile(best, 1.0 - share))
        assert of.luck_of_the_best(ratio, 100, trials=50) == pytest.approx(share, abs=0.04)


@given(ratios, ratios, counts, skews, st.floats(0.0, 10.0))
def test_the_probabilistic_ratio_is_one_half_at_the_benchmark_and_rises(ratio, more, count, skewness, extra):
    kurtosis = 1.0 + skewness**2 + extra
    assert of.probabilistic_sharpe(ratio, ratio, count, skewness, kurtosis) == 0.5
    low, high = sorted((0.0, more))
    worse = of.probabilistic_sharpe(ratio, high, count, skewness, kurtosis)
    assert 0.0 <= worse <= of.probabilistic_sharpe(ratio, low, count, skewness, kurtosis) <= 1.0


@given(st.floats(0.01, 0.5), counts, counts)
def test_a_longer_record_says_more(ratio, one, other):
    short, long = sorted((one, other))
    assert of.probabilistic_sharpe(ratio, 0.0, short) <= of.probabilistic_sharpe(ratio, 0.0, long)
    assert of.luck_of_the_best(ratio, long, trials=10) <= of.luck_of_the_best(ratio, short, trials=10)


@given(ratios, counts, st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_trials_say_less(ratio, count, one, other):
    few, many = sorted((one, other))
    assert of.expected_max_sharpe(1e-3, few) <= of.expected_max_sharpe(1e-3, many) + 1e-15
    assert of.luck_of_the_best(ratio, count, trials=few) <= of.luck_of_the_best(ratio, count, trials=many)
    fewer, more = (deflated(ratio, count, 0.0, 3.0, variance=1e-3, trials=n) for n in (few, many))
    assert more <= fewer + 1e-12


@given(st.floats(0.02, 0.5), skews, st.floats(0.5, 10.0), st.floats(0.6, 0.999))
def test_a_record_of_the_minimum_length_is_just_sure(ratio, skewness, extra, confidence):
    kurtosis = 1.0 + skewness**2 + extra
    needed = of.minimum_track_record(ratio, 0.0, skewness, kurtosis, confidence)
    longer, shorter = int(needed) + 1, int(needed)
    if shorter > 2:
        assert of.probabilistic_sharpe(ratio, 0.0, longer, skewness, kurtosis) >= confidence - 1e-9
        assert of.probabilistic_sharpe(ratio, 0.0, shorter, skewness, kurtosis) <= confidence + 1e-9


def test_a_single_trial_was_not_chosen():
    assert of.expected_max_sharpe(1.0, 1) == 0.0
    assert deflated(0.1, 250, 0.0, 3.0, variance=1.0, trials=1) == of.probabilistic_sharpe(0.1, 0.0, 250)
    assert of.luck_of_the_best(0.1, 250) == pytest.approx(1.0 - of.probabilistic_sharpe(0.1, 0.0, 250))


def test_small_chances_are_not_rounded_away():
    # one minus a probability of 1 - 1e-20 would be nothing
    assert 0.0 < of.luck_of_the_best(0.3, 1000, trials=5) < 1e-15


def test_what_is_undefined():
    assert isnan(of.probabilistic_sharpe(0.1, 0.0, 1))
    assert isnan(of.luck_of_the_best(float("nan"), 100))
    assert isnan(of.expected_max_sharpe(float("nan"), 10))
    assert of.minimum_track_record(-0.1) == inf
    assert isnan(of.minimum_track_record(float("nan")))
    assert all(map(isnan, of.skewness_kurtosis(np.full(20, 0.01))))
    assert all(map(isnan, of.skewness_kurtosis(np.zeros(1))))


def test_shape_of_known_returns():
    # by hand: mean 1, deviations -1 -1 -1 3: m2 = 3, m3 = 6, m4 = 21
    skewness, kurtosis = of.skewness_kurtosis(np.array([0.0, 0.0, 0.0, 4.0]))
    assert skewness == pytest.approx(6.0 / 3.0**1.5)
    assert kurtosis == pytest.approx(21.0 / 9.0)


# --- moments


@given(st.integers(0, 300), st.integers(1, 20), st.integers(0, 3))
def test_moments_are_sums_over_the_blocks(size, blocks, trim):
    returns = np.random.default_rng(size).normal(0.001, 0.02, size)
    found = of.moments(returns, blocks, trim)
    assert found.shape == (2, blocks, MOMENTS)
    for block in range(blocks):
        part = returns[block * size // blocks : (block + 1) * size // blocks]
        for which, kept in ((EXACT, part), (TRIMMED, part[trim : max(part.size - trim, trim)])):
            expected = [kept.size, kept.sum(), (kept * kept).sum()]
            assert found[which, block] == pytest.approx(expected, abs=1e-15)


def test_moments_of_all_blocks_give_the_sharpe_ratio():
    returns = np.random.default_rng(1).normal(0.001, 0.02, 1001)
    count, total, squares = of.moments(returns)[EXACT].sum(axis=0)
    assert total / count / sqrt((squares - total**2 / count) / (count - 1)) == pytest.approx(sharpe(returns, 1.0))


# --- cross-validation


def slowly(trials: list[np.ndarray], blocks: int) -> tuple[float, float]:
    """As the paper says it, split by split: the probability of overfitting, and of loss."""
    parts = [np.array_split(returns, blocks) for returns in trials]
    below, lost = [], []
    for chosen in combinations(range(blocks), blocks // 2):
        others = [block for block in range(blocks) if block not in chosen]
        seen = [sharpe(np.concatenate([part[block] for block in chosen]), 1.0) for part in parts]
        unseen = [sharpe(np.concatenate([part[block] for block in others]), 1.0) for part in parts]
        best = int(np.argmax(seen))
        rank = 1 + sum(other < unseen[best] for other in unseen)
        relative = rank / (len(trials) + 1)
        below.append(np.log(relative / (1.0 - relative)) <= 0.0)
        lost.append(unseen[best] < 0.0)
    return float(np.mean(below)), float(np.mean(lost))


@pytest.mark.parametrize(("trials", "skill"), [(2, 0.0), (7, 0.0), (12, 0.004), (9, -0.003)])
def test_cross_validation_against_the_definition(trials, skill):
    rng = np.random.default_rng(trials)
    returns = [rng.normal(skill * i / trials, 0.02, 120) for i in range(trials)]
    found = of.overfitting(np.stack([of.moments(each, 8)[EXACT] for each in returns]))
    below, lost = slowly(returns, 8)
    assert (found.pbo, found.loss) == pytest.approx((below, lost), abs=1e-12)
    assert found.splits == 70


def noise(seed: int, trials: int = 60, days: int = 640) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([of.moments(rng.normal(0.0, 0.02, days))[EXACT] for _ in range(trials)])


def test_of_noise_the_best_is_as_often_below_the_middle_as_above():
    found = [of.overfitting(noise(seed)) for seed in range(12)]
    assert found[0].splits == 12_870
    assert np.mean([each.pbo for each in found]) == pytest.approx(0.5, abs=0.1)


def test_one_that_is_truly_better_is_not_overfitted():
    trials = noise(3)
    trials[17] = of.moments(np.random.default_rng(9).normal(0.006, 0.02, 640))[EXACT]
    found = of.overfitting(trials)
    assert found.pbo < 0.01
    assert found.loss < 0.01


@settings(max_examples=5)
@given(st.randoms(use_true_random=False))
def test_the_order_of_trials_does_not_matter(random):
    trials = noise(4, 20)
    trials[5] = trials[11]  # two are the same strategy
    trials[7:9] = 0.0  # and some do nothing
    trials[7:9, :, 0] = 40.0
    order = random.sample(range(20), 20)
    one, other = of.overfitting(trials), of.overfitting(trials[order])
    assert (other.pbo, other.loss) == (one.pbo, one.loss)
    assert other.slope == pytest.approx(one.slope)


def test_ranks_are_shared_by_equals():
    # ten times the one and ten times the other: where the better of one half is the worse of the other, its ten share
    # the ranks 1 to 10 of 20, and are below the middle; where not, above
    two = noise(8, 2)
    assert of.overfitting(np.repeat(two, 10, axis=0)).pbo == pytest.approx(of.overfitting(two).pbo)


def test_trials_that_do_nothing_count_as_nothing_earned():
    # one that only loses against one that does nothing: the latter is the best everywhere, and above the middle
    idle = np.zeros((1, BLOCKS, MOMENTS))
    idle[:, :, 0] = 40.0
    loser = of.moments(np.random.default_rng(2).normal(-0.05, 0.01, 640))[EXACT][None]
    found = of.overfitting(np.concatenate((idle, loser)))
    assert (found.pbo, found.loss) == (0.0, 0.0)


def test_without_two_different_trials_nothing_can_be_said():
    one = noise(1, 1)
    for trials in (one[:0], one, np.repeat(one, 5, axis=0), np.concatenate((one, np.full_like(one, np.nan)))):
        assert isnan(of.overfitting(trials).pbo)
        assert of.overfitting(trials).splits == 0
