"""Indicators of volume: against TA-Lib, against published vectors, and where nothing is traded."""

import json

import numpy as np
import pytest
import talib
from tests.unit.indicators.reference import (
    assert_close,
    columns,
    data_dir,
    skender,
    skender_quotes,
    spy,
    stockcharts,
    tulip,
)

from cambist import indicators
from cambist.domain.timeframe import DAY_MS, MINUTE_MS

HLCV = ("high", "low", "close", "volume")


@pytest.fixture(scope="module")
def candles() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    close = 30_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.002, 20_000)))
    high = close * np.exp(np.abs(rng.normal(0.0, 0.001, close.size)))
    low = close * np.exp(-np.abs(rng.normal(0.0, 0.001, close.size)))
    close = np.clip(np.round(close, -1), low, high)  # coarse, so that some closes equal the one before
    return {"high": high, "low": low, "close": close, "volume": rng.lognormal(2.0, 1.0, close.size)}


def pandas_ta(name: str, column: str) -> dict[int, float]:
    """Return what pandas-ta gives on SPY at some rows (printed to 8 decimals), by row; -1 is the last."""
    last = json.loads((data_dir() / "pandasta_expected_values.json").read_text("utf-8"))[name][column]["last_value"]
    rows = json.loads((data_dir() / "pandasta_regression_snapshots.json").read_text("utf-8"))[name][column]
    return {int(row): value for row, value in rows.items()} | {-1: last}


def assert_rows(ours: np.ndarray, expected: dict[int, float]) -> None:
    np.testing.assert_allclose([ours[row] for row in expected], list(expected.values()), rtol=1e-9, atol=5.1e-9)


# --- against TA-Lib, to 1e-9 relative


def test_obv_is_talib(candles):
    np.testing.assert_array_equal(
        indicators.obv(candles["close"], candles["volume"]), talib.OBV(candles["close"], candles["volume"])
    )


def test_adi_is_talib(candles):
    series = columns(candles, *HLCV)
    assert_close(indicators.adi(*series), talib.AD(*series))


@pytest.mark.parametrize(("fast", "slow"), [(3, 10), (6, 20), (10, 3), (2, 200)])
def test_chaikin_oscillator_is_talib(candles, fast, slow):
    series = columns(candles, *HLCV)
    assert_close(indicators.chaikin_oscillator(*series, fast, slow), talib.ADOSC(*series, fast, slow))


@pytest.mark.parametrize("period", [2, 14, 15, 100])
def test_mfi_is_talib(candles, period):
    series = columns(candles, *HLCV)
    assert_close(indicators.mfi(*series, period), talib.MFI(*series, period))


# --- against published vectors


def test_obv_published():
    quotes = skender_quotes()
    ours = indicators.obv(quotes["close"], quotes["volume"])
    # Stock.Indicators starts at 0, TA-Lib and Cambist at the first volume: OBV has no level of its own.
    np.testing.assert_array_equal(ours - quotes["volume"][0], skender("obv")["obv"])
    assert_rows(indicators.obv(spy()["close"], spy()["volume"]), pandas_ta("obv", "OBV"))
    example = stockcharts("obv")
    ours = indicators.obv(example["Close"], np.nan_to_num(example["Volume"]))
    np.testing.assert_array_equal(ours[1:], example["OBV"][1:])
    for _, (close, volume), (expected,) in tulip("obv"):
        np.testing.assert_allclose(indicators.obv(close, volume) - volume[0], expected, rtol=0.0, atol=5e-4)


def test_adi_published():
    assert_close(indicators.adi(*columns(skender_quotes(), *HLCV)), skender("adl")["adl"])
    assert_rows(indicators.adi(*columns(spy(), *HLCV)), pandas_ta("ad", "AD"))
    example = stockcharts("accum")
    ours = indicators.adi(*columns(example, "High", "Low", "Close", "Volume"))
    np.testing.assert_allclose(ours, example["ADLine"], rtol=0.0, atol=0.05)  # printed from rounded multipliers
    for _, series, (expected,) in tulip("ad"):
        np.testing.assert_allclose(indicators.adi(*series), expected, rtol=0.0, atol=5e-4)


def test_chaikin_oscillator_published():
    ours = indicators.chaikin_oscillator(*columns(skender_quotes(), *HLCV))
    # Stock.Indicators seeds its averages with means, TA-Lib with the first value: alike once the seeds are forgotten.
    assert_close(ours, skender("chaikin-osc")["oscillator"], start=150)
    ours = indicators.chaikin_oscillator(*columns(spy(), *HLCV))
    assert_rows(ours, pandas_ta("adosc", "ADOSC_3_10"))
    for (fast, slow), series, (expected,) in tulip("adosc"):
        ours = indicators.chaikin_oscillator(*series, int(fast), int(slow))
        np.testing.assert_allclose(ours[-expected.size :], expected, rtol=0.0, atol=5e-4)


def test_mfi_published():
    assert_rows(indicators.mfi(*columns(spy(), *HLCV)), pandas_ta("mfi_14", "MFI_14"))
    for (period,), series, (expected,) in tulip("mfi"):
        ours = indicators.mfi(*series, int(period))
        np.testing.assert_allclose(ours[-expected.size :], expected, rtol=0.0, atol=5e-4)


def test_cmf_published():
    assert_rows(indicators.cmf(*columns(spy(), *HLCV)), pandas_ta("cmf_20", "CMF_20"))


def test_vwap_published():
    example = stockcharts("vwap")
    series = columns(example, "High", "Low", "Close", "Volume")
    # The example adds up one session for 14 candles, and goes on as a rolling VWAP of 14.
    ours = indicators.vwap(30 * MINUTE_MS * np.arange(example["Close"].size), *series)
    np.testing.assert_allclose(ours[:14], example["vwap"][:14], rtol=1e-6)  # prices are printed to four decimals
    np.testing.assert_allclose(indicators.rolling_vwap(*series, 14)[13:], example["vwap"][13:], rtol=1e-6)
    days = spy()
    ts = DAY_MS * np.arange(days["close"].size)
    assert_rows(indicators.vwap(ts, *columns(days, *HLCV)), pandas_ta("vwap", "VWAP_D"))


def test_rolling_vwap_published():
    """A moving average weighted by volume (VWMA) is the rolling VWAP of candles that are their close alone."""
    quotes = skender_quotes()
    close = quotes["close"]
    assert_close(indicators.rolling_vwap(close, close, close, quotes["volume"], 14), skender("vwma")["vwma"])
    for (period,), (close, volume), (expected,) in tulip("vwma"):
        ours = indicators.rolling_vwap(close, close, close, volume, int(period))
        np.testing.assert_allclose(ours[-expected.size :], expected, rtol=0.0, atol=5e-4)


# --- worked out by hand


def test_vwap_starts_afresh_at_midnight_utc():
    hour = DAY_MS // 24
    ts = DAY_MS * 19_000 + hour * np.array([22, 23, 24, 25, 48])
    price, volume = np.array([1.0, 2.0, 10.0, 20.0, 7.0]), np.array([1.0, 1.0, 3.0, 1.0, 2.0])
    ours = indicators.vwap(ts, price, price, price, volume)
    # The first day began before the data: its average is not known.
    np.testing.assert_allclose(ours, [np.nan, np.nan, 10.0, 12.5, 7.0], rtol=1e-15)
    ours = indicators.vwap(ts - 22 * hour, price, price, price, volume)
    np.testing.assert_allclose(ours, [1.0, 1.5, 33.0 / 5.0, 53.0 / 6.0, 7.0], rtol=1e-15)


def test_vwap_of_a_day_does_not_depend_on_the_days_before(candles):
    series = columns(candles, *HLCV)
    ts = MINUTE_MS * np.arange(20_000) + 19_000 * DAY_MS + 777 * MINUTE_MS
    whole = indicators.vwap(ts, *series)
    for end in (20_000, 15_111, 1440 * 9 - 777, 1440 * 9 - 776):
        window = slice(end - indicators.find("vwap").card.warmup(), end)
        part = indicators.vwap(ts[window], *(values[window] for values in series))
        assert part[-1] == whole[end - 1]


def test_rolling_vwap_and_cmf_by_hand():
    high, low, close = np.array([3.0, 6.0, 9.0]), np.array([1.0, 2.0, 9.0]), np.array([2.0, 4.0, 9.0])
    volume = np.array([1.0, 3.0, 4.0])
    ours = indicators.rolling_vwap(high, low, close, volume, 2)
    np.testing.assert_allclose(ours, [np.nan, (2.0 + 12.0) / 4.0, (12.0 + 36.0) / 7.0], rtol=1e-15)
    close = np.array([3.0, 3.0, 9.0])  # places in the range: +1, -0.5, and no range
    np.testing.assert_allclose(indicators.cmf(high, low, close, volume, 2), [np.nan, -0.125, -1.5 / 7.0], rtol=1e-15)


# --- where nothing moves or nothing is traded


def test_nothing_traded():
    price, none = np.full(40, 5.0), np.zeros(40)
    other = np.linspace(1.0, 2.0, 40)
    ts = MINUTE_MS * np.arange(40)
    for close in (price, other):
        series = (close, close, close, none)
        assert not indicators.obv(close, none).any()
        assert not indicators.adi(*series).any()
        assert not indicators.chaikin_oscillator(*series)[9:].any()
        assert (indicators.mfi(*series)[14:] == 50.0).all()
        assert not indicators.cmf(*series)[19:].any()
        assert not indicators.volume_zscore(none)[19:].any()
        np.testing.assert_allclose(indicators.vwap(ts, *series), close, rtol=1e-15)
        np.testing.assert_allclose(indicators.rolling_vwap(*series), talib.SMA(close, 20), rtol=1e-13)


def test_mfi_of_small_flows():
    """TA-Lib calls flows below one unit of quote currency nothing; coins quoted in bitcoin trade in such amounts."""
    price, volume = np.array([1e-6, 2e-6, 1e-6, 2e-6, 3e-6]), np.full(5, 10.0)
    np.testing.assert_allclose(indicators.mfi(price, price, price, volume, 2)[2:], [200 / 3, 200 / 3, 100.0])


def test_one_enormous_trade_leaves_no_trace(candles):
    """A running sum would carry the rounding error of the largest volume for ever."""
    series = columns(candles, *HLCV)
    struck = [*series[:3], series[3].copy()]
    struck[3][100] = 1e18
    for name in ("mfi", "cmf", "rolling_vwap", "volume_zscore"):
        indicator = indicators.find(name)
        inputs = [dict(zip(HLCV, struck, strict=True))[column] for column in indicator.card.inputs]
        calm = [dict(zip(HLCV, series, strict=True))[column] for column in indicator.card.inputs]
        assert_close(indicator(*inputs)[200:], indicator(*calm)[200:], 1e-13)
