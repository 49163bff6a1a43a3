"""The synthetic market has the stylised facts of real ones, for every seed and timeframe tried."""

import hashlib

import numpy as np
import pytest

from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.market.series import check
from cambist.market.synthetic import VENUE, synthetic_market

START = 1_577_836_800_000  # 2020-01-01, a Wednesday
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
COLUMNS = ("ts", "open", "high", "low", "close", "volume")

MARKETS = [(timeframe, seed) for timeframe in (Timeframe.M1, Timeframe.H1, Timeframe.D1) for seed in (1, 2, 3)]


@pytest.fixture(scope="module", params=MARKETS, ids=lambda one: f"{one[0]}-seed{one[1]}")
def market(request):
    timeframe, seed = request.param
    return synthetic_market(SYMBOLS, start_ms=START, count=20_000, timeframe=timeframe, seed=seed)


def returns(candles):
    return np.diff(np.log(candles.close))


def autocorrelation(values, lag):
    centred = values - values.mean()
    return float((centred[lag:] * centred[:-lag]).mean() / (centred**2).mean())


def test_it_passes_the_checks_that_candles_must_pass(market):
    for candles in market.values():
        assert check(candles) == []


def test_tails_are_fat(market):
    for candles in market.values():
        moves = returns(candles)
        assert (((moves - moves.mean()) / moves.std()) ** 4).mean() > 4


def test_returns_have_no_memory(market):
    for candles in market.values():
        assert all(abs(autocorrelation(returns(candles), lag)) < 0.06 for lag in (1, 2, 5, 20))


def test_their_sizes_remember(market):
    for candles in market.values():
        sizes = np.abs(returns(candles))
        assert autocorrelation(sizes, 1) > 0.1
        assert 0.05 < autocorrelation(sizes, 20) < 0.6


def test_symbols_move_together_and_apart(market):
    together = np.corrcoef([returns(candles) for candles in market.values()])
    assert together[np.triu_indices(len(SYMBOLS), 1)].min() > 0.4
    assert together[np.triu_indices(len(SYMBOLS), 1)].max() < 0.9


def test_volume_swells_with_volatility(market):
    for candles in market.values():
        assert np.corrcoef(np.abs(returns(candles)), np.log(candles.volume[1:]))[0, 1] > 0.3


def test_opens_are_at_or_next_to_the_close_before(market):
    for candles in market.values():
        gaps = np.abs(np.log(candles.open[1:] / candles.close[:-1]))
        assert np.median(gaps) < 0.1 * np.median(np.abs(returns(candles)))


def test_prices_stay_in_sight_of_where_they_began(market):
    for candles in market.values():
        assert candles.close.min() / candles.open[0] > 1e-3
        assert candles.close.max() / candles.open[0] < 1e3


def test_there_are_trends_and_ranges_calm_and_storm():
    hours = synthetic_market(start_ms=START, count=20_000, timeframe=Timeframe.H1, seed=4)["BTC/USDT"]
    months = np.log(hours.close[719::720] / hours.open[:-719:720][: len(hours.close[719::720])])
    assert months.max() > 0.15
    assert months.min() < -0.15
    assert np.abs(months).min() < 0.03
    weeks = returns(hours)[: 168 * 119].reshape(-1, 168).std(axis=1)
    assert weeks.max() > 3 * weeks.min()


def test_highs_and_lows_are_those_of_a_path():
    """For a random walk, the range of a candle is on average about 1.6 of its volatility (Parkinson)."""
    candles = synthetic_market(start_ms=START, count=20_000, timeframe=Timeframe.H1, seed=5)["ETH/USDT"]
    spread = np.log(candles.high / candles.low)
    assert 1.2 < spread.mean() / np.abs(np.log(candles.close / candles.open)).mean() < 2.2
    assert (candles.high > np.maximum(candles.open, candles.close)).mean() > 0.5
    assert (candles.low < np.minimum(candles.open, candles.close)).mean() > 0.5


def test_afternoons_are_busier_and_week_ends_calmer():
    candles = synthetic_market(start_ms=START, count=20_000, timeframe=Timeframe.H1, seed=6)["BTC/USDT"]
    hour, day = candles.ts // Timeframe.H1.ms % 24, (candles.ts // DAY_MS + 3) % 7
    volume = candles.volume
    assert volume[(hour >= 13) & (hour < 17)].mean() > 1.3 * volume[(hour >= 4) & (hour < 8)].mean()
    assert volume[day >= 5].mean() < volume[day < 5].mean()


def test_prices_lie_on_a_grid_of_ticks():
    candles = synthetic_market(start_ms=START, count=500, timeframe=Timeframe.H1, seed=7)["BTC/USDT"]
    assert all(round(price, 1) == price for price in np.concatenate((candles.open, candles.high, candles.low)).tolist())


def test_a_seed_gives_the_same_market_everywhere():
    made = synthetic_market(start_ms=START, count=300, timeframe=Timeframe.M15, seed=42)
    text = "\n".join(
        f"{symbol} {candle.ts} {candle.open} {candle.high} {candle.low} {candle.close} {candle.volume}"
        for symbol, candles in made.items()
        for candle in candles
    )
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "ce85b94872ee280e"


def test_a_symbol_does_not_depend_on_which_others_are_asked_for():
    alone = synthetic_market(("ETH/USDT",), start_ms=START, count=500, timeframe=Timeframe.H1, seed=8)["ETH/USDT"]
    among = synthetic_market(SYMBOLS, start_ms=START, count=500, timeframe=Timeframe.H1, seed=8)["ETH/USDT"]
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(alone, name), getattr(among, name))


def test_another_seed_is_another_market():
    one, two = (
        synthetic_market(("X/Y",), start_ms=START, count=50, timeframe=Timeframe.H1, seed=seed)["X/Y"]
        for seed in (1, 2)
    )
    assert not np.array_equal(one.close, two.close)


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_every_timeframe_opens_on_its_grid(timeframe):
    candles = synthetic_market(("BTC/USDT",), start_ms=START + 1, count=40, timeframe=timeframe, seed=9)["BTC/USDT"]
    assert (candles.venue, len(candles), candles.timeframe) == (VENUE, 40, timeframe)
    assert START < candles.ts[0] <= START + 31 * DAY_MS
    assert check(candles) == []
