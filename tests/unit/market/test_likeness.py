import numpy as np

from cambist.domain.timeframe import Timeframe
from cambist.market.likeness import likeness
from cambist.market.series import build


def series(closes, start=0, venue="a"):
    closes = np.asarray(closes, float)
    ts = (start + np.arange(closes.size)) * 60_000
    return build(venue, "BTC/USD", Timeframe.M1, ts, closes, closes + 1, closes - 1, closes, closes)


def test_a_copy_closes_at_the_same_prices():
    alike = likeness(series([10, 11, 12, 13]), series([11, 12, 13, 14], start=1))
    assert (alike.candles, alike.same, alike.apart) == (3, 1.0, 0.0)


def test_distance_is_the_usual_one():
    alike = likeness(series([100.0] * 5), series([110.0, 110, 110, 110, 500]))
    assert alike.same == 0
    assert np.isclose(alike.apart, np.log(1.1))


def test_candles_in_which_nothing_moved_and_strangers_say_nothing():
    still = build("b", "BTC/USD", Timeframe.M1, [0, 60_000], *[[5, 5]] * 5)
    assert likeness(still, still).candles == 0
    assert likeness(series([1, 2]), series([1, 2], start=100)).candles == 0
