"""A trading loop in a room of its own: the simulated exchange, a journal on SQLite, a clock that is moved by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.databases import sqlite_url

from cambist.adapters.clock import SteppedClock
from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.venues.simulated.venue import SimulatedVenue
from cambist.domain.account import AccountSpec, BotSpec, BotStatus, Mode
from cambist.domain.alert import Alert
from cambist.domain.errors import VenueRefused
from cambist.domain.event import BotAdded, BotChanged, Decided
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import OrderType, Side
from cambist.domain.report import FillReport, OrderReport, Report
from cambist.domain.request import OrderRequest, Traits
from cambist.domain.timeframe import Timeframe
from cambist.domain.wish import Enter, Notional
from cambist.engine.account import Account
from cambist.engine.live import Engine, Lane
from cambist.execution.breaker import BreakerRules
from cambist.execution.limits import Limits
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs

START = 1_704_067_200_000
BTC, ETH, PERP = "BTC/USDT", "ETH/USDT", "BTC/USDT:USDT"
CASH = Decimal(100_000)
FREE_OF_CHARGE = Costs(maker_fee_bps=0.0, taker_fee_bps=0.0, slippage_bps=0.0, spread_bps=0.0)


def instrument(symbol: str) -> Instrument:
    return Instrument(
        venue="simulated",
        symbol=symbol,
        kind=Kind.PERPETUAL if ":" in symbol else Kind.SPOT,
        tick_size=Decimal("0.01"),
        lot_step=Decimal("0.0001"),
        min_notional=Decimal(5),
        min_quantity=Decimal("0.0001"),
    )


class Heard:
    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    async def send(self, alert: Alert) -> None:
        str(alert)  # it has words, and they are filled in
        self.alerts.append(alert)

    def told(self) -> list[str]:
        return [alert.key for alert in self.alerts]


class Wilful(SimulatedVenue):
    """The simulated venue, on its bad days."""

    takes_stops = True
    answers = True
    renamed: str | None = None
    """By what it calls all of its trades."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.asked: list[str] = []
        self.sent: list[OrderRequest] = []
        self.ahead_ms = 0

    async def submit(self, request: OrderRequest) -> OrderReport:
        self.sent.append(request)
        if request.type is OrderType.STOP and not self.takes_stops:
            raise VenueRefused("exchange.no_stop", order=request.client_id)
        return await super().submit(request)

    async def reports(self) -> AsyncIterator[Report]:
        async for report in super().reports():
            if self.renamed is not None and isinstance(report, FillReport):
                report = replace(report, trade_id=self.renamed)
            yield report

    async def fills(self, symbol: str, since_ms: int) -> list[FillReport]:
        found = await super().fills(symbol, since_ms)
        return [replace(fill, trade_id=self.renamed or fill.trade_id) for fill in found]

    async def price(self, symbol: str) -> Decimal:
        self.asked.append(symbol)
        if not self.answers:
            raise TimeoutError
        return await super().price(symbol)

    async def clock_ms(self) -> int:
        return await super().clock_ms() + self.ahead_ms


@dataclass
class Room:
    """An engine with its surroundings."""

    url: str
    clock: SteppedClock
    exchange: Exchange
    journal: SqlJournal
    heard: Heard
    engine: Engine
    venues: dict[str, Wilful] = field(default_factory=dict)

    async def add(
        self,
        name: str = "paper",
        *,
        user: int = 1,
        traits: Traits | None = None,
        limits: Limits | None = None,
        rules: BreakerRules | None = None,
        symbols: tuple[str, ...] = (BTC,),
    ) -> Lane:
        """Open an account with one running bot per symbol, each named ``<account>-<base>``."""
        spec = account_spec(name, user)
        if name not in self.venues:
            if name not in {one.id for one in SqlRegister(self.url, None).accounts()}:
                SqlRegister(self.url, user).add_account(spec)
                self.exchange.add_account(name, {"USDT": CASH})
            self.venues[name] = Wilful(self.exchange, name, self.clock)
            if traits is not None:
                self.venues[name].traits = traits
        venue = self.venues[name]
        account = Account(spec, venue.traits, limits=limits or Limits(), rules=rules or BreakerRules())
        lane = await self.engine.add(account, venue)
        for symbol in symbols:
            bot = bot_spec(name, symbol, user)
            if bot.id not in lane.account.seats:
                self.engine.tell(lane, BotAdded(self.clock.now_ms(), bot, instrument(symbol)))
                self.engine.tell(lane, BotChanged(self.clock.now_ms(), bot.id, BotStatus.RUNNING))
        await self.settled()
        return lane

    async def settled(self) -> None:
        for _ in range(3):
            for _ in range(5):
                await asyncio.sleep(0)
            await self.engine.settled()
            for venue in self.venues.values():
                await venue.settled()

    async def pass_time(self, seconds: float, step_s: float = 1.0) -> None:
        """Let time pass, second by second, and everything that it brings."""
        until = self.clock.now_ms() + int(seconds * 1_000)
        while self.clock.now_ms() < until:
            await self.clock.move_to(min(until, self.clock.now_ms() + int(step_s * 1_000)))
            await self.settled()

    async def trade(self, price: float, symbol: str = BTC, *, told: bool = False) -> None:
        """Let the market trade; ``told``: the engine's feed tells of it."""
        self.exchange.trade(symbol, self.clock.now_ms(), price, 1_000_000.0)
        if told:
            self.engine.price(symbol, Decimal(repr(price)))
        await self.settled()

    async def enter(self, lane: Lane, price: float, notional: float = 10_000.0, symbol: str = BTC, **more: Any) -> None:
        """Let the bot of ``symbol`` decide to buy, on a close at ``price``."""
        now = self.clock.now_ms()
        self.engine.see(lane, now, {symbol: Decimal(repr(price))})
        wish = Enter(side=more.pop("side", Side.BUY), size=Notional(notional), **more)
        self.engine.tell(lane, Decided(bot_spec(lane.account.spec.id, symbol).id, now, price, (wish,)))
        await self.settled()

    def kinds(self, account: str = "paper") -> list[str]:
        return [entry.kind for entry in self.journal.read(account)]


def account_spec(name: str = "paper", user: int = 1) -> AccountSpec:
    return AccountSpec(id=name, user_id=user, venue="simulated", mode=Mode.PAPER, quote="USDT")


def bot_spec(account: str = "paper", symbol: str = BTC, user: int = 1) -> BotSpec:
    return BotSpec(
        id=f"{account}-{'perp' if ':' in symbol else symbol.split('/')[0].lower()}",
        user_id=user,
        account=account,
        strategy="given",
        params={},
        symbol=symbol,
        timeframe=Timeframe.M1,
        budget=Decimal(20_000),
    )


@asynccontextmanager
async def room(tmp_path: Path, journal: type[SqlJournal] = SqlJournal, **more: Any) -> AsyncIterator[Room]:
    """Open a room in which BTC trades at 100 and ETH at 10, on a book in ``tmp_path``."""
    url = sqlite_url(tmp_path / "book.db")
    clock = SteppedClock(START)
    exchange = Exchange([instrument(symbol) for symbol in (BTC, ETH, PERP)], FREE_OF_CHARGE)
    for symbol, price in ((BTC, 100.0), (ETH, 10.0), (PERP, 100.0)):
        exchange.trade(symbol, START, price, 1_000_000.0)
    kept, heard = journal(url), Heard()
    async with Engine(kept, clock, heard, **more) as engine:
        yield Room(url, clock, exchange, kept, heard, engine)


@asynccontextmanager
async def another(room: Room, journal: type[SqlJournal] = SqlJournal, **more: Any) -> AsyncIterator[Room]:
    """Open another engine on the same book and exchange, as after a crash."""
    kept, heard = journal(room.url), Heard()
    async with Engine(kept, room.clock, heard, **more) as engine:
        yield Room(room.url, room.clock, room.exchange, kept, heard, engine)
