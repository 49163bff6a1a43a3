"""Candles of larger timeframes from smaller ones, and candles from trades; exact and vectorised.

A candle is made only when it is whole. The last one is whole when the data reaches its close: its last smaller candle
is there, or a later candle exists. The first one is whole when the data starts at its open; otherwise it would carry
a wrong open and too little volume, so it is dropped unless ``keep_first`` is set.

Smaller candles that are absent inside (an outage, or minutes in which nobody traded) do not make a candle unfinished:
exchanges build theirs from the trades that there were, and so do we.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput
from cambist.domain.timeframe import Timeframe
from cambist.market.grid import opens, ordinals
from cambist.market.series import build

if TYPE_CHECKING:
    from cambist.domain.candles import Floats, Ints


def resample(candles: Candles, timeframe: Timeframe | str, *, keep_first: bool = False) -> Candles:
    """Return ``candles`` gathered into candles of ``timeframe`` (weeks open on Mondays, months on the first, UTC).

    Open of the first, highest high, lowest low, close of the last, sum of the volumes. Absent candles stay absent.
    Raise `BadInput` if the timeframe cannot be cut into those of ``candles``.
    """
    timeframe = Timeframe.parse(timeframe)
    if timeframe is candles.timeframe:
        return candles
    if not timeframe.holds(candles.timeframe):
        raise BadInput("timeframe", str(timeframe), "candles.cannot_resample", smaller=candles.timeframe)
    if not len(candles):
        return _none(candles.venue, candles.symbol, timeframe)
    numbers = ordinals(candles.ts, timeframe)
    starts = _starts(numbers)
    ts = opens(numbers[starts], timeframe)
    reached = candles.timeframe.close_of(int(candles.ts[-1]))
    whole = _whole(ts, timeframe, since=int(ts[0]) if keep_first else int(candles.ts[0]), until=reached)
    ends = np.append(starts[1:], len(candles)) - 1
    return build(
        candles.venue,
        candles.symbol,
        timeframe,
        ts[whole],
        candles.open[starts][whole],
        np.maximum.reduceat(candles.high, starts)[whole],
        np.minimum.reduceat(candles.low, starts)[whole],
        candles.close[ends][whole],
        np.add.reduceat(candles.volume, starts)[whole],
    )


def from_trades(
    ts: Ints,
    price: Floats,
    amount: Floats,
    timeframe: Timeframe,
    *,
    venue: str,
    symbol: str,
    since: int | None = None,
    until: int | None = None,
) -> Candles:
    """Return the candles that trades make; candles without trades are absent.

    ``ts`` (ms), ``price`` (quote currency) and ``amount`` (base currency) are arrays of one length; trades of one
    moment count in the order given. The record is taken to cover ``[since, until)`` (ms) without a break, by default
    from its first trade to its last: the candles at either end that it does not wholly cover are dropped.
    """
    ts = np.asarray(ts, dtype=np.int64)
    if not ts.size:
        return _none(venue, symbol, timeframe)
    order = np.argsort(ts, kind="stable")
    ts, price, amount = ts[order], np.asarray(price, np.float64)[order], np.asarray(amount, np.float64)[order]
    numbers = ordinals(ts, timeframe)
    starts = _starts(numbers)
    opened = opens(numbers[starts], timeframe)
    whole = _whole(
        opened,
        timeframe,
        since=int(ts[0]) if since is None else since,
        until=int(ts[-1]) + 1 if until is None else until,
    )
    ends = np.append(starts[1:], ts.size) - 1
    return build(
        venue,
        symbol,
        timeframe,
        opened[whole],
        price[starts][whole],
        np.maximum.reduceat(price, starts)[whole],
        np.minimum.reduceat(price, starts)[whole],
        price[ends][whole],
        np.add.reduceat(amount, starts)[whole],
    )


def _starts(numbers: Ints) -> npt.NDArray[np.intp]:
    return np.concatenate(([0], np.flatnonzero(np.diff(numbers)) + 1))


def _whole(opened: Ints, timeframe: Timeframe, since: int, until: int) -> slice:
    """Return which of these candles lie wholly in ``[since, until)``."""
    first = int(np.searchsorted(opened, since))
    last = opened.size - (until < timeframe.close_of(int(opened[-1])))
    return slice(first, max(first, last))


def _none(venue: str, symbol: str, timeframe: Timeframe) -> Candles:
    return build(venue, symbol, timeframe, *[()] * 6)
