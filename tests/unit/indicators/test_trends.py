"""Channels, ranges and trends: against TA-Lib, published vectors, and the formula spelled out candle by candle."""

import numpy as np
import pytest
import talib
from tests.unit.indicators.reference import HLC, assert_close, columns, skender, skender_quotes, spy, stockcharts, tulip

from cambist import indicators

# --- against TA-Lib, to 1e-9 relative


@pytest.mark.parametrize(("period", "multiplier"), [(2, 2.0), (20, 2.0), (500, 0.5)])
def test_bollinger_is_talib(candles, period, multiplier):
    close = candles["close"]
    ours, theirs = indicators.bollinger(close, period, multiplier), talib.BBANDS(close, period, multiplier, multiplier)
    for mine, talibs in zip(ours[:3], theirs, strict=True):
        assert_close(mine, talibs)


@pytest.mark.parametrize("period", [2, 14, 100])
def test_adx_is_talib(candles, period):
    series = columns(candles, *HLC)
    ours = indicators.adx(*series, period)
    assert_close(ours.adx, talib.ADX(*series, period))
    assert_close(ours.plus_di, talib.PLUS_DI(*series, period))
    assert_close(ours.minus_di, talib.MINUS_DI(*series, period))


@pytest.mark.parametrize("period", [2, 25, 500])
@pytest.mark.parametrize("tick", [0.01, 100.0], ids=["fine", "many equal extremes"])
def test_aroon_is_talib(candles, period, tick):
    high, low = (np.round(candles[name] / tick) * tick for name in ("high", "low"))
    down, up = talib.AROON(high, low, period)
    ours = indicators.aroon(high, low, period)
    assert_close(ours.up, up)
    assert_close(ours.down, down)
    assert_close(ours.oscillator, talib.AROONOSC(high, low, period))


def test_donchian_and_ichimoku_middles_are_talib(candles):
    high, low, close = columns(candles, *HLC)
    assert_close(indicators.donchian(high, low, 20).middle, talib.MIDPRICE(high, low, 20))
    assert_close(indicators.ichimoku(high, low, close).base, talib.MIDPRICE(high, low, 26))


# --- published vectors


def test_skender():
    table = skender_quotes()
    series = columns(table, *HLC)
    assert_close(indicators.true_range(*series), skender("tr")["tr"])
    assert_close(indicators.atr(*series), skender("atr")["atr"])
    bands, theirs = indicators.bollinger(table["close"]), skender("bb")
    names = ("upperBand", "sma", "lowerBand", "percentB", "width")
    for ours, name in zip(bands, names, strict=True):
        assert_close(ours, theirs[name])


def test_skender_adx_after_warm_up():
    """Stock.Indicators' sums start with one candle more. 450 candles keep (13 / 14) ** 450 of it, some 1e-15."""
    series, theirs = columns(skender_quotes(), *HLC), skender("adx")
    for ours, name in zip(indicators.adx(*series), ("adx", "pdi", "mdi"), strict=True):
        assert_close(ours, theirs[name], start=450)


def test_skender_donchian_leaves_the_candle_itself_out():
    table, theirs = skender_quotes(), skender("donchian")
    ours = indicators.donchian(table["high"], table["low"], 20)
    for mine, name in zip(ours, ("upperBand", "centerline", "lowerBand"), strict=True):
        assert_close(mine[:-1], theirs[name][1:])


def test_tulip():
    """Printed to 3 decimals."""
    for (period,), (close,), (lower, middle, upper) in ((p[:1], i, o) for p, i, o in tulip("bbands")):
        ours = indicators.bollinger(close, int(period), 2.0)
        for mine, theirs in ((ours.lower, lower), (ours.middle, middle), (ours.upper, upper)):
            np.testing.assert_allclose(mine[-theirs.size :], theirs, atol=5.1e-4)
    for (period,), (high, low), (down, up) in tulip("aroon"):
        aroon = indicators.aroon(high, low, int(period))
        np.testing.assert_allclose(aroon.up[-up.size :], up, atol=5.1e-4)
        np.testing.assert_allclose(aroon.down[-down.size :], down, atol=5.1e-4)


def test_stockcharts_bollinger():
    table = stockcharts("bbands")
    ours, known = indicators.bollinger(table["Close"]), ~np.isnan(table["MiddleBand"])
    assert known.sum() > 20
    for mine, name in ((ours.upper, "HighBand"), (ours.middle, "MiddleBand"), (ours.lower, "LowBand")):
        np.testing.assert_allclose(mine[known], table[name][known], atol=5.1e-6)
    np.testing.assert_allclose(100.0 * ours.width[known], table["WidthBand"][known], atol=5.1e-5)
    np.testing.assert_allclose(ours.percent_b[known], table["PercentageBand"][known], atol=5.1e-6)


def test_parabolic_sar():
    """Tulip's maximum of 2 is 1 here, a pace that it does not reach. ChartSchool starts with other extremes."""
    for (step, _), (high, low), (expected,) in tulip("psar"):
        np.testing.assert_allclose(indicators.parabolic_sar(high, low, step, 1.0)[1:], expected, atol=5.1e-4)
    table = stockcharts("psar")
    expected = np.where(np.isnan(table["psar_up"]), table["psar_down"], table["psar_up"])
    ours = indicators.parabolic_sar(table["High"], table["Low"])
    first_turn = 8
    np.testing.assert_allclose(ours[first_turn:], expected[first_turn:], rtol=1e-9)
    assert indicators.parabolic_sar(*columns(spy(), "high", "low"))[-1] == pytest.approx(338.28691638, abs=5.1e-9)


def test_pandas_ta_on_spy():
    """Seeds differ; some 5000 days later both agree to all printed digits."""
    table = spy()
    series = columns(table, *HLC)
    vortex = indicators.vortex(*series)
    assert vortex.plus[-1] == pytest.approx(1.3499942, abs=5.1e-9)
    assert vortex.minus[-1] == pytest.approx(0.65107695, abs=5.1e-9)
    aroon = indicators.aroon(*series[:2], 14)
    assert [aroon.up[-1], aroon.down[-1], aroon.oscillator[-1]] == pytest.approx([100.0, 7.14285714, 92.85714286])
    cloud = indicators.ichimoku(*series, displacement=25)  # as TradingView, pandas-ta counts the candle itself
    assert cloud.conversion[-1] == pytest.approx(342.97, abs=1e-9)
    assert cloud.base[-1] == pytest.approx(334.983, abs=1e-9)
    assert cloud.span_a[-1] == pytest.approx(316.3475, abs=1e-9)
    assert cloud.span_b[-1] == pytest.approx(300.11, abs=1e-9)
    trend = indicators.supertrend(*series, 7, 3.0)
    assert trend.line[-1] == pytest.approx(340.40094842, abs=5.1e-9)
    assert trend.direction[-1] == 1.0


# --- the formula spelled out


def test_ichimoku_stands_where_it_is_known(candles):
    high, low, close = (column[:300] for column in columns(candles, *HLC))
    cloud = indicators.ichimoku(high, low, close, 9, 26, 52, 26)
    for i in (100, 200, 299):
        then = slice(i - 26 - 51, i - 26 + 1)  # the 52 candles up to the one at which the cloud here was drawn ahead
        assert cloud.span_b[i] == (high[then].max() + low[then].min()) / 2
        assert cloud.span_a[i] == (cloud.conversion[i - 26] + cloud.base[i - 26]) / 2
        assert cloud.lagging[i] == close[i]
    heads = [int(np.argmin(np.isnan(line))) for line in cloud]
    assert heads == [8, 25, 25 + 26, 51 + 26, 26]


def test_vortex_is_its_formula(candles):
    high, low, close = (column[:400] for column in columns(candles, *HLC))
    up, down = np.abs(high[1:] - low[:-1]), np.abs(low[1:] - high[:-1])
    reach = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])

    def sums(values: np.ndarray) -> np.ndarray:
        return np.convolve(values, np.ones(14), "valid")

    ours = indicators.vortex(high, low, close, 14)
    np.testing.assert_allclose(ours.plus[14:], sums(up) / sums(reach), rtol=1e-12)
    np.testing.assert_allclose(ours.minus[14:], sums(down) / sums(reach), rtol=1e-12)


def test_vortex_forgets_a_pause():
    """After a still stretch longer than the period the sums start from nothing, and miss nothing."""
    rows = [(3.0, 1.0, 2.0)] * 5 + [(2.0, 2.0, 2.0)] * 9 + [(5.0, 2.0, 4.0), (6.0, 3.0, 5.0)]
    high, low, close = (np.array(column) for column in zip(*rows, strict=True))
    whole = indicators.vortex(high, low, close, 4)
    for end in range(5, len(rows) + 1):
        alone = indicators.vortex(high[end - 5 : end], low[end - 5 : end], close[end - 5 : end], 4)
        assert whole.plus[end - 1] == pytest.approx(alone.plus[-1], abs=1e-12)
        assert whole.minus[end - 1] == pytest.approx(alone.minus[-1], abs=1e-12)


def test_keltner_is_an_average_and_a_range(candles):
    series = columns(candles, *HLC)
    ours = indicators.keltner(*series, 20, 10, 1.5)
    assert_close(ours.middle, talib.EMA(series[2], 20))
    assert_close(ours.upper - ours.middle, np.where(np.isnan(ours.middle), np.nan, 1.5 * talib.ATR(*series, 10)))
    np.testing.assert_allclose(ours.upper + ours.lower, 2.0 * ours.middle, rtol=1e-12)


def test_supertrend_turns_where_a_close_leaves_the_line(candles):
    high, low, close = columns(candles, *HLC)
    line, direction = indicators.supertrend(high, low, close, 10, 3.0)
    rising = direction > 0.0
    turned = np.flatnonzero(direction[11:] != direction[10:-1]) + 11
    assert turned.size > 100
    assert (close[10:][rising[10:]] >= line[10:][rising[10:]]).all()
    assert (close[10:][~rising[10:]] <= line[10:][~rising[10:]]).all()
    held = np.setdiff1d(np.arange(11, close.size), turned)
    assert (np.diff(line)[held - 1][rising[held]] >= 0.0).all(), "a stop under a rising market never falls"
    assert (np.diff(line)[held - 1][~rising[held]] <= 0.0).all()


def test_parabolic_sar_stays_on_its_side(candles):
    high, low = candles["high"], candles["low"]
    stop = indicators.parabolic_sar(high, low)[1:]
    assert ((stop <= low[1:]) | (stop >= high[1:])).mean() > 0.999


# --- digits


def test_bands_keep_their_digits_after_a_spike_and_at_any_price():
    rng = np.random.default_rng(3)
    for price in (1e-9, 1.0, 1e9):
        close = price * (1.0 + 1e-6 * rng.standard_normal(2_000))
        close[500] = 3.0 * price
        ours = indicators.bollinger(close, 20, 2.0)
        for i in (19, 510, 520, 521, 1_999):
            window = close[i - 19 : i + 1].astype(np.longdouble)
            assert ours.width[i] == pytest.approx(float(4.0 * window.std() / window.mean()), rel=1e-9)


def test_bands_of_a_flat_price_are_the_price():
    ours = indicators.bollinger(np.full(60, 0.1), 20)
    assert (ours.upper[19:] == 0.1).all()
    assert (ours.lower[19:] == 0.1).all()
    assert (ours.percent_b[19:] == 0.5).all()
    assert (ours.width[19:] == 0.0).all()
