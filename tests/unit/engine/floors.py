"""A small trading floor in lockstep, for tests of what is told of it: real engine, journal, exchange and strategies."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from cambist.adapters.clock import SteppedClock
from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.venues.simulated.market import SimulatedMarket
from cambist.adapters.venues.simulated.venue import SimulatedVenue
from cambist.domain.account import AccountSpec, BotSpec, BotStatus, Mode
from cambist.domain.alert import Alert
from cambist.domain.candles import Candle, Candles
from cambist.domain.event import BotAdded, BotChanged
from cambist.domain.instrument import Instrument
from cambist.domain.signal import Signal
from cambist.domain.tick import CandleTick
from cambist.engine.account import Account
from cambist.engine.asking import Asker
from cambist.engine.audit import Audit
from cambist.engine.bots import Bots
from cambist.engine.lane import Lane
from cambist.engine.live import Engine
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.market.synthetic import synthetic_market
from cambist.ports.bus import CANDLES, HEARTBEAT, Bus
from cambist.strategies._load import load

SYMBOLS = ("BTC/USDT", "ETH/USDT")
START_MS = 1_704_067_200_000
WARM = 2


def market(count: int = 600, timeframe: str = "1h") -> dict[str, Candles]:
    return synthetic_market(SYMBOLS, start_ms=START_MS, count=count, timeframe=timeframe, seed=11)


def instrument(symbol: str) -> Instrument:
    return Instrument(
        venue="simulated",
        symbol=symbol,
        tick_size=Decimal("0.01"),
        lot_step=Decimal("0.00001"),
        min_notional=Decimal(5),
        min_quantity=Decimal("0.00001"),
    )


class Heard:
    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    async def send(self, alert: Alert) -> None:
        self.alerts.append(alert)


@dataclass
class Floor:
    engine: Engine
    lane: Lane
    venue: SimulatedVenue
    clock: SteppedClock
    exchange: Exchange
    bots: Bots
    heard: Heard
    bus: Bus | None
    audit: Audit | None

    async def settled(self) -> None:
        await self.engine.settled()
        await self.venue.settled()
        await self.engine.settled()

    def seat(self, name: str, strategy: str, symbol: str, candles: Candles, budget: int = 5_000) -> None:
        """Give a bot its budget and start it."""
        spec = BotSpec(
            id=name,
            user_id=1,
            account="paper",
            strategy=strategy,
            params={},
            symbol=symbol,
            timeframe=candles.timeframe,
            budget=Decimal(budget),
        )
        self.engine.tell(self.lane, BotAdded(self.clock.now_ms(), spec, instrument(symbol)))
        self.engine.tell(self.lane, BotChanged(self.clock.now_ms(), name, BotStatus.RUNNING))

    async def closed(self, tick: CandleTick) -> None:
        """Tell bus and bots of a candle that has closed, as the heartbeat does."""
        values = (float(value) for value in (tick.open, tick.high, tick.low, tick.close, tick.volume))
        if self.bus is not None:
            message = Signal(venue="simulated", candle=tick, received_ms=self.clock.now_ms()).message()
            await self.bus.publish(HEARTBEAT, message)
            about = {name: message[name] for name in ("venue", "symbol", "timeframe", "candle", "repaired")}
            await self.bus.publish(CANDLES, {"id": f"{message['id']}:candle"} | about)
        await self.bots.closed("simulated", tick.symbol, tick.timeframe, Candle(tick.ts, *values))

    async def run(self, series: dict[str, Candles]) -> None:
        """Play the whole of ``series``."""
        playing = SimulatedMarket(self.exchange, self.clock, list(series.values()), settled=self.settled)

        async def follow() -> None:
            async for tick in playing.ticks(list(series)):
                if isinstance(tick, CandleTick) and tick.closed:
                    await self.closed(tick)

        following = asyncio.create_task(follow())
        await asyncio.sleep(0)
        await playing.run()
        await following
        await self.settled()


@asynccontextmanager
async def floor(url: str, series: dict[str, Candles], bus: Bus | None = None, **options):
    """Open a floor with one paper account on ``series``, told of on ``bus``; ``options`` are those of `Audit`."""
    clock = SteppedClock(int(series[SYMBOLS[0]].ts[WARM]))
    audit = None if bus is None else Audit(bus, clock, **options)
    telling = None if audit is None else asyncio.create_task(audit.run())
    exchange = Exchange([instrument(symbol) for symbol in SYMBOLS], Costs())
    exchange.add_account("paper", {"USDT": Decimal(10_000)})
    venue = SimulatedVenue(exchange, "paper", clock)
    heard = Heard()
    spec = AccountSpec(id="paper", user_id=1, venue="simulated", mode=Mode.PAPER, quote="USDT")
    SqlRegister(url, None).add_account(spec)
    listening = None if audit is None else audit.heard
    async with Engine(SqlJournal(url), clock, heard, reconcile_s=3_600, tick_s=3_600, audit=listening) as engine:
        lane = await engine.add(Account(spec, venue.traits), venue)
        asker = Asker(limit_s=300.0)
        try:
            yield Floor(engine, lane, venue, clock, exchange, Bots(engine, asker, heard), heard, bus, audit)
        finally:
            asker.close()
            if telling is not None:
                telling.cancel()
                await asyncio.wait((telling,))


async def two_bots(opened: Floor, series: dict[str, Candles]) -> None:
    """Seat a bot on each symbol, and let them decide."""
    named = (("trend", "donchian_trend", SYMBOLS[0]), ("cross", "ema_cross", SYMBOLS[1]))
    for name, strategy, symbol in named:
        opened.seat(name, strategy, symbol, series[symbol])
    await opened.settled()
    for name, strategy, symbol in named:
        opened.bots.run(opened.lane, name, load(strategy), series[symbol][:WARM], venue="simulated")
