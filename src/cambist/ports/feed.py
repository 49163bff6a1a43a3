"""Live market data of one venue."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from cambist.domain.candles import Candles
from cambist.domain.tick import Tick, TradeTick
from cambist.domain.timeframe import Timeframe

Raw = Callable[[str, int], None]
"""Told every message as it came (text, received ms), before it is parsed."""


class MarketFeed(Protocol):
    """A venue's public stream. Reconnects by itself; a `FeedStatus` stands wherever something may have been missed."""

    venue: str

    def ticks(self, symbols: Iterable[str], raw: Raw | None = None) -> AsyncIterator[Tick]:
        """Yield trades and 1m candles of ``symbols`` as they come, until the iterator is closed."""
        ...


class RecentMarket(Protocol):
    """What is asked to fill a gap: a venue's recent history, without blocking."""

    async def candles(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> Candles:
        """Return the closed candles that open in ``[since, until)`` (ms), as far as the venue has them."""
        ...

    async def trades(self, symbol: str, first_id: int, last_id: int) -> list[TradeTick]:
        """Return the public trades with these ids (inclusive), in order."""
        ...
