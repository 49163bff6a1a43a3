"""The process that is killed: an engine with one bot, on the real venue adapter, journal and feed, before the box."""

import asyncio
import logging
import os
import signal
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TypeVar, cast

from cambist.apps import bootstrap
from cambist.apps.drill.clock import SharedClock
from cambist.apps.drill.killing import DeadlyJournal, DeadlyVenue, Kill, Killer, die
from cambist.apps.settings import Settings
from cambist.apps.settings import load as load_settings
from cambist.domain.account import AccountSpec, BotSpec, BotStatus, Mode
from cambist.domain.alert import Alert
from cambist.domain.candles import Candle, Candles
from cambist.domain.errors import CambistError, NotFound
from cambist.domain.event import BotAdded, BotChanged
from cambist.domain.record import record
from cambist.domain.signal import Signal
from cambist.domain.timeframe import Timeframe
from cambist.engine.account import Account
from cambist.engine.asking import Asker
from cambist.engine.bots import Bots
from cambist.engine.heartbeat import Heartbeat
from cambist.engine.live import Engine, Lane
from cambist.execution.orders import Life
from cambist.ports.book import Journal
from cambist.ports.bus import HEARTBEAT, Delivery
from cambist.ports.feed import MarketFeed, RecentMarket
from cambist.ports.venue import Venue
from cambist.strategies._load import load

T = TypeVar("T")
ACCOUNT, BOT, VENUE = "drill", "bot", "binance"
KEY, SECRET = "drill-key", "drill-secret"
_LOOK_S = 0.002  # how often the drill is told whether we are quiet


@record(kw_only=True)
class Setup:
    """What an engine of the drill is told when it is started."""

    folder: Path
    """Of this run: clock, database, and where deaths are noted."""
    url: str
    speed: float
    strategy: str
    symbol: str
    budget: Decimal
    history: int
    """How many closed candles the strategy needs."""
    kill: Kill | None = None

    @property
    def settings(self) -> Settings:
        """Return where the book of this run is, and its exchange."""
        return settings_in(self.folder, self.url)

    @property
    def clock(self) -> Path:
        """Return the file of the clock."""
        return self.folder / "clock"

    @property
    def deaths(self) -> Path:
        """Return the file in which engines say at which step they died."""
        return self.folder / "deaths"

    @property
    def falls(self) -> Path:
        """Return the file in which an engine says what made it end by itself."""
        return self.folder / "falls"

    @property
    def account(self) -> AccountSpec:
        """Return whose money it is."""
        return AccountSpec(id=ACCOUNT, user_id=1, venue=VENUE, mode=Mode.TESTNET, quote=self.symbol.split("/")[1])


def settings_in(folder: Path, url: str = "") -> Settings:
    """Return the settings of the run in ``folder``."""
    told = {"CAMBIST_HOME": str(folder), "CAMBIST_KEY_DRILL": KEY, "CAMBIST_SECRET_DRILL": SECRET}
    return load_settings(told | {"CAMBIST_VENUE_URL": url})


def engine_process(setup: Setup) -> None:
    """Run the engine until it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the drill, which ends us in its own way
    logging.disable(logging.CRITICAL)  # all that goes wrong here is meant to; what comes of it is judged by the book
    asyncio.run(_live_or_fall(setup))


async def _live_or_fall(setup: Setup) -> None:
    """Live; whatever ends an engine that should have lived on is noted, and ends the process at once."""
    try:
        await _live(setup)
    except BaseException:  # noqa: BLE001 - nothing goes on after it: it is written down, and the process is over
        setup.falls.write_text(traceback.format_exc(), encoding="utf-8")
        os._exit(1)  # not by way of a tidy end, which may wait for what never comes


async def _live(setup: Setup) -> None:
    clock = SharedClock(setup.clock, setup.speed)
    killer = Killer(setup.kill, setup.deaths)
    reached, feed, recent = bootstrap.drilled(setup.settings, ACCOUNT, now_ms=clock.now_ms, speed=setup.speed)
    journal = cast(Journal, DeadlyJournal(bootstrap.journal(setup.settings), killer))
    venue = cast(Venue, DeadlyVenue(reached, killer))
    engine = await Engine(journal, clock, _Unheard()).__aenter__()  # it never leaves: it is killed
    lane = await _patiently(clock, lambda: _opened(engine, setup, venue))
    await _Trading(setup, clock, engine, lane, feed, recent).run()


async def _opened(engine: Engine, setup: Setup, venue: Venue) -> Lane:
    if ACCOUNT in engine.lanes:
        return engine.lanes[ACCOUNT]
    return await engine.add(Account(setup.account, venue.traits), venue)


_LATE = 60
"""Candles by which an exchange on a slow machine may list later than the clock goes."""


class _Trading:
    def __init__(
        self, setup: Setup, clock: SharedClock, engine: Engine, lane: Lane, feed: MarketFeed, recent: RecentMarket
    ) -> None:
        self._setup, self._clock, self._engine, self._lane = setup, clock, engine, lane
        self._feed, self._recent = feed, recent
        self._bots = Bots(engine, Asker(), _Unheard(), recent)
        self._bus = bootstrap.bus(setup.settings)

    async def run(self) -> None:
        """Trade until something fails that must not."""
        setup, clock = self._setup, self._clock
        await self._seat()
        history = await _patiently(clock, self._history)
        self._bots.run(self._lane, BOT, load(setup.strategy), history, venue=VENUE)
        log = bootstrap.heartbeat_log(setup.settings)
        heart = Heartbeat(self._feed, self._recent, self._bus, log, clock, [setup.symbol], [Timeframe.M1])
        signals = self._bus.subscribe(HEARTBEAT, group="engine", consumer="drill")
        await asyncio.gather(self._follow(signals), heart.run(), self._tell_quiet())

    async def _history(self) -> Candles:
        """Return at least the candles that the strategy needs; raise `NotFound` while they are not listed."""
        setup, now_ms = self._setup, self._clock.now_ms()
        since_ms = now_ms - (setup.history + _LATE) * Timeframe.M1.ms
        found = await self._recent.candles(setup.symbol, Timeframe.M1, since_ms, now_ms)
        if len(found) < max(1, setup.history):
            raise NotFound("running.no_history", symbol=setup.symbol, timeframe=Timeframe.M1, venue=VENUE)
        return found

    async def _follow(self, signals: AsyncIterator[Delivery]) -> None:
        async for delivery in signals:
            await self._closed(Signal.from_message(delivery.message))
            await self._bus.ack("engine", delivery)

    async def _seat(self) -> None:
        """Give the bot its budget, once in the life of the account."""
        setup, engine, lane = self._setup, self._engine, self._lane
        if BOT in lane.account.seats:
            return
        rules = await _patiently(self._clock, lambda: lane.venue.instruments([setup.symbol]))
        spec = BotSpec(
            id=BOT,
            user_id=1,
            account=ACCOUNT,
            strategy=setup.strategy,
            params={},
            symbol=setup.symbol,
            timeframe=Timeframe.M1,
            budget=setup.budget,
        )
        engine.tell(lane, BotAdded(engine.now_ms(), spec, rules[setup.symbol]))
        engine.tell(lane, BotChanged(engine.now_ms(), BOT, BotStatus.RUNNING))
        await engine.settled()

    async def _closed(self, signal: Signal) -> None:
        tick = signal.candle
        candle = Candle(tick.ts, *(float(value) for value in (tick.open, tick.high, tick.low, tick.close, tick.volume)))
        await self._bots.closed(signal.venue, tick.symbol, tick.timeframe, candle)
        await self._engine.settled()
        self._clock.seen_ms = max(self._clock.seen_ms, signal.close_ms)

    async def _tell_quiet(self) -> None:
        clock, lane = self._clock, self._lane
        while not clock.forsaken:
            settled = False
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._engine.settled()
                    settled = True
            # copied: what is told must hold at one moment
            orders = [one for one in lane.account.orders.values() if not one.settled]
            waits = lane.resolving or any(one.life is not Life.OPEN or one.reported > one.filled for one in orders)
            if self._engine.failed is not None:
                raise self._engine.failed
            clock.quiet = settled and lane.ready and not waits and not self._bare()
            if lane.ready and not clock.up_ms:
                clock.up_ms = clock.now_ms()
            await asyncio.sleep(_LOOK_S)
        die()

    def _bare(self) -> bool:
        """Whether guards are wanted that do not stand yet."""
        seat = self._lane.account.seats[BOT]
        wanted = seat.bot.position and seat.bot.protections and not seat.too_small
        return bool(wanted) and not self._lane.account.working(BOT)


class _Unheard:
    """Alerts are told to nobody: what they say is in the journal too."""

    async def send(self, alert: Alert) -> None:
        """Drop ``alert``."""


async def _patiently(clock: SharedClock, work: Callable[[], Awaitable[T]]) -> T:
    """Return what ``work`` gives, tried until it succeeds: engines are started before exchanges that fail."""
    while True:
        try:
            return await work()
        except CambistError:
            await clock.sleep(1.0)
