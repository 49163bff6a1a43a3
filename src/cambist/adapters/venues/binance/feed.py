"""Binance's public spot streams, over WebSockets of our own (`cambist.ports.feed.MarketFeed`)."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

import aiohttp

from cambist.adapters.venues.binance.messages import VENUE, market_id
from cambist.adapters.venues.binance.sockets import Connection, Outlet, Patience, wall_ms
from cambist.domain.errors import BadInput
from cambist.domain.tick import Tick
from cambist.ports.feed import Raw

_MOST_STREAMS = 1024  # on one connection, says the venue
_MOST_WAITING = 200_000  # ticks; a reader further behind has lost touch with the market
_BREATH = 64  # ticks handed over without letting others run
_PATIENT = Patience()


class BinanceFeed:
    """Trades and 1m candles of any number of symbols, and changes of order books.

    ``base_url`` is the stream's host, ``wss://...`` (or ``ws://...``: the project's simulators). ``now_ms`` stamps what
    is received. A message that cannot be read is logged and passed on as a `FeedStatus` that says why: something may
    have been missed.
    """

    venue = VENUE

    def __init__(
        self,
        base_url: str = "wss://stream.binance.com:9443",
        *,
        patience: Patience = _PATIENT,
        now_ms: Callable[[], int] = wall_ms,
        most_waiting: int = _MOST_WAITING,
        most_streams: int = _MOST_STREAMS,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/stream"
        self._patience, self._now_ms = patience, now_ms
        self._most_waiting, self._most_streams = most_waiting, most_streams

    def ticks(self, symbols: Iterable[str], raw: Raw | None = None) -> AsyncGenerator[Tick, None]:
        """Yield trades and 1m candles of ``symbols`` as they come, until the iterator is closed.

        Raises `BadInput` without a symbol, and `VenueRefused` if the venue refuses the subscription.
        """
        return self._listen(symbols, ("trade", "kline_1m"), raw)

    def depth(self, symbol: str, raw: Raw | None = None) -> AsyncGenerator[Tick, None]:
        """Yield the changes of the order book of ``symbol``, ten times a second at most."""
        return self._listen((symbol,), ("depth@100ms",), raw)

    async def _listen(
        self, symbols: Iterable[str], kinds: Sequence[str], raw: Raw | None
    ) -> AsyncGenerator[Tick, None]:
        names = {market_id(symbol): symbol for symbol in symbols}
        if not names:
            raise BadInput("symbols", "", "feed.symbols")
        streams = [f"{name.lower()}@{kind}" for name in names for kind in kinds]
        outlet = Outlet(self._most_waiting, self._now_ms)
        async with aiohttp.ClientSession() as session:
            tasks = [
                asyncio.create_task(
                    Connection(
                        session,
                        self._url,
                        streams[at : at + self._most_streams],
                        names,
                        outlet,
                        patience=self._patience,
                        now_ms=self._now_ms,
                        raw=raw,
                    ).run()
                )
                for at in range(0, len(streams), self._most_streams)
            ]
            for task in tasks:
                task.add_done_callback(lambda ended: _pass_on(ended, outlet))
            try:
                handed = 0
                while True:
                    yield await outlet.take()
                    handed += 1
                    if handed % _BREATH == 0:
                        await asyncio.sleep(0)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)


def _pass_on(ended: "asyncio.Task[None]", outlet: Outlet) -> None:
    if not ended.cancelled() and (error := ended.exception()) is not None:
        outlet.fail(error)
