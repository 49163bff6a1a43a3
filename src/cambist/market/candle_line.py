"""The closed candles of one symbol, in order, without a hole, each handed on once. Pure.

Closed 1m candles come from a stream that repeats itself, breaks off and skips. A candle that is next goes through; one
that comes too early is held while the hole before it is filled (`CandleLine.hole` says what to ask for); one that was
there before is dropped. Each minute that goes through closes larger candles too.

Candles that closed at or before ``start_ms`` are taken in silently: at a start they tell where the larger ones stand.
"""

from collections.abc import Iterable

from cambist.domain.record import record
from cambist.domain.tick import CandleTick
from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.market.candle_builder import Cascade


@record
class Closed:
    """A final candle; ``repaired`` if the minute that closed it was asked for afterwards and not seen live."""

    candle: CandleTick
    repaired: bool

    @property
    def close_ms(self) -> int:
        """When it closed: the open time of the next."""
        return self.candle.timeframe.close_of(self.candle.ts)


class CandleLine:
    """Puts the closed 1m candles of ``symbol`` in order and gathers those of ``timeframes``."""

    def __init__(self, symbol: str, timeframes: Iterable[Timeframe], start_ms: int) -> None:
        wanted = set(timeframes)
        self.symbol = symbol
        self._start_ms = start_ms
        self._gives_minutes = Timeframe.M1 in wanted
        # the candles under way at the start, the largest included, are to be whole: this is where they opened
        self.next_open = min((timeframe.floor(start_ms) for timeframe in wanted), default=start_ms)
        self.next_open = Timeframe.M1.floor(self.next_open)
        self._cascade = Cascade(symbol, wanted, since=self.next_open)
        self._held: dict[int, CandleTick] = {}

    @property
    def first_held(self) -> int | None:
        """The open time of the first candle that waits for a hole to be filled."""
        return min(self._held, default=None)

    def hole(self, now_ms: int, grace_ms: int) -> tuple[int, int] | None:
        """Return which minutes are wanting, as open times ``[since, until)``; None if nothing is.

        A minute is wanting if a later one is there, or if it closed more than ``grace_ms`` ago.
        """
        until = Timeframe.M1.floor(now_ms - grace_ms)
        if self._held:
            until = max(until, min(self._held))
        return (self.next_open, until) if until > self.next_open else None

    def closed(self, minute: CandleTick, *, repaired: bool = False) -> list[Closed]:
        """Take in a closed 1m candle; return what may go on, in order."""
        if minute.ts < self.next_open:
            return []
        if minute.ts > self.next_open:
            self._held.setdefault(minute.ts, minute)
            return []
        return self._pass(minute, repaired) + self._release()

    def fill(self, minutes: Iterable[CandleTick]) -> list[Closed]:
        """Take in what the venue answered about a hole; return what may go on.

        What is absent between two of its candles, the venue does not have: an outage, or nobody traded.
        """
        answered = {minute.ts: (minute, True) for minute in minutes}
        reached = max(answered, default=-1)
        # what was seen live is not repaired, and must not be overtaken
        answered |= {ts: (live, False) for ts, live in self._held.items() if ts <= reached}
        handed: list[Closed] = []
        for ts in sorted(answered):
            if ts >= self.next_open:
                handed += self._pass(*answered[ts])
        return handed + self._release()

    def skip(self) -> list[Closed]:
        """Go on at the first held candle: the venue has none before it."""
        if self._held:
            self.next_open = min(self._held)
        return self._release()

    def _pass(self, minute: CandleTick, repaired: bool) -> list[Closed]:
        self.next_open = minute.ts + MINUTE_MS
        closed = ([minute] if self._gives_minutes else []) + self._cascade.add(minute)
        handed = [Closed(candle, repaired) for candle in closed]
        return [one for one in handed if one.close_ms > self._start_ms]

    def _release(self) -> list[Closed]:
        handed: list[Closed] = []
        for ts in [ts for ts in self._held if ts < self.next_open]:
            del self._held[ts]
        while (minute := self._held.pop(self.next_open, None)) is not None:
            handed += self._pass(minute, repaired=False)
        return handed
