"""Live candles, one event at a time: trades become 1m candles, 1m candles become larger ones. Exact, and pure.

`TradeMinutes` makes the candles of one symbol from its trades; `Cascade` gathers 1m candles into larger ones and gives
what `cambist.market.resample` gives over arrays. Values stay `Decimal`; `to_candle` is the border to floats.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from cambist.domain.candles import Candle
from cambist.domain.errors import BadInput
from cambist.domain.record import record
from cambist.domain.tick import CandleTick, TradeTick
from cambist.domain.timeframe import MINUTE_MS, Timeframe

_REMEMBERED = 3  # finished minutes kept for comparison


def to_candle(tick: CandleTick) -> Candle:
    """Return the candle in floats."""
    return Candle(tick.ts, float(tick.open), float(tick.high), float(tick.low), float(tick.close), float(tick.volume))


def from_candle(candle: Candle, symbol: str, timeframe: Timeframe, received_ms: int = 0) -> CandleTick:
    """Return a closed candle whose decimals are the shortest that read back as its floats."""
    numbers = (Decimal(repr(value)) for value in (candle.open, candle.high, candle.low, candle.close, candle.volume))
    opened, high, low, close, volume = numbers
    return CandleTick(
        symbol=symbol,
        timeframe=timeframe,
        ts=candle.ts,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        closed=True,
        received_ms=received_ms,
    )


class _Gathering:
    """A candle under way."""

    __slots__ = ("close", "first", "high", "last", "low", "open", "ts", "volume", "whole")

    def __init__(self, ts: int, price: Decimal, first: int, whole: bool) -> None:
        self.ts, self.first, self.last, self.whole = ts, first, first, whole
        self.open = self.high = self.low = self.close = price
        self.volume = Decimal(0)

    def add(self, high: Decimal, low: Decimal, close: Decimal, volume: Decimal, last: int) -> None:
        if high > self.high:
            self.high = high
        if low < self.low:
            self.low = low
        self.close, self.last = close, last
        self.volume += volume

    def tick(self, symbol: str, timeframe: Timeframe, closed: bool, received_ms: int = 0) -> CandleTick:
        return CandleTick(
            symbol=symbol,
            timeframe=timeframe,
            ts=self.ts,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
            closed=closed,
            first_trade=self.first,
            last_trade=self.last,
            received_ms=received_ms,
        )


@record(kw_only=True)
class MissingTrades:
    """Trades that were not seen, by id, both ends included."""

    first: int
    last: int


class TradeMinutes:
    """The 1m candles of one symbol from its trades.

    Trades are taken in the order of their ids, each once: those seen before are dropped, those that come early wait
    for the ones between (`missing` names them), so that no candle is final while a trade of it may be absent. A candle
    is final when a trade of a later minute has been taken. The minute in which the record begins is not whole and
    is not given, unless ``since`` (ms) says that the record covers it from there.

    ``fills_empty``: a minute without trades repeats the last close with volume 0, as Binance's own candles do; else
    it is absent. ``numbered``: ids rise by one from trade to trade; else nothing can be missed knowingly.
    """

    def __init__(
        self, symbol: str, *, since: int | None = None, fills_empty: bool = True, numbered: bool = True
    ) -> None:
        self.symbol = symbol
        self._since, self._fills_empty, self._numbered = since, fills_empty, numbered
        self._next_id: int | None = None
        self._waiting: dict[int, TradeTick] = {}
        self._minute: _Gathering | None = None
        self._finished: list[CandleTick] = []
        self._broken = False  # trades were given up: the minutes that they may belong to are not whole

    @property
    def missing(self) -> MissingTrades | None:
        """The first run of trades that the next candle waits for."""
        if not self._waiting or self._next_id is None:
            return None
        return MissingTrades(first=self._next_id, last=min(self._waiting) - 1)

    @property
    def waiting(self) -> int:
        """How many trades wait for missing ones."""
        return len(self._waiting)

    def trade(self, trade: TradeTick, received_ms: int = 0) -> Sequence[CandleTick]:
        """Take in one trade; return the candles that it makes final, in order."""
        if self._next_id is None:
            self._next_id = trade.id
        if trade.id < self._next_id:
            return ()
        if trade.id > self._next_id and self._numbered:
            self._waiting[trade.id] = trade
            return ()
        final = self._take(trade, received_ms)
        while (following := self._waiting.pop(self._next_id, None)) is not None:
            final += self._take(following, received_ms)
        return final

    def give_up(self, received_ms: int = 0) -> Sequence[CandleTick]:
        """Stop waiting for what is `missing`; the minutes that it may belong to are never given."""
        final: list[CandleTick] = []
        while self._waiting:
            self._broken = True
            if self._minute is not None:
                self._minute.whole = False
            self._next_id = min(self._waiting)
            final += self.trade(self._waiting.pop(self._next_id), received_ms)
        return final

    def seen(self, ts: int) -> CandleTick | None:
        """Return the candle of the minute opened at ``ts`` as far as its trades have come, None if it is not whole."""
        if self._minute is not None and self._minute.ts == ts:
            return self._minute.tick(self.symbol, Timeframe.M1, closed=False) if self._minute.whole else None
        return next((tick for tick in self._finished if tick.ts == ts), None)

    def _take(self, trade: TradeTick, received_ms: int) -> list[CandleTick]:
        self._next_id = trade.id + 1
        ts, final = Timeframe.M1.floor(trade.ts), list[CandleTick]()
        if self._minute is None or ts > self._minute.ts:
            final = self._finish(ts, received_ms)
            self._minute = _Gathering(ts, trade.price, trade.id, self._begins_whole(ts))
        # a trade stamped in the minute before, but numbered after one of this minute, counts where its number is
        self._minute.add(trade.price, trade.price, trade.price, trade.quantity, trade.id)
        self._broken = False
        return final

    def _begins_whole(self, ts: int) -> bool:
        if self._broken:
            return False
        return self._minute is not None or (self._since is not None and ts >= self._since)

    def _finish(self, until: int, received_ms: int) -> list[CandleTick]:
        """Return the candle under way, and the empty ones after it, up to the minute ``until``."""
        done = self._minute
        if done is None:
            return []
        final = [done.tick(self.symbol, Timeframe.M1, closed=True, received_ms=received_ms)] if done.whole else []
        if self._fills_empty and not self._broken:
            for ts in range(done.ts + MINUTE_MS, until, MINUTE_MS):
                empty = _Gathering(ts, done.close, -1, whole=True)
                final.append(empty.tick(self.symbol, Timeframe.M1, closed=True, received_ms=received_ms))
        self._finished = [*self._finished, *final][-_REMEMBERED:]
        return final


class Cascade:
    """Larger candles of one symbol from its 1m candles, given in order, each once.

    The record covers everything from ``since`` (ms) on: a larger candle that opens before is not whole and is not
    given. Minutes may be absent (an outage, or nobody traded): a larger candle is closed by its last minute or by
    the first minute after it, and holds what there was. Raises `BadInput` for a timeframe not made of minutes.
    """

    def __init__(self, symbol: str, timeframes: Iterable[Timeframe], since: int) -> None:
        self.symbol = symbol
        self.timeframes = tuple(sorted({*timeframes} - {Timeframe.M1}, key=lambda timeframe: timeframe.ms))
        self._since = since
        self._lanes = [_Lane(timeframe) for timeframe in self.timeframes]
        for timeframe in self.timeframes:
            if not timeframe.holds(Timeframe.M1):
                raise BadInput("timeframe", str(timeframe), "candles.cannot_resample", smaller=Timeframe.M1)

    def add(self, minute: CandleTick) -> list[CandleTick]:
        """Take in the next closed 1m candle; return the larger candles that it closes, by close time, shortest first.

        Those that were over before it come first.
        """
        overdue: list[CandleTick] = []
        closed: list[CandleTick] = []
        ends = minute.ts + MINUTE_MS
        for lane in self._lanes:
            candle = lane.candle
            if candle is not None and lane.until <= minute.ts:
                self._close(lane, candle, minute.received_ms, overdue)
                candle = None
            if candle is None:
                ts = lane.timeframe.floor(minute.ts)
                candle = lane.candle = _Gathering(ts, minute.open, minute.first_trade, whole=ts >= self._since)
                lane.until = lane.timeframe.close_of(ts)
            if candle.first < 0:
                candle.first = minute.first_trade
            last = minute.last_trade if minute.last_trade >= 0 else candle.last
            candle.add(minute.high, minute.low, minute.close, minute.volume, last)
            if ends == lane.until:
                self._close(lane, candle, minute.received_ms, closed)
        overdue.sort(key=lambda candle: candle.timeframe.close_of(candle.ts))  # stable: shortest first within a close
        return overdue + closed

    def _close(self, lane: "_Lane", candle: _Gathering, received_ms: int, into: list[CandleTick]) -> None:
        lane.candle = None
        if candle.whole:
            into.append(candle.tick(self.symbol, lane.timeframe, closed=True, received_ms=received_ms))


class _Lane:
    """One timeframe of a cascade."""

    __slots__ = ("candle", "timeframe", "until")

    def __init__(self, timeframe: Timeframe) -> None:
        self.timeframe = timeframe
        self.candle: _Gathering | None = None
        """The candle under way."""
        self.until = 0
        """When that closes (ms)."""
