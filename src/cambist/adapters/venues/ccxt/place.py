"""One exchange as all its accounts share it: its markets, its clock, its budget."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

from cambist.adapters.venues.ccxt.client import load_only, market_kind
from cambist.adapters.venues.ccxt.errors import translate
from cambist.adapters.venues.ccxt.pace import Pacer, errand
from cambist.adapters.venues.ccxt.quirks import Quirks
from cambist.adapters.venues.ccxt.rules import instrument_of
from cambist.adapters.venues.ccxt.shared import Clock, open_exchange, open_session, refresh, view_of, wall_ms
from cambist.domain.credentials import Credentials
from cambist.domain.errors import CambistError, NotFound, VenueError
from cambist.domain.instrument import Instrument
from cambist.domain.text import say
from cambist.market.budget import Urgency
from cambist.ports.budget import BudgetMemory

_log = logging.getLogger(__name__)

_NEWS_MS = 600_000
"""Markets that are known for so long may lack one that was listed since."""

T = TypeVar("T")
Progress = Callable[[str, int | None], None]
"""Called with an exchange's name: once with None when its markets are asked for, then with how many there are."""


class Place:
    """One exchange, or its testnet: loaded once, whatever the number of users. Lives in one event loop."""

    def __init__(
        self,
        quirks: Quirks,
        *,
        testnet: bool = False,
        base_url: str | None = None,
        timeout_s: float = 10.0,
        memory: BudgetMemory | None = None,
        progress: Progress | None = None,
        now_ms: Callable[[], int] | None = None,
        speed: float = 1.0,
    ) -> None:
        self.quirks = quirks
        self.name = quirks.id
        place = f"{quirks.id}-testnet" if testnet else quirks.id
        self.pacer = Pacer(quirks, place, memory, now_ms=now_ms, speed=speed)
        clock = Clock(now_ms or wall_ms)
        self.exchange = open_exchange(
            quirks, self.pacer, clock, base_url=base_url, testnet=testnet, timeout_s=timeout_s
        )
        self._progress = progress
        self._kinds: set[str] = set()
        self._loaded_ms: int | None = None
        self._loading: asyncio.Task[None] | None = None
        self._measuring: asyncio.Task[None] | None = None
        self._clock_known = False

    async def ready(self, symbols: Iterable[str] = ()) -> None:
        """Return once the markets of ``symbols`` are loaded and the venue's clock is known.

        A symbol that is not among them may have been listed since: they are asked for anew, but not again and again.
        Whoever asks while they load waits for the same load; one who goes away does not stop it. Raises the
        `VenueError` tree.
        """
        symbols = tuple(symbols)
        if self.exchange.session is None:
            open_session(self.exchange)
        while wanted := {"spot", *map(market_kind, symbols)} - self._kinds:
            if self._loading is None or self._loading.done():
                self._loading = asyncio.create_task(self._load(wanted))
            await asyncio.shield(self._loading)
        if self._outdated and any(symbol not in self.exchange.markets for symbol in symbols):
            await self.reload(())
        if not self._clock_known:
            await self.measure_clock()

    async def reload(self, symbols: Iterable[str]) -> None:
        """Ask anew which markets there are, of the kinds of ``symbols`` and of those that are loaded.

        The old ones serve until the new ones have come. Many callers share one load. Raises the `VenueError` tree.
        """
        wanted = tuple(symbols)
        if self.exchange.session is None:
            open_session(self.exchange)
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._load({"spot", *map(market_kind, wanted)}))
        await asyncio.shield(self._loading)
        await self.ready(wanted)

    async def measure_clock(self) -> None:
        """Measure how far the venue's clock is ahead of ours; many callers share one measurement."""
        if self._measuring is None or self._measuring.done():
            self._measuring = asyncio.create_task(self._measure())
        await asyncio.shield(self._measuring)

    async def clock_ms(self) -> int:
        """Return the venue's time, asked now where the venue can be asked."""
        if self.exchange.has.get("fetchTime") is not True:
            return self.now_ms()
        return await self._their_clock_ms(Urgency.MARKET)

    def now_ms(self) -> int:
        """Return the venue's time by our clock and what we know of the difference."""
        return int(self.exchange.milliseconds())

    async def ask(self, question: Callable[[], Awaitable[T]], urgency: Urgency = Urgency.MARKET) -> T:
        """Return the answer to a public ``question``; raises the `VenueError` tree."""
        try:
            with errand(urgency):
                return await question()
        except CambistError:
            raise
        except Exception as error:
            raise translate(error, self.name) from error

    async def instrument(self, symbol: str) -> Instrument:
        """Return the rules of ``symbol``; raise `NotFound`."""
        await self.ready((symbol,))
        market = self.exchange.markets.get(symbol)
        if market is None:
            raise NotFound("venue.symbol_unknown", venue=self.name, symbol=symbol)
        return instrument_of(self.name, market, self.exchange.precisionMode)

    def view(self, credentials: Credentials) -> Any:
        """Return ccxt's exchange as the owner of ``credentials`` sees it."""
        return view_of(self.exchange, credentials)

    def refresh(self, view: Any) -> None:
        """Let ``view`` see the markets and the session of now."""
        view.session = self.exchange.session
        refresh(view, self.exchange)

    async def close(self) -> None:
        """Close the HTTP session that all accounts share."""
        for task in (self._loading, self._measuring):
            if task is not None and not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, VenueError):
                    await task
        session, self.exchange.session = self.exchange.session, None
        if session is not None:
            await session.close()

    @property
    def _outdated(self) -> bool:
        return self._loaded_ms is not None and self.exchange.clock.ours_ms() - self._loaded_ms > _NEWS_MS

    async def _load(self, wanted: set[str]) -> None:
        kinds = self._kinds | wanted
        if self._progress is not None:
            self._progress(self.name, None)
        load_only_kinds(self.exchange, kinds)
        await self.ask(lambda: self.exchange.load_markets(True), Urgency.ACCOUNT)
        self._kinds, self._loaded_ms = kinds, self.exchange.clock.ours_ms()
        if self._progress is not None:
            self._progress(self.name, len(self.exchange.markets))

    async def _their_clock_ms(self, urgency: Urgency) -> int:
        async def read() -> int:
            return int(await self.exchange.fetch_time())

        return await self.ask(read, urgency)

    async def _measure(self) -> None:
        if self.exchange.has.get("fetchTime") is True:
            clock = self.exchange.clock
            began_ms = clock.ours_ms()
            there_ms = await self._their_clock_ms(Urgency.CANCEL)  # everything waits for it
            clock.ahead_ms = round(there_ms - (began_ms + clock.ours_ms()) / 2)
            _log.info("%s", say("venue.clock", venue=self.name, ms=clock.ahead_ms))
        self._clock_known = True


def load_only_kinds(exchange: Any, kinds: set[str]) -> None:
    """Make ``exchange`` load the markets of all ``kinds`` (`market_kind`), and no others where it can be told."""
    wish = exchange.options.get("fetchMarkets")
    if not isinstance(wish, dict) or not isinstance(wish.get("types"), list):
        return
    chosen: list[str] = []
    for kind in sorted(kinds):
        load_only(exchange, kind)
        chosen += [name for name in wish["types"] if name not in chosen]
    wish["types"] = chosen
