"""Timeframes: the fixed steps in which candles are cut."""

from datetime import UTC, datetime
from enum import StrEnum

from cambist.domain.errors import BadInput

MINUTE_MS = 60_000
DAY_MS = 86_400_000
# 1970-01-01 was a Thursday; weeks open on Monday 00:00 UTC, as on every exchange.
_MONDAY_OFFSET_MS = 4 * DAY_MS


class Timeframe(StrEnum):
    """A candle's length. A candle is named by its open time and covers ``[open, next open)``."""

    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M10 = "10m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H2 = "2h"
    H4 = "4h"
    H6 = "6h"
    H12 = "12h"
    D1 = "1d"
    W1 = "1w"
    MO1 = "1M"

    @classmethod
    def parse(cls, text: str) -> "Timeframe":
        """Return the timeframe written as ``text`` (a `Timeframe` is its own text); raise `BadInput` naming them."""
        try:
            return cls(text)
        except ValueError:
            raise BadInput("timeframe", text, "timeframe.known", known=" ".join(cls)) from None

    @property
    def ms(self) -> int:
        """Length in milliseconds; for the calendar month, its shortest length (28 days)."""
        return _LENGTH_MS[self]

    @property
    def is_calendar(self) -> bool:
        """Whether candles differ in length (months)."""
        return self is Timeframe.MO1

    def floor(self, ts: int) -> int:
        """Return the open time of the candle that holds ``ts`` (both in ms since the epoch, UTC)."""
        if self is Timeframe.MO1:
            day = datetime.fromtimestamp(ts // 1000, UTC)
            return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1000
        if self is Timeframe.W1:
            return ts - (ts - _MONDAY_OFFSET_MS) % self.ms
        return ts - ts % self.ms

    def close_of(self, open_ts: int) -> int:
        """Return the time at which the candle opened at ``open_ts`` closes: the next candle's open, in ms."""
        if self is Timeframe.MO1:
            day = datetime.fromtimestamp(open_ts // 1000, UTC)
            year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
            return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000
        return open_ts + self.ms

    def holds(self, smaller: "Timeframe") -> bool:
        """Tell whether candles of ``smaller`` can be gathered into candles of this timeframe."""
        if smaller is self:
            return True
        if self is Timeframe.MO1:
            return smaller.ms <= DAY_MS
        return smaller.ms < self.ms and self.ms % smaller.ms == 0


_LENGTH_MS = {
    Timeframe.M1: MINUTE_MS,
    Timeframe.M3: 3 * MINUTE_MS,
    Timeframe.M5: 5 * MINUTE_MS,
    Timeframe.M10: 10 * MINUTE_MS,
    Timeframe.M15: 15 * MINUTE_MS,
    Timeframe.M30: 30 * MINUTE_MS,
    Timeframe.H1: 60 * MINUTE_MS,
    Timeframe.H2: 120 * MINUTE_MS,
    Timeframe.H4: 240 * MINUTE_MS,
    Timeframe.H6: 360 * MINUTE_MS,
    Timeframe.H12: 720 * MINUTE_MS,
    Timeframe.D1: DAY_MS,
    Timeframe.W1: 7 * DAY_MS,
    Timeframe.MO1: 28 * DAY_MS,
}
