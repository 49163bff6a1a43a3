"""One run of the drill: the exchange in a box, its time, and the engines that live and die before it."""

import asyncio
import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory

from cambist.apps import bootstrap
from cambist.apps.drill.clock import SharedClock
from cambist.apps.drill.engine import ACCOUNT, KEY, SECRET, Setup, engine_process, settings_in
from cambist.apps.drill.killing import Kill
from cambist.apps.drill.plan import Plan
from cambist.domain.candles import Candles
from cambist.domain.errors import Stopped
from cambist.domain.instrument import Instrument
from cambist.domain.record import record
from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.market.series import build
from cambist.market.synthetic import synthetic_market
from cambist.ports.book import Journal
from cambist.simulators.binance import Customer, ExchangeServer
from cambist.simulators.faults import Kind, Struck
from cambist.usecases.drill import Run, Span, TrueOrder, Truth, judge

SPEED = 20.0
SYMBOL = "BTC/USDT"
CASH = Decimal(10_000)
START_MS = 1_704_067_200_000
_STEP_S = 0.003
_NEWS_S = 0.03  # real time that news of a fill takes to the engine and back, at most, on a machine that is not idle
_REST_MS, _FORGOTTEN_MS, _LONGEST_REST_MS = 15_000, 90_000, 150_000
_MOST_FALLS = 3  # engines that end by themselves, before a run is given up

Start = Callable[[Setup], BaseProcess]


@record(kw_only=True)
class Played:
    """A run that has come to rest, before it is judged."""

    truth: Truth
    deaths: tuple[str, ...]
    struck: tuple[str, ...]
    broke: int
    restless: bool
    why: str
    """What made an engine end by itself, the last one."""


def context() -> multiprocessing.context.BaseContext:
    """Return how processes are made here: forked off one that has imported everything, or spawned (Windows)."""
    ways = multiprocessing.get_all_start_methods()
    chosen = multiprocessing.get_context("forkserver" if "forkserver" in ways else "spawn")
    if chosen.get_start_method() == "forkserver":
        chosen.set_forkserver_preload(["cambist.apps.drill.preload"])
    return chosen


def start_engine(setup: Setup) -> BaseProcess:
    """Start an engine in a process of its own."""
    process = context().Process(target=engine_process, args=(setup,), daemon=True)  # type: ignore[attr-defined]
    process.start()
    return process  # type: ignore[no-any-return]


def run(plan: Plan, strategy: str, history: int, *, stop: Event | None = None, start: Start = start_engine) -> Run:
    """Run one drill to its end and judge it; raise `Stopped` once ``stop`` is set.

    ``history``: how many closed candles ``strategy`` needs.
    """
    with TemporaryDirectory(prefix="cambist-drill-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        played = play(plan, strategy, history, folder, stop=stop, start=start)
        journal = book(folder)
        verdict = judge(played.truth, journal.read(ACCOUNT), list(journal.ledger(ACCOUNT)))
    return Run(
        seed=plan.seed,
        verdict=verdict,
        deaths=played.deaths,
        struck=played.struck,
        broke=played.broke,
        restless=played.restless,
        why=played.why,
    )


def play(
    plan: Plan, strategy: str, history: int, folder: Path, *, stop: Event | None = None, start: Start = start_engine
) -> Played:
    """Run one drill to its end; its book is left in ``folder``."""
    return asyncio.run(_Played(plan, strategy, history, folder, start, stop).whole())


def book(folder: Path) -> Journal:
    """Return the journal of the run in ``folder``."""
    return bootstrap.journal(settings_in(folder))


class _Played:
    def __init__(self, plan: Plan, strategy: str, history: int, folder: Path, start: Start, stop: Event | None) -> None:
        self._start_engine, self._stop = start, stop
        candles, self._rules = market(plan, history)
        began_ms = int(candles.ts[history + 1])
        self._end_ms = began_ms + plan.minutes * MINUTE_MS
        self._clock = SharedClock(folder / "clock", SPEED, began_ms)
        customer = Customer(key=KEY, secret=SECRET, balances={self._rules.quote: CASH}, name=ACCOUNT)
        self._server = ExchangeServer(
            [candles],
            instruments=[self._rules],
            customers=[customer],
            clock=self._clock,
            faults=plan.faults,
            seed=plan.seed,
            same_clock=True,
        )
        self._setup = Setup(
            folder=folder, url="", speed=SPEED, strategy=strategy, symbol=SYMBOL, budget=CASH / 2, history=history
        )
        self._kills = list(plan.kills)
        self._engine: BaseProcess | None = None
        self._doomed: Kill | None = None
        self._deaths: tuple[str, ...] = ()
        self._broke = 0
        self._dead_since: int | None = began_ms
        self._dead: list[Span] = []

    async def whole(self) -> Played:
        """Run, and come to rest."""
        bootstrap.register(self._setup.settings).add_account(self._setup.account)
        self._setup = replace(self._setup, url=await self._server.start())
        try:
            while self._clock.now_ms() < self._end_ms and self._broke < _MOST_FALLS:
                await self._pass()
            self._server.faults = []
            self._kills.clear()
            restless = self._broke < _MOST_FALLS and not await self._rest()
        finally:
            await self._end_engine()
            truth = self._truth()
            await self._server.stop()
            self._clock.close()
        falls = self._setup.falls
        return Played(
            truth=truth,
            deaths=self._noted_deaths(),
            struck=tuple(one.fault.kind.value for one in self._server.struck),
            broke=self._broke,
            restless=restless,
            why=falls.read_text(encoding="utf-8") if falls.exists() else "",
        )

    # -- the engines --------------------------------------------------------------------------------------------------

    def _look_after_engine(self) -> None:
        """Note when an engine has died or come up; start the next."""
        if self._stop is not None and self._stop.is_set():
            raise Stopped("drill.stopped")
        clock = self._clock
        clock.watched()
        if self._dead_since is not None and clock.up_ms:
            self._dead.append((self._dead_since, clock.up_ms))
            self._dead_since = None
        if self._engine is not None and self._engine.exitcode is not None:
            before, self._deaths = self._deaths, self._noted_deaths()
            self._broke += len(self._deaths) == len(before)  # who dies as was planned has noted it
            self._engine = None
            if self._dead_since is None:  # one that died before it came up guarded nothing
                self._dead_since = clock.now_ms()
            if self._doomed is not None and clock.now_ms() < self._end_ms:
                clock.advance(self._doomed.down_s * 1_000)
                self._server.step()
        if self._engine is None:
            self._doomed = self._kills.pop(0) if self._kills and not self._broke else None
            clock.up_ms, clock.quiet = 0, False
            self._engine = self._start_engine(replace(self._setup, kill=self._doomed))

    def _noted_deaths(self) -> tuple[str, ...]:
        log = self._setup.deaths
        return tuple(log.read_text(encoding="utf-8").splitlines()) if log.exists() else ()

    async def _end_engine(self) -> None:
        if self._engine is not None:
            self._engine.kill()
            await asyncio.to_thread(self._engine.join)

    # -- time ---------------------------------------------------------------------------------------------------------

    async def _pass(self) -> None:
        """Let a little time pass, much of it where nothing waits for anything."""
        clock = self._clock
        self._look_after_engine()
        if clock.quiet and clock.seen_ms >= Timeframe.M1.floor(clock.now_ms()):
            if self._leap():
                await asyncio.sleep(_NEWS_S)
            clock.quiet = False
        await asyncio.sleep(_STEP_S)

    def _leap(self) -> bool:
        """Put the clock forward to the next trade that moves the account, or the next close; True if one did."""
        clock, server = self._clock, self._server
        before, close_ms = self._orders(), Timeframe.M1.close_of(Timeframe.M1.floor(clock.now_ms()))
        (line,) = server.market.lines.values()
        for trade in list(line.tape.trades(server.market.now, close_ms - 1)):
            clock.set(max(trade.ts, clock.now_ms()))
            server.step()
            if self._orders() != before:
                return True
        clock.set(max(close_ms, clock.now_ms()))
        server.step()
        return self._orders() != before

    async def _rest(self) -> bool:
        """Wait until the engine has nothing more to do; False if it never comes to that.

        Before an exchange without memory there is no rest: what is held there must be guarded, and cannot be.
        """
        clock = self._clock
        began = calm_since = clock.now_ms()
        forgot = self._forgot()
        while clock.now_ms() - began < _LONGEST_REST_MS:
            self._look_after_engine()
            if not clock.quiet:  # an engine that has fallen silent is not at rest
                calm_since = clock.now_ms()
            elif clock.now_ms() - calm_since >= _REST_MS:
                return True
            if forgot and clock.now_ms() - began >= _FORGOTTEN_MS:
                return True
            await asyncio.sleep(_STEP_S)
        return False

    # -- the truth ----------------------------------------------------------------------------------------------------

    def _forgot(self) -> bool:
        return any(struck.fault.kind is Kind.AMNESIA for struck in self._server.struck)

    def _orders(self) -> list[tuple[str, int]]:
        return [(order.status, len(order.fills)) for order in self._server.desk.orders(ACCOUNT)]

    def _truth(self) -> Truth:
        server = self._server
        orders = tuple(
            TrueOrder(
                client_id=order.client_id,
                side=order.side,
                type=order.request().type,
                quantity=order.quantity,
                created_ms=order.created,
                ended_ms=order.updated if order.over else None,
                fills=tuple(order.fills),
            )
            for order in server.desk.orders(ACCOUNT)
        )
        balances = {asset: one.total for asset, one in server.exchange.balances(ACCOUNT).items() if one.total}
        now_ms = server.market.now
        dead = [*self._dead, *([] if self._dead_since is None else [(self._dead_since, now_ms)])]
        return Truth(
            instrument=self._rules,
            orders=orders,
            balances=balances,
            now_ms=now_ms,
            excused=tuple(dead + [span for struck in server.struck if (span := _unreachable(struck))]),
            forgot=self._forgot(),
        )


def market(plan: Plan, history: int) -> tuple[Candles, Instrument]:
    """Return the minutes of one run, those before it included, and the rules of what is traded.

    They are the hours of a made-up market told as minutes: in half an hour there is something to enter and to leave.
    """
    count = history + 1 + plan.minutes  # then nobody trades any more, and all can come to rest
    hours = synthetic_market((SYMBOL,), start_ms=START_MS, count=count, timeframe=Timeframe.H1, seed=plan.seed)[SYMBOL]
    ts = [START_MS + number * MINUTE_MS for number in range(count)]
    prices = (hours.open, hours.high, hours.low, hours.close)
    rules = Instrument(
        venue="binance",
        symbol=SYMBOL,
        tick_size=Decimal("0.01"),
        lot_step=Decimal("0.00001"),
        min_notional=Decimal(5),
        min_quantity=Decimal("0.00001"),
    )
    return build(rules.venue, SYMBOL, Timeframe.M1, ts, *prices, hours.volume), rules


def _unreachable(struck: Struck) -> Span | None:
    """Return for how long nobody could reach the exchange."""
    fault, ts = struck.fault, struck.ts
    if fault.kind is Kind.DOWN:
        return ts, ts + round(fault.seconds * SPEED * 1_000)
    if fault.kind is Kind.BAN:
        return ts, ts + round(fault.seconds * 1_000)
    if fault.retry_after is not None:
        return ts, ts + int(fault.retry_after) * 1_000
    return None
