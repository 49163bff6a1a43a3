"""Statistics of sliding windows: against TA-Lib, against published vectors, and against the loss of digits."""

import json

import numpy as np
import pytest
import talib
from tests.unit.indicators.reference import assert_close, data_dir, skender, skender_quotes, spy, tulip

from cambist import indicators

PERIODS = [2, 3, 14, 20, 500]


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    return 30_000.0 * np.exp(np.cumsum(np.random.default_rng(7).normal(0.0, 0.001, 20_000)))


def windows(values: np.ndarray, period: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(values.astype(np.longdouble), period)


def slopes(values: np.ndarray, period: int) -> np.ndarray:
    places = np.arange(period, dtype=np.longdouble) - (period - 1) / 2
    rows = windows(values, period)
    return np.asarray((rows - rows[:, :1]) @ places / (places @ places), dtype=float)


# --- against TA-Lib, to 1e-9 relative


@pytest.mark.parametrize("period", PERIODS)
def test_rolling_min_and_max_are_talib_and_right(walk, period):
    for values in (walk, np.sort(walk), np.sort(walk)[::-1].copy(), np.round(walk, -2)):
        low, high = indicators.rolling_min(values, period), indicators.rolling_max(values, period)
        np.testing.assert_array_equal(low, talib.MIN(values, period))
        np.testing.assert_array_equal(high, talib.MAX(values, period))
        view = np.lib.stride_tricks.sliding_window_view(values, period)
        np.testing.assert_array_equal(low[period - 1 :], view.min(axis=1))
        np.testing.assert_array_equal(high[period - 1 :], view.max(axis=1))


@pytest.mark.parametrize("period", PERIODS[1:])
def test_rolling_std_is_talib(walk, period):
    np.testing.assert_allclose(indicators.rolling_std(walk, period), talib.STDDEV(walk, period), rtol=1e-9)


def test_rolling_std_of_two_is_half_their_distance(walk):
    """Exactly so; TA-Lib is off by 1.5e-9 where two prices are close to each other."""
    np.testing.assert_allclose(indicators.rolling_std(walk, 2)[1:], np.abs(np.diff(walk)) / 2.0, rtol=1e-15)


@pytest.mark.parametrize("period", PERIODS)
def test_slope_is_talib(walk, period):
    assert_close(indicators.linear_regression_slope(walk, period), talib.LINEARREG_SLOPE(walk, period))


# --- against published vectors


def test_rolling_std_and_zscore_published():
    close, expected = skender_quotes()["close"], skender("stdev")
    assert_close(indicators.rolling_std(close, 14), expected["stdDev"])
    assert_close(indicators.zscore(close, 14), expected["zScore"])
    assert_close(indicators.volume_zscore(close, 14), expected["zScore"])  # the same formula over another column
    for (period,), (values,), (deviations,) in tulip("stddev"):
        ours = indicators.rolling_std(values, int(period))
        np.testing.assert_allclose(ours[-deviations.size :], deviations, rtol=0.0, atol=5.1e-4)
    # pandas-ta divides by period - 1.
    rows = json.loads((data_dir() / "pandasta_regression_snapshots.json").read_text("utf-8"))
    scores = indicators.zscore(spy()["close"], 20) * np.sqrt(19 / 20)
    for row, score in rows["zscore_20"]["ZS_20"].items():
        assert scores[int(row)] == pytest.approx(score, abs=5.1e-9)


def test_slope_published():
    assert_close(indicators.linear_regression_slope(skender_quotes()["close"], 14), skender("slope")["slope"])
    for (period,), (values,), (expected,) in tulip("linregslope"):
        ours = indicators.linear_regression_slope(values, int(period))
        np.testing.assert_allclose(ours[-expected.size :], expected, rtol=0.0, atol=5.1e-4)


def test_min_and_max_published():
    for name, indicator in (("min", indicators.rolling_min), ("max", indicators.rolling_max)):
        for (period,), (values,), (expected,) in tulip(name):
            np.testing.assert_array_equal(indicator(values, int(period))[-expected.size :], expected)


def test_choppiness_published():
    quotes = skender_quotes()
    ours = indicators.choppiness(quotes["high"], quotes["low"], quotes["close"], 14)
    assert_close(ours, skender("chop")["chop"])


# --- by hand


def test_choppiness_by_hand():
    high, low, close = np.array([2.0, 3.0, 4.0, 3.0]), np.array([1.0, 2.0, 3.0, 2.0]), np.array([2.0, 3.0, 4.0, 2.0])
    # True ranges 1, 1, 2; over the last two candles the price went 3 of a span of 4 - 2.
    ours = indicators.choppiness(high, low, close, 2)
    np.testing.assert_allclose(ours, [np.nan, np.nan, 0.0, 100.0 * np.log(1.5) / np.log(2.0)], atol=1e-12)


def test_choppiness_stays_within_its_scale_across_gaps():
    rng = np.random.default_rng(3)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.05, 5_000)))
    ours = indicators.choppiness(close * 1.001, close * 0.999, close, 5)[5:]
    assert ours.min() >= -1e-9
    assert ours.max() <= 100.0 + 1e-9


def test_nothing_moves():
    flat = np.full(60, 0.1)
    assert not indicators.rolling_std(flat)[19:].any()
    assert not indicators.zscore(flat)[19:].any()
    assert not indicators.linear_regression_slope(flat)[13:].any()
    np.testing.assert_allclose(indicators.choppiness(flat, flat, flat)[14:], 100.0, rtol=1e-15)


# --- digits


@pytest.mark.parametrize("period", [5, 20, 1_000])
@pytest.mark.parametrize("noise", [1.0, 1e-3])
def test_no_drift_after_a_million_large_numbers(period, noise):
    """A window of prices near 1e6 says after a million candles what it says alone, and what exact sums say."""
    values = 1e6 + noise * np.random.default_rng(11).normal(0.0, 1.0, 1_000_000)
    tail = values[-5_000:].copy()
    rows = windows(tail - tail[0], period)  # exact: numbers this near to each other have an exact difference
    deviation = rows.std(axis=1)
    scores = ((rows[:, -1] - rows.mean(axis=1)) / deviation).astype(float)
    for indicator, expected in (
        (indicators.rolling_std, deviation.astype(float)),
        (indicators.zscore, scores),
        (indicators.linear_regression_slope, slopes(tail, period)),
    ):
        ours, alone = indicator(values, period)[-5_000:][period - 1 :], indicator(tail, period)[period - 1 :]
        # Relative to the median where a score or a slope crosses zero: there it has no digits to compare.
        assert_close(ours, expected, 1e-11)
        assert_close(ours, alone, 1e-11)


@pytest.mark.parametrize("period", [5, 20])
def test_wild_sizes_in_one_series(period):
    """Volumes span many orders of magnitude: a small one after a large one must not be drowned."""
    values = np.random.default_rng(5).lognormal(0.0, 4.0, 50_000)
    exact = windows(values, period).std(axis=1).astype(float)
    np.testing.assert_allclose(indicators.rolling_std(values, period)[period - 1 :], exact, rtol=1e-12)


def test_missing_value_spoils_only_its_windows(walk):
    holed = walk.copy()
    holed[1_000] = np.nan
    for indicator in (indicators.rolling_std, indicators.zscore, indicators.linear_regression_slope):
        whole, ours = indicator(walk, 20), indicator(holed, 20)
        assert np.isnan(ours[1_000:1_020]).all()
        np.testing.assert_array_equal(ours[:1_000], whole[:1_000])
        assert_close(ours[1_020:], whole[1_020:])
