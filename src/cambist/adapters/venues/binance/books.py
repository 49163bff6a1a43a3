"""Order books of Binance, kept in step with the venue: the stream's changes over a snapshot by REST."""

import asyncio
import logging
from collections.abc import AsyncGenerator

from cambist.adapters.venues.binance.feed import BinanceFeed
from cambist.adapters.venues.binance.recent import BinanceRecent
from cambist.domain.errors import RateLimited, VenueUnavailable
from cambist.domain.tick import DepthTick, FeedStatus
from cambist.market.backoff import wait_s
from cambist.market.order_book import BookKeeper, OrderBook, Step

_log = logging.getLogger(__name__)


async def books(
    feed: BinanceFeed, recent: BinanceRecent, symbol: str, levels: int = 1_000
) -> AsyncGenerator[OrderBook | None, None]:
    """Yield the book of ``symbol`` after each change; None once when it can no longer be trusted.

    It is the same object while it is in step. After a gap, an interruption, or when it is crossed, it is discarded
    and built anew from another snapshot of ``levels`` a side. Raises what the venue refuses.
    """
    keeper, connected = BookKeeper(symbol), False
    asking: asyncio.Task[None] | None = None
    changes = feed.depth(symbol)
    try:
        async for tick in changes:
            trusted = keeper.book is not None
            if isinstance(tick, FeedStatus):
                connected = tick.up
                keeper.forget()
            elif isinstance(tick, DepthTick):
                _follow(keeper, tick)
            if keeper.book is not None:
                yield keeper.book
            elif trusted:
                yield None
            if asking is not None and asking.done():
                asking.result()
                asking = None
            if keeper.book is None and connected and asking is None:
                asking = asyncio.create_task(_load(keeper, recent, symbol, levels))
            elif not connected:
                await _stopped(asking)  # a book without its changes would grow old unseen
                asking = None
    finally:
        await _stopped(asking)
        await changes.aclose()


def _follow(keeper: BookKeeper, tick: DepthTick) -> None:
    if keeper.change(tick) is Step.GAP:
        _log.warning("%s: book updates %s never came", keeper.symbol, keeper.lost)
    if keeper.book is not None and keeper.book.crossed:
        _log.warning("%s: the book is crossed at update %d", keeper.symbol, tick.last_update)
        keeper.forget()


async def _stopped(asking: "asyncio.Task[None] | None") -> None:
    if asking is not None:
        asking.cancel()
        await asyncio.wait({asking})


async def _load(keeper: BookKeeper, recent: BinanceRecent, symbol: str, levels: int) -> None:
    """Give ``keeper`` snapshots until one fits."""
    attempt = 0
    while True:
        attempt += 1
        pause = wait_s(attempt, seed=symbol)
        try:
            if keeper.snapshot(await recent.book(symbol, levels)):
                return
        except VenueUnavailable as error:
            asked = error.retry_after_s if isinstance(error, RateLimited) else None
            pause = max(pause, asked or 0.0)
            _log.warning("%s: %.1f s", error, pause)
        await asyncio.sleep(pause)
