from datetime import UTC, datetime

import pytest

from cambist.domain.errors import BadInput
from cambist.domain.timeframe import Timeframe


def ms(year: int, month: int, day: int, *clock: int) -> int:
    hour, minute, second = (*clock, 0, 0, 0)[:3]
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * 1000


def test_each_timeframe_of_the_mission_is_known():
    assert " ".join(Timeframe) == "1m 3m 5m 10m 15m 30m 1h 2h 4h 6h 12h 1d 1w 1M"


@pytest.mark.parametrize(
    ("timeframe", "moment", "opened", "closes"),
    [
        ("10m", (2024, 2, 29, 13, 19, 59), (2024, 2, 29, 13, 10), (2024, 2, 29, 13, 20)),
        ("4h", (2024, 2, 29, 13, 19), (2024, 2, 29, 12), (2024, 2, 29, 16)),
        ("1w", (2024, 2, 29, 13), (2024, 2, 26), (2024, 3, 4)),  # opens on a Monday
        ("1M", (2024, 2, 29, 13), (2024, 2, 1), (2024, 3, 1)),
        ("1M", (2023, 12, 31, 23, 59), (2023, 12, 1), (2024, 1, 1)),
    ],
)
def test_a_moment_lies_in_one_candle(timeframe, moment, opened, closes):
    frame = Timeframe(timeframe)
    assert frame.floor(ms(*moment)) == ms(*opened)
    assert frame.close_of(ms(*opened)) == ms(*closes)
    assert frame.floor(ms(*opened)) == ms(*opened)


def test_which_timeframes_hold_which():
    assert Timeframe.D1.holds(Timeframe.H4)
    assert Timeframe.MO1.holds(Timeframe.D1)
    assert not Timeframe.MO1.holds(Timeframe.W1)
    assert not Timeframe.M5.holds(Timeframe.M3)
    assert not Timeframe.M1.holds(Timeframe.M5)


def test_an_unknown_timeframe_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match=r"timeframe: '7m' will not do.*1m 3m"):
        Timeframe.parse("7m")
