"""Live candles against the arrays: the same, however the trades arrive."""

from decimal import Decimal
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.market.made import minute, trade

from cambist.domain.candles import Candle
from cambist.domain.tick import CandleTick, TradeTick
from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.market.candle_builder import Cascade, TradeMinutes, from_candle, to_candle
from cambist.market.candle_line import CandleLine
from cambist.market.resample import from_trades, resample
from cambist.market.series import build

START = 1_700_006_400_000  # a multiple of four hours
LARGER = tuple(Timeframe.parse(text) for text in ("3m", "5m", "10m", "15m", "30m", "1h", "2h", "4h", "1d"))


@st.composite
def tapes(draw: st.DrawFn) -> list[TradeTick]:
    steps = draw(st.lists(st.integers(0, 150_000), min_size=1, max_size=60))
    prices = draw(st.lists(st.integers(1, 10_000), min_size=len(steps), max_size=len(steps)))
    ts, made = START, []
    for number, (step, price) in enumerate(zip(steps, prices, strict=True)):
        ts += step
        made.append(trade(1_000 + number, ts, str(Decimal(price) / 100), str(Decimal(price % 7) / 8)))
    return made


def rows(candles: object) -> list[tuple[float, ...]]:
    return [(c.ts, c.open, c.high, c.low, c.close, c.volume) for c in candles]  # type: ignore[attr-defined]


def minutes_of(tape: list[TradeTick]) -> list[CandleTick]:
    builder = TradeMinutes("X/Y", since=START, fills_empty=False)
    return [candle for one in tape for candle in builder.trade(one)]


@given(tapes())
def test_minutes_are_those_of_the_arrays(tape):
    ts, price, amount = (np.array([getattr(one, name) for one in tape]) for name in ("ts", "price", "quantity"))
    arrays = from_trades(
        ts, price.astype(float), amount.astype(float), Timeframe.M1, venue="v", symbol="X/Y", since=START
    )
    last = Timeframe.M1.floor(tape[-1].ts)  # closed in the arrays only if its last millisecond is there
    assert rows(map(to_candle, minutes_of(tape))) == rows(arrays.between(until=last))


@given(tapes(), st.randoms(use_true_random=False), st.data())
def test_late_repeated_and_lost_trades_change_nothing(tape, random, data):
    expected = minutes_of(tape)
    first, rest = tape[0], tape[1:]
    arriving = [*rest, *data.draw(st.lists(st.sampled_from(tape), max_size=20))]
    random.shuffle(arriving)
    builder = TradeMinutes("X/Y", since=START, fills_empty=False)
    found = list(builder.trade(first))
    for one in arriving:
        missing = builder.missing
        before = list(builder.trade(one))
        found += before
        # nothing is final while a trade before it is missing
        assert not before or missing is None or one.id == missing.first
    assert found == expected
    assert builder.missing is None
    assert builder.waiting == 0


@given(tapes())
def test_empty_minutes_repeat_the_last_close(tape):
    builder = TradeMinutes("X/Y", since=START)
    found = [candle for one in tape for candle in builder.trade(one)]
    first, last = (Timeframe.M1.floor(one.ts) for one in (tape[0], tape[-1]))
    assert [candle.ts for candle in found] == list(range(first, last, MINUTE_MS))
    traded = {candle.ts: candle for candle in minutes_of(tape)}
    for before, candle in pairwise(found):
        if candle.ts in traded:
            assert candle == traded[candle.ts]
        else:
            assert candle.open == candle.high == candle.low == candle.close == before.close
            assert (int(candle.volume), candle.first_trade, candle.last_trade) == (0, -1, -1)


@given(tapes(), st.sets(st.integers(0, 59), max_size=20))
def test_after_trades_are_given_up_no_candle_is_wrong(tape, lost):
    """What is given is right, or not given: minutes touched by the loss are left out."""
    expected = {candle.ts: candle for candle in minutes_of(tape)}
    builder = TradeMinutes("X/Y", since=START, fills_empty=False)
    found: list[CandleTick] = []
    for number, one in enumerate(tape):
        if number == 0 or number not in lost:
            found += builder.trade(one)
            found += builder.give_up()
    for candle in found:
        assert candle == expected[candle.ts]
    touched = {Timeframe.M1.floor(tape[number].ts) for number in lost if 0 < number < len(tape)}
    assert not touched & {candle.ts for candle in found}


def test_where_trades_were_given_up_no_empty_minute_is_made_up():
    builder = TradeMinutes("X/Y", since=START)
    found: list[CandleTick] = []
    for number, at in ((1, 0), (3, 3), (4, 5)):  # the second may have come in any minute from 0 to 3
        found += builder.trade(trade(number, START + at * MINUTE_MS, "1", "1"))
        found += builder.give_up()
    assert [candle.ts for candle in found] == [START + 4 * MINUTE_MS]


@st.composite
def minute_series(draw: st.DrawFn) -> list[CandleTick]:
    first = draw(st.integers(0, 300))
    absent = draw(st.sets(st.integers(0, 700), max_size=400))
    span = draw(st.integers(1, 700))
    return [
        minute(START + at * MINUTE_MS, str(100 + at % 13), str(Decimal(at % 5) / 4))
        for at in range(first, first + span)
        if at - first not in absent or at == first
    ]


@given(minute_series())
def test_larger_candles_are_those_of_the_arrays(series):
    cascade = Cascade("X/Y", LARGER, since=series[0].ts)
    found: dict[Timeframe, list[Candle]] = {timeframe: [] for timeframe in LARGER}
    for one in series:
        for larger in cascade.add(one):
            found[larger.timeframe].append(to_candle(larger))
    columns = zip(*rows(map(to_candle, series)), strict=True)
    arrays = build("v", "X/Y", Timeframe.M1, *columns)
    for timeframe in LARGER:
        assert rows(found[timeframe]) == rows(resample(arrays, timeframe)), timeframe


@given(minute_series())
def test_candles_close_in_the_order_of_time_and_shortest_first(series):
    cascade = Cascade("X/Y", LARGER, since=series[0].ts)
    closes = [
        (larger.timeframe.close_of(larger.ts), larger.timeframe.ms) for one in series for larger in cascade.add(one)
    ]
    assert closes == sorted(closes)
    assert len(set(closes)) == len(closes)


@given(st.integers(1, 300), st.sets(st.integers(0, 299)), st.randoms(use_true_random=False), st.data())
def test_a_line_hands_on_each_candle_once_and_in_order(count, lost, random, data):
    """Some candles never come live, some come twice or out of order: asked for, all go through, once."""
    series = [minute(START + at * MINUTE_MS, str(100 + at)) for at in range(count)]
    arriving = [one for at, one in enumerate(series) if at not in lost]
    arriving += data.draw(st.lists(st.sampled_from(arriving), max_size=30)) if arriving else []
    random.shuffle(arriving)
    line = CandleLine("X/Y", (Timeframe.M1, *LARGER), START)
    line.next_open = START  # as if what came before the start had been fetched
    handed = [one for minute_ in arriving for one in line.closed(minute_)]
    end = START + count * MINUTE_MS
    hole = line.hole(end, 0)
    while hole is not None:
        handed += line.fill(one for one in series if hole[0] <= one.ts < hole[1])
        hole = line.hole(end, 0)
    minutes = [one for one in handed if one.candle.timeframe is Timeframe.M1]
    assert [one.candle for one in minutes] == series
    assert {(one.candle.ts - START) // MINUTE_MS for one in minutes if one.repaired} == {
        at for at in lost if at < count
    }
    closes = [(one.close_ms, one.candle.timeframe.ms) for one in handed]
    assert closes == sorted(closes)


@given(st.floats(min_value=1e-8, max_value=1e9), st.floats(min_value=0, max_value=1e15))
def test_the_border_to_floats_is_crossed_both_ways(price, volume):
    candle = Candle(START, price, price, price, price, volume)
    assert to_candle(from_candle(candle, "X/Y", Timeframe.M1)) == candle
