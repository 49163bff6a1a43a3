import numpy as np
import pytest

from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.market.grid import on_grid, opens, ordinals
from cambist.market.series import breaches, build, check, gaps, jumps, paging_faults

START = 1_704_067_200_000  # Monday 2024-01-01
HOUR = 3_600_000


def walk(count=200, seed=1, timeframe=Timeframe.H1):
    """A calm market: moves of half a percent, steady volume."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.005, count)))
    open_ = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(open_, close) * 1.002, np.minimum(open_, close) * 0.998
    ts = START + np.arange(count) * timeframe.ms
    return build("v", "BTC/USDT", timeframe, ts, open_, high, low, close, rng.uniform(5, 15, count))


def change(candles, **columns):
    """Return ``candles`` with some cells replaced: column -> {position: value}."""
    arrays = {name: getattr(candles, name).copy() for name in ("ts", "open", "high", "low", "close", "volume")}
    for name, cells in columns.items():
        for at, value in cells.items():
            arrays[name][at] = value
    return build(candles.venue, candles.symbol, candles.timeframe, **arrays)


def keys(candles):
    return [(breach.at, breach.key.removeprefix("candles.rule.")) for breach in breaches(candles)]


def test_building_gives_contiguous_int64_and_float64():
    candles = build(
        "v", "s", Timeframe.H1, [START], [1], np.array([2], np.int32), np.array([0.5], np.float32), ["1.5"], [3]
    )
    assert candles.ts.dtype == np.int64
    assert {getattr(candles, name).dtype for name in ("open", "high", "low", "close", "volume")} == {np.dtype("f8")}
    assert candles.close.tolist() == [1.5]


def test_a_calm_market_keeps_the_rules():
    assert keys(walk()) == []


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"open": {7: np.nan}}, "finite"),
        ({"volume": {7: np.inf}}, "finite"),
        ({"low": {7: 0.0}}, "price"),
        ({"close": {7: -1.0}}, "price"),
        ({"volume": {7: -1e-9}}, "volume"),
        ({"high": {7: 1.0}}, "high"),
        ({"low": {7: 1e6}}, "high"),  # a low above the high: the high is not the highest
        ({"ts": {7: START + 7 * HOUR + 1}}, "grid"),
        ({"ts": {7: START + 6 * HOUR}}, "twice"),
        ({"ts": {7: START - HOUR}}, "order"),
    ],
)
def test_each_rule_names_the_row_that_breaks_it(broken, rule):
    assert keys(change(walk(), **broken)) == [(7, rule)]


def test_a_low_above_open_or_close_is_named():
    calm = walk()
    assert keys(change(calm, low={7: float(max(calm.open[7], calm.close[7]))})) == [(7, "low")]


def test_zero_volume_is_no_fault():
    assert keys(change(walk(), volume={3: 0.0, 4: 0.0})) == []


def test_rows_are_named_as_people_count():
    (row,) = check(change(walk(), low={6: 0.0}))
    assert row.row == 7
    assert row.what.split(",")[3] == "0.0"
    assert "zero" in str(row)


def test_a_row_out_of_order_that_repeats_its_neighbour_is_a_copy():
    candles = walk()
    columns = {name: {10: getattr(candles, name)[9]} for name in ("open", "high", "low", "close", "volume")}
    assert keys(change(candles, ts={10: START - 5 * HOUR}, **columns)) == [(10, "copied")]


def test_a_wild_first_open_is_a_jump():
    candles = walk()
    wild = change(candles, open={0: 400.0}, high={0: 400.0})
    assert keys(wild) == [(0, "jump")]
    assert check(wild, jumps=False) == []


def test_a_wild_last_close_is_a_jump():
    candles = walk()
    last = len(candles) - 1
    assert keys(change(candles, close={last: 10.0}, low={last: 10.0})) == [(last, "jump")]


@pytest.mark.parametrize("factor", [10.0, 0.1, 2.0, 0.5])
def test_a_slip_of_the_decimal_point_is_a_jump(factor):
    candles = walk()
    cells = {name: {90: getattr(candles, name)[90] * factor} for name in ("open", "high", "low", "close")}
    assert keys(change(candles, **cells)) == [(90, "jump")]


def test_a_crash_is_traded_and_no_jump():
    candles = walk()
    crash = change(candles, close={90: 40.0}, low={90: 40.0}, volume={90: 500.0})
    assert keys(crash) == []
    assert keys(change(crash, volume={90: 10.0})) == [(90, "jump")]


def test_a_price_that_moves_and_stays_is_no_jump():
    calm = walk()
    parts = (calm.open, calm.high, calm.low, calm.close)
    halves = [np.where(np.arange(200) < 90, part, part / 2) for part in parts]
    halved = build("v", "s", calm.timeframe, *(calm.ts, *halves, calm.volume))
    assert keys(halved) == []


def test_in_a_thin_market_a_jump_is_told_apart_from_errors():
    candles = change(walk(), close={90: 10.0}, low={90: 10.0})
    present = np.arange(200) % 7 != 3
    thin = build(
        "v",
        "s",
        Timeframe.H1,
        *(getattr(candles, name)[present] for name in ("ts", "open", "high", "low", "close", "volume")),
    )
    assert keys(thin) == []
    wild, noted = jumps(thin)
    assert (wild.size, noted.size) == (0, 1)
    assert thin.close[noted[0]] == 10.0


@pytest.mark.parametrize(
    ("outages", "said"), [((100,), [(90, "jump")]), ((100, 110), [(90, "jump")]), ((95, 100, 110), [])]
)
def test_an_outage_or_two_do_not_excuse_a_jump(outages, said):
    candles = change(walk(), close={90: 10.0}, low={90: 10.0})
    present = ~np.isin(np.arange(200), outages)
    columns = ("ts", "open", "high", "low", "close", "volume")
    series = build("v", "s", Timeframe.H1, *[getattr(candles, name)[present] for name in columns])
    assert keys(series) == said


@pytest.mark.parametrize(("count", "said"), [(19, []), (20, [(9, "jump")])])
def test_too_few_candles_to_say_what_is_usual_are_not_judged(count, said):
    assert keys(change(walk(count), close={9: 10.0}, low={9: 10.0})) == said


def test_a_last_candle_that_moves_without_trades_is_unfinished():
    candles = change(walk(), volume={199: 0.0})
    assert keys(candles) == [(199, "unfinished")]
    silent = change(walk(), volume=dict.fromkeys(range(200), 0.0))
    assert keys(silent) == []  # a file without volumes says nothing by a zero


def test_gaps_are_counted():
    ts = START + np.array([0, 1, 2, 5, 6, 10]) * HOUR
    found = gaps(ts, Timeframe.H1)
    assert (found.missing, found.runs, found.longest) == (5, 2, 3)
    months = np.array(["2024-01", "2024-02", "2024-05"], "datetime64[M]").astype("datetime64[ms]").astype(np.int64)
    assert gaps(months, Timeframe.MO1).missing == 2
    assert gaps(ts[:1], Timeframe.H1).runs == 0


def pages(count, length, absent):
    step = length + absent
    return START + np.array([page * step + at for page in range(count) for at in range(length)]) * 60_000


def test_equal_gaps_after_equal_pages_are_a_faulty_download():
    assert paging_faults(pages(20, 200, 801), Timeframe.M1) == (19, 801, 200)


def test_outages_and_closed_markets_are_no_faulty_download():
    weekends = pages(20, 5 * 1440, 2 * 1440)
    assert paging_faults(weekends, Timeframe.M1) is None
    rng = np.random.default_rng(3)
    kept = np.ones(20_000, bool)
    for at in rng.integers(0, 19_000, 30):
        kept[at : at + rng.integers(10, 400)] = False
    assert paging_faults(START + np.flatnonzero(kept) * 60_000, Timeframe.M1) is None
    assert paging_faults(pages(4, 200, 801), Timeframe.M1) is None  # too few to tell


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_the_grid_agrees_with_the_timeframe_moment_by_moment(timeframe):
    moments = np.random.default_rng(5).integers(0, 60 * 365 * DAY_MS, 500)
    opened = opens(ordinals(moments, timeframe), timeframe)
    assert opened.tolist() == [timeframe.floor(int(moment)) for moment in moments]
    closes = opens(ordinals(moments, timeframe) + 1, timeframe)
    assert closes.tolist() == [timeframe.close_of(int(one)) for one in opened]
    assert on_grid(opened, timeframe).all()
