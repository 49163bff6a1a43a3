"""Markets as people look at them: candles, last prices, order books. Many look at one: the exchange is asked once."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, NotFound
from cambist.domain.market import Depth, Ticker
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.market.series import build
from cambist.ports.exchanges import Exchanges
from cambist.ports.heartbeat_log import HeartbeatLog
from cambist.ports.history import CandleLake
from cambist.usecases.brokers import PAPER_MARKETS
from cambist.usecases.download import download, missing_ranges
from cambist.usecases.shared_answers import SharedAnswers

MOST_CANDLES = 1_000
MOST_LEVELS = 100
MOST_TICKERS = 50
_DEPTHS = (20, MOST_LEVELS)
"""Depths that are asked for: who wants fewer levels is shown a part, so that all are served by one request."""
_LIVES_MS = 1_500
_MADE_UP = PAPER_MARKETS[0]
_COLUMNS = ("ts", "open", "high", "low", "close", "volume")

_SeriesName = tuple[str, str, Timeframe]


class Markets:
    """What all who look share; lives in one event loop. The made-up market may have a time of its own."""

    def __init__(
        self,
        exchanges: Exchanges,
        lake: CandleLake,
        heartbeat: HeartbeatLog,
        now_ms: Callable[[], int],
        made_up_now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._exchanges = exchanges
        self._lake = lake
        self._heartbeat = heartbeat
        self._now_ms = now_ms
        self._made_up_now_ms = made_up_now_ms or now_ms
        self._answers = SharedAnswers(now_ms, _LIVES_MS)
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._searched: dict[_SeriesName, tuple[int, int]] = {}
        """Spans of which everything that the exchange has is in the lake: gaps in them are gaps there."""

    async def tickers(self, exchange: str, symbols: Sequence[str], *, testnet: bool = False) -> dict[str, Ticker]:
        """Return the last prices by symbol; raise `NotFound` for a symbol that is not listed, `VenueError`."""
        if exchange != _MADE_UP:
            self._need(exchange)
        wanted = tuple(sorted(set(symbols)))
        if not 0 < len(wanted) <= MOST_TICKERS:
            raise BadInput("symbols", len(wanted), "markets.how_many", most=MOST_TICKERS)

        async def asked() -> dict[str, Ticker]:
            if exchange == _MADE_UP:
                return await asyncio.to_thread(lambda: {symbol: self._made_up_ticker(symbol) for symbol in wanted})
            return await self._exchanges.tickers(exchange, wanted, testnet=testnet)

        return await self._answers.get(("tickers", exchange, testnet, wanted), asked)

    async def book(self, exchange: str, symbol: str, levels: int, *, testnet: bool = False) -> Depth:
        """Return the order book, at most ``levels`` deep; raise `NotFound`, `VenueError`."""
        if exchange == _MADE_UP:
            raise NotFound("markets.no_book")
        self._need(exchange)
        asked = next((depth for depth in _DEPTHS if levels <= depth), MOST_LEVELS)
        found = await self._answers.get(
            ("book", exchange, testnet, symbol, asked),
            lambda: self._exchanges.book(exchange, symbol, asked, testnet=testnet),
        )
        return replace(found, bids=found.bids[:levels], asks=found.asks[:levels])

    async def candles(
        self,
        exchange: str,
        symbol: str,
        timeframe: Timeframe,
        *,
        limit: int,
        since: int | None = None,
        until: int | None = None,
    ) -> Candles:
        """Return at most ``limit`` closed candles: from ``since`` on, or else the last ones before ``until`` (ms).

        What the lake lacks is fetched from the exchange and kept. Raises `NotFound` (symbol), `BadInput`, `VenueError`.
        """
        if exchange != _MADE_UP:
            self._need(exchange)
        now = timeframe.floor((self._made_up_now_ms if exchange == _MADE_UP else self._now_ms)())
        end = min(until if until is not None else now, now)
        begin = since if since is not None else max(0, end - limit * _longest_ms(timeframe))
        if begin >= end:
            raise BadInput("since", begin, "markets.span", until=end)
        if since is not None:
            end = min(end, begin + limit * timeframe.ms)
        found = await self._answers.get(
            ("candles", exchange, symbol, timeframe, begin, end),
            lambda: self._complete(exchange, symbol, timeframe, begin, end),
        )
        return found[:limit] if since is not None else found[max(0, len(found) - limit) :]

    def _need(self, exchange: str) -> None:
        if not self._exchanges.knows(exchange):
            raise BadInput("exchange", exchange, "markets.no_exchange")

    async def _complete(self, exchange: str, symbol: str, timeframe: Timeframe, begin: int, end: int) -> Candles:
        if exchange == _MADE_UP:
            return await asyncio.to_thread(self._made_up, symbol, timeframe, begin, end)
        async with self._turns[exchange]:
            return await asyncio.to_thread(self._fetched, exchange, symbol, timeframe, begin, end)

    def _fetched(self, exchange: str, symbol: str, timeframe: Timeframe, begin: int, end: int) -> Candles:
        name = (exchange, symbol, timeframe)
        held = self._held(name, begin, end)
        ranges = missing_ranges(held.ts, timeframe, begin, end)
        lo, hi = self._searched.get(name, (0, 0))
        open_ranges = [(start, stop) for start, stop in ranges if not lo <= start <= stop <= hi]
        if not open_ranges:
            return held
        download(
            self._exchanges.history(exchange),
            self._lake,
            venue=exchange,
            symbol=symbol,
            timeframe=timeframe,
            since=open_ranges[0][0],
            until=open_ranges[-1][1],
        )
        held = self._held(name, begin, end)
        if len(held):  # beyond the last one there may be more that the exchange has not shown yet
            self._searched_through(name, begin, int(held.ts[-1]))
        return held

    def _searched_through(self, name: _SeriesName, begin: int, end: int) -> None:
        lo, hi = self._searched.get(name, (begin, end))
        if begin <= hi and lo <= end:
            begin, end = min(lo, begin), max(hi, end)
        self._searched[name] = (begin, end)

    def _held(self, name: _SeriesName, begin: int, end: int) -> Candles:
        try:
            return self._lake.read(*name, begin, end)
        except NotFound:
            return build(*name, [], *([[]] * 5))

    def _made_up(self, symbol: str, timeframe: Timeframe, begin: int, end: int) -> Candles:
        """Return the candles of the made-up market: those that bots began with, and those that were heard since."""
        name = (_MADE_UP, symbol, timeframe)
        rows: dict[int, tuple[Any, ...]] = {}
        for one in self._held(name, begin, end):
            rows[one.ts] = tuple(getattr(one, column) for column in _COLUMNS)
        for signal in self._heartbeat.seen(_MADE_UP, symbol, timeframe, begin, end):
            rows[signal.candle_ms] = (
                signal.candle_ms,
                *(float(getattr(signal, column)) for column in _COLUMNS[1:]),
            )
        if not rows:
            raise NotFound("markets.nothing_made_up", symbol=symbol)
        ts, *columns = zip(*(rows[at] for at in sorted(rows)), strict=True)
        return build(*name, np.array(ts, dtype=np.int64), *(np.array(one, dtype=np.float64) for one in columns))

    def _made_up_ticker(self, symbol: str) -> Ticker:
        """Return the last prices of the made-up market, as they were heard at the close of each minute."""
        now = self._made_up_now_ms()
        heard = self._heartbeat.seen(_MADE_UP, symbol, Timeframe.M1, now - DAY_MS, now)
        if not heard:
            raise NotFound("markets.nothing_made_up", symbol=symbol)
        first, last = heard[0], heard[-1]
        change = (last.close / first.open - 1) * 100
        return Ticker(
            symbol=symbol,
            ts=last.close_ms,
            last=last.close,
            bid=None,
            ask=None,
            open=first.open,
            high=max(one.high for one in heard),
            low=min(one.low for one in heard),
            volume=sum((one.volume for one in heard), Decimal(0)),
            quote_volume=None,
            change_percent=change.quantize(Decimal("0.001")),
        )


def _longest_ms(timeframe: Timeframe) -> int:
    """Return how long one candle may be: of the calendar month its longest length."""
    return 31 * Timeframe.D1.ms if timeframe.is_calendar else timeframe.ms
