"""Price levels: Fibonacci retracements, pivot points, support and resistance."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.unit.indicators.reference import assert_close, skender, skender_quotes, skender_sheet

from cambist import indicators
from cambist.domain.timeframe import DAY_MS

HOUR_MS = DAY_MS // 24


@pytest.fixture(scope="module")
def candles() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 4_000))), 1)  # coarse prices: extremes tie
    high, low = close + np.round(rng.exponential(0.3, close.size), 1), close - np.round(rng.exponential(0.3, 4_000), 1)
    ts = 19_000 * DAY_MS + 7 * HOUR_MS + HOUR_MS * np.arange(close.size)
    return {"ts": ts, "high": high, "low": low, "close": close}


# --- nothing looks ahead

LEVELS: list[tuple[Callable[..., Any], tuple[str, ...], dict[str, int]]] = [
    (indicators.fibonacci_levels, ("high", "low"), {"period": 50}),
    (indicators.pivot_points, ("ts", "high", "low", "close"), {}),
    (indicators.support_resistance, ("high", "low", "close"), {"period": 60, "strength": 3}),
]


@pytest.mark.parametrize(("indicator", "inputs", "params"), LEVELS)
@pytest.mark.parametrize("now", [500, 1_001, 1_999, 3_900])
def test_the_future_changes_nothing(candles, indicator, inputs, params, now):
    past = indicator(*(candles[name] for name in inputs), **params)
    other = {name: values.copy() for name, values in candles.items()}
    shock = np.random.default_rng(now).uniform(-30.0, 30.0, candles["close"].size - now - 1)
    for name in ("high", "low", "close"):
        other[name][now + 1 :] += shock
    changed = indicator(*(other[name] for name in inputs), **params)
    cut = indicator(*(candles[name][: now + 1] for name in inputs), **params)
    for before, after, short in zip(past, changed, cut, strict=True):
        np.testing.assert_array_equal(after[: now + 1], before[: now + 1])
        np.testing.assert_array_equal(short, before[: now + 1])
    assert any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(past, changed, strict=True))


@pytest.mark.parametrize(("indicator", "inputs", "params"), LEVELS)
def test_a_window_says_what_all_history_says(candles, indicator, inputs, params):
    whole = indicator(*(candles[name] for name in inputs), **params)
    warmup = indicator.card.warmup(**params | ({"candles_per_day": 24} if "ts" in inputs else {}))
    for end in range(3_800, 4_001):
        window = indicator(*(candles[name][end - warmup : end] for name in inputs), **params)
        for part, values in zip(window, whole, strict=True):
            np.testing.assert_array_equal(part[-1], values[end - 1])


# --- Fibonacci


def test_fibonacci_by_hand():
    high = np.array([10.0, 20.0, 15.0, 14.0, 13.0])
    low = np.array([9.0, 15.0, 12.0, 10.0, 8.0])
    levels = indicators.fibonacci_levels(high, low, 3)
    assert all(np.isnan(level[:2]).all() for level in levels)
    # Candles 0 to 2: from the low of 9 up to the high of 20; 11 to give back.
    rise = [20.0 - 11.0 * share for share in (0.0, 0.236, 0.382, 0.5, 0.618, 0.786, 1.0)]
    np.testing.assert_allclose([level[2] for level in levels], rise, rtol=1e-15)
    # Candles 1 to 3: from the high of 20 down to the low of 10.
    fall = [10.0, 12.36, 13.82, 15.0, 16.18, 17.86, 20.0]
    np.testing.assert_allclose([level[3] for level in levels], fall, rtol=1e-15)
    assert (levels.level_0[4], levels.level_100[4]) == (8.0, 15.0)


def test_fibonacci_newest_of_equal_extremes_counts():
    high, low = np.array([5.0, 4.0, 5.0, 4.0]), np.array([2.0, 1.0, 2.0, 1.0])
    levels = indicators.fibonacci_levels(high, low, 4)
    assert (levels.level_0[3], levels.level_100[3]) == (1.0, 5.0)  # the newest low came last
    levels = indicators.fibonacci_levels(high[:3], low[:3], 3)
    assert (levels.level_0[2], levels.level_100[2]) == (5.0, 1.0)  # the newest high came last
    one = indicators.fibonacci_levels(np.array([3.0, 9.0]), np.array([2.0, 1.0]), 2)
    assert (one.level_0[1], one.level_100[1]) == (9.0, 1.0)  # one candle holds both: upward


@pytest.mark.parametrize("period", [2, 7, 100])
def test_fibonacci_against_plain_search(candles, period):
    high, low = candles["high"], candles["low"]
    levels = indicators.fibonacci_levels(high, low, period)
    for i in range(period - 1, high.size):
        highs, lows = high[i - period + 1 : i + 1][::-1], low[i - period + 1 : i + 1][::-1]
        rose = highs.argmax() <= lows.argmin()  # in candles ago
        ends = (highs.max(), lows.min()) if rose else (lows.min(), highs.max())
        assert (levels.level_0[i], levels.level_100[i]) == ends


# --- pivot points


def test_pivot_points_by_hand():
    ts = 19_000 * DAY_MS + HOUR_MS * np.array([0, 12, 24, 36, 72])
    high, low = np.array([10.0, 12.0, 30.0, 30.0, 30.0]), np.array([8.0, 9.0, 20.0, 20.0, 20.0])
    close = np.array([9.0, 9.0, 25.0, 22.0, 25.0])
    levels = indicators.pivot_points(ts, high, low, close)
    assert all(np.isnan(level[:2]).all() for level in levels)
    # Day 1: high 12, low 8, close 9, so P = 29/3; the same for all candles of day 2.
    P = 29.0 / 3.0
    expected = [P, 2 * P - 8, P + 4, 12 + 2 * (P - 8), 2 * P - 12, P - 4, 8 - 2 * (12 - P)]
    for candle in (2, 3):
        np.testing.assert_allclose([level[candle] for level in levels], expected, rtol=1e-15)
    # Day 3 has no candles: day 4 looks back to day 2.
    assert levels.pivot[4] == pytest.approx((30.0 + 20.0 + 22.0) / 3.0, rel=1e-15)


def test_pivot_points_do_not_trust_half_a_day():
    ts = HOUR_MS * np.arange(5, 60)
    price = np.linspace(1.0, 2.0, ts.size)
    pivot = indicators.pivot_points(ts, price, price, price).pivot
    assert np.isnan(pivot[: 48 - 5]).all()  # the day begun before the data, and the day that would build on it
    assert not np.isnan(pivot[48 - 5 :]).any()


def test_pivot_points_published():
    """The spreadsheet's pivots are monthly; each of its months is made one day here. It omits last days of months."""
    head, *rows = skender_sheet("PivotPoint")
    months = np.array([int(row[1][:4]) * 12 + int(row[1][5:7]) for row in rows])
    first_of_month = np.searchsorted(months, months)
    ts = DAY_MS * months + HOUR_MS * (np.arange(months.size) - first_of_month)
    quotes = skender_quotes()
    levels = indicators.pivot_points(ts, quotes["high"], quotes["low"], quotes["close"])
    for ours, column in zip(levels, ("PP", "R1", "R2", "R3", "S1", "S2", "S3"), strict=True):
        expected = np.array([float(row[head.index(column)] or "nan") for row in rows])
        known = ~np.isnan(expected)
        assert known.sum() > 400
        assert_close(ours[known], expected[known])


# --- support and resistance


def test_support_and_resistance_by_hand():
    #                  0    1    2    3    4    5    6    7
    high = np.array([1.0, 5.0, 2.0, 2.0, 4.0, 3.0, 3.0, 9.0])
    low = np.array([0.5, 1.5, 0.8, 1.0, 1.8, 1.7, 2.0, 2.5])
    close = np.array([1.0, 3.0, 1.0, 2.0, 3.0, 2.0, 2.5, 6.0])
    levels = indicators.support_resistance(high, low, close, 6, 1)
    assert np.isnan(levels.resistance[:6]).all()
    # Candle 6 sees the swing highs at 1 (5.0) and 4 (4.0), and the swing lows at 2 (0.8) and 5 (1.7).
    assert (levels.support[6], levels.resistance[6]) == (1.7, 4.0)
    # Candle 7 closes above both: no resistance is known. The swing high at 1 is out of its window anyway.
    assert levels.support[7] == 1.7
    assert np.isnan(levels.resistance[7])


def test_a_swing_is_known_only_when_its_right_side_has_closed():
    high = np.full(30, 10.0)
    high[20] = 12.0
    close = np.full(30, 9.0)
    for strength in (1, 3, 5):
        levels = indicators.support_resistance(high, close, close, 12, strength)
        assert np.isnan(levels.resistance[: 20 + strength]).all()
        assert (levels.resistance[20 + strength :] == 12.0).all()
    assert np.isnan(indicators.support_resistance(high, close, close, 12, 3).support).all()


def nearest(high: np.ndarray, close: np.ndarray, period: int, strength: int, swings: np.ndarray) -> np.ndarray:
    out = np.full(close.size, np.nan)
    for i in range(period + strength - 1, close.size):
        seen = [high[j] for j in range(i - period + 1, i - strength + 1) if swings[j] and high[j] >= close[i]]
        out[i] = min(seen, default=np.nan)
    return out


def swing_highs(high: np.ndarray, strength: int) -> np.ndarray:
    swings = np.zeros(high.size, bool)
    for j in range(strength, high.size - strength):
        swings[j] = high[j] > high[j - strength : j].max() and high[j] >= high[j + 1 : j + strength + 1].max()
    return swings


@pytest.mark.parametrize(("period", "strength"), [(5, 1), (60, 3), (200, 5), (10, 9), (5, 5), (4, 7)])
def test_support_and_resistance_against_plain_search(candles, period, strength):
    high, low, close = candles["high"], candles["low"], candles["close"]
    levels = indicators.support_resistance(high, low, close, period, strength)
    upper = nearest(high, close, period, strength, swing_highs(high, strength))
    lower = -nearest(-low, -close, period, strength, swing_highs(-low, strength))
    np.testing.assert_array_equal(levels.resistance, upper)
    np.testing.assert_array_equal(levels.support, lower)


def test_swings_are_the_published_fractals():
    quotes, fractals = skender_quotes(), skender("fractal")
    high, low, close = quotes["high"], quotes["low"], quotes["close"]
    levels = indicators.support_resistance(high, low, close, 100, 2)
    upper = nearest(high, close, 100, 2, ~np.isnan(fractals["fractalBear"]))
    lower = -nearest(-low, -close, 100, 2, ~np.isnan(fractals["fractalBull"]))
    np.testing.assert_array_equal(levels.resistance, upper)
    np.testing.assert_array_equal(levels.support, lower)


def test_flat_market_has_no_levels():
    flat = np.full(400, 3.0)
    levels = indicators.support_resistance(flat, flat, flat)
    assert np.isnan(levels.support).all()
    assert np.isnan(levels.resistance).all()
