"""The last candles of a series as live sees them: one more at a time, the oldest leaving in chunks."""

from typing import Any

import numpy as np

from cambist.domain.candles import Candle, Candles
from cambist.domain.timeframe import Timeframe
from cambist.strategies._view import COLUMNS


class Window:
    """The last candles of one series, and other columns that grow with them: buffers that the oldest leave in chunks.

    All buffers have one length, and room for a quarter more than ``depth``; so time and memory per candle are flat.
    """

    def __init__(self, candles: Candles, depth: int) -> None:
        kept = candles[max(0, len(candles) - depth) :]
        self._of = kept
        self.depth = depth
        self._size = depth + max(64, depth // 4)
        self.count = len(kept)
        self.dropped = len(candles) - len(kept)
        self.buffers: list[Any] = []
        self._columns = {name: self.add(getattr(kept, name)) for name in ("ts", "open", "high", "low", "close")}
        self._columns["volume"] = self.add(kept.volume)

    def add(self, values: Any) -> Any:
        """Return a buffer that begins with the last of ``values`` (an array), and grows with the candles."""
        buffer = np.full(self._size, 0 if values.dtype.kind == "i" else np.nan, dtype=values.dtype)
        buffer[: self.count] = values[len(values) - self.count :]
        self.buffers.append(buffer)
        return buffer

    def column(self, name: str) -> Any:
        """Return the buffer of one column of candles."""
        return self._columns[name]

    def append(self, candle: Candle) -> None:
        """Add a candle; the other buffers have room for their value at ``count - 1`` then."""
        if self.count == self._size:
            kept = self.depth - 1
            for buffer in self.buffers:
                buffer[:kept] = buffer[self.count - kept :]
            self.dropped += self.count - kept
            self.count = kept
        for name in COLUMNS:
            self._columns[name][self.count] = getattr(candle, name)
        self.count += 1

    def candles(self) -> Candles:
        """Return the candles, as views of the buffers: good until the next one comes."""
        of, columns, count = self._of, self._columns, self.count
        series = {name: columns[name][:count] for name in COLUMNS}
        return Candles(venue=of.venue, symbol=of.symbol, timeframe=of.timeframe, **series)

    def latest(self, count: int) -> Candles:
        """Return the last ``count`` candles (fewer if there are fewer), as a copy."""
        of, start = self._of, max(0, self.count - count)
        series = {name: self._columns[name][start : self.count].copy() for name in COLUMNS}
        return Candles(venue=of.venue, symbol=of.symbol, timeframe=of.timeframe, **series)


class Gathering:
    """A larger candle under way: what `resample` does to a whole series, candle by candle."""

    def __init__(self, timeframe: Timeframe, own: Candles) -> None:
        self._timeframe = timeframe
        self._own = own.timeframe
        self._rows: list[Candle] = []
        self._whole = True
        first = int(own.ts[0])
        opened = timeframe.floor(int(own.ts[-1]))
        if self._own.close_of(int(own.ts[-1])) < timeframe.close_of(opened):
            self._rows = list(own[int(own.ts.searchsorted(opened)) :])
            self._whole = first <= opened

    def add(self, candle: Candle) -> list[Candle]:
        """Return the larger candles that are whole now that ``candle`` has closed."""
        done: list[Candle] = []
        opened = self._timeframe.floor(candle.ts)
        if self._rows and self._timeframe.floor(self._rows[0].ts) != opened:
            done += self._take()
        self._rows.append(candle)
        if self._own.close_of(candle.ts) >= self._timeframe.close_of(opened):
            done += self._take()
        return done

    def _take(self) -> list[Candle]:
        rows, whole = self._rows, self._whole
        self._rows, self._whole = [], True
        if not whole:
            return []
        # the very sum that resample makes: it rounds by the number of its terms
        volume = float(np.add.reduceat(np.array([row.volume for row in rows]), [0])[0])
        high, low = max(row.high for row in rows), min(row.low for row in rows)
        return [Candle(self._timeframe.floor(rows[0].ts), rows[0].open, high, low, rows[-1].close, volume)]
