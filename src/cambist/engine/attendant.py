"""The attendant: brings what is set up in the register into an engine, shows it the market, does what people ask."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from cambist.domain.account import WEBHOOK, AccountSpec, BotSpec, BotStatus
from cambist.domain.alert import Alert, Level
from cambist.domain.candles import Candle, Candles
from cambist.domain.errors import (
    BadInput,
    BusFailed,
    CambistError,
    NotFound,
    ParseError,
    RateLimited,
    Taken,
    VenueUnavailable,
)
from cambist.domain.event import BotAdded, BotChanged, BotDeleted, Decided, Released
from cambist.domain.instrument import Kind
from cambist.domain.record import record
from cambist.domain.signal import Signal
from cambist.domain.text import say
from cambist.domain.tick import CandleTick, TradeTick
from cambist.domain.wish import Exit
from cambist.engine import requests
from cambist.engine.account import Account
from cambist.engine.bots import Bots, Purse
from cambist.engine.duplicates import Deduplicator
from cambist.engine.live import Engine, Lane
from cambist.engine.ready import Ready, known
from cambist.execution.settings import capped, limits_of, rules_of
from cambist.ports.alerts import Alerts
from cambist.ports.book import Register, Request
from cambist.ports.bus import ANSWERS, HEARTBEAT, REQUESTS, Bus
from cambist.ports.clock import Clock
from cambist.ports.feed import MarketFeed, RecentMarket
from cambist.ports.history import CandleLake
from cambist.ports.venue import Venue

_log = logging.getLogger(__name__)

GROUP = "engine"
"""The consumers of signals: each is taken by one engine."""
_ASKED_EVERY_S = 0.25
_TRIED_AGAIN_S = 30.0
_SILENT_MS = 30_000
_DECIDING = (BotStatus.RUNNING, BotStatus.SUSPENDED)
_TOLD = {
    "start": BotStatus.RUNNING,
    "resume": BotStatus.RUNNING,
    "suspend": BotStatus.SUSPENDED,
    "stop": BotStatus.STOPPED,
}
"""What people tell a bot to be."""
_TAKEN_IN_AT_ONCE = 64
_SLACK = 5
"""Candles of history beyond what a strategy needs."""


@record(kw_only=True)
class Surroundings:
    """What an engine's attendant reaches."""

    register: Register
    bus: Bus
    clock: Clock
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


class Attendant:
    """Belongs to one `Engine`, and ends with it."""

    def __init__(self, around: Surroundings, engine: Engine, bots: Bots, consumer: str) -> None:
        self._around = around
        self._engine = engine
        self._bots = bots
        self._consumer = consumer
        self._accounts: dict[str, AccountSpec] = {}
        self._refused: dict[str, str] = {}
        self._venues: dict[str, Venue] = {}
        self._later: dict[str, tuple[Lane, BotSpec]] = {}
        """Bots whose history cannot be had yet."""
        self._known = self._deduplicator()
        self._silent = False
        self._symbols_changed = asyncio.Event()
        self._asked = asyncio.Event()
        self._answered: set[int] = set()
        """Requests that a list of those that wait may still name, because it was read before they were answered."""

    def _deduplicator(self) -> Deduplicator:
        return Deduplicator(self._around.clock.now_ms(), silent_ms=round(_SILENT_MS * self._around.pace))

    def reasons(self) -> list[str]:
        """Return what is not well, one sentence each."""
        found = list(self._refused.values())
        found += [
            say("running.left", account=name)
            for name in self._accounts
            if name not in self._engine.lanes and name not in self._refused
        ]
        found += [say("running.not_ready", account=name) for name, lane in self._engine.lanes.items() if not lane.ready]
        if self._silent:
            found.append(say("running.heartbeat_silent", source=self._known.primary))
        return found

    async def close(self) -> None:
        """Close what was opened; orders stay at their venues."""
        self._bots.close()
        for venue in self._venues.values():
            await venue.close()

    # -- accounts and bots --------------------------------------------------------------------------------------------

    async def come_up(self) -> None:
        """Take in every account that has a bot; those that cannot be now are tried again."""
        bots: dict[str, list[BotSpec]] = {}
        for bot in await asyncio.to_thread(self._around.register.bots):
            bots.setdefault(bot.account, []).append(bot)
        at_once = asyncio.Semaphore(_TAKEN_IN_AT_ONCE)

        async def one(spec: AccountSpec) -> None:
            async with at_once:
                await self._take_in(spec, bots[spec.id])

        known = await asyncio.to_thread(self._around.register.accounts)
        async with asyncio.TaskGroup() as tasks:
            for spec in known:
                if spec.id in bots:
                    tasks.create_task(one(spec))
        self._known = self._deduplicator()  # what was not heard while accounts came up is nobody's silence

    async def _take_in(self, spec: AccountSpec, bots: Iterable[BotSpec]) -> Lane | None:
        self._accounts[spec.id] = spec
        try:
            lane = await self._open(spec)
        except CambistError as error:
            if spec.id not in self._refused:
                await self._alert(Level.CRITICAL, "running.no_account", spec, why=str(error))
            self._refused[spec.id] = say("running.no_account", account=spec.id, why=str(error))
            return None
        self._refused.pop(spec.id, None)
        for bot in bots:
            await self._seat_safely(lane, bot)
        return lane

    async def _seat_safely(self, lane: Lane, spec: BotSpec) -> None:
        """Seat a bot; one that cannot run for now is tried again, one that cannot run at all is paused."""
        try:
            await self._seat(lane, spec)
        except Exception as error:  # noqa: BLE001 - it loads other people's code: it must end this bot alone
            if spec.id not in self._later:
                await self._alert(Level.WARNING, "running.no_bot", lane.account.spec, spec.id, why=str(error))
            if isinstance(error, VenueUnavailable):
                self._later[spec.id] = (lane, spec)
                return
            if spec.id in lane.account.seats:
                self._engine.tell(lane, BotChanged(self._engine.now_ms(), spec.id, BotStatus.PAUSED))
        self._later.pop(spec.id, None)

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
            await self._add(lane, spec)
        elif lane.account.seats[spec.id].status in _DECIDING and spec.strategy != WEBHOOK:
            await self._run(lane, spec)

    async def _add(self, lane: Lane, spec: BotSpec) -> None:
        instrument = (await lane.venue.instruments([spec.symbol]))[spec.symbol]
        free = lane.account.ledger.balance("free", instrument.quote)
        if spec.budget > free:
            raise BadInput("budget", f"{spec.budget:f}", "running.no_cash", free=f"{free:f}", quote=instrument.quote)
        self._engine.tell(lane, BotAdded(self._engine.now_ms(), spec, instrument))
        await self._engine.settled(lane)
        self._symbols_changed.set()

    async def _run(self, lane: Lane, spec: BotSpec) -> None:
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

    # -- what people ask ----------------------------------------------------------------------------------------------

    async def attend(self) -> None:
        """Do what people ask, and try again what could not be opened, until cancelled.

        What is asked of one account is done in turn; a venue that is slow to answer holds up its own account alone.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._wake())
            tasks.create_task(self._look_after())
            busy: dict[str, asyncio.Task[None]] = {}
            while True:
                asked_now = await asyncio.to_thread(self._around.register.waiting)
                self._answered &= {request.id for request in asked_now}
                waiting: dict[str, list[Request]] = {}
                for request in asked_now:
                    if request.id not in self._answered:
                        waiting.setdefault(request.account, []).append(request)
                for account, asked in waiting.items():
                    if account not in busy or busy[account].done():
                        busy[account] = tasks.create_task(self._answer_all(asked))
                await self._next_look(busy)

    async def _next_look(self, busy: dict[str, "asyncio.Task[None]"]) -> None:
        """Wait until somebody asks, an account is through with what was asked of it, or it is time to look anyway."""
        heard = asyncio.ensure_future(self._asked.wait())
        pause = asyncio.ensure_future(self._around.clock.sleep(_ASKED_EVERY_S * self._around.pace))
        working = [task for task in busy.values() if not task.done()]
        try:
            await asyncio.wait((heard, pause, *working), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._asked.clear()
            heard.cancel()
            pause.cancel()

    async def _answer_all(self, asked: list[Request]) -> None:
        for request in asked:
            answer, refused = await self._answer(request)
            now, register = self._engine.now_ms(), self._around.register
            await asyncio.to_thread(register.answer, request.id, now, answer, refused=refused)
            self._answered.add(request.id)
            await self._tell(request, answer, refused)

    async def _tell(self, request: Request, answer: str, refused: bool) -> None:
        message = {
            "id": f"answer:{request.id}",
            "ts": self._engine.now_ms(),
            "user_id": request.user_id,
            "request": request.id,
            "account": request.account,
            "bot": request.bot,
            "action": request.action,
            "refused": refused,
            "answer": answer,
        }
        with suppress(BusFailed):  # it can be read in the register
            await self._around.bus.publish(ANSWERS, message)

    async def _wake(self) -> None:
        """Look at once when somebody says on the bus that something was asked."""
        bus, name = self._around.bus, f"asked-{self._consumer}"
        async for delivery in bus.subscribe(REQUESTS, group=name, consumer=name):
            self._asked.set()
            await bus.ack(name, delivery)

    async def _look_after(self) -> None:
        tried = self._engine.now_ms()
        while True:
            await self._look_for_silence()
            if self._engine.now_ms() - tried > _TRIED_AGAIN_S * self._around.pace * 1_000:
                tried = self._engine.now_ms()
                await self._try_again()
            await self._around.clock.sleep(_ASKED_EVERY_S * self._around.pace)

    async def _try_again(self) -> None:
        gone = [name for name in self._accounts if name not in self._engine.lanes]
        for name in gone:  # those that could not be opened, and those that failed and left the loop
            await self._take_in(self._accounts[name], await asyncio.to_thread(self._around.register.bots, name))
        for lane, spec in list(self._later.values()):
            if not lane.gone:
                await self._seat_safely(lane, spec)

    async def _answer(self, request: Request) -> tuple[str, bool]:
        """Do what is asked; return what came of it, and whether it was refused."""
        try:
            return await self._do(request), False
        except Exception as error:  # noqa: BLE001 - whatever a person asked, the engine goes on
            expected = isinstance(error, CambistError)
            _log.warning("request %s: %s", request.id, error, exc_info=not expected)
            why = str(error) if expected else f"{type(error).__name__}: {error}"
            return say("running.refused", why=why), True

    async def _do(self, request: Request) -> str:
        params: dict[str, Any] = json.loads(request.params)
        if request.action == "leave":
            return await self._leave(request.account, force=bool(params.get("force")))
        if request.action == "keys":
            await self._let_go(request.account)  # what was opened with the old ones
        lane = self._engine.lanes.get(request.account) or await self._newly(request.account)
        if request.bot:
            return await self._do_with_bot(lane, request, params)
        return await self._do_with_account(lane, request, params)

    async def _newly(self, account: str) -> Lane:
        specs = {spec.id: spec for spec in await asyncio.to_thread(self._around.register.accounts)}
        if account not in specs:
            raise NotFound("running.unknown_account", account=account)
        lane = await self._take_in(specs[account], await asyncio.to_thread(self._around.register.bots, account))
        if lane is None:
            raise NotFound("running.not_open", why=self._refused[account])
        return lane

    async def _do_with_bot(self, lane: Lane, request: Request, params: dict[str, Any]) -> str:
        specs = {bot.id: bot for bot in await asyncio.to_thread(self._around.register.bots, request.account)}
        if request.bot not in specs:
            raise NotFound("running.unknown_bot", bot=request.bot, known=", ".join(specs) or "-")
        spec = specs[request.bot]
        if request.action == "delete":
            return await self._delete(lane, spec)
        if spec.id not in lane.account.seats:
            await self._add(lane, spec)
        seat = lane.account.seats[spec.id]
        if request.action == "wish":
            return await requests.wish(self._engine, lane, seat, request, params)
        status = _TOLD.get(request.action)
        if status is BotStatus.RUNNING and not self._bots.runs(spec.id) and spec.strategy != WEBHOOK:
            await self._run(lane, spec)
        elif status is BotStatus.STOPPED:
            self._bots.end(spec.id)
        now = self._engine.now_ms()  # what closed while its history was fetched it has not decided on
        if status is not None:
            await self._engine.put(lane, BotChanged(now, spec.id, status))
        if request.action == "release":
            if seat.bot.instrument.kind is not Kind.SPOT:
                raise BadInput("bot", spec.id, "running.no_release")
            await self._engine.put(lane, Released(spec.id, now))
        if request.action == "sell" or params.get("sell"):
            if not seat.bot.position:
                return say("running.nothing_held", bot=spec.id)
            await self._engine.put(lane, Decided(spec.id, now, seat.bot.mark, (Exit(),)))
        return say(f"running.done.{request.action}", bot=spec.id)

    async def _delete(self, lane: Lane, spec: BotSpec) -> str:
        """Let a bot that holds nothing give back its money, and forget it."""
        seat, now = lane.account.seats.get(spec.id), self._engine.now_ms()
        if seat is not None:
            await self._engine.put(lane, BotDeleted(now, spec.id))
            if not seat.deleted:
                raise Taken("running.bot_holds", bot=spec.id)
            self._bots.end(spec.id)
        self._later.pop(spec.id, None)
        await asyncio.to_thread(self._around.register.delete_bot, spec.id, now)
        self._symbols_changed.set()
        return say("running.done.delete", bot=spec.id)

    async def _do_with_account(self, lane: Lane, request: Request, params: dict[str, Any]) -> str:
        if request.action == "settings":
            specs = {spec.id: spec for spec in await asyncio.to_thread(self._around.register.accounts)}
            spec = specs[request.account]
            caps = await asyncio.to_thread(self._around.caps, spec.user_id)
            limits, rules = capped(limits_of(spec.settings), caps), rules_of(spec.settings)
            await self._engine.configure(lane, limits, rules)
            return say("running.done.settings", account=request.account)
        if request.action == "keys":
            return say("running.done.keys", account=request.account)
        return await requests.with_account(self._engine, lane, request, params)

    async def _leave(self, name: str, *, force: bool) -> str:
        """Delete an account and all that is kept of it: its person wants it gone."""
        register = self._around.register
        lane = self._engine.lanes.get(name)
        if lane is not None:
            account = lane.account
        else:  # one that cannot be opened, because its keys are wrong for instance, is judged by its journal
            specs = {spec.id: spec for spec in await asyncio.to_thread(register.accounts)}
            if name not in specs:
                raise NotFound("running.unknown_account", account=name)
            account = await asyncio.to_thread(self._engine.last_known, specs[name])
        if not force and not account.idle:
            raise BadInput("account", name, "running.holds", account=name)
        await self._let_go(name)
        self._accounts.pop(name, None)
        self._refused.pop(name, None)
        await asyncio.to_thread(register.forget_account, name)
        return say("running.done.leave", account=name)

    async def _let_go(self, name: str) -> None:
        """Take an account out of the loop, and close its venue; its orders stay there."""
        lane = self._engine.lanes.get(name)
        if lane is not None:
            for bot in lane.account.seats:
                self._bots.end(bot)
                self._later.pop(bot, None)
            await self._engine.remove(name)
        venue = self._venues.pop(name, None)
        if venue is not None:
            await venue.close()

    # -- the market ---------------------------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Show the bots each signal of the heartbeat once, until cancelled."""
        bus = self._around.bus
        async for delivery in bus.subscribe(HEARTBEAT, group=GROUP, consumer=self._consumer):
            try:
                signal = Signal.from_message(delivery.message)
            except ParseError as error:
                _log.error("%s", error)
            else:
                if self._known.first(signal, self._engine.now_ms()) and signal.venue == self._around.market:
                    await self._closed_safely(signal)
            await bus.ack(GROUP, delivery)

    async def _closed_safely(self, signal: Signal) -> None:
        try:
            await self._closed(signal)
        except Exception:  # noqa: BLE001 - told, and the next close may fare better
            _log.exception("nobody could decide on %s", signal.id)

    async def _closed(self, signal: Signal) -> None:
        late, tick = self._around.late_ms, signal.candle
        decide = late is None or self._engine.now_ms() - signal.close_ms <= late + tick.timeframe.ms
        candle = Candle(tick.ts, *(float(value) for value in (tick.open, tick.high, tick.low, tick.close, tick.volume)))
        await self._bots.closed(signal.venue, tick.symbol, tick.timeframe, candle, decide=decide)

    async def watch(self) -> None:
        """Let guards that rest at no venue see prices as they come, until cancelled."""
        feed = self._around.prices
        while feed is not None:
            self._symbols_changed.clear()
            symbols = sorted(
                {
                    seat.spec.symbol
                    for lane in self._engine.lanes.values()
                    for seat in lane.account.seats.values()
                    if not seat.deleted
                }
            )
            watching = asyncio.create_task(self._prices(feed, symbols))
            changed = asyncio.create_task(self._symbols_changed.wait())
            try:
                await asyncio.wait((watching, changed), return_when=asyncio.FIRST_COMPLETED)
                if watching.done() and not changed.done():
                    watching.result()
                    await self._around.clock.sleep(self._around.pace)
            except (VenueUnavailable, RateLimited) as error:
                _log.warning("%s", error)
                await self._around.clock.sleep(self._around.pace)
            finally:
                watching.cancel()
                changed.cancel()

    async def _prices(self, feed: MarketFeed, symbols: list[str]) -> None:
        if not symbols:
            await asyncio.Event().wait()
        async for tick in feed.ticks(symbols):
            if isinstance(tick, TradeTick):
                self._engine.price(tick.symbol, tick.price, venue=self._around.market)
            elif isinstance(tick, CandleTick):
                self._engine.price(tick.symbol, tick.close, venue=self._around.market)

    async def _look_for_silence(self) -> None:
        silent = bool(self._engine.lanes) and self._known.primary_silent(self._engine.now_ms())
        if silent and not self._silent:
            for spec in {spec.user_id: spec for spec in self._accounts.values()}.values():
                await self._alert(Level.WARNING, "running.heartbeat_silent", spec, source=self._known.primary)
        self._silent = silent

    # -- others -------------------------------------------------------------------------------------------------------

    async def _alert(self, level: Level, key: str, spec: AccountSpec, bot: str = "", **params: str) -> None:
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
