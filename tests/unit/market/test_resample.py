from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.adapters.storage.candle_files import KnownFiles, read_rows
from cambist.domain.errors import BadInput
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.market.resample import from_trades, resample
from cambist.market.series import build

SHARED = Path(__file__).parents[3].parent / "shared/data/01-candles"
real_data = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the reference candles are not at {SHARED}")
COLUMNS = ("open", "high", "low", "close", "volume")
START = 1_704_067_200_000  # Monday 2024-01-01


def minutes(count, start=START, timeframe=Timeframe.M1):
    rng = np.random.default_rng(7)
    close = 100 + np.cumsum(rng.normal(0, 1, count))
    open_ = close + rng.normal(0, 1, count)
    top, bottom = np.maximum(open_, close) + 1, np.minimum(open_, close) - 1
    return build("v", "s", timeframe, start + np.arange(count) * timeframe.ms, open_, top, bottom, close, close)


def ms(year, month, day):
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000


def slow(candles, timeframe):
    """The definition, candle by candle: the oracle of the fast way."""
    made = {}
    for candle in candles:
        opened = timeframe.floor(candle.ts)
        if opened not in made:
            made[opened] = [candle.open, candle.high, candle.low, candle.close, candle.volume]
            continue
        row = made[opened]
        row[1], row[2] = max(row[1], candle.high), min(row[2], candle.low)
        row[3], row[4] = candle.close, row[4] + candle.volume
    if made and candles.timeframe.close_of(int(candles.ts[-1])) < timeframe.close_of(max(made)):
        del made[max(made)]
    if made and int(candles.ts[0]) > min(made):
        del made[min(made)]
    return made


@given(
    first=st.integers(0, 3000),
    kept=st.lists(st.booleans(), min_size=1, max_size=300),
    timeframe=st.sampled_from([Timeframe.M3, Timeframe.M5, Timeframe.M15, Timeframe.H1]),
)
def test_it_equals_the_definition_whatever_is_absent(first, kept, timeframe):
    whole = minutes(len(kept), START + first * 60_000)
    present = np.flatnonzero(kept)
    candles = build("v", "s", Timeframe.M1, whole.ts[present], *(getattr(whole, name)[present] for name in COLUMNS))
    made = resample(candles, timeframe)
    wanted = slow(candles, timeframe)
    assert made.timeframe is timeframe
    assert made.ts.tolist() == sorted(wanted)
    for row, ts in enumerate(made.ts.tolist()):
        found = [float(getattr(made, name)[row]) for name in COLUMNS]
        assert found[:4] == wanted[ts][:4]
        assert found[4] == pytest.approx(wanted[ts][4])


def test_an_unfinished_last_candle_is_left_out_until_its_last_part_is_there():
    assert len(resample(minutes(9), Timeframe.M5)) == 1
    assert len(resample(minutes(10), Timeframe.M5)) == 2
    assert resample(minutes(4), Timeframe.M5).ts.size == 0


def test_a_later_candle_finishes_the_one_before_it():
    whole = minutes(11)
    part = np.r_[0:8, 10]  # minutes 8 and 9 are absent, but minute 10 exists
    candles = build("v", "s", Timeframe.M1, whole.ts[part], *(getattr(whole, name)[part] for name in COLUMNS))
    made = resample(candles, Timeframe.M5)
    assert len(made) == 2
    assert made.close[1] == whole.close[7]


def test_an_unfinished_first_candle_is_left_out_unless_it_is_wished():
    candles = minutes(10, START + 2 * 60_000)
    assert resample(candles, Timeframe.M5).ts.tolist() == [START + 300_000]
    assert resample(candles, Timeframe.M5, keep_first=True).ts.tolist() == [START, START + 300_000]


def test_weeks_open_on_mondays_and_months_on_the_first():
    days = minutes(91, ms(2024, 1, 1), Timeframe.D1)  # January to March of a leap year
    weeks = resample(days, Timeframe.W1)
    assert weeks.ts.tolist() == [ms(2024, 1, 1) + week * 7 * DAY_MS for week in range(13)]
    months = resample(days, Timeframe.MO1)
    assert months.ts.tolist() == [ms(2024, 1, 1), ms(2024, 2, 1), ms(2024, 3, 1)]
    assert months.close[1] == days.close[59]  # 29 February
    assert len(resample(days[:90], Timeframe.MO1)) == 2  # 31 March is not there yet


def test_in_two_steps_or_in_one_it_is_the_same():
    candles = minutes(3000)
    one, two = resample(candles, Timeframe.H1), resample(resample(candles, Timeframe.M15), Timeframe.H1)
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in ("ts", *COLUMNS[:4]))
    np.testing.assert_allclose(one.volume, two.volume, rtol=1e-12)


def test_the_same_timeframe_is_the_same_series():
    candles = minutes(5)
    assert resample(candles, Timeframe.M1) is candles


def test_what_does_not_fit_is_refused():
    with pytest.raises(BadInput, match="5m"):
        resample(minutes(10, timeframe=Timeframe.M5), Timeframe.M3)
    with pytest.raises(BadInput):
        resample(minutes(10, timeframe=Timeframe.W1), Timeframe.MO1)


def test_nothing_makes_nothing():
    assert len(resample(minutes(0), Timeframe.H1)) == 0
    assert (
        len(from_trades(np.array([], np.int64), np.array([]), np.array([]), Timeframe.M1, venue="v", symbol="s")) == 0
    )


def test_trades_become_candles_and_the_ends_that_they_do_not_cover_are_left_out():
    ts = START + np.array([30_000, 61_000, 61_000, 90_000, 185_000])
    price, amount = np.array([9.0, 10, 12, 11, 8]), np.array([1.0, 2, 3, 4, 5])
    made = from_trades(ts, price, amount, Timeframe.M1, venue="v", symbol="s")
    assert [(one.ts, one.open, one.high, one.low, one.close, one.volume) for one in made] == [
        (START + 60_000, 10, 12, 10, 11, 9)
    ]
    covered = from_trades(ts, price, amount, Timeframe.M1, venue="v", symbol="s", since=START, until=START + 240_000)
    assert covered.ts.tolist() == [START, START + 60_000, START + 180_000]


def test_a_candle_whose_last_moment_was_traded_is_whole():
    for last, count in ((59_998, 0), (59_999, 1)):
        ts, one = START + np.array([0, last]), np.ones(2)
        assert len(from_trades(ts, one, one, Timeframe.M1, venue="v", symbol="s")) == count


def test_trades_out_of_order_are_put_into_order():
    ts = START + np.array([50_000, 10_000, 70_000])
    prices = np.array([2.0, 1.0, 3.0])
    made = from_trades(ts, prices, prices, Timeframe.M1, venue="v", symbol="s", since=START)
    assert (made.open.tolist(), made.close.tolist()) == ([1.0], [2.0])


def reference(name):
    return KnownFiles().read(SHARED / f"{name}.parquet", venue="any").candles


def assert_same(made, wanted, other_volume=()):
    """Assert that both agree wherever both have candles, and return how many these are."""
    since, until = max(made.ts[0], wanted.ts[0]), min(made.ts[-1], wanted.ts[-1]) + 1
    made, wanted = made.between(since, until), wanted.between(since, until)
    for name in ("ts", *COLUMNS[:4]):
        np.testing.assert_array_equal(getattr(made, name), getattr(wanted, name), name)
    same = np.isclose(made.volume, wanted.volume, rtol=1e-9, atol=1e-9)
    assert made.ts[~same].tolist() == list(other_volume)
    return len(made)


# On these two days Binance's own 5m and 1d volumes of its USD-M contracts differ by up to three percent, of BTC and of
# ETH alike; all prices agree. The sum is right (checked with math.fsum): the sources differ.
REVISED = (ms(2023, 8, 16), ms(2023, 11, 10))


@real_data
@pytest.mark.parametrize(
    ("small", "large", "count"),
    [
        ("binance_spot_BTCUSDT_1m_2024-07-26_2024-08-25", "binance_spot_BTCUSDT_5m_2024-03_2024-12", 8641),
        ("binance_spot_BTCUSDT_5m_2024-03_2024-12", "binance_spot_BTCUSDT_1h_2017-2024", 1239),
        ("binance_spot_BTCUSDT_5m_2024-03_2024-12", "binance_spot_BTCUSDT_1h_2024-04_2024-12", 6106),
        ("binance_spot_ETHUSDT_5m_2024H1", "binance_spot_ETHUSDT_1h_2022-2024", 4368),
        ("binance_spot_BTCUSDT_15m_2023-04_2024-04", "binance_spot_BTCUSDT_1h_2017-2024", 8999),
        ("binance_spot_ETHUSDT_15m_2023-04_2024-04", "binance_spot_ETHUSDT_1h_2022-2024", 8999),
        ("binance_usdm_BTCUSDT_5m_2023", "binance_usdm_BTCUSDT_1d_to_2024", 365),
        ("binance_usdm_ETHUSDT_5m_2023", "binance_usdm_ETHUSDT_1d_to_2024", 365),
        ("binance_usdm_LTCUSDT_5m_2024", "binance_usdm_LTCUSDT_1h_2022-2024", 3231),
        ("freqtrade_XRPETH_1m_2019-10", "freqtrade_XRPETH_5m_2019-10", 706),
        ("kraken_BTCUSDT_1m_2023-11", "kraken_BTCUSDT_5m_2023-11", 1519),
        ("kraken_BTCUSDT_5m_2023-11", "kraken_BTCUSDT_15m_2023-11", 515),
    ],
)
def test_real_candles_gathered_equal_the_exchange_s_own(small, large, count):
    wanted = reference(large)
    revised = REVISED if "_1d_" in large else ()
    assert assert_same(resample(reference(small), wanted.timeframe), wanted, revised) == count


@real_data
@pytest.mark.parametrize(
    ("trades", "candles"),
    [
        ("kraken_BTCUSDT_trades_2023-11", "kraken_BTCUSDT_1m_2023-11"),
        ("kraken_BTCUSDT_trades_2023-11", "kraken_BTCUSDT_5m_2023-11"),
        ("kraken_BTCUSDT_trades_2023-11", "kraken_BTCUSDT_15m_2023-11"),
        ("freqtrade_XRPETH_trades_2019-10", "freqtrade_XRPETH_1m_2019-10"),
        ("freqtrade_XRPETH_trades_2019-10", "freqtrade_XRPETH_5m_2019-10"),
    ],
)
def test_real_trades_make_the_reference_candles(trades, candles):
    wanted = reference(candles)
    rows = read_rows(SHARED / f"{trades}.parquet")
    assert rows.names is not None
    ts, price, amount = (rows.columns[rows.names.index(name)].to_numpy() for name in ("timestamp", "price", "amount"))
    made = from_trades(
        ts,
        price,
        amount,
        wanted.timeframe,
        venue="v",
        symbol="s",
        since=int(wanted.ts[0]),
        until=wanted.timeframe.close_of(int(ts[-1])),
    )
    assert made.ts[0] == wanted.ts[0]
    assert assert_same(made, wanted) == len(wanted)
