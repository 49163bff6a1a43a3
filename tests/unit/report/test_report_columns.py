"""What goes into the page comes out again: exactly where it can, finer than a screen shows where it cannot."""

import json
import re

import numpy as np
import pytest
from tests.unit.report.sample import START, average, candles, result
from tests.unit.report.unpacking import unpack, unpack_candles

from cambist.backtest.report.columns import Columns, digits_of
from cambist.backtest.report.page import page


def roundtrip(pack):
    columns = Columns()
    spec = pack(columns)
    return unpack(spec, columns.blobs)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_integers_come_back(order):
    rng = np.random.default_rng(order)
    values = rng.integers(-(10**6), 10**6, 1_000)
    assert (roundtrip(lambda columns: columns.integers(values, order=order)) == values).all()


def test_times_come_back_and_cost_next_to_nothing():
    columns = Columns()
    ts = START + np.arange(100_000, dtype=np.int64) * 60_000
    spec = columns.integers(ts, order=2)
    assert (unpack(spec, columns.blobs) == ts).all()
    assert len(columns.blobs[spec["blob"]]) < 2_000


@pytest.mark.parametrize("digits", [0, 2, 8])
def test_decimals_come_back_bit_for_bit(digits):
    values = np.round(np.random.default_rng(3).uniform(-90, 90, 2_000), digits)
    assert digits_of(values) <= digits
    assert (roundtrip(lambda columns: columns.decimals(values)) == values).all()


@pytest.mark.parametrize("size", [1e-7, 1.0, 1e9])
def test_other_floats_are_closer_than_a_twentieth_of_their_usual_step(size):
    values = np.cumsum(np.random.default_rng(4).normal(0, size, 5_000)) + 100 * size
    back = roundtrip(lambda columns: columns.decimals(values))
    assert np.abs(back - values).max() <= np.median(np.abs(np.diff(values))) / 20


def test_gaps_stay_where_they_were():
    values = average(np.random.default_rng(5).normal(0, 1, 500), 20)
    values[[100, 101, 300, 499]] = [np.nan, np.inf, -np.inf, np.nan]
    back = roundtrip(lambda columns: columns.decimals(values))
    assert (np.isnan(back) == ~np.isfinite(values)).all()


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [1 / 3], [1 / 3, 1 / 3], [0.0, 0.0]])
def test_odd_columns_come_back(values):
    column = np.array(values, dtype=np.float64)
    np.testing.assert_allclose(roundtrip(lambda columns: columns.decimals(column)), column, rtol=1e-6)


def test_numbers_too_wide_for_integers_are_kept_as_they_are():
    values = np.array([1e-9, 1e18, np.nan, -1e300])
    back = roundtrip(lambda columns: columns.decimals(values))
    np.testing.assert_array_equal(back, values)


def test_exact_floats_come_back_bit_for_bit():
    values = np.random.default_rng(6).normal(0, 1e5, 333) ** 3
    assert (roundtrip(lambda columns: columns.exact(values)) == values).all()


def test_candles_come_back_bit_for_bit():
    one = candles(3_000)
    columns = Columns()
    back = unpack_candles(columns.candles(one.open, one.high, one.low, one.close), columns.blobs)
    for name in ("open", "high", "low", "close"):
        assert (back[name] == getattr(one, name)).all(), name


def test_candles_that_are_no_decimals_keep_their_order():
    rng = np.random.default_rng(7)
    close = 0.001 * np.exp(np.cumsum(rng.normal(0, 0.01, 400)))
    open_ = np.roll(close, 1)
    high, low = np.maximum(open_, close) * 1.003, np.minimum(open_, close) * 0.997
    columns = Columns()
    back = unpack_candles(columns.candles(open_, high, low, close), columns.blobs)
    np.testing.assert_allclose(back["close"], close, rtol=1e-3)
    assert (back["high"] >= np.maximum(back["open"], back["close"])).all()
    assert (back["low"] <= np.minimum(back["open"], back["close"])).all()


def test_equal_columns_are_stored_once():
    columns = Columns()
    values = np.arange(50.0) / 10
    assert columns.decimals(values)["blob"] == columns.decimals(values.copy())["blob"]
    assert len(columns.blobs) == 1


def test_what_follows_from_the_closes_is_not_repeated():
    close = candles(100).close
    spec = Columns().scaled(close * 0.21 + 3, close)
    assert spec is not None
    np.testing.assert_allclose(close * spec["factor"] + spec["offset"], close * 0.21 + 3)
    assert Columns().scaled(close**2, close) is None


def test_the_page_holds_the_result():
    made = result(1_500, count=60)
    html = page([made])
    match = re.search(r'id="page-data">(.*?)</script>', html, re.DOTALL)
    assert match
    data = json.loads(match[1])["results"][0]
    blobs = dict(re.findall(r'id="blob-(\w+)">([^<]*)</script>', html))
    leg, trades = data["legs"][0], data["trades"]
    assert (unpack(data["ts"], blobs) == made.ts).all()
    np.testing.assert_allclose(unpack(data["equity"], blobs), made.equity, atol=0.005)
    back = unpack_candles(leg["prices"], blobs)
    assert (back["high"] == made.legs[0].candles.high).all()
    assert (back["open"] == made.legs[0].candles.open).all()
    np.testing.assert_allclose(
        back["close"] * data["hold"]["factor"] + data["hold"]["offset"], made.buy_and_hold, rtol=1e-9
    )
    for name, spec in trades["columns"].items():
        assert (unpack(spec, blobs) == getattr(made.trades, name)).all(), name
    for line, spec in zip(made.legs[0].lines, leg["lines"], strict=True):
        back_line = unpack(spec["values"], blobs)
        assert (np.isnan(back_line) == np.isnan(line.values)).all()
        step = np.median(np.abs(np.diff(line.values[~np.isnan(line.values)])))
        assert np.nanmax(np.abs(back_line - line.values)) <= step / 20
