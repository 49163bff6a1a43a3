"""A small trading loop of its own over `SimulatedVenue`, to hold against the loop of the backtest."""

import asyncio
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext, setcontext
from typing import Any

from cambist.adapters.clock import SteppedClock
from cambist.adapters.venues.simulated.market import SimulatedMarket
from cambist.adapters.venues.simulated.venue import SimulatedVenue
from cambist.backtest.loop import Feed, Loop
from cambist.domain.candles import Candles
from cambist.domain.command import AmendOrder, CancelOrder, Command, SubmitOrder
from cambist.domain.event import CandleClosed, Decided, Event, OrderExpired, OrderFilled
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import Fill, Order, OrderType
from cambist.domain.report import FillReport, OrderReport, Report, Status
from cambist.domain.tick import CandleTick
from cambist.engine.core import process
from cambist.engine.runners import bind
from cambist.engine.state import Bot, State
from cambist.market.exchange import Exchange
from cambist.market.grid import close_times
from cambist.market.matching import Book, Costs
from cambist.ports.venue import OrderRequest

D = Decimal
DIGITS = Context(prec=60)
PLENTY = D(10) ** 15
Told = tuple[str, int, Decimal, Decimal, Decimal, bool]
"""A fill: (order, candle, price, quantity, fee, done)."""


@dataclass(slots=True)
class Run:
    """What came of one run."""

    state: State
    fills: list[Told] = field(default_factory=list)
    balances: dict[str, Decimal] = field(default_factory=dict)
    reports: int = 0

    @property
    def trades(self) -> list[tuple[Any, ...]]:
        return [
            (t.sign, t.entry_ts, t.entry_price, t.exit_ts, t.exit_price, t.quantity, t.pnl, t.fees, str(t.reason))
            for t in self.state.trades
        ]


class _Noted(Loop):
    """The loop of the backtest, its fills written down."""

    fills: list[Told]

    def _apply(self, feed: Feed, event: Event, when: int) -> None:
        if isinstance(event, OrderFilled):
            fill = event.fill
            self.fills.append((event.order.id, fill.ts, fill.price, fill.quantity, fill.fee, event.done))
        super()._apply(feed, event, when)


def historical(strategy: Any, candles: Candles, instrument: Instrument, costs: Costs, cash: Decimal) -> Run:
    """Run ``strategy`` through the loop of the backtest."""
    bot = Bot("bot", instrument)
    state = State(cash=cash, bots={"bot": bot})
    with localcontext(DIGITS):
        feed = Feed(
            bot=bot,
            book=Book(instrument, costs),
            runner=bind(strategy, candles, instrument, cash=float(cash)),
            candles=candles,
            closes_at=close_times(candles).tolist(),
        )
        loop = _Noted(state, [feed])
        loop.fills = []
        loop.run()
    return Run(state, loop.fills)


class Client:
    """One bot on one account: ticks in, decisions by `engine.core`, orders out; the mirror of the backtest's loop."""

    def __init__(
        self, strategy: Any, candles: Candles, instrument: Instrument, venue: SimulatedVenue, cash: Decimal
    ) -> None:
        self.bot = Bot("bot", instrument)
        self.run = Run(State(cash=cash, bots={"bot": self.bot}))
        self.venue = venue
        self.instrument = instrument
        self.candles = candles
        self.runner = bind(strategy, candles, instrument, cash=float(cash))
        self.position = {ts: i for i, ts in enumerate(candles.ts.tolist())}
        self.orders: dict[str, Order] = {}
        self.fills: list[FillReport] = []

    async def follow_market(self, market: SimulatedMarket, ready: asyncio.Event) -> None:
        setcontext(DIGITS.copy())
        async for tick in market.ticks([self.instrument.symbol]):
            if isinstance(tick, CandleTick):
                if tick.closed:
                    await self.closed(tick)
            else:
                ready.set()

    async def follow_account(self, ready: asyncio.Event) -> None:
        setcontext(DIGITS.copy())
        async for report in self.venue.reports():
            ready.set()
            self.run.reports += 1
            await self.reported(report)

    async def closed(self, tick: CandleTick) -> None:
        i = self.position[tick.ts]
        high, low, close = float(tick.high), float(tick.low), float(tick.close)
        self.bot.mark = close
        if i < self.runner.first:
            return
        wishes = self.runner.decide(i)
        if self.bot.trails:
            await self.apply(CandleClosed("bot", tick.ts, high, low, close))
        if wishes:
            await self.apply(Decided("bot", tick.ts, close, wishes))

    async def reported(self, report: Report) -> None:
        if isinstance(report, FillReport):
            self.fills.append(report)
        elif isinstance(report, OrderReport):
            order = self.orders[report.client_id]
            if self.fills:
                (one,) = self.fills
                self.fills = []
                await self.filled(order, one, done=report.status.final)
            elif report.status is Status.EXPIRED and not order.reduces:
                await self.apply(OrderExpired(order, report.ts))

    async def filled(self, order: Order, one: FillReport, *, done: bool) -> None:
        assert one.client_id == order.id
        fill = Fill(
            ts=self.candles.timeframe.floor(one.ts),
            price=one.price,
            quantity=one.quantity,
            fee=one.fee,
            slippage=D(0),
            liquidity=one.liquidity,
        )
        self.run.fills.append((order.id, fill.ts, fill.price, fill.quantity, fill.fee, done))
        await self.apply(OrderFilled(order, fill, done))
        self.runner.tell(float(self.bot.position.quantity), float(self.bot.position.entry_price))

    async def apply(self, event: Event) -> None:
        for command in self.paired(process(self.run.state, event)):
            if isinstance(command, tuple):
                stop, target = (self.request(order) for order in command)
                await self.venue.submit_oco(stop.client_id + "|oco", stop, target)
            elif isinstance(command, SubmitOrder):
                await self.submit(command.order)
            elif isinstance(command, CancelOrder):
                await self.venue.cancel(self.instrument.symbol, command.order.id)
            elif isinstance(command, AmendOrder):
                await self.venue.amend(self.instrument.symbol, command.order.id, command.trigger)

    def paired(self, commands: list[Command]) -> list[Command | tuple[Order, Order]]:
        """On spot, where two orders cannot lock the same coins, a stop and a target become one OCO."""
        if self.instrument.kind is Kind.PERPETUAL:
            return list(commands)
        guards = [c.order for c in commands if isinstance(c, SubmitOrder) and c.order.type is not OrderType.MARKET]
        guards = [order for order in guards if order.reduces]
        if len(guards) != 2:
            return list(commands)
        rest = [c for c in commands if not (isinstance(c, SubmitOrder) and c.order in guards)]
        return [*rest, (guards[0], guards[1])]

    async def submit(self, order: Order) -> None:
        if order.type is OrderType.MARKET and order.reduces and self.instrument.kind is Kind.SPOT:
            for guard in self.bot.protections.values():  # what they lock is what is to be sold
                await self.venue.cancel(self.instrument.symbol, guard.id)
        await self.venue.submit(self.request(order))

    def request(self, order: Order) -> OrderRequest:
        self.orders[order.id] = order
        return OrderRequest(
            client_id=order.id,
            symbol=self.instrument.symbol,
            side=order.side,
            type=order.type,
            quantity=order.quantity,
            price=order.price,
            trigger=order.trigger,
            time_in_force=order.time_in_force,
            reduce_only=order.reduces,
            cost_limit=None if order.reduces else PLENTY,
        )


async def lockstep(strategy: Any, candles: Candles, instrument: Instrument, costs: Costs, cash: Decimal) -> Run:
    """Run ``strategy`` over the simulated venue, in lockstep with its market."""
    exchange = Exchange([instrument], costs, by_law=True)
    exchange.add_account("me", {instrument.quote: cash})
    clock = SteppedClock(int(candles.ts[0]))
    venue = SimulatedVenue(exchange, "me", clock)
    market = SimulatedMarket(exchange, clock, [candles], settled=venue.settled)
    client = Client(strategy, candles, instrument, venue, cash)
    ready = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.follow_market(market, ready[0]))
        account = tasks.create_task(client.follow_account(ready[1]))
        for one in ready:
            await one.wait()
        await market.run()
        await venue.close()
        await account
    client.run.balances = {asset: balance.total for asset, balance in (await venue.balances()).items()}
    return client.run
