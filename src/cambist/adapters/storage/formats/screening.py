"""From the rows of a file to candles that keep the rules: bad rows are named, or dropped where repair is wished."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cambist.adapters.storage.formats.layout import CandleLayout, TradeLayout
from cambist.adapters.storage.formats.rows import Rows, floats
from cambist.adapters.storage.formats.times import Moments, moments
from cambist.domain.candles import Candles
from cambist.domain.errors import BadCandles, BadInput, BadRow
from cambist.domain.text import say
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.market.grid import opens, ordinals
from cambist.market.resample import from_trades
from cambist.market.series import breaches, build, gaps, jumps, paging_faults
from cambist.ports.history import FileRead

if TYPE_CHECKING:
    from cambist.domain.candles import Ints

_MOST_ROWS = 5_000
"""Bad rows that a refusal carries at most."""
_ENOUGH = 10
"""Steps from which a timeframe that none of them has is a contradiction."""


class Screening:
    """One file on its way in. What was found bad, what was dropped and what is worth knowing gathers here."""

    def __init__(self, source: str, rows: Rows, venue: str, *, repair: bool) -> None:
        self.source = source
        self.rows = rows
        self.venue = venue
        self.symbol = ""
        self.repair = repair
        self.bad: list[BadRow] = list(rows.malformed)
        self.dropped: list[str] = []
        self.notes: list[str] = []

    def candles(self, layout: CandleLayout, wanted: Timeframe | None, named: str | None) -> FileRead:
        """Return the candles; ``wanted`` is the option, ``named`` what the file's name says of the timeframe."""
        if layout.note:
            self.notes.append(say(layout.note))
        at, ts = self._times(layout.time, layout.date)
        if np.count_nonzero(np.diff(ts) < 0) > np.count_nonzero(np.diff(ts) > 0):
            at, ts = at[::-1], ts[::-1]
            self.notes.append(say("candles.note.descending"))
        timeframe = self._timeframe(ts, wanted, named)
        ts = self._on_grid(ts, timeframe)
        volume = np.zeros(ts.size) if layout.volume is None else floats(self.rows.columns[layout.volume])[at]
        places = (layout.open, layout.high, layout.low, layout.close)
        prices = [floats(self.rows.columns[place])[at] for place in places]
        series = build(self.venue, self.symbol, timeframe, *(ts, *prices, volume))
        found = breaches(series)
        self._name([(int(at[one.at]), one.key) for one in found])
        self._refuse_or_drop()
        stays = np.ones(len(series), dtype=np.bool_)
        stays[[one.at for one in found if one.key != "candles.rule.order"]] = False
        return self._finish(_part(series, np.flatnonzero(stays)[np.argsort(ts[stays], kind="stable")]))

    def trades(self, layout: TradeLayout, timeframe: Timeframe | None) -> FileRead:
        """Return the candles of ``timeframe`` that the trades make, the unfinished ones at both ends left out."""
        if timeframe is None:
            raise BadInput("--timeframe", self.source, "candles.trades_need_timeframe")
        at, ts = self._times(layout.time, None)
        price = floats(self.rows.columns[layout.price])[at]
        amount = floats(self.rows.columns[layout.amount])[at]
        with np.errstate(invalid="ignore"):
            rules = {
                "candles.rule.finite": ~(np.isfinite(price) & np.isfinite(amount)),
                "candles.rule.price": price <= 0,
                "candles.rule.volume": amount < 0,
            }
        broken = np.zeros(ts.size, dtype=np.bool_)
        for key, flags in rules.items():
            self._name([(int(row), key) for row in at[flags & ~broken]])
            broken |= flags
        self._refuse_or_drop()
        good = ~broken
        self.notes.append(say("candles.note.from_trades", count=int(good.sum())))
        made = from_trades(ts[good], price[good], amount[good], timeframe, venue=self.venue, symbol=self.symbol)
        return self._finish(made)

    def _times(self, place: int, date_place: int | None) -> tuple[Ints, Ints]:
        """Return (positions of the rows whose time can be read, their times in ms)."""
        read = moments(self.rows.columns[place])
        if read.ambiguous:
            raise BadInput("candles", self.source, "candles.day_or_month")
        if read.rounded.any() and self.repair and date_place is not None:
            read = self._from_dates(read, date_place)
        self._name([(int(row), "candles.rule.time") for row in np.flatnonzero(read.unreadable)])
        self._name([(int(row), "candles.rule.rounded") for row in np.flatnonzero(read.rounded)])
        if read.zoneless:
            self.notes.append(say("candles.note.zoneless"))
        readable = np.flatnonzero(~(read.unreadable | read.rounded))
        return readable, read.ms[readable]

    def _from_dates(self, read: Moments, place: int) -> Moments:
        """Take the times whose digits are lost from the second column, if it agrees wherever both can be read."""
        dates = moments(self.rows.columns[place])
        both = ~(read.rounded | read.unreadable | dates.unreadable)
        if not both.any() or dates.ambiguous or (read.ms[both] != dates.ms[both]).any():
            return read
        mended = read.rounded & ~dates.unreadable
        self.dropped.append(say("candles.dropped.dates", count=int(mended.sum())))
        return replace(read, ms=np.where(mended, dates.ms, read.ms), rounded=read.rounded & ~mended)

    def _timeframe(self, ts: Ints, wanted: Timeframe | None, named: str | None) -> Timeframe:
        times = np.unique(ts)
        steps = times[1:] - times[:-1]
        found = _of_steps(steps)
        if wanted is None and named is not None and named not in list(Timeframe):
            raise BadInput("--timeframe", named, "timeframe.known", known=" ".join(Timeframe))
        told = wanted or (Timeframe(named) if named else None)
        if told is None:
            if found is None:
                raise BadInput("--timeframe", self.source, "candles.timeframe_needed")
            return found
        short = np.count_nonzero(steps < told.ms) > steps.size / 2
        # months differ in length: only too short a step contradicts them
        none_fits = steps.size >= _ENOUGH and not told.is_calendar and not np.any(steps == told.ms)
        if short or none_fits:
            step = str(found) if found else say("candles.step", minutes=f"{_commonest(steps) / 60_000:g}")
            raise BadCandles(self.source, remedy="candles.timeframe_contradicts", told=told, found=step)
        return told

    def _on_grid(self, ts: Ints, timeframe: Timeframe) -> Ints:
        """Move months that are named by their last day; refuse a series that is shifted as a whole."""
        grid = opens(ordinals(ts, timeframe), timeframe)
        if ts.size < 2 or np.any(ts == grid):
            return ts
        if timeframe.is_calendar and np.all(ordinals(ts + DAY_MS, timeframe) == ordinals(ts, timeframe) + 1):
            self.notes.append(say("candles.note.month_ends"))
            return grid
        off = np.unique(ts - grid)
        if off.size == 1:
            minutes = f"{int(off[0]) / 60_000:g}"
            raise BadCandles(self.source, remedy="candles.shifted", timeframe=timeframe, minutes=minutes)
        return ts

    def _name(self, found: list[tuple[int, str]]) -> None:
        """Keep these rows (position, rule) as bad; beyond `_MOST_ROWS` they are counted, not spelled out."""
        for row, key in found:
            what = self.rows.cells(row) if len(self.bad) < _MOST_ROWS else ""
            self.bad.append(BadRow(int(self.rows.numbers[row]), what, key))

    def _refuse_or_drop(self) -> None:
        if not self.bad:
            return
        self.bad.sort(key=lambda one: one.row)
        if not self.repair:
            raise BadCandles(self.source, self.bad)
        for key, count in Counter(one.key for one in self.bad).items():
            kind = "candles.sorted" if key == "candles.rule.order" else "candles.dropped"
            self.dropped.append(say(kind, count=count, why=say(key)))

    def _finish(self, candles: Candles) -> FileRead:
        if not len(candles):
            raise BadCandles(self.source, remedy="candles.nothing_left")
        absent = gaps(candles.ts, candles.timeframe)
        if faults := paging_faults(candles.ts, candles.timeframe):
            count, length, between = faults
            raise BadCandles(
                self.source,
                remedy="candles.paging_faults",
                gaps=count,
                length=length,
                between=between,
                missing=absent.missing,
                venue=candles.venue,
                symbol=candles.symbol,
                timeframe=candles.timeframe,
            )
        if absent.runs:
            note = say("candles.note.gaps", missing=absent.missing, runs=absent.runs, longest=absent.longest)
            self.notes.append(note)
        if not candles.volume.any():
            self.notes.append(say("candles.note.no_volume"))
        _, thin = jumps(candles)
        if thin.size:
            self.notes.append(say("candles.note.thin_jumps", count=thin.size, first=_when(int(candles.ts[thin[0]]))))
        return FileRead(candles=candles, dropped=tuple(self.dropped), notes=tuple(self.notes))


def _part(candles: Candles, rows: Ints) -> Candles:
    columns = (candles.ts, candles.open, candles.high, candles.low, candles.close, candles.volume)
    return build(candles.venue, candles.symbol, candles.timeframe, *(column[rows] for column in columns))


def _of_steps(steps: Ints) -> Timeframe | None:
    if not steps.size:
        return None
    step = _commonest(steps)
    if 28 * DAY_MS <= step <= 31 * DAY_MS:
        return Timeframe.MO1
    return next((timeframe for timeframe in Timeframe if timeframe.ms == step), None)


def _commonest(steps: Ints) -> int:
    values, counts = np.unique(steps, return_counts=True)
    return int(values[counts.argmax()])


def _when(ts: int) -> str:
    return str(np.datetime64(ts, "ms").astype("datetime64[m]")).replace("T", " ")
