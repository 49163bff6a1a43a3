"""The grid of a timeframe: which candle a moment lies in, for whole arrays, calendar months included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.domain.timeframe import Timeframe

if TYPE_CHECKING:
    from cambist.domain.candles import Candles, Ints


def ordinals(ts: Ints, timeframe: Timeframe) -> Ints:
    """Return the running number of the candle that holds each moment (ms): neighbours differ by exactly one."""
    if timeframe.is_calendar:
        return ts.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    return (ts - _origin(timeframe)) // timeframe.ms


def opens(numbers: Ints, timeframe: Timeframe) -> Ints:
    """Return the open times (ms) of the candles with these running numbers; the inverse of `ordinals`."""
    if timeframe.is_calendar:
        return numbers.astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)
    return numbers * timeframe.ms + _origin(timeframe)


def close_times(candles: Candles) -> Ints:
    """Return when each candle closes (ms)."""
    timeframe = candles.timeframe
    return opens(ordinals(candles.ts, timeframe) + 1, timeframe) if timeframe.is_calendar else candles.ts + timeframe.ms


def on_grid(ts: Ints, timeframe: Timeframe) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell for each open time (ms) whether a candle of the timeframe opens then."""
    return np.asarray(opens(ordinals(ts, timeframe), timeframe) == ts)


def _origin(timeframe: Timeframe) -> int:
    # The epoch lies inside a week that opened on the Monday before: the grid of weeks does not pass through zero.
    return timeframe.floor(0)
