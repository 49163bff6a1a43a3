"""Accounts and bots as they are set up in the register, brought into an engine; what cannot be now is tried again."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from cambist.domain.account import WEBHOOK, AccountSpec, BotSpec, BotStatus
from cambist.domain.alert import Alert, Level
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, CambistError, NotFound, VenueUnavailable
from cambist.domain.event import BotAdded, BotChanged
from cambist.domain.record import record
from cambist.domain.text import say
from cambist.engine.account import Account
from cambist.engine.bots import Bots, Purse
from cambist.engine.hand import spendable
from cambist.engine.live import Engine, Lane
from cambist.engine.ready import Ready, known
from cambist.execution.settings import capped, limits_of, rules_of
from cambist.ports.alerts import Alerts
from cambist.ports.book import Register
from cambist.ports.bus import Bus
from cambist.ports.clock import Clock
from cambist.ports.feed import MarketFeed, RecentMarket
from cambist.ports.history import CandleLake
from cambist.ports.venue import Venue

_log = logging.getLogger(__name__)

_DECIDING = (BotStatus.RUNNING, BotStatus.SUSPENDED)
_TAKEN_IN_AT_ONCE = 64
_SLACK = 5
"""Candles of history beyond what a strategy needs."""


@record(kw_only=True)
class Surroundings:
    """What an engine's attendant reaches."""

    register: Register
    bus: Bus
    clock: Clock
    wall: Clock
    """By which people say when they ask: ``clock`` may go faster."""
    alerts: Alerts
    recent: RecentMarket
    """History of the market that bots are shown."""
    market: str
    """The venue whose signals they are shown."""
    prices: MarketFeed | None
    """Prices as they come, for guards that rest at no venue."""
    lake: CandleLake
    """Keeps the history that a bot began with."""
    open_venue: Callable[[AccountSpec], Awaitable[Venue]]
    """Raises what says why not."""
    open_strategy: Callable[[BotSpec], Ready] = known
    """Blocks. Raises `BadStrategy` or `NotFound` if there is no such strategy, `NotAllowed` if it may not run here."""
    late_ms: int | None
    """A signal later than this and its timeframe is no longer decided on; None: any is, for time is made up."""
    caps: Callable[[int], Mapping[str, Any]] = lambda _: {}
    """What an admin allows a person at most (`cambist.execution.settings.capped`), by user."""
    pace: float = 1.0
    """Seconds of the clock in a real one: what people wait for does not go faster with the clock."""


class Seating:
    """The accounts and bots of one `Engine`."""

    def __init__(self, around: Surroundings, engine: Engine, bots: Bots) -> None:
        self._around = around
        self._engine = engine
        self._bots = bots
        self.accounts: dict[str, AccountSpec] = {}
        self.refused: dict[str, str] = {}
        """Per account that could not be opened, why."""
        self._venues: dict[str, Venue] = {}
        self.later: dict[str, tuple[Lane, BotSpec]] = {}
        """Bots whose history cannot be had yet."""
        self.symbols_changed = asyncio.Event()
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """Who opens or closes an account: one at a time."""

    def reasons(self) -> list[str]:
        """Return what is not well, one sentence each."""
        found = list(self.refused.values())
        found += [
            say("running.left", account=name)
            for name in self.accounts
            if name not in self._engine.lanes and name not in self.refused
        ]
        found += [say("running.not_ready", account=name) for name, lane in self._engine.lanes.items() if not lane.ready]
        return found

    async def close(self) -> None:
        """Close what was opened; orders stay at their venues."""
        for venue in self._venues.values():
            await venue.close()

    async def come_up(self) -> None:
        """Take in every account that has a bot, or orders under way; those that cannot be now are tried again."""
        bots: dict[str, list[BotSpec]] = {}
        for bot in await asyncio.to_thread(self._around.register.bots):
            bots.setdefault(bot.account, []).append(bot)
        at_once = asyncio.Semaphore(_TAKEN_IN_AT_ONCE)

        async def one(spec: AccountSpec) -> None:
            async with at_once:
                if spec.id in bots or await asyncio.to_thread(self._under_way, spec):
                    await self.take_in(spec, bots.get(spec.id, ()))

        known = await asyncio.to_thread(self._around.register.accounts)
        async with asyncio.TaskGroup() as tasks:
            for spec in known:
                tasks.create_task(one(spec))

    def _under_way(self, spec: AccountSpec) -> bool:
        """Tell whether an account has orders that somebody must follow, or a journal that somebody must look at."""
        try:
            return not self._engine.last_known(spec).idle
        except Exception:  # noqa: BLE001 - whoever opens it will say what is wrong with it
            return True

    async def take_in(self, spec: AccountSpec, bots: Iterable[BotSpec]) -> Lane | None:
        """Open an account and seat its ``bots``; None, and its person is told why, if it cannot be opened now."""
        self.accounts[spec.id] = spec
        async with self._turns[spec.id]:
            if spec.id in self._engine.lanes:  # somebody else has opened it meanwhile
                return self._engine.lanes[spec.id]
            try:
                lane = await self._open(spec)
            except Exception as error:  # noqa: BLE001 - one account's journal or venue must not end the others
                why = str(error) if isinstance(error, CambistError) else f"{type(error).__name__}: {error}"
                if spec.id not in self.refused:
                    _log.warning("%s: %s", spec.id, why, exc_info=not isinstance(error, CambistError))
                    await self.alert(Level.CRITICAL, "running.no_account", spec, why=why)
                self.refused[spec.id] = say("running.no_account", account=spec.id, why=why)
                return None
        self.refused.pop(spec.id, None)
        for bot in bots:
            await self._seat_safely(lane, bot)
        self.symbols_changed.set()
        return lane

    async def _seat_safely(self, lane: Lane, spec: BotSpec) -> None:
        """Seat a bot; one that cannot run for now is tried again, one that cannot run at all is paused."""
        try:
            await self._seat(lane, spec)
        except Exception as error:  # noqa: BLE001 - it loads other people's code: it must end this bot alone
            if spec.id not in self.later:
                await self.alert(Level.WARNING, "running.no_bot", lane.account.spec, spec.id, why=str(error))
            if isinstance(error, VenueUnavailable):
                self.later[spec.id] = (lane, spec)
                return
            if spec.id in lane.account.seats:
                self._engine.tell(lane, BotChanged(self._engine.now_ms(), spec.id, BotStatus.PAUSED))
        self.later.pop(spec.id, None)

    async def _open(self, spec: AccountSpec) -> Lane:
        caps = await asyncio.to_thread(self._around.caps, spec.user_id)
        limits, rules = capped(limits_of(spec.settings), caps), rules_of(spec.settings)
        venue = await self._around.open_venue(spec)
        before = self._venues.pop(spec.id, None)
        if before is not None:  # of an account that failed and left the loop
            await before.close()
        self._venues[spec.id] = venue
        return await self._engine.add(Account(spec, venue.traits, limits=limits, rules=rules), venue)

    async def _seat(self, lane: Lane, spec: BotSpec) -> None:
        """Give a new bot its budget; let one that ran go on."""
        if spec.id not in lane.account.seats:
            await self.add(lane, spec)
        elif lane.account.seats[spec.id].status in _DECIDING and spec.strategy != WEBHOOK:
            await self.run(lane, spec)

    async def add(self, lane: Lane, spec: BotSpec) -> None:
        """Give a new bot its budget; raise `BadInput` if the account has not so much."""
        instrument = (await lane.venue.instruments([spec.symbol]))[spec.symbol]
        free = spendable(lane.account, instrument.quote)  # what orders by hand wait for is not free
        if spec.budget > free:
            raise BadInput("budget", f"{spec.budget:f}", "running.no_cash", free=f"{free:f}", quote=instrument.quote)
        self._engine.tell(lane, BotAdded(self._engine.now_ms(), spec, instrument))
        await self._engine.settled(lane)
        self.symbols_changed.set()

    async def run(self, lane: Lane, spec: BotSpec) -> None:
        """Let a bot's strategy decide from the next close on."""
        around, timeframe = self._around, spec.timeframe
        strategy = await asyncio.to_thread(around.open_strategy, spec)
        try:
            history = await self._history(spec, await asyncio.to_thread(strategy.warm_up, timeframe))
            seat = lane.account.seats[spec.id]
            runner = await asyncio.to_thread(strategy.begin, history, seat.bot.instrument, Purse(seat))
        except BaseException:
            strategy.close()
            raise
        self._bots.take(lane, spec.id, runner, venue=around.market)

    async def _history(self, spec: BotSpec, needed: int) -> Candles:
        """Return the closed candles that a strategy which needs ``needed`` begins with."""
        around, timeframe = self._around, spec.timeframe
        now = self._engine.now_ms()
        since = timeframe.floor(now) - (needed + _SLACK) * timeframe.ms
        history = await around.recent.candles(spec.symbol, timeframe, since, timeframe.floor(now))
        if not len(history):
            raise NotFound("running.no_history", symbol=spec.symbol, timeframe=timeframe, venue=around.market)
        history = replace(history, venue=around.market)  # the name under which its candles are told of
        await asyncio.to_thread(around.lake.append, history)
        return history

    async def try_again(self) -> None:
        """Take in and seat what could not be before, and what has left the loop."""
        known = {spec.id: spec for spec in await asyncio.to_thread(self._around.register.accounts)}
        gone = [name for name in self.accounts if name not in self._engine.lanes]
        for name in gone:  # those that could not be opened, and those that failed and left the loop
            if name in known:  # with the settings that it has by now
                await self.take_in(known[name], await asyncio.to_thread(self._around.register.bots, name))
        for lane, spec in list(self.later.values()):
            if not lane.gone:
                await self._seat_safely(lane, spec)

    async def let_go(self, name: str) -> None:
        """Take an account out of the loop, and close its venue; its orders stay there."""
        async with self._turns[name]:
            lane = self._engine.lanes.get(name)
            if lane is not None:
                for bot in lane.account.seats:
                    self._bots.end(bot)
                    self.later.pop(bot, None)
                await self._engine.remove(name)
            venue = self._venues.pop(name, None)
            if venue is not None:
                await venue.close()

    async def forget(self, name: str) -> None:
        """Let an account go for good."""
        await self.let_go(name)
        self.accounts.pop(name, None)
        self.refused.pop(name, None)

    def forget_bot(self, bot: str) -> None:
        """Ask a bot no more, and try no more to seat it."""
        self._bots.end(bot)
        self.later.pop(bot, None)
        self.symbols_changed.set()

    async def alert(self, level: Level, key: str, spec: AccountSpec, bot: str = "", **params: str) -> None:
        """Tell the account's person."""
        told = {"account": spec.id, "bot": bot} | params
        await self._around.alerts.send(
            Alert(
                ts=self._engine.now_ms(),
                level=level,
                key=key,
                params=told,
                user_id=spec.user_id,
                account=spec.id,
                bot=bot,
            )
        )
