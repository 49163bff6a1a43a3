"""Series of candles: building them from arrays, the rules that they keep, and what is absent from them.

The rules, in the order in which a row is judged (a row is named once, with the first rule that it breaks):

1. its five numbers are finite, its prices above zero, its volume not negative;
2. its high is the highest and its low the lowest of its prices;
3. its open time lies on the grid of the timeframe;
4. its open time is later than those before it, and no other row has it;
5. its open or close is not a jump that no market makes (see `jumps`);
6. the last one has traded if its price has moved: otherwise it was cut off unfinished.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cambist.domain.candles import Candles
from cambist.domain.errors import BadRow
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.market.grid import on_grid, ordinals

if TYPE_CHECKING:
    from cambist.domain.candles import Floats, Ints

Flags = npt.NDArray[np.bool_]

# A jump, in words: at least a fifth away from both neighbours, and thirty times the size of a usual candle around it.
JUMP_AT_LEAST = 0.2
JUMP_IN_CANDLES = 30.0
# A crash is traded: many people sell. A slip in the data leaves the volume as it was.
CRASH_VOLUME = 5.0
# One gap is an outage. Several among the candles around are a market in which at times nobody trades.
THIN_GAPS = 3
_AROUND = 48
"""Candles on each side that say what is usual."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A row that breaks a rule: its position in the arrays and the text key of the rule."""

    at: int
    key: str


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is absent between the first and the last candle."""

    missing: int
    """Candles absent."""
    runs: int
    """Runs of absent candles."""
    longest: int
    """Candles absent in the longest run."""


def build(
    venue: str, symbol: str, timeframe: Timeframe, ts: Any, open: Any, high: Any, low: Any, close: Any, volume: Any
) -> Candles:
    """Return `Candles` holding these arrays as contiguous int64 (``ts``) and float64; nothing is checked."""

    def floats(values: Any) -> Floats:
        return np.ascontiguousarray(values, dtype=np.float64)

    return Candles(
        venue=venue,
        symbol=symbol,
        timeframe=timeframe,
        ts=np.ascontiguousarray(ts, dtype=np.int64),
        open=floats(open),
        high=floats(high),
        low=floats(low),
        close=floats(close),
        volume=floats(volume),
    )


def check(candles: Candles, *, jumps: bool = True) -> list[BadRow]:
    """Return the rows that break the rules, in order; ``jumps=False`` leaves out 5 and 6, which are judgements."""
    return [BadRow(breach.at + 1, cells(candles, breach.at), breach.key) for breach in breaches(candles, jumps=jumps)]


def cells(candles: Candles, at: int) -> str:
    """Return the row at position ``at`` as text, for messages."""
    columns = (candles.ts, candles.open, candles.high, candles.low, candles.close, candles.volume)
    return ",".join(repr(column[at].item()) for column in columns)


def breaches(candles: Candles, *, jumps: bool = True) -> list[Breach]:
    """Return the rows that break the rules, by position. The rows may stand in any order (that is one of the rules)."""
    ts, open_, high, low, close = candles.ts, candles.open, candles.high, candles.low, candles.close
    finite = np.isfinite(open_) & np.isfinite(high) & np.isfinite(low) & np.isfinite(close)
    finite &= np.isfinite(candles.volume)
    with np.errstate(invalid="ignore"):
        broken = {
            "candles.rule.finite": ~finite,
            "candles.rule.price": (open_ <= 0) | (high <= 0) | (low <= 0) | (close <= 0),
            "candles.rule.volume": candles.volume < 0,
            "candles.rule.high": high < np.maximum(np.maximum(open_, close), low),
            "candles.rule.low": low > np.minimum(open_, close),
            "candles.rule.grid": ~on_grid(ts, candles.timeframe),
        }
    found: dict[int, str] = {}
    for key, rows in broken.items():
        _add(found, key, np.flatnonzero(rows))
    _judge_order(found, candles)
    if jumps:
        _judge_prices(found, candles)
    return [Breach(at, found[at]) for at in sorted(found)]


def gaps(ts: Ints, timeframe: Timeframe) -> Gaps:
    """Count what is absent between the first and the last of these open times (ms, sorted)."""
    absent = np.diff(ordinals(ts, timeframe)) - 1
    return Gaps(int(absent.sum()), int(np.count_nonzero(absent)), int(absent.max(initial=0)))


def paging_faults(ts: Ints, timeframe: Timeframe) -> tuple[int, int, int] | None:
    """Return (gaps, candles in each, candles between two) if gaps repeat like the pages of a faulty download.

    Outages come at any time and last any time. A program that asks for too large a step leaves equal gaps after
    equally many candles. Markets that close at night or over the weekend do so by the day and are not meant.
    """
    numbers = ordinals(ts, timeframe)
    absent = np.diff(numbers) - 1
    at = np.flatnonzero(absent >= 10)
    if at.size < 5:
        return None
    length, usual = _commonest(absent[at])
    between, regular = _commonest(np.diff(at))
    period_ms = int(length + between) * timeframe.ms
    if min(usual / at.size, regular / (at.size - 1)) < 0.9 or period_ms % DAY_MS == 0:
        return None
    return at.size, length, between


def jumps(candles: Candles) -> tuple[Ints, Ints]:
    """Return the positions of (jumps that no market makes, jumps that a thin market may make).

    ``candles`` are sorted and otherwise clean. A candle jumps when its open or its close is away, in the same
    direction, from both the close before and the open after it: by `JUMP_AT_LEAST` (in log price) and by
    `JUMP_IN_CANDLES` times the usual size of the candles around it (median of high to low and close to close).
    At the ends of the series the candle's own other price stands in for the neighbour that is not there.

    Two things speak for a real event, and keep a jump: its volume stands out by `CRASH_VOLUME` (a crash is traded),
    or candles are absent around it again and again (where nobody trades for minutes, one order prints any price).
    """
    none = np.empty(0, dtype=np.int64)
    if len(candles) < 20:
        return none, none
    open_, close = np.log(candles.open), np.log(candles.close)
    before = np.concatenate(([close[0]], close[:-1]))
    after = np.concatenate((open_[1:], [open_[-1]]))
    away = np.maximum(_departure(open_, before, after), _departure(close, before, after))
    candidates = np.flatnonzero(away > JUMP_AT_LEAST)
    size = np.maximum(np.log(candles.high) - np.log(candles.low), np.abs(close - before))
    absent = np.diff(ordinals(candles.ts, candles.timeframe)) - 1
    wild: list[int] = []
    thin: list[int] = []
    for at in candidates.tolist():
        around = slice(max(0, at - _AROUND), at + _AROUND + 1)
        if away[at] < JUMP_IN_CANDLES * float(np.median(size[around])):
            continue
        if candles.volume[at] > CRASH_VOLUME * float(np.median(candles.volume[around])):
            continue
        (thin if np.count_nonzero(absent[around]) >= THIN_GAPS else wild).append(at)
    return np.array(wild, dtype=np.int64), np.array(thin, dtype=np.int64)


def _departure(price: Floats, before: Floats, after: Floats) -> Floats:
    from_before, from_after = price - before, price - after
    nearer = np.minimum(np.abs(from_before), np.abs(from_after))
    return np.where(from_before * from_after > 0, nearer, 0.0)


def _judge_order(found: dict[int, str], candles: Candles) -> None:
    rows = _others(found, len(candles))
    ts = candles.ts[rows]
    if ts.size < 2:
        return
    late = np.flatnonzero(ts[1:] < np.maximum.accumulate(ts)[:-1]) + 1
    _, first = np.unique(ts, return_index=True)
    again = np.setdiff1d(np.arange(ts.size), first, assume_unique=True)
    # A row out of order that repeats the row before it is no late arrival: it is a copy under another time.
    columns = (candles.open, candles.high, candles.low, candles.close, candles.volume)
    same = np.all([column[rows[late]] == column[rows[late - 1]] for column in columns], axis=0)
    _add(found, "candles.rule.twice", rows[again])
    _add(found, "candles.rule.copied", rows[late[same]])
    _add(found, "candles.rule.order", rows[late[~same]])


def _judge_prices(found: dict[int, str], candles: Candles) -> None:
    rows = _others({at: key for at, key in found.items() if key != "candles.rule.order"}, len(candles))
    rows = rows[np.argsort(candles.ts[rows], kind="stable")]
    if rows.size < 2:
        return
    series = build(
        candles.venue,
        candles.symbol,
        candles.timeframe,
        candles.ts[rows],
        candles.open[rows],
        candles.high[rows],
        candles.low[rows],
        candles.close[rows],
        candles.volume[rows],
    )
    wild, _ = jumps(series)
    _add(found, "candles.rule.jump", rows[wild])
    # a file without volumes (an index, say) says nothing by a zero
    if series.volume[-1] == 0 and series.high[-1] > series.low[-1] and np.median(series.volume) > 0:
        _add(found, "candles.rule.unfinished", rows[-1:])


def _others(found: dict[int, str], count: int) -> Ints:
    free = np.ones(count, dtype=np.bool_)
    free[list(found)] = False
    return np.flatnonzero(free)


def _add(found: dict[int, str], key: str, rows: Ints) -> None:
    for at in rows.tolist():
        found.setdefault(at, key)


def _commonest(values: Ints) -> tuple[int, int]:
    found, counts = np.unique(values, return_counts=True)
    best = int(counts.argmax())
    return int(found[best]), int(counts[best])
