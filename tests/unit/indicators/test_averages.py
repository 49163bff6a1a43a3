"""Moving averages: against TA-Lib, published vectors, and the formula spelled out."""

from math import isqrt

import numpy as np
import pytest
import talib
from tests.unit.indicators.reference import assert_close, skender, skender_quotes, spy, stockcharts, tulip

from cambist import indicators


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    return 30_000.0 * np.exp(np.cumsum(np.random.default_rng(7).normal(0.0, 0.001, 20_000)))


@pytest.mark.parametrize("period", [2, 10, 100])
def test_kama_is_talib(walk, period):
    assert_close(indicators.kama(walk, period), talib.KAMA(walk, period))


def test_kama_weighs_by_its_speeds(walk):
    straight = np.arange(1.0, 200.0)
    weight = (2.0 / 6.0) ** 2
    expected = straight[3]
    for price in straight[4:]:
        expected += weight * (price - expected)
    assert indicators.kama(straight, 4, fast=5, slow=50)[-1] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(indicators.kama(np.full(50, 0.1), 10)[10:], np.full(40, 0.1))


@pytest.mark.parametrize("period", [4, 9, 20])
def test_hma_is_its_formula(walk, period):
    def weighted(values: np.ndarray, n: int) -> np.ndarray:
        weights = np.arange(1.0, n + 1)
        return np.convolve(values, weights[::-1] / weights.sum(), "valid")

    short, long = weighted(walk, period // 2), weighted(walk, period)
    expected = weighted(2.0 * short[-long.size :] - long, isqrt(period))
    ours = indicators.hma(walk, period)
    assert np.isnan(ours[: period + isqrt(period) - 2]).all()
    np.testing.assert_allclose(ours[period + isqrt(period) - 2 :], expected, rtol=1e-10)


def test_a_weighted_average_weighs_the_newest_most():
    np.testing.assert_allclose(indicators.wma([1.0, 2.0, 6.0], 3), [np.nan, np.nan, (1 + 4 + 18) / 6])


@pytest.mark.parametrize(("name", "period", "start"), [("sma", 20, 0), ("ema", 20, 0), ("wma", 14, 0)])
def test_skender(name, period, start):
    ours = getattr(indicators, name)(skender_quotes()["close"], period)
    assert_close(ours, skender(name)[name], start=start)


@pytest.mark.parametrize(("name", "period"), [("dema", 14), ("tema", 20)])
def test_skender_after_warm_up(name, period):
    """Stock.Indicators starts each of the averages in a row at the first candle, TA-Lib where the one before starts."""
    ours = getattr(indicators, name)(skender_quotes()["close"], period)
    assert_close(ours, skender(name)[name], start=indicators.find(name).card.warmup(period))


@pytest.mark.parametrize("name", ["sma", "wma", "hma", "kama"])
def test_tulip(name):
    """Printed to 3 decimals. Tulip seeds its double and triple averages otherwise; 15 values are too few to forget."""
    for (period,), (close,), (expected,) in tulip(name):
        ours = getattr(indicators, name)(close, int(period))[-expected.size :]
        known = ~np.isnan(ours)  # Tulip's first value of kama is its seed
        assert known.sum() >= expected.size - 1
        np.testing.assert_allclose(ours[known], expected[known], atol=5.1e-4)


def test_stockcharts_wma():
    table = stockcharts("wma")
    expected, known = table["WMA"], ~np.isnan(table["WMA"])
    ours = indicators.wma(table["Close"], 9)
    compare = known & ~np.isnan(ours)
    assert compare.sum() >= 30
    np.testing.assert_allclose(ours[compare], expected[compare], atol=5.1e-5)


def test_pandas_ta_on_spy():
    """pandas-ta seeds kama otherwise; some 5000 days later both agree to all printed digits."""
    close = spy()["close"]
    assert indicators.hma(close, 10)[-1] == pytest.approx(349.62139394, abs=5.1e-9)
    assert indicators.kama(close)[-1] == pytest.approx(345.26325066, abs=5.1e-9)
