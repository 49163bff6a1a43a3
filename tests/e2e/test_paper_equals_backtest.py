"""A bot on paper, through journal, desk and venue, does to the digit what its backtest does."""

import asyncio
from decimal import Decimal

import pytest
from tests.databases import sqlite_url

from cambist.adapters.clock import SteppedClock
from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.venues.simulated.market import SimulatedMarket
from cambist.adapters.venues.simulated.venue import SimulatedVenue
from cambist.backtest.run import backtest
from cambist.domain.account import AccountSpec, BotSpec, BotStatus, Mode
from cambist.domain.alert import Alert
from cambist.domain.candles import Candle
from cambist.domain.event import BotAdded, BotChanged
from cambist.domain.instrument import Instrument
from cambist.domain.tick import CandleTick
from cambist.engine.account import Account
from cambist.engine.asking import Asker
from cambist.engine.bots import Bots
from cambist.engine.live import Engine
from cambist.engine.recovery import recover, snapshot_of
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.market.synthetic import synthetic_market
from cambist.strategies._load import load

SYMBOL = "BTC/USDT"


class Heard:
    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    async def send(self, alert: Alert) -> None:
        self.alerts.append(alert)


async def paper(strategy, candles, instrument: Instrument, url: str, warm: int):
    """Run ``strategy`` on paper over ``candles`` after the first ``warm``; return the account and the exchange."""
    clock = SteppedClock(int(candles.ts[warm]))
    exchange = Exchange([instrument], Costs())
    exchange.add_account("paper", {"USDT": Decimal(10_000)})
    venue = SimulatedVenue(exchange, "paper", clock)
    heard = Heard()
    journal = SqlJournal(url)
    spec = AccountSpec(id="paper", user_id=1, venue="simulated", mode=Mode.PAPER, quote="USDT")
    SqlRegister(url, None).add_account(spec)
    async with Engine(journal, clock, heard, reconcile_s=3_600, tick_s=3_600) as engine:
        lane = await engine.add(Account(spec, venue.traits), venue)
        bot = BotSpec(
            id="bot",
            user_id=1,
            account="paper",
            strategy="given",
            params={},
            symbol=SYMBOL,
            timeframe=candles.timeframe,
            budget=Decimal(10_000),
        )
        engine.tell(lane, BotAdded(clock.now_ms(), bot, instrument))
        engine.tell(lane, BotChanged(clock.now_ms(), "bot", BotStatus.RUNNING))
        await engine.settled()
        asker = Asker(limit_s=300.0)
        bots = Bots(engine, asker, heard)
        bots.run(lane, "bot", strategy, candles[:warm], venue="simulated")

        async def settled() -> None:
            await engine.settled()
            await venue.settled()
            await engine.settled()

        market = SimulatedMarket(exchange, clock, [candles], settled=settled)

        async def follow() -> None:
            async for tick in market.ticks([SYMBOL]):
                if isinstance(tick, CandleTick) and tick.closed:
                    values = (float(value) for value in (tick.open, tick.high, tick.low, tick.close, tick.volume))
                    await bots.closed("simulated", SYMBOL, tick.timeframe, Candle(tick.ts, *values))

        following = asyncio.create_task(follow())
        await asyncio.sleep(0)
        await market.run()
        await following
        asker.close()
        await settled()
        await engine.reconcile(lane)
        await engine.reconcile(lane)
        assert not lane.differing
        assert not lane.account.frozen
        again = recover(Account(spec, venue.traits), journal)
        assert not again.differs
        assert snapshot_of(again.account) == snapshot_of(lane.account)
        return lane.account, exchange, heard


@pytest.mark.parametrize("name", ["ema_cross", "donchian_trend", "rsi_reversion"])
def test_paper_equals_backtest(name, tmp_path):
    candles = synthetic_market((SYMBOL,), start_ms=1_704_067_200_000, count=2_000, timeframe="1h", seed=11)[SYMBOL]
    instrument = Instrument(
        venue="simulated",
        symbol=SYMBOL,
        tick_size=Decimal("0.01"),
        lot_step=Decimal("0.00001"),
        min_notional=Decimal(5),
        min_quantity=Decimal("0.00001"),
    )
    strategy = load(name)
    warm = 2  # as a backtest begins: on its first candles
    account, exchange, _ = asyncio.run(paper(strategy, candles, instrument, sqlite_url(tmp_path / "book.db"), warm))
    result = backtest(strategy, candles, cash=10_000, instrument=instrument, engine="event loop", proof=False)
    theirs = [
        (t.entry_ts, t.entry_price, t.exit_price, t.quantity, t.pnl, str(t.exit_reason))
        for t in result.trades
        if t.exit_reason != "open"
    ]
    ours = [
        (t.entry_ts, float(t.entry_price), float(t.exit_price), float(t.quantity), float(t.pnl), str(t.reason))
        for t in account.seats["bot"].state.trades
    ]
    assert len(ours) >= 5
    assert ours == theirs
    assert account.ledger.holdings() == {
        asset: balance.total for asset, balance in exchange.balances("paper").items() if balance.total
    }
