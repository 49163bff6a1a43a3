"""Larger candles out of pages of smaller ones, for timeframes that a venue does not keep."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from cambist.domain.candles import Candles
from cambist.domain.timeframe import Timeframe
from cambist.market.resample import resample
from cambist.market.series import build


def gathered(pages: Iterator[Candles], timeframe: Timeframe) -> Iterator[Candles]:
    """Yield the candles of ``pages`` (in order, smaller than ``timeframe``) as candles of ``timeframe``.

    The last group of a page waits for the next page, in which it may go on; the caller sees to it that the first page
    starts where a larger candle opens and that the last page ends where one closes.
    """
    held: Candles | None = None
    for page in pages:
        known = page if held is None else _joined(held, page)
        open_group = timeframe.floor(int(known.ts[-1]))
        held = known.between(since=open_group)
        if int(known.ts[0]) < open_group:
            yield _closed(known.between(until=open_group), timeframe, open_group)
    if held is not None:
        yield _closed(held, timeframe, timeframe.close_of(timeframe.floor(int(held.ts[-1]))))


def _closed(candles: Candles, timeframe: Timeframe, until: int) -> Candles:
    # Nobody may have traded in the last smaller candle. That time has passed all the same, which a later candle tells.
    later = replace(candles[-1:], ts=np.array([until], dtype=np.int64))
    return resample(_joined(candles, later), timeframe, keep_first=True).between(until=until)


def _joined(first: Candles, second: Candles) -> Candles:
    def column(name: str) -> object:
        return np.concatenate((getattr(first, name), getattr(second, name)))

    columns = (column(name) for name in ("ts", "open", "high", "low", "close", "volume"))
    return build(second.venue, second.symbol, second.timeframe, *columns)
