import numpy as np
import pytest

from cambist.domain.candles import Candles
from cambist.domain.timeframe import Timeframe
from cambist.market.grid import close_times, opens, ordinals


@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.D1, Timeframe.W1, Timeframe.MO1])
def test_a_candle_closes_where_the_next_one_opens(timeframe: Timeframe):
    first = int(ordinals(np.array([1_704_067_200_000]), timeframe)[0])
    ts = opens(np.arange(first, first + 30, dtype=np.int64), timeframe)
    one = np.ones(len(ts))
    candles = Candles(
        venue="x", symbol="X/Y", timeframe=timeframe, ts=ts, open=one, high=one, low=one, close=one, volume=one
    )
    assert close_times(candles)[:-1].tolist() == ts[1:].tolist()
    assert close_times(candles).tolist() == [timeframe.close_of(open_ms) for open_ms in ts.tolist()]
