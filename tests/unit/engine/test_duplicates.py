"""Two heartbeats, one signal; and a primary that falls silent."""

from tests.unit.market.made import minute

from cambist.domain.signal import Signal
from cambist.domain.timeframe import MINUTE_MS
from cambist.engine.duplicates import Deduplicator

START = 1_700_006_400_000


def signal(number: int, source: str = "primary", symbol: str = "X/Y") -> Signal:
    candle = minute(START + number * MINUTE_MS, symbol=symbol)
    return Signal(venue="binance", candle=candle, received_ms=candle.ts + MINUTE_MS, source=source)


def test_the_first_of_two_sources_wins():
    seen = Deduplicator(START)
    assert seen.first(signal(0, "secondary"), START)
    assert not seen.first(signal(0), START + 5)
    assert seen.first(signal(1), START + 10)
    assert not seen.first(signal(1, "secondary"), START + 15)
    assert seen.first(signal(1, symbol="Z/Y"), START + 20)


def test_memory_is_bounded():
    seen = Deduplicator(START, remember=3)
    for number in range(4):
        assert seen.first(signal(number), START)
    assert not seen.first(signal(1), START)
    assert seen.first(signal(0), START)  # forgotten


def test_a_primary_that_owes_a_signal_for_thirty_seconds_is_silent():
    seen = Deduplicator(START)
    seen.first(signal(0), START)
    now = START + 40_000
    seen.first(signal(1, "secondary"), now)
    assert not seen.primary_silent(now + 29_999)
    assert seen.primary_silent(now + 30_000)
    seen.first(signal(1), now + 31_000)  # late, but it lives
    assert not seen.primary_silent(now + 31_000)


def test_copies_of_the_secondary_do_not_make_the_primary_late():
    seen = Deduplicator(START)
    seen.first(signal(0), START)
    seen.first(signal(0, "secondary"), START + 50)
    assert not seen.primary_silent(START + 60_000)


def test_a_primary_alone_is_silent_after_a_minute_without_its_beat():
    seen = Deduplicator(START)
    seen.first(signal(0), START + 100)
    assert not seen.primary_silent(START + 100 + 89_999)
    assert seen.primary_silent(START + 100 + 90_000)
    assert not Deduplicator(START).primary_silent(START + 89_999)
    assert Deduplicator(START).primary_silent(START + 90_000)
