"""A bot on paper in lockstep with a made-up market, with its journal and the record of what it saw."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.databases import sqlite_url

from cambist.adapters.clock import SteppedClock
from cambist.adapters.storage.candles import ParquetLake
from cambist.adapters.storage.heartbeat_log import SqlHeartbeatLog
from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.venues.simulated.market import SimulatedMarket
from cambist.adapters.venues.simulated.venue import SimulatedVenue
from cambist.domain.account import AccountSpec, BotSpec, BotStatus, Mode
from cambist.domain.alert import Alert
from cambist.domain.candles import Candle, Candles
from cambist.domain.event import AccountEvent, BotAdded, BotChanged, Restarted
from cambist.domain.instrument import Instrument
from cambist.domain.request import Traits
from cambist.domain.tick import CandleTick
from cambist.domain.timeframe import Timeframe
from cambist.engine.account import Account
from cambist.engine.asking import Asker
from cambist.engine.bots import Bots
from cambist.engine.live import Engine, Lane
from cambist.engine.ready import known
from cambist.engine.runners import configured
from cambist.execution.limits import Limits
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.market.resample import resample
from cambist.market.synthetic import synthetic_market
from cambist.ports.heartbeat_log import SignalRow
from cambist.usecases.parity import ParityReport, parity

SYMBOL = "BTC/USDT"
START = 1_704_067_200_000  # 2024-01-01
RULES = Instrument(
    venue="simulated",
    symbol=SYMBOL,
    tick_size=Decimal("0.01"),
    lot_step=Decimal("0.00001"),
    min_notional=Decimal(5),
    min_quantity=Decimal("0.00001"),
)


def market(count: int, *, timeframe: str = "1h", seed: int = 11) -> Candles:
    """Return a made-up market."""
    made = synthetic_market((SYMBOL,), start_ms=START, count=count, timeframe=timeframe, seed=seed)
    return replace(made[SYMBOL], venue="simulated")


class Heard:
    """Alerts that were sent."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    async def send(self, alert: Alert) -> None:
        """Keep it."""
        self.alerts.append(alert)


@dataclass(slots=True)
class Desk:
    """What a person has at hand while the bot runs."""

    engine: Engine
    lane: Lane
    bots: Bots
    clock: SteppedClock

    paper: "Paper"

    def begin_anew(self) -> None:
        """Let the strategy begin anew, as after a restart of the engine."""
        now, paper = self.clock.now_ms(), self.paper
        self.tell(Restarted(now))
        self.bots.end("bot")
        strategy = configured(paper.strategy, paper.params)
        self.bots.run(self.lane, "bot", strategy, paper.shown.between(None, now), venue="simulated")

    def tell(self, event: AccountEvent) -> None:
        """Put an event to the engine."""
        self.engine.tell(self.lane, event)


Act = Callable[[Desk], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Paper:
    """One run on paper: how it is set up, and what it left behind in ``folder``."""

    folder: Path
    candles: Candles
    strategy: str
    params: Mapping[str, Any] = field(default_factory=dict)
    frame: Timeframe | None = None
    """The bot's timeframe, if it is not that of the candles, which then are the market's minutes."""
    warm: int = 300
    """Candles before the bot starts."""
    played: Candles | None = None
    """What the exchange plays, if that is not what the bot is shown."""
    costs: Costs = field(default_factory=Costs)
    limits: Limits = field(default_factory=Limits)
    pyramiding: int = 1
    budget: Decimal = Decimal(10_000)
    unseen: frozenset[int] = frozenset()
    """Open times of candles that neither bot nor record are told of."""
    traits: Traits = SimulatedVenue.traits
    """What the venue is taken to do by itself."""
    keeps_missed: bool = False
    """Whether the lake is told of the candles that the bot had to ask for."""
    acts: Mapping[int, Act] = field(default_factory=dict)
    """By the open time of a candle: what a person does once the bot has decided on it."""

    @property
    def shown(self) -> Candles:
        """Return the candles that the bot is shown."""
        return self.candles if self.frame is None else resample(self.candles, self.frame)

    @property
    def spec(self) -> AccountSpec:
        """Return the account."""
        return AccountSpec(id="paper", user_id=1, venue="simulated", mode=Mode.PAPER, quote="USDT")

    @property
    def bot(self) -> BotSpec:
        """Return the bot."""
        return BotSpec(
            id="bot",
            user_id=1,
            account="paper",
            strategy=self.strategy,
            params=dict(self.params),
            symbol=SYMBOL,
            timeframe=self.shown.timeframe,
            budget=self.budget,
            pyramiding=self.pyramiding,
        )

    @property
    def url(self) -> str:
        """Return the database's."""
        return sqlite_url(self.folder / "cambist.db")

    def account(self) -> Account:
        """Return the account, new."""
        return Account(self.spec, self.traits, limits=self.limits)

    def lake(self) -> ParquetLake:
        """Return the lake, which holds what the bot warmed up on."""
        return ParquetLake(self.folder / "candles")

    def parity(self, **more: Any) -> ParityReport:
        """Compare."""
        given: dict[str, Any] = {"bot": "bot", "heartbeat": SqlHeartbeatLog(self.url), "open_strategy": known} | more
        return parity(self.account(), journal=SqlJournal(self.url), lake=self.lake(), **given)

    def run(self) -> "Paper":
        """Run the bot over the candles after the first ``warm``."""
        self.lake().append(self._history())
        asyncio.run(self._run())
        return self

    async def _run(self) -> None:
        clock = SteppedClock(int(self.candles.ts[self.warm]))
        exchange = Exchange([RULES], self.costs, by_law=True)
        exchange.add_account("paper", {"USDT": Decimal(100_000)})
        venue = SimulatedVenue(exchange, "paper", clock)
        venue.traits = self.traits
        heard, asker = Heard(), Asker(limit_s=300.0)
        register = SqlRegister(self.url, None)
        register.add_account(self.spec)
        register.add_bot(self.bot)
        async with Engine(SqlJournal(self.url), clock, heard, reconcile_s=3_600, tick_s=3_600) as engine:
            lane = await engine.add(self.account(), venue)

            async def settled() -> None:
                await engine.settled()
                await venue.settled()
                await engine.settled()

            played = self.candles if self.played is None else self.played
            playing = SimulatedMarket(exchange, clock, [played], settled=settled)
            bots = Bots(engine, asker, heard, playing, self.lake() if self.keeps_missed else None)
            desk = Desk(engine, lane, bots, clock, self)
            desk.tell(BotAdded(clock.now_ms(), self.bot, RULES))
            desk.tell(BotChanged(clock.now_ms(), "bot", BotStatus.RUNNING))
            await engine.settled()
            bots.run(lane, "bot", configured(self.strategy, self.params), self._history(), venue="simulated")

            following = asyncio.create_task(self._follow(playing, desk))
            await asyncio.sleep(0)
            await playing.run()
            await following
            await settled()
        asker.close()

    def _history(self) -> Candles:
        return self.shown.between(None, int(self.candles.ts[self.warm]))

    async def _follow(self, playing: SimulatedMarket, desk: Desk) -> None:
        told = [self.candles] if self.frame is None else [self.candles, self.shown]
        by_close = [(one.timeframe, {one.timeframe.close_of(candle.ts): candle for candle in one}) for one in told]
        rows = []
        async for tick in playing.ticks([SYMBOL]):
            if not isinstance(tick, CandleTick) or not tick.closed or tick.ts in self.unseen:
                continue
            desk.engine.price(SYMBOL, tick.close)
            await desk.engine.settled()
            for frame, candles in by_close:
                candle = candles.get(tick.timeframe.close_of(tick.ts))
                if candle is not None:
                    rows.append(_row(candle, frame, desk.clock.now_ms()))
                    await desk.bots.closed("simulated", SYMBOL, frame, candle)
            if tick.ts in self.acts:
                await desk.engine.settled()
                await self.acts[tick.ts](desk)
        SqlHeartbeatLog(self.url).record(rows)


def _row(candle: Candle, frame: Timeframe, now_ms: int) -> SignalRow:
    close = frame.close_of(candle.ts)
    return SignalRow(
        received_ms=now_ms,
        candle_ms=candle.ts,
        close_ms=close,
        timeframe=frame,
        symbol=SYMBOL,
        venue="simulated",
        source="primary",
        repaired=False,
        signal_id=f"{frame}_{close}",
        open=Decimal(repr(candle.open)),
        high=Decimal(repr(candle.high)),
        low=Decimal(repr(candle.low)),
        close=Decimal(repr(candle.close)),
        volume=Decimal(repr(candle.volume)),
    )
