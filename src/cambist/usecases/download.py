"""Fetching candles from a venue into the lake: only what the lake lacks, kept as it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, NotFound, Stopped
from cambist.domain.timeframe import Timeframe
from cambist.market.grid import opens, ordinals
from cambist.market.series import build
from cambist.ports.history import CandleLake, PublicMarket

if TYPE_CHECKING:
    from cambist.domain.candles import Ints

# A request brings many candles as quickly as one. Where fewer than this lie between two gaps, they are fetched again
# together with both: thousands of minutes without a trade must not become thousands of requests.
_NEAR_GAPS = 200

# The lake rewrites a series whenever something is appended to it. Batches that grow with the series keep the work in
# proportion to what arrives; what a killed process can lose stays bounded (Ctrl-C and errors lose nothing).
_LEAST_BATCH, _LARGEST_BATCH = 5_000, 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a download has come, in candles of its timeframe."""

    passed: int
    """Of the candles that were missing, those that arrived or turned out not to exist."""
    missing: int
    arrived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """What a download did. ``since`` and ``until`` (ms) bound what was asked for."""

    venue: str
    symbol: str
    timeframe: Timeframe
    since: int
    until: int
    added: int
    """Candles new to the lake."""
    held: int
    """Candles that the lake now holds in the span."""
    absent: int
    """Candles of the span that closed before the last one held, and that the venue does not have."""


def download(
    market: PublicMarket,
    lake: CandleLake,
    *,
    venue: str,
    symbol: str,
    timeframe: Timeframe,
    since: int | None,
    until: int,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Downloaded:
    """Bring the closed candles of ``symbol`` that open in ``[since, until)`` (ms) from ``market`` into ``lake``.

    Only what the lake lacks is asked for, gaps inside included; without ``since``, from where the lake's candles
    begin. What arrives is kept, whatever happens after: an error passes through once the candles at hand are stored.
    The venue's rules for the symbol are kept beside its candles.

    Raises `BadInput` (span, timeframe), `NotFound` (symbol; no ``since`` and nothing held), `VenueError`,
    `StorageFailed`, and `Stopped` on Ctrl-C.
    """
    instrument = market.instrument(symbol)
    held = _held(lake, venue, symbol, timeframe)
    if since is None:
        if not held.size:
            raise NotFound("download.since_needed")
        since = int(held[0])
    if until <= since:
        raise BadInput("until", until, "download.span", since=since)
    lake.keep_instrument(instrument)
    ranges = missing_ranges(held, timeframe, since, until)
    store = _Batches(lake, held_before=int(held.size))
    name = {"venue": venue, "symbol": symbol, "timeframe": timeframe}
    try:
        for page in _fetched(market, symbol, timeframe, ranges, progress):
            store.take(page)
    except KeyboardInterrupt:
        store.flush()
        raise Stopped("download.stopped", added=store.added, **name) from None
    finally:
        store.flush()
    now_held = _held(lake, venue, symbol, timeframe)
    now_held = now_held[(now_held >= since) & (now_held < until)]
    return Downloaded(
        venue=venue,
        symbol=symbol,
        timeframe=timeframe,
        since=since,
        until=until,
        added=store.added,
        held=int(now_held.size),
        absent=_absent(now_held, timeframe, since),
    )


def missing_ranges(held: Ints, timeframe: Timeframe, since: int, until: int) -> list[tuple[int, int]]:
    """Return the spans ``[first open, end)`` (ms) in ``[since, until)`` of which ``held`` open times lack candles.

    ``held`` is sorted. Spans that lie close together come as one.
    """
    first, end = _ordinal_at_or_after(since, timeframe), _ordinal_at_or_after(until, timeframe)
    numbers = ordinals(held, timeframe)
    numbers = numbers[(numbers >= first) & (numbers < end)]
    fences = np.concatenate(([first - 1], numbers, [end]))
    at = np.flatnonzero(np.diff(fences) > 1)
    merged: list[list[int]] = []
    for start, stop in zip((fences[at] + 1).tolist(), fences[at + 1].tolist(), strict=True):
        if merged and start - merged[-1][1] < _NEAR_GAPS:
            merged[-1][1] = stop
        else:
            merged.append([start, stop])
    edges = opens(np.array(merged, dtype=np.int64).reshape(-1), timeframe).reshape(-1, 2).tolist()
    return [(start, stop) for start, stop in edges]


def _fetched(
    market: PublicMarket,
    symbol: str,
    timeframe: Timeframe,
    ranges: Iterable[tuple[int, int]],
    progress: Callable[[Progress], None],
) -> Iterator[Candles]:
    spans = [(start, stop, _count(start, stop, timeframe)) for start, stop in ranges]
    missing = sum(count for _, _, count in spans)
    before = arrived = 0
    progress(Progress(passed=0, missing=missing, arrived=0))
    for start, stop, count in spans:
        for page in market.candles(symbol, timeframe, start, stop):
            yield page
            arrived += len(page)
            reached = timeframe.close_of(int(page.ts[-1]))
            progress(Progress(passed=before + _count(start, reached, timeframe), missing=missing, arrived=arrived))
        before += count
        progress(Progress(passed=before, missing=missing, arrived=arrived))


class _Batches:
    """Gathers pages and appends them to the lake in batches."""

    def __init__(self, lake: CandleLake, held_before: int) -> None:
        self.added = 0
        self._lake = lake
        self._held = held_before
        self._pages: list[Candles] = []
        self._waiting = 0

    def take(self, page: Candles) -> None:
        self._pages.append(page)
        self._waiting += len(page)
        if self._waiting >= min(max(self._held // 4, _LEAST_BATCH), _LARGEST_BATCH):
            self.flush()

    def flush(self) -> None:
        if not self._pages:
            return
        added = self._lake.append(_joined(self._pages)).added
        self.added += added
        self._held += added
        self._pages, self._waiting = [], 0


def _joined(pages: list[Candles]) -> Candles:
    first = pages[0]
    names = ("ts", "open", "high", "low", "close", "volume")
    columns = [np.concatenate([getattr(page, name) for page in pages]) for name in names]
    return build(first.venue, first.symbol, first.timeframe, *columns)


def _held(lake: CandleLake, venue: str, symbol: str, timeframe: Timeframe) -> Ints:
    try:
        return lake.read(venue, symbol, timeframe).ts
    except NotFound:
        return np.empty(0, dtype=np.int64)


def _absent(held: Ints, timeframe: Timeframe, since: int) -> int:
    if not held.size:
        return 0
    last = timeframe.close_of(int(held[-1]))
    return _ordinal_at_or_after(last, timeframe) - _ordinal_at_or_after(since, timeframe) - int(held.size)


def _count(start: int, stop: int, timeframe: Timeframe) -> int:
    return _ordinal_at_or_after(stop, timeframe) - _ordinal_at_or_after(start, timeframe)


def _ordinal_at_or_after(ts: int, timeframe: Timeframe) -> int:
    moment = np.array([ts], dtype=np.int64)
    number = int(ordinals(moment, timeframe)[0])
    return number if timeframe.floor(ts) == ts else number + 1
