"""The line of closed candles: order, holes, and what a start knows."""

from decimal import Decimal

from tests.unit.market.made import minute

from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.market.candle_line import CandleLine

HOUR = 1_700_006_400_000


def at(number: int) -> int:
    return HOUR + number * MINUTE_MS


def test_a_start_within_a_candle_asks_for_what_came_before_and_hands_on_none_of_it():
    line = CandleLine("X/Y", (Timeframe.M1, Timeframe.M5), at(7) + 20_000)
    assert line.hole(at(7) + 20_000, 0) == (at(5), at(7))
    assert line.fill([minute(at(5), "100"), minute(at(6), "120")]) == []
    assert line.hole(at(7) + 20_000, 0) is None
    handed = [line.closed(minute(at(number), "110")) for number in (7, 8, 9)]
    assert [len(one) for one in handed] == [1, 1, 2]
    five = handed[-1][-1].candle
    assert five.timeframe is Timeframe.M5
    assert [five.ts, five.open, five.high, five.volume] == [at(5), Decimal(100), Decimal(121), Decimal(5)]


def test_a_candle_that_came_too_early_waits():
    line = CandleLine("X/Y", (Timeframe.M1,), at(0))
    assert [one.candle.ts for one in line.closed(minute(at(0)))] == [at(0)]
    assert line.closed(minute(at(2))) == []
    assert line.first_held == at(2)
    assert line.hole(at(3), 3_000) == (at(1), at(2))
    handed = line.fill([minute(at(1))])
    assert [(one.candle.ts, one.repaired) for one in handed] == [(at(1), True), (at(2), False)]
    assert line.closed(minute(at(1))) == []


def test_a_hole_of_the_venue_is_left_out():
    line = CandleLine("X/Y", (Timeframe.M1, Timeframe.M3), at(0))
    line.closed(minute(at(0)))
    line.closed(minute(at(4)))
    assert [(one.candle.timeframe, one.candle.ts) for one in line.skip()] == [("1m", at(4)), ("3m", at(0))]


def test_a_candle_seen_live_is_not_replaced_by_the_answer():
    line = CandleLine("X/Y", (Timeframe.M1,), at(0))
    line.closed(minute(at(1), "200"))
    handed = line.fill([minute(at(0)), minute(at(1), "100"), minute(at(3))])
    assert [(one.candle.ts, int(one.candle.close), one.repaired) for one in handed] == [
        (at(0), 100, True),
        (at(1), 200, False),
        (at(3), 100, True),
    ]


def test_silence_is_a_hole_after_its_grace():
    line = CandleLine("X/Y", (Timeframe.M1,), at(0))
    assert line.hole(at(1) + 2_999, 3_000) is None
    assert line.hole(at(1) + 3_000, 3_000) == (at(0), at(1))
