"""How an account stands, read off real runs."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tests.databases import sqlite_url
from tests.property.test_desk import BOT, BTC, NATIVE, NOTHING, SPEC, World
from tests.unit.engine.floors import floor, market, two_bots

from cambist.domain.event import BotAdded, Decided, Seen, TradingChanged
from cambist.domain.order import Side
from cambist.domain.standing import AccountStanding
from cambist.domain.trading import TradingState
from cambist.domain.wire import from_text, to_text
from cambist.domain.wish import Enter, Exit, Fraction
from cambist.engine.account import Account
from cambist.engine.desk import step
from cambist.engine.recovery import recover
from cambist.engine.standing import account_standing, standing_of


def holding(traits=NATIVE, **guards: Any) -> World:
    """Return a world in which the bot has bought at 100, and slipped by 5 cents."""
    world = World(3, traits)
    world.trust = True
    world.ts += 60_000
    world.exchange.at_open("BTC/USDT", world.ts, 100.0, 1e9)
    world.take(Seen(world.ts, (("BTC/USDT", Decimal(100)),), venue_ready=True))
    wish = Enter(side=Side.BUY, size=Fraction(0.5), **guards)
    world.take(Decided("bot", world.ts, 100.0, (wish,)))
    world.calm_down()
    assert world.account.seats["bot"].bot.position
    return world


def the_bot(world: World):
    (bot,) = account_standing(world.account, 1).bots
    return bot


def test_it_is_what_the_account_has(tmp_path):
    async def scenario() -> None:
        series = market(330)
        url = sqlite_url(tmp_path / "book.db")
        async with floor(url, series) as opened:
            await two_bots(opened, series)
            await opened.run(series)
            lane, account = opened.lane, opened.lane.account
            standing = standing_of(lane)
        assert (standing.id, standing.seq, standing.ready, standing.ts) == (
            "paper",
            lane.seq,
            lane.ready,
            account.now_ms,
        )
        assert standing.equity == account.equity() == sum(bot.equity for bot in standing.bots)
        for bot in standing.bots:
            seat = account.seats[bot.id]
            assert bot.equity == seat.state.equity()
            assert bot.realised + bot.unrealised + bot.budget == pytest.approx(bot.equity, abs=Decimal("1e-15"))
            assert bot.trades == seat.closed >= 2
            assert (bot.quantity, bot.entry_price) == (seat.bot.position.quantity, seat.bot.position.entry_price)
            assert {order.client_id for order in bot.orders} == {
                one.request.client_id for one in account.working(bot.id)
            }
            if not bot.quantity:
                closed = sum(trade.pnl for trade in seat.state.trades)
                assert bot.realised == pytest.approx(closed, abs=Decimal("1e-15"))
        assert any(bot.quantity for bot in standing.bots)
        assert from_text(AccountStanding, to_text(AccountStanding, standing)) == standing
        # the same from the journal alone, but for what only the loop knows
        from cambist.adapters.storage.journal import SqlJournal

        found = recover(Account(account.spec, account.traits), SqlJournal(url))
        again = account_standing(found.account, found.seq)
        assert again.ready is None
        assert (again.bots, again.equity, again.seq) == (standing.bots, standing.equity, standing.seq)

    asyncio.run(scenario())


def test_protections_are_told_by_who_keeps_them():
    both = the_bot(holding(stop_loss=0.02, take_profit=0.04))
    assert (both.protection, both.stop_loss, both.take_profit) == ("native", Decimal("98.05"), Decimal("104.06"))
    assert {str(order.role) for order in both.orders} == {"stop_loss", "take_profit"}
    watched = the_bot(holding(NOTHING, stop_loss=0.02))
    assert (watched.protection, watched.stop_loss, watched.orders) == ("emulated", Decimal("98.05"), ())
    bare = the_bot(holding())
    assert (bare.protection, bare.stop_loss, bare.take_profit) == ("none_wanted", None, None)


def test_a_stop_for_a_part_of_it_is_not_called_a_protection_at_the_venue():
    world = holding(stop_loss=0.02)
    seat = world.account.seats["bot"]
    seat.bot.position = seat.bot.position.grown(Decimal(1), Decimal(100))
    assert the_bot(world).protection == "emulated"


def test_a_trailing_stop_is_the_stop_if_it_is_tighter():
    assert the_bot(holding(stop_loss=0.05, trailing_stop=0.01)).stop_loss == Decimal("99.05")


def test_the_last_price_values_the_position():
    world = holding(stop_loss=0.05)
    before = the_bot(world)
    world.take(Seen(world.ts, (("BTC/USDT", Decimal(103)),), venue_ready=True))
    after = the_bot(world)
    assert after.price == 103
    assert after.unrealised == (103 - after.entry_price) * after.quantity > 0
    assert after.equity - before.equity == after.unrealised - before.unrealised
    assert after.realised == before.realised < 0, "the fee of the entry"


def test_what_is_being_closed_is_said():
    world = holding(stop_loss=0.05)
    assert not the_bot(world).closing
    world.take(Decided("bot", world.ts, 100.0, (Exit(),)))
    assert the_bot(world).closing
    world.calm_down()
    gone = the_bot(world)
    assert (gone.closing, gone.quantity, gone.trades, gone.orders) == (False, 0, 1, ())


def test_what_is_not_as_it_should_be_is_said():
    account = Account(SPEC, NATIVE)
    step(account, BotAdded(1, BOT, BTC))
    standing = account_standing(account, 1)
    assert (standing.trading, standing.frozen, standing.unknown) == (TradingState.ACTIVE, (), ())
    assert standing.bots[0].price is None, "no price was seen"
    world = holding(stop_loss=0.05)
    world.account.frozen["BTC/USDT"] = "1 / 2"
    world.take(TradingChanged(world.ts, TradingState.HALTED))
    standing = account_standing(world.account, 1, ready=False, foreign=("theirs",))
    assert (standing.trading, standing.frozen) == (TradingState.HALTED, (("BTC/USDT", "1 / 2"),))
    assert (standing.ready, standing.foreign) == (False, ("theirs",))
