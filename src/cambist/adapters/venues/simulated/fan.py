"""Ticks to everybody who follows a market."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from cambist.domain.tick import FeedStatus, Tick
from cambist.domain.wire import to_text
from cambist.ports.clock import Clock
from cambist.ports.feed import Raw

BACKLOG = 1_024
"""Ticks that a follower may be behind before the market waits for it."""

_Queue = asyncio.Queue[Tick | None]


class Fan:
    """Hands ticks to followers in the order in which they come. A slow follower slows the market, it loses nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._followers: dict[_Queue, frozenset[str]] = {}
        self._over = False

    async def put(self, tick: Tick) -> None:
        """Hand ``tick`` to all who follow its symbol (a `FeedStatus`: to all)."""
        for queue, symbols in list(self._followers.items()):
            if isinstance(tick, FeedStatus) or tick.symbol in symbols:
                await queue.put(tick)

    async def settled(self) -> None:
        """Wait until every follower has dealt with what it was handed: it has come back for more, or has left."""
        for queue in list(self._followers):
            await queue.join()

    async def end(self) -> None:
        """Let the streams of all followers end, those to come included."""
        self._over = True
        for queue in list(self._followers):
            await queue.put(None)

    async def follow(self, symbols: Iterable[str], raw: Raw | None) -> AsyncIterator[Tick]:
        """Yield the ticks of ``symbols`` from the first step on, until the market ends or the iterator is closed."""
        queue: _Queue = asyncio.Queue(BACKLOG)
        if not self._over:
            self._followers[queue] = frozenset(symbols)
        in_hand = False
        try:
            yield FeedStatus(up=True, ts=self._clock.now_ms())
            while queue in self._followers:
                tick = await queue.get()
                in_hand = True
                if tick is None:
                    return
                if raw is not None:
                    raw(to_text(Tick, tick), self._clock.now_ms())
                yield tick
                queue.task_done()
                in_hand = False
        finally:
            self._followers.pop(queue, None)
            if in_hand:
                queue.task_done()
            while not queue.empty():  # lets go whoever waits to hand over, or for us to be done
                queue.get_nowait()
                queue.task_done()
