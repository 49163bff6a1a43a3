"""Oscillators: against TA-Lib, published vectors, and where there is nothing to oscillate."""

import numpy as np
import pytest
import talib
from tests.unit.indicators.reference import HLC, assert_close, columns, skender, skender_quotes, spy, stockcharts, tulip

from cambist import indicators

# --- against TA-Lib, to 1e-9 relative


@pytest.mark.parametrize("period", [2, 14, 200])
def test_rsi_is_talib(candles, period):
    assert_close(indicators.rsi(candles["close"], period), talib.RSI(candles["close"], period))


@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (2, 3, 1), (5, 200, 50)])
def test_macd_is_talib(candles, fast, slow, signal):
    close = candles["close"]
    for ours, theirs in zip(
        indicators.macd(close, fast, slow, signal), talib.MACD(close, fast, slow, signal), strict=True
    ):
        assert_close(ours, theirs)


def test_macd_turns_round_with_its_averages(candles):
    """TA-Lib swaps the periods instead, so it cannot be asked."""
    one, other = indicators.macd(candles["close"], 12, 26, 9), indicators.macd(candles["close"], 26, 12, 9)
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose(ours, -theirs, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("period", [2, 20, 333])
def test_cci_is_talib(candles, period):
    series = columns(candles, *HLC)
    assert_close(indicators.cci(*series, period), talib.CCI(*series, period))


@pytest.mark.parametrize("period", [2, 14, 100])
def test_williams_r_is_talib(candles, period):
    series = columns(candles, *HLC)
    assert_close(indicators.williams_r(*series, period), talib.WILLR(*series, period))


@pytest.mark.parametrize("periods", [(7, 14, 28), (1, 2, 3), (10, 50, 64)])
def test_ultimate_oscillator_is_talib(candles, periods):
    series = columns(candles, *HLC)
    assert_close(indicators.ultimate_oscillator(*series, *periods), talib.ULTOSC(*series, *periods))


@pytest.mark.parametrize(("period", "k", "d"), [(14, 3, 3), (5, 1, 3), (50, 10, 1)])
def test_stochastic_is_talib(candles, period, k, d):
    """TA-Lib blanks %K until %D is there too."""
    series = columns(candles, *HLC)
    ours, theirs = indicators.stochastic(*series, period, k, d), talib.STOCH(*series, period, k, 0, d, 0)
    head = period + k + d - 3
    for mine, talibs in zip(ours, theirs, strict=True):
        assert_close(mine, talibs, start=head)
    assert np.isnan(ours.k[: period + k - 2]).all()
    assert np.isnan(ours.d[:head]).all()


@pytest.mark.parametrize(("rsi_period", "period", "d"), [(14, 14, 3), (7, 21, 1)])
def test_stochastic_rsi_is_talib_where_k_is_not_smoothed(candles, rsi_period, period, d):
    ours = indicators.stochastic_rsi(candles["close"], rsi_period, period, 1, d)
    head = rsi_period + period + d - 2
    for mine, talibs in zip(ours, talib.STOCHRSI(candles["close"], rsi_period, period, d, 0), strict=True):
        assert_close(mine, talibs, start=head)


# --- published vectors


def test_skender():
    table = skender_quotes()
    close, series = table["close"], columns(table, *HLC)
    assert_close(indicators.rsi(close), skender("rsi")["rsi"])
    assert_close(indicators.cci(*series, 20), skender("cci")["cci"])
    assert_close(indicators.ultimate_oscillator(*series), skender("uo")["ultimate"])
    stochastic, theirs = indicators.stochastic(*series), skender("stoch")
    assert_close(stochastic.k, theirs["k"])
    assert_close(stochastic.d, theirs["d"])
    unsmoothed, theirs = indicators.stochastic_rsi(close, smooth_k=1), skender("stoch-rsi")
    assert_close(unsmoothed.k, theirs["stochRsi"])
    assert_close(unsmoothed.d, theirs["signal"])


def test_skender_after_warm_up():
    """Stock.Indicators seeds MACD's averages one by one, and starts those of TRIX at the first candle."""
    close = skender_quotes()["close"]
    macd, theirs = indicators.macd(close), skender("macd")
    for ours, name in zip(macd, ("macd", "signal", "histogram"), strict=True):
        # 450 days in, what is left of the other seed is (25 / 27) ** 425, some 1e-14 of the price.
        assert_close(ours, theirs[name], start=450)
    assert_close(indicators.trix(close, 14), skender("trix")["trix"], start=indicators.find("trix").card.warmup(14))


@pytest.mark.parametrize(
    ("name", "tulips"),
    [("rsi", "rsi"), ("momentum", "mom"), ("ultimate_oscillator", "ultosc"), ("williams_r", "willr"), ("cci", "cci")],
)
def test_tulip(name, tulips):
    """Printed to 3 decimals, from inputs printed to 2."""
    for params, inputs, (expected,) in tulip(tulips):
        ours = getattr(indicators, name)(*inputs, *map(int, params))[-expected.size :]
        known = ~np.isnan(expected) & ~np.isnan(ours)
        assert known.sum() == expected.size
        np.testing.assert_allclose(ours, expected, atol=5.1e-4)


def test_tulip_roc_is_a_ratio():
    for (period,), (close,), (expected,) in tulip("roc"):
        np.testing.assert_allclose(indicators.roc(close, int(period))[int(period) :] / 100.0, expected, atol=5.1e-4)


def test_tulip_stochastic():
    for params, inputs, (k, d) in tulip("stoch"):
        ours = indicators.stochastic(*inputs, *map(int, params))
        np.testing.assert_allclose(ours.k[-k.size :], k, atol=5.1e-4)
        np.testing.assert_allclose(ours.d[-d.size :], d, atol=5.1e-4)


def test_tulip_stochastic_rsi_is_a_ratio():
    for (period,), (close,), (expected,) in tulip("stochrsi"):
        ours = indicators.stochastic_rsi(close, int(period), int(period), 1, 1).k
        np.testing.assert_allclose(ours[-expected.size :] / 100.0, expected, atol=5.1e-4)


@pytest.mark.parametrize(
    ("name", "example", "inputs", "column", "period", "precision"),
    [
        ("cci", "cci", ("High", "Low", "Close"), "CCI", 20, 5.1e-3),
        ("roc", "roc", ("Close",), "ROC", 12, 5.1e-4),
        ("williams_r", "percentr", ("High", "Low", "Close"), "Williams_%R", 14, 5.1e-4),
    ],
)
def test_stockcharts(name, example, inputs, column, period, precision):
    """The RSI's sheet is left out: it was worked out anew with averages that start at 0, and is too short to forget."""
    table = stockcharts(example)
    expected = table[column]
    # The sheet of %R gives closes only where it needs them; those before enter no value.
    ours = getattr(indicators, name)(*(np.nan_to_num(table[i], nan=127.0) for i in inputs), period)
    known = ~np.isnan(expected) & ~np.isnan(ours)
    assert known.sum() >= 5
    np.testing.assert_allclose(ours[known], expected[known], atol=precision)


def test_pandas_ta_on_spy():
    table = spy()
    k, d = indicators.stochastic_rsi(table["close"])
    assert k[-1] == pytest.approx(100.0, abs=1e-8)
    assert d[-1] == pytest.approx(100.0, abs=1e-8)
    assert indicators.williams_r(*columns(table, *HLC))[-1] == pytest.approx(-0.74826296, abs=5.1e-9)


# --- nothing moves


def test_a_still_market_stands_in_the_middle():
    """TA-Lib says 0 here, which a strategy would read as oversold."""
    still = [np.full(100, 0.1)] * 3
    assert indicators.rsi(still[0])[-1] == 50.0
    assert indicators.stochastic(*still).k[-1] == pytest.approx(50.0)
    assert indicators.stochastic_rsi(still[0]).d[-1] == pytest.approx(50.0)
    assert indicators.williams_r(*still)[-1] == -50.0
    assert indicators.ultimate_oscillator(*still)[-1] == pytest.approx(50.0)
    assert indicators.cci(*still)[-1] == 0.0  # TA-Lib: 66.7, from the last digit of the mean
    assert indicators.trix(still[0])[-1] == 0.0


def test_a_market_that_only_rises_is_at_the_top():
    rising = np.arange(1.0, 101.0)
    assert indicators.rsi(rising)[-1] == 100.0
    assert indicators.rsi(rising[::-1].copy())[-1] == 0.0
    assert indicators.stochastic(rising, rising - 1.0, rising).k[-1] == pytest.approx(100.0)
    assert indicators.williams_r(rising, rising - 1.0, rising)[-1] == 0.0
    assert indicators.momentum(rising, 7)[-1] == 7.0
    assert indicators.roc(rising, 50)[-1] == 100.0
