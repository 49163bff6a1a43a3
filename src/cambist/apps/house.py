"""Everything that trades in one process: a market, its heartbeat, the engine with its accounts, and who watches."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from decimal import Decimal
from functools import partial
from typing import Any

from cambist.apps import bootstrap
from cambist.apps.settings import Settings
from cambist.domain.account import AccountSpec, Mode
from cambist.domain.errors import BadInput, VenueRefused
from cambist.domain.instrument import Instrument
from cambist.domain.market import Listing
from cambist.domain.tick import Tick
from cambist.domain.timeframe import DAY_MS, MINUTE_MS, Timeframe
from cambist.engine.account import Account
from cambist.engine.audit import Audit
from cambist.engine.beating import Beating, Beats
from cambist.engine.floor import Book, Floor
from cambist.engine.heartbeat import Heartbeat
from cambist.engine.paper import resume
from cambist.engine.recovery import recover
from cambist.engine.seating import Surroundings
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.market.synthetic import synthetic_market, synthetic_rules
from cambist.ports.feed import MarketFeed, Raw
from cambist.ports.venue import Venue

MADE_UP, BINANCE = "simulated", "binance"
MARKETS = (MADE_UP, BINANCE)
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
"""What is listened to, whatever the bots trade."""
GRACE_S = 3.0
_SEED = 7
_HISTORY_DAYS = 10
_AHEAD = 90 * DAY_MS // MINUTE_MS
"""Minutes of market made ahead."""
_LATE_MS = 5_000
_LAST_WORDS_S = 1.0

Rules = Callable[[str], Coroutine[Any, Any, Instrument]]


class MadeUp:
    """A synthetic market that rests while nobody plays it: it goes on where the paper accounts left it."""

    name = MADE_UP
    late_ms = None
    rules = None

    def __init__(self, settings: Settings, speed: float) -> None:
        known = _world(settings)
        history = _HISTORY_DAYS * DAY_MS
        series = synthetic_market(
            SYMBOLS,
            start_ms=known["start_ms"],
            count=history // MINUTE_MS + _AHEAD,
            timeframe=Timeframe.M1,
            seed=known["seed"],
        ).values()
        now_ms = max(known["start_ms"] + history, _last_played(settings))
        if now_ms >= int(next(iter(series)).ts[-1]):
            raise BadInput("made_up_market.json", str(known), "running.market_over", file=_world_file(settings))
        self.speed = speed
        self.clock = bootstrap.running_clock(speed, now_ms)
        self._symbols = bootstrap.symbols(settings)
        self._instruments = [synthetic_rules(candles, MADE_UP) for candles in series]
        self.exchange = Exchange(self._instruments, Costs(), by_law=True, first_id=now_ms)
        self.recent = self.prices = self._feed = bootstrap.made_up_feed(self.exchange, self.clock, series)

    def listen(self, symbols: tuple[str, ...]) -> tuple[MarketFeed, tuple[Beats, ...]]:
        """Return the feed alone: the market plays whether anybody listens or not."""
        return self._feed, ()

    def heard(self, symbol: str) -> bool:
        """Tell whether ``symbol`` is traded here."""
        return symbol in SYMBOLS

    async def run(self) -> None:
        """List what is traded, for people to search, and play the market to its end."""
        listed = [Listing.of(one) for one in self._instruments]
        await asyncio.to_thread(self._symbols.replace, MADE_UP, False, listed, time.time_ns() // 1_000_000)
        await self._feed.run()

    async def close(self) -> None:
        """Do nothing: nothing was opened."""


class Mirror:
    """Binance's live market, for paper accounts repeated into a simulated exchange."""

    name = BINANCE
    late_ms: int | None = _LATE_MS
    speed = 1.0

    def __init__(self, settings: Settings, rules: Rules) -> None:
        self._settings = settings
        self.rules: Rules | None = rules
        self.clock = bootstrap.running_clock()
        self.exchange = Exchange([], Costs(), first_id=self.clock.now_ms())
        self.recent = self._recent = bootstrap.live_recent(settings)
        self.prices = self
        self.venue = BINANCE
        self._feed: MarketFeed | None = None

    async def ticks(self, symbols: Iterable[str], raw: Raw | None = None) -> AsyncIterator[Tick]:
        """Yield what the exchange has seen, as long as the present heartbeat lasts."""
        if self._feed is not None:
            async for tick in self._feed.ticks(symbols, raw):
                yield tick

    def listen(self, symbols: tuple[str, ...]) -> tuple[MarketFeed, tuple[Beats, ...]]:
        """Return a mirror of ``symbols``, which must run."""
        feed = self._feed = bootstrap.mirrored_feed(self.exchange, self.clock, symbols, self._settings)
        return feed, (feed,)

    def heard(self, symbol: str) -> bool:
        """Return True: what Binance does not have, it says when it is asked."""
        return True

    async def run(self) -> None:
        """Do nothing: the mirror runs with its heartbeat."""

    async def close(self) -> None:
        """Close the connections."""
        await self._recent.close()


Market = MadeUp | Mirror
"""What a house stands on."""


class _Together:
    def __init__(self, *runs: Beats) -> None:
        self._runs = runs

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for one in self._runs:
                tasks.create_task(one.run())


class House:
    """One process with all that trading needs. ``live``: real money may be traded.

    ``apart``: heartbeat and gateway are processes of their own, over the bus; the engine alone is here.
    """

    def __init__(
        self, settings: Settings, market: str, *, speed: float = 1.0, live: bool = False, apart: bool = False
    ) -> None:
        if market not in MARKETS:
            raise BadInput("--venue", market, "running.markets", known=" ".join(MARKETS))
        self._settings = settings
        self._live = live
        self._apart = apart
        self._kept = bootstrap.journal(settings)
        self.gateway = bootstrap.gateway(settings)
        self.market: Market = (
            MadeUp(settings, speed) if market == MADE_UP else Mirror(settings, self.gateway.place(BINANCE).instrument)
        )
        self.bus = bootstrap.bus(settings)
        self.register = bootstrap.register(settings)
        self.metrics = bootstrap.metrics()
        self._audit = Audit(self.bus, self.market.clock)
        self.floor = Floor(
            Book(journal=lambda: bootstrap.journal(settings), lease=bootstrap.lease(settings)),
            Surroundings(
                register=self.register,
                bus=self.bus,
                clock=self.market.clock,
                wall=bootstrap.running_clock(),
                alerts=bootstrap.alerts(self.register, self._audit),
                recent=self.market.recent,
                market=self.market.name,
                prices=self.market.prices,
                lake=bootstrap.lake(settings),
                open_venue=self._open_venue,
                open_strategy=partial(bootstrap.open_strategy, settings),
                caps=partial(bootstrap.caps_of, settings),
                late_ms=self.market.late_ms,
                pace=self.market.speed,
            ),
            self.metrics,
            self._audit.heard,
        )

    async def run(self, *also: Coroutine[Any, Any, None]) -> None:
        """Run until cancelled or until one of ``also`` ends; what was opened is closed."""
        async with AsyncExitStack() as opened:
            for one in (self.bus, self.gateway, self.market):
                opened.push_async_callback(one.close)
            telling = asyncio.create_task(self._audit.run())
            tasks = [asyncio.create_task(one) for one in (self.floor.run(), self._beat(), *also)]
            try:
                await asyncio.wait((telling, *tasks), return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _end(tasks)
                with suppress(TimeoutError):  # what happened last is told too, if the bus takes it
                    await asyncio.wait_for(self._audit.settled(), _LAST_WORDS_S)
                await _end([telling])
            for task in (telling, *tasks):
                if not task.cancelled():
                    task.result()

    async def _beat(self) -> None:
        await self.floor.up.wait()
        market = self.market
        beating = Beating(self._heartbeat, self.register, market.clock, SYMBOLS, heard=market.heard, pace=market.speed)
        await asyncio.gather(beating.run(), self.market.run())

    def _heartbeat(self, symbols: tuple[str, ...]) -> Beats:
        feed, runs = self.market.listen(symbols)
        if self._apart:
            return _Together(*runs)
        log = bootstrap.heartbeat_log(self._settings)
        market = self.market
        grace_s = GRACE_S * market.speed
        beat = Heartbeat(feed, market.recent, self.bus, log, market.clock, symbols, grace_s=grace_s)
        return _Together(beat, *runs)

    # -- venues -------------------------------------------------------------------------------------------------------

    async def _open_venue(self, spec: AccountSpec) -> Venue:
        if spec.mode is Mode.PAPER:
            return await self._paper(spec)
        if self.market.name == MADE_UP:
            raise VenueRefused("running.other_market", market=MADE_UP, venue=BINANCE)
        if spec.mode is Mode.LIVE and not self._live:
            raise VenueRefused("running.not_live")
        if self._apart:
            return await bootstrap.bus_venue(spec.id, self.bus)
        return await bootstrap.account_venue(self.gateway, self._settings, spec)

    async def _paper(self, spec: AccountSpec) -> Venue:
        if spec.venue != self.market.name:
            raise VenueRefused("running.other_market", market=self.market.name, venue=spec.venue)
        await asyncio.to_thread(self._resume, spec)
        return bootstrap.paper_venue(self.market.exchange, spec, self.market.clock, self.market.rules)

    def _resume(self, spec: AccountSpec) -> None:
        """Bring the simulated exchange to where the account's journal ends, whatever it remembers by itself."""
        exchange = self.market.exchange
        exchange.forget(spec.id)  # another process may have traded the account meanwhile
        known = recover(Account(spec, bootstrap.traits_of(spec)), self._kept).account
        if known.opened:
            resume(exchange, known)
        else:
            deposit = Decimal((spec.settings or {}).get("deposit", "0"))
            exchange.add_account(spec.id, {spec.quote: deposit})


async def _end(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _world_file(settings: Settings) -> str:
    return str(settings.home / "made_up_market.json")


def _world(settings: Settings) -> dict[str, int]:
    """Return which made-up market this home has: its seed, and when it begins (ms)."""
    file = settings.home / "made_up_market.json"
    if file.is_file():
        known: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
        return known
    now_ms = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
    begun = {"seed": _SEED, "start_ms": now_ms - _HISTORY_DAYS * DAY_MS}
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = file.with_suffix(".new")
    whole.write_text(json.dumps(begun), encoding="utf-8")
    whole.replace(file)  # whole or not at all, whatever ends us
    return begun


def _last_played(settings: Settings) -> int:
    """Return the last moment that a paper account on the made-up market knows of (ms)."""
    journal = bootstrap.journal(settings)
    specs = [spec for spec in bootstrap.register(settings).accounts() if spec.venue == MADE_UP]
    accounts = (recover(Account(spec, bootstrap.traits_of(spec)), journal).account for spec in specs)
    return max((account.now_ms for account in accounts), default=0)
