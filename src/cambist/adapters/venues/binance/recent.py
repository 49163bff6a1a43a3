"""Binance's recent history over its public REST (`cambist.ports.feed.RecentMarket`), without blocking.

Each call asks once: waiting and asking again is the caller's, who knows what else uses the same budget of requests.
"""

from typing import Any

import aiohttp

from cambist.adapters.venues.binance.messages import VENUE, Fields, market_id, read_json
from cambist.domain.candles import Candles
from cambist.domain.errors import NotFound, ParseError, RateLimited, VenueRefused, VenueUnavailable
from cambist.domain.order import Side
from cambist.domain.text import say
from cambist.domain.tick import TradeTick
from cambist.domain.timeframe import Timeframe
from cambist.market.order_book import BookSnapshot
from cambist.market.resample import resample
from cambist.market.series import build

_PAGE = 1_000
_UNKNOWN_SYMBOL = -1121
_QUOTED = 200
# what Binance does not keep, from the largest that it does
_MADE_FROM = {Timeframe.M10: Timeframe.M5}


class BinanceRecent:
    """Closed candles, trades by id, and books of the spot market at ``base_url``.

    Raises `NotFound` (symbol), `VenueRefused`, `VenueUnavailable`, `RateLimited` with the wait that the venue asks
    for, and `ParseError`. Close it when done.
    """

    venue = VENUE

    def __init__(self, base_url: str = "https://api.binance.com", *, timeout_s: float = 10.0) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def candles(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> Candles:
        """Return the closed candles that open in ``[since, until)`` (ms), as far as the venue has them.

        Closed is judged by the venue's clock.
        """
        source = _MADE_FROM.get(timeframe, timeframe)
        until = min(until, timeframe.floor(await self.clock_ms()))
        rows: list[tuple[Any, ...]] = []
        while since < until:
            page = await self._rows(
                "klines",
                symbol=market_id(symbol),
                interval=str(source),
                startTime=since,
                endTime=until - 1,
                limit=_PAGE,
            )
            rows += (_candle(row) for row in page)
            if len(page) < _PAGE:
                break
            since = rows[-1][0] + 1
        columns = zip(*rows, strict=True) if rows else ((),) * 6
        found = build(VENUE, symbol, source, *columns)
        return found if source is timeframe else resample(found, timeframe)

    async def trades(self, symbol: str, first_id: int, last_id: int) -> list[TradeTick]:
        """Return the public trades with these ids (inclusive), in order, as far as the venue has them."""
        found: list[TradeTick] = []
        while first_id <= last_id:
            limit = min(_PAGE, last_id - first_id + 1)
            page = await self._rows("historicalTrades", symbol=market_id(symbol), fromId=first_id, limit=limit)
            read = [_trade(row, symbol) for row in page]
            found += (trade for trade in read if first_id <= trade.id <= last_id)
            if not read or read[-1].id < first_id:
                break
            first_id = read[-1].id + 1
        return found

    async def book(self, symbol: str, levels: int = 1_000) -> BookSnapshot:
        """Return the best ``levels`` (at most 5000) of each side of the order book."""
        text, body = await self._ask("depth", symbol=market_id(symbol), limit=levels)
        fields = Fields(body, text, "depth")
        return BookSnapshot(
            symbol=symbol,
            last_update=fields.number("lastUpdateId"),
            bids=fields.levels("bids"),
            asks=fields.levels("asks"),
        )

    async def clock_ms(self) -> int:
        """Return the venue's time."""
        text, body = await self._ask("time")
        return Fields(body, text, "time").time("serverTime")

    async def _rows(self, path: str, **params: str | int) -> list[Any]:
        text, body = await self._ask(path, **params)
        if not isinstance(body, list):
            raise ParseError("feed.not_rows", venue=VENUE, kind=path, start=text[:_QUOTED])
        return body

    async def _ask(self, path: str, **params: str | int) -> tuple[str, Any]:
        """Return the answer, as text and decoded."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.get(f"{self._base_url}/api/v3/{path}", params=params) as answer:
                text = await answer.text()
                status, wait = answer.status, answer.headers.get("Retry-After")
        except TimeoutError:
            raise VenueUnavailable("venue.unavailable", venue=VENUE, detail=say("venue.detail.timeout")) from None
        except (aiohttp.ClientError, OSError) as error:
            raise VenueUnavailable("venue.unavailable", venue=VENUE, detail=say("venue.detail.connection")) from error
        if status != 200:
            _refuse(status, text, wait)
        return text, read_json(text)


def _refuse(status: int, text: str, retry_after: str | None) -> None:
    """Raise what an answer with ``status`` means."""
    detail, code = f"HTTP {status}", 0
    try:
        fields = Fields(read_json(text), text, "error")
        code = fields.number("code")
        detail = f"{code} {fields.word('msg')}"
    except ParseError:
        pass  # a page of a proxy, not the venue's word: the status must do
    if status in (418, 429):
        wait = float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
        raise RateLimited("venue.rate_limited", wait, venue=VENUE, detail=detail)
    if code == _UNKNOWN_SYMBOL:
        raise NotFound("venue.not_found", venue=VENUE, detail=detail)
    if 400 <= status < 500 and status not in (403, 408):
        raise VenueRefused("venue.refused", venue=VENUE, detail=detail)
    raise VenueUnavailable("venue.unavailable", venue=VENUE, detail=detail)


def _candle(row: Any) -> tuple[Any, ...]:
    fields = _numbered(row, ("t", "o", "h", "l", "c", "v"), "kline")
    prices = (float(fields.price(name)) for name in ("o", "h", "l", "c"))
    return (fields.time("t"), *prices, float(fields.quantity("v")))


def _numbered(row: Any, names: tuple[str, ...], kind: str) -> Fields:
    """Return the fields of a row whose places have no names."""
    if not isinstance(row, list) or len(row) < len(names):
        raise ParseError("feed.not_rows", venue=VENUE, kind=kind, start=str(row)[:_QUOTED])
    return Fields(dict(zip(names, row, strict=False)), str(row), kind)


def _trade(row: Any, symbol: str) -> TradeTick:
    fields = Fields(row, str(row), "trade")
    return TradeTick(
        symbol=symbol,
        id=fields.number("id"),
        ts=fields.time("time"),
        price=fields.price("price"),
        quantity=fields.quantity("qty"),
        taker=Side.SELL if fields.flag("isBuyerMaker") else Side.BUY,
    )
