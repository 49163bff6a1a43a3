"""What every `CandleLake` keeps to: an adapter's test inherits `CandleLakeContract` and gives ``lake``."""

from dataclasses import replace
from decimal import Decimal
from itertools import count, product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cambist.domain.candles import Candles
from cambist.domain.errors import BadCandles, NotFound
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.market.series import build
from cambist.ports.history import Appended, CandleLake, Series

START = 1_704_067_200_000  # Monday 2024-01-01
_coins = count()
COLUMNS = ("ts", "open", "high", "low", "close", "volume")


def candles_at(minutes, price=100.0, *, venue="binance", symbol="BTC/USDT", timeframe=Timeframe.M1) -> Candles:
    """Return candles at these positions of the grid, sorted, whose prices and volume are ``price``."""
    numbers = np.unique(np.asarray(list(minutes), dtype=np.int64))
    ts = START + numbers * timeframe.ms
    prices = np.full(ts.size, price)
    return build(venue, symbol, timeframe, ts, prices, prices, prices, prices, prices)


def assert_equal(one: Candles, other: Candles) -> None:
    assert (one.venue, one.symbol, one.timeframe) == (other.venue, other.symbol, other.timeframe)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


def read(lake: CandleLake, since=None, until=None) -> Candles:
    return lake.read("binance", "BTC/USDT", Timeframe.M1, since, until)


class CandleLakeContract:
    """Inherit and give the fixture ``lake``: a new, empty lake."""

    @pytest.fixture
    def lake(self) -> CandleLake:
        raise NotImplementedError

    def test_what_is_appended_is_read_back_bit_for_bit(self, lake: CandleLake):
        rng = np.random.default_rng(1)
        low = rng.uniform(1e-9, 1e-8, 200_000)  # prices of coins that cost nothing need every bit
        high = low * (1 + rng.uniform(0, 0.1, low.size))
        ts = START + np.arange(low.size) * MINUTE_MS
        candles = build("binance", "BTC/USDT", Timeframe.M1, ts, low, high, low, high, rng.exponential(1e9, low.size))
        assert lake.append(candles) == Appended(added=200_000, replaced=0)
        assert_equal(read(lake), candles)

    def test_arrays_are_the_caller_s_own(self, lake: CandleLake):
        lake.append(candles_at(range(10)))
        first = read(lake)
        for name in COLUMNS:
            array = getattr(first, name)
            assert array.dtype == (np.int64 if name == "ts" else np.float64)
            assert array.flags.c_contiguous
            assert array.flags.writeable
            array[:] = 7
        assert read(lake).close[0] == 100.0

    def test_views_and_whole_numbers_are_kept_as_they_are_meant(self, lake: CandleLake):
        every_other = candles_at(range(10))[::2]
        whole: Any = np.arange(5)
        every_other = replace(every_other, volume=whole)
        lake.append(every_other)
        assert_equal(read(lake), every_other)
        assert read(lake).volume.dtype == np.float64

    def test_ranges_include_their_start_and_not_their_end(self, lake: CandleLake):
        whole = candles_at(range(200_000))
        lake.append(whole)
        starts = (None, -5, 0, 3, 70_000, 199_999, 200_000, 300_000)
        ends = (None, -5, 0, 4, 65_536, 131_073, 200_000, 300_000)
        for range_ in product(starts, ends):
            bounds = [None if bound is None else START + bound * MINUTE_MS for bound in range_]
            assert_equal(read(lake, *bounds), whole.between(*bounds))

    def test_newer_values_win_and_are_counted(self, lake: CandleLake):
        lake.append(candles_at(range(10)))
        assert lake.append(candles_at(range(5, 15), 200.0)) == Appended(added=5, replaced=5)
        assert lake.append(candles_at(range(5, 15), 200.0)) == Appended(added=0, replaced=0)
        assert read(lake).close.tolist() == [100.0] * 5 + [200.0] * 10

    def test_appending_nothing_makes_nothing(self, lake: CandleLake):
        assert lake.append(candles_at([])) == Appended(added=0, replaced=0)
        assert lake.series() == []

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(
        appends=st.lists(
            st.tuples(st.sets(st.integers(0, 40), max_size=12), st.integers(1, 3)), min_size=1, max_size=6
        ),
    )
    def test_any_appends_equal_a_dictionary(self, lake: CandleLake, appends):
        symbol = f"C{next(_coins)}/USD"  # the lake lives through all examples
        wanted: dict[int, float] = {}
        for minutes, price in appends:
            fresh = candles_at(minutes, float(price), symbol=symbol)
            added = len(set(fresh.ts.tolist()) - wanted.keys())
            replaced = sum(wanted.get(ts, price) != price for ts in fresh.ts.tolist())
            assert lake.append(fresh) == Appended(added=added, replaced=replaced)
            wanted |= dict.fromkeys(fresh.ts.tolist(), float(price))
        if wanted:
            held = lake.read("binance", symbol, Timeframe.M1)
            assert dict(zip(held.ts.tolist(), held.close.tolist(), strict=True)) == wanted
            assert held.ts.tolist() == sorted(wanted)

    def test_bad_candles_are_refused_whole(self, lake: CandleLake):
        lake.append(candles_at(range(3)))
        bad = candles_at(range(3, 6))
        bad.low[1] = 0.0
        with pytest.raises(BadCandles) as refusal:
            lake.append(bad)
        assert [row.row for row in refusal.value.rows] == [2]
        assert len(read(lake)) == 3

    def test_series_tell_what_is_there_and_what_is_absent(self, lake: CandleLake):
        lake.append(candles_at([0, 1, 2, 5, 6, 10]))
        lake.append(candles_at([0, 1], symbol="BTC/USDT:USDT", timeframe=Timeframe.D1))
        lake.append(candles_at([3], symbol="BTC/USDT:USDT"))
        lake.append(candles_at([0], venue="kraken"))
        assert [(one.venue, one.symbol, str(one.timeframe), one.count) for one in lake.series()] == [
            ("binance", "BTC/USDT", "1m", 6),
            ("binance", "BTC/USDT:USDT", "1m", 1),
            ("binance", "BTC/USDT:USDT", "1d", 2),
            ("kraken", "BTC/USDT", "1m", 1),
        ]
        assert lake.series()[0] == Series(
            venue="binance",
            symbol="BTC/USDT",
            timeframe=Timeframe.M1,
            count=6,
            first_ts=START,
            last_ts=START + 10 * MINUTE_MS,
            missing=5,
            gaps=2,
        )

    def test_series_that_look_alike_stay_apart(self, lake: CandleLake):
        january = np.array(["2024-01"], "datetime64[M]").astype("datetime64[ms]").astype(np.int64)
        symbols: tuple[str, ...] = (
            "BTC/USDT",
            "BTC_USDT",
            "BTC/USDT:USDT",
            "btc/usdt",
            "kPEPE/USDC",
            "KPEPE/USDC",
            "will-it-rain?",
        )
        symbols += ("..", "../../BTC/USDT", "CON", "a" * 300, "é/€", "")
        for price, symbol in enumerate(symbols, start=1):
            lake.append(candles_at([0], float(price), symbol=symbol))
            month = build("binance", symbol, Timeframe.MO1, january, *[[1000.0 + price]] * 5)
            lake.append(month)
        for price, symbol in enumerate(symbols, start=1):
            assert lake.read("binance", symbol, Timeframe.M1).close.tolist() == [price]
            assert lake.read("binance", symbol, Timeframe.MO1).close.tolist() == [1000 + price]
        assert len(lake.series()) == 2 * len(symbols)

    def test_a_missing_series_says_what_is_there_and_how_to_get_it(self, lake: CandleLake):
        with pytest.raises(NotFound, match=r"empty.*cambist download binance BTC/USDT 1m"):
            read(lake)
        lake.append(candles_at([0], symbol="ETH/USDT"))
        lake.append(candles_at([0], venue="kraken"))
        with pytest.raises(NotFound, match=r"kraken BTC/USDT 1m, binance ETH/USDT 1m.*cambist import"):
            read(lake)

    def test_rules_of_a_venue_are_kept_to_the_last_zero(self, lake: CandleLake):
        assert lake.instrument("binance", "BTC/USDT:USDT") is None
        rules = Instrument(
            venue="binance",
            symbol="BTC/USDT:USDT",
            kind=Kind.PERPETUAL,
            tick_size=Decimal("0.10"),
            lot_step=Decimal("1E-8"),
            min_notional=Decimal("5.000000000000000000001"),
            maker_fee_bps=Decimal("-0.5"),
        )
        lake.keep_instrument(rules)
        kept = lake.instrument("binance", "BTC/USDT:USDT")
        assert kept == rules
        assert str(kept.tick_size) == "0.10"
        lake.keep_instrument(Instrument.assume("binance", "BTC/USDT:USDT", 70_000.0))
        again = lake.instrument("binance", "BTC/USDT:USDT")
        assert again is not None
        assert again.assumed
        assert lake.series() == []  # rules alone are no candles
