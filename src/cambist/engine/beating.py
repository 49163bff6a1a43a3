"""A heartbeat that grows: when a bot trades what nobody listened to yet, it begins anew with that too."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from cambist.ports.book import Register
from cambist.ports.clock import Clock

_LOOK_S = 2.0


class Beats(Protocol):
    """A heartbeat, and what has to run for it."""

    async def run(self) -> None:
        """Run until cancelled, or until there is no more to hear."""
        ...


class Beating:
    """Keeps one heartbeat running for ``symbols`` and those of all bots in ``register``."""

    def __init__(
        self,
        make: Callable[[tuple[str, ...]], Beats],
        register: Register,
        clock: Clock,
        symbols: Iterable[str],
        *,
        heard: Callable[[str], bool] = lambda symbol: True,
        pace: float = 1.0,
    ) -> None:
        """``heard`` tells whether the market has a symbol; a bot on another one is not listened for."""
        self._make = make
        self._register = register
        self._clock = clock
        self._symbols = frozenset(symbols)
        self._heard = heard
        self._look_s = _LOOK_S * pace

    async def run(self) -> None:
        """Beat until cancelled or until the feed ends; raise what the heartbeat raises."""
        while True:
            symbols = await self._wanted()
            while not symbols:
                await self._clock.sleep(self._look_s)
                symbols = await self._wanted()
            beating = asyncio.create_task(self._make(tuple(sorted(symbols))).run())
            more = asyncio.create_task(self._until_more(symbols))
            try:
                await asyncio.wait((beating, more), return_when=asyncio.FIRST_COMPLETED)
                if beating.done():
                    return beating.result()
            finally:
                for task in (beating, more):
                    task.cancel()
                await asyncio.wait((beating, more))

    async def _wanted(self) -> frozenset[str]:
        bots = await asyncio.to_thread(self._register.bots)
        return self._symbols | {bot.symbol for bot in bots if self._heard(bot.symbol)}

    async def _until_more(self, symbols: frozenset[str]) -> None:
        while await self._wanted() <= symbols:
            await self._clock.sleep(self._look_s)
