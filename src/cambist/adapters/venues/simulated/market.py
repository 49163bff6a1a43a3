"""Markets for the simulated venue: one that plays candles, one that repeats another venue's.

Both move an `Exchange`, and are the feed of what they do to it. At one moment comes first what acts within the candles
that close, then the closes are handed out, then the opens act, which is the order of a backtest: a client that has
decided on a close by the time of the next open gets that open, at that candle's volume.

In lockstep (``settled`` is given) the market waits, after each thing on which a client may act, until its followers
have taken it in and ``settled`` has returned. On a `SteppedClock`, which the market itself then moves, a run comes out
as the backtest does, to the last digit.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from decimal import Decimal
from heapq import merge
from itertools import groupby

import numpy as np

from cambist.adapters.clock import SteppedClock
from cambist.adapters.venues.simulated.fan import Fan
from cambist.domain.candles import Candles
from cambist.domain.errors import NotFound
from cambist.domain.tick import CandleTick, FeedStatus, Tick, TradeTick
from cambist.domain.timeframe import Timeframe
from cambist.market.exchange import Exchange
from cambist.market.grid import close_times
from cambist.market.resample import resample
from cambist.ports.clock import Clock
from cambist.ports.feed import MarketFeed, Raw

Settled = Callable[[], Awaitable[None]]
"""Returns when everything that clients make of what they have been told is done."""


class SimulatedMarket:
    """Plays ``series``, candles from the lake or of a synthetic market, on ``clock`` into ``exchange``.

    One series per symbol, of any timeframe; the ticks are candles of that timeframe. Those before the clock's time at
    the start of `run` are history, which `candles` tells of.
    """

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        series: Iterable[Candles],
        *,
        settled: Settled | None = None,
        venue: str = "simulated",
    ) -> None:
        self.venue = venue
        self._exchange = exchange
        self._clock = clock
        self._series = {candles.symbol: candles for candles in sorted(series, key=lambda one: one.symbol)}
        self._closes_at = {symbol: close_times(candles) for symbol, candles in self._series.items()}
        self._settled = settled
        self._fan = Fan(clock)

    def ticks(self, symbols: Iterable[str], raw: Raw | None = None) -> AsyncIterator[Tick]:
        """Yield each candle twice, as it opens and as it closes, until the series end or the iterator is closed."""
        return self._fan.follow(symbols, raw)

    async def candles(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> Candles:
        """Return the candles that open in ``[since, until)`` and have closed by now; raise `NotFound`."""
        if symbol not in self._series:
            raise NotFound("exchange.no_symbol", symbol=symbol)
        closed = int(np.searchsorted(self._closes_at[symbol], self._clock.now_ms(), side="right"))
        return resample(self._series[symbol][:closed], timeframe).between(since, until)

    async def trades(self, symbol: str, first_id: int, last_id: int) -> list[TradeTick]:
        """Return nothing: candles are not made of trades here, and no tick carries ids of trades."""
        return []

    async def run(self) -> None:
        """Play the candles from now on to their end, at which all streams of ticks end too."""
        now = self._clock.now_ms()
        played = [_Played(candles, now) for candles in self._series.values()]
        moments = merge(*(one.moments() for one in played), key=lambda moment: moment[0])
        for ts, group in groupby(moments, key=lambda moment: moment[0]):
            at = [(one, i, opens) for _, one, i, opens in group]
            closing = [(one, i) for one, i, opens in at if not opens]
            if closing:
                await self._reach(ts - 1)
                for one, i in closing:
                    for _ in self._exchange.in_range(one.symbol, ts - 1, one.bars[i], one.volume[i]):
                        await self._acted()
            await self._reach(ts)
            for one, i in closing:
                await self._fan.put(one.tick(i, closed=True))
                await self._acted()
            for one, i, opens in at:
                if opens:
                    self._exchange.at_open(one.symbol, ts, one.bars[i][0], one.volume[i])
                    await self._fan.put(one.tick(i, closed=False))
                    await self._acted()
        await self._fan.end()

    async def _reach(self, ts: int) -> None:
        if isinstance(self._clock, SteppedClock):
            await self._clock.move_to(ts)
        while (ahead := ts - self._clock.now_ms()) > 0:
            await self._clock.sleep(ahead / 1_000)

    async def _acted(self) -> None:
        """Something has happened on which clients may act."""
        if self._settled is None:
            await asyncio.sleep(0)
        else:
            await self._fan.settled()
            await self._settled()


class MirroredMarket:
    """Repeats another venue's live ``feed`` of ``symbols`` into ``exchange``: paper trading on real prices.

    Each trade, and each candle tick, is a price at which orders act. What fills is bounded by the volume of the last
    closed 1m candle (of the one under way until there is one), for single trades are no measure of what there is to
    take. While the feed is down nobody trades: orders wait for the next price rather than fill at an old one.
    """

    def __init__(
        self, exchange: Exchange, clock: Clock, feed: MarketFeed, symbols: Iterable[str], *, venue: str = "simulated"
    ) -> None:
        self.venue = venue
        self._exchange = exchange
        self._feed = feed
        self._symbols = tuple(symbols)
        self._volume: dict[str, float] = {}
        self._candle: dict[str, CandleTick] = {}
        self._fan = Fan(clock)

    def ticks(self, symbols: Iterable[str], raw: Raw | None = None) -> AsyncIterator[Tick]:
        """Yield the ticks of ``symbols`` as the other venue gave them, once the exchange has seen them."""
        return self._fan.follow(symbols, raw)

    async def run(self) -> None:
        """Repeat the feed until it ends."""
        async for tick in self._feed.ticks(self._symbols):
            self._move(tick)
            await self._fan.put(tick)
        await self._fan.end()

    def _move(self, tick: Tick) -> None:
        if isinstance(tick, TradeTick):
            self._trade(tick.symbol, tick.ts, tick.price, float(tick.quantity))
        elif isinstance(tick, CandleTick):
            if tick.closed:
                self._volume[tick.symbol] = float(tick.volume)
            if tick.volume:
                self._trade(tick.symbol, tick.ts, tick.close, float(tick.volume))
        elif isinstance(tick, FeedStatus) and not tick.up:
            for symbol in filter(self._exchange.admits, self._symbols):
                self._exchange.pause(symbol)

    def _trade(self, symbol: str, ts: int, price: Decimal, volume: float) -> None:
        if self._exchange.admits(symbol):
            self._exchange.trade(symbol, ts, float(price), self._volume.get(symbol, volume))


class _Played:
    """One series from where it is played on, in the form that is quickest to read."""

    def __init__(self, candles: Candles, now_ms: int) -> None:
        self.symbol = candles.symbol
        self._timeframe = candles.timeframe
        rest = candles.between(now_ms)
        self._ts: list[int] = rest.ts.tolist()
        prices = (rest.open.tolist(), rest.high.tolist(), rest.low.tolist(), rest.close.tolist())
        self.bars: list[tuple[float, float, float, float]] = list(zip(*prices, strict=True))
        self.volume: list[float] = rest.volume.tolist()

    def moments(self) -> Iterator[tuple[int, "_Played", int, bool]]:
        """Yield (ms, this, position, whether it opens) of each close and open, in order."""
        for i, ts in enumerate(self._ts):
            yield ts, self, i, True
            yield self._timeframe.close_of(ts), self, i, False

    def tick(self, i: int, *, closed: bool) -> CandleTick:
        """Return candle ``i`` as it opens or as it closes."""
        open_, high, low, close = (Decimal(repr(price)) for price in self.bars[i])
        if not closed:
            high = low = close = open_
        return CandleTick(
            symbol=self.symbol,
            timeframe=self._timeframe,
            ts=self._ts[i],
            open=open_,
            high=high,
            low=low,
            close=close,
            volume=Decimal(repr(self.volume[i])) if closed else Decimal(0),
            closed=closed,
        )
