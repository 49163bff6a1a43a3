"""What combinations share: the same numbers, computed once, bounded, and safe from writing."""

import numpy as np
import pytest

from cambist import crossed_above, crossed_below, indicators
from cambist.domain.errors import BadInput
from cambist.indicators._shared import Store, active, sharing

COUNT = 500
CLOSE = 100.0 + np.cumsum(np.random.default_rng(3).normal(size=COUNT))
CLOSE.flags.writeable = False


def store(most_bytes: int = 10**6) -> Store:
    made = Store(most_bytes)
    made.know("series", [CLOSE])
    return made


def test_nothing_is_shared_unless_asked():
    assert active() is None
    assert indicators.ema(CLOSE, 9) is not indicators.ema(CLOSE, 9)
    with sharing(store()):
        assert active() is not None
    assert active() is None


def test_the_same_is_computed_once():
    with sharing(store()):
        first = indicators.ema(CLOSE, 9)
        assert indicators.ema(CLOSE, 9) is first
        assert indicators.ema(CLOSE, 10) is not first
        assert indicators.sma(CLOSE, 9) is not first
        assert indicators.macd(CLOSE).signal is indicators.macd(CLOSE).signal
        assert indicators.rsi(first, 14) is indicators.rsi(first, 14)  # of what is shared, too
    np.testing.assert_array_equal(first, indicators.ema(CLOSE, 9))


def test_what_is_not_known_is_not_kept():
    made = store()
    with sharing(made):
        own = CLOSE * 2.0
        assert indicators.ema(own, 9) is not indicators.ema(own, 9)
        assert indicators.ema(CLOSE.copy(), 9) is not indicators.ema(CLOSE, 9)
        assert made.bytes == CLOSE.nbytes


def test_nobody_can_write_into_it():
    with sharing(store()):
        line = indicators.ema(CLOSE, 9)
        with pytest.raises(ValueError, match="read-only"):
            line[0] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            indicators.bollinger(CLOSE).upper[0] = 1.0


def test_checks_are_those_of_every_call():
    with sharing(store()):
        indicators.ema(CLOSE, 9)
        with pytest.raises(BadInput):
            indicators.ema(CLOSE, True)
        with pytest.raises(BadInput):
            indicators.ema(CLOSE, 1)
        np.testing.assert_array_equal(indicators.ema(CLOSE, 9.0), indicators.ema(CLOSE, period=9))


def test_the_least_recently_used_go_first():
    made = store(3 * CLOSE.nbytes)
    with sharing(made):
        lines = {period: indicators.ema(CLOSE, period) for period in (5, 6, 7)}
        assert indicators.ema(CLOSE, 5) is lines[5]
        indicators.ema(CLOSE, 8)
        assert made.bytes == 3 * CLOSE.nbytes
        assert indicators.ema(CLOSE, 5) is lines[5]
        assert indicators.ema(CLOSE, 7) is lines[7]
        anew = indicators.ema(CLOSE, 6)
        assert anew is not lines[6]
        np.testing.assert_array_equal(anew, lines[6])
        # what went is a stranger from now on: what is computed of it is not mistaken for anything
        assert indicators.sma(lines[6], 3) is not indicators.sma(lines[6], 3)


def test_what_is_larger_than_the_store_is_not_kept():
    made = store(CLOSE.nbytes - 1)
    with sharing(made):
        assert indicators.ema(CLOSE, 9) is not indicators.ema(CLOSE, 9)
    assert made.bytes == 0


def test_crosses_are_those_of_plain_columns():
    rng = np.random.default_rng(7)
    for _ in range(20):
        one = rng.integers(0, 4, COUNT).astype(float)
        other = np.where(rng.random(COUNT) < 0.1, np.nan, rng.integers(0, 4, COUNT))
        above, below = crossed_above(one, other), crossed_below(one, other)
        made = Store(10**6)
        one.flags.writeable = other.flags.writeable = False
        made.know("made", [one, other])
        with sharing(made):
            np.testing.assert_array_equal(crossed_below(one, other), below)
            np.testing.assert_array_equal(crossed_above(one, other), above)
            np.testing.assert_array_equal(crossed_above(other, one), crossed_below(one, other))
            np.testing.assert_array_equal(crossed_above(one, 2.0), crossed_above(one.copy(), 2.0))
        assert above.any()
        assert below.any()
