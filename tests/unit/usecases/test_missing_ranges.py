import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cambist.domain.timeframe import Timeframe
from cambist.usecases.download import missing_ranges

HOUR = Timeframe.H1.ms
START = 1_704_067_200_000


def hours(*numbers: int) -> np.ndarray:
    return START + np.array(numbers, dtype=np.int64) * HOUR


def ranges(held: np.ndarray, since: int, until: int) -> list[tuple[int, int]]:
    found = missing_ranges(held, Timeframe.H1, START + since * HOUR, START + until * HOUR)
    return [((start - START) // HOUR, (stop - START) // HOUR) for start, stop in found]


def test_an_empty_lake_lacks_everything():
    assert ranges(hours(), 0, 500) == [(0, 500)]


def test_a_full_one_lacks_nothing():
    assert ranges(hours(*range(500)), 100, 400) == []


def test_before_inside_and_after():
    assert ranges(hours(*range(300, 600), *range(900, 1200)), 0, 2000) == [(0, 300), (600, 900), (1200, 2000)]


def test_gaps_close_together_are_fetched_as_one():
    every_other = hours(*range(0, 400, 2))
    assert ranges(every_other, 0, 400) == [(1, 400)]


def test_the_span_is_narrowed_to_whole_candles():
    held = np.empty(0, dtype=np.int64)
    assert missing_ranges(held, Timeframe.H1, START + 1, START + 2 * HOUR + 1) == [(START + HOUR, START + 3 * HOUR)]


def test_months_are_counted_by_the_calendar():
    first, last = 1_704_067_200_000, 1_711_929_600_000  # 2024-01-01, 2024-04-01
    february = np.array([1_706_745_600_000])
    # closer than the gaps that are fetched apart: one span, and it ends where a month opens
    assert missing_ranges(february, Timeframe.MO1, first, last) == [(first, last)]


@given(st.sets(st.integers(0, 3000), max_size=60), st.integers(0, 1500), st.integers(1, 1500))
def test_the_ranges_cover_all_that_is_missing_in_order_and_nothing_outside(held, since, length):
    until = since + length
    found = ranges(hours(*sorted(held)), since, until)
    covered = [hour for start, stop in found for hour in range(start, stop)]
    assert covered == sorted(set(covered))
    assert set(range(since, until)) - held <= set(covered) <= set(range(since, until))
    assert all(start not in held and stop - 1 not in held for start, stop in found)
