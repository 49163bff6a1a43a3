"""Book against venue, and what people do about differences; all of it on the simulated exchange."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.engine.rooms import BTC, CASH, ETH, PERP, Room, Wilful, account_spec, room

from cambist.adapters.storage.register import SqlRegister
from cambist.domain.errors import NotFound
from cambist.domain.event import Decided, Released
from cambist.domain.ledger import Cause
from cambist.domain.order import OrderType, Side
from cambist.domain.report import Balance
from cambist.domain.request import OrderRequest, Traits
from cambist.domain.wish import Exit
from cambist.engine.account import Account
from cambist.engine.recovery import recover, snapshot_of
from cambist.execution.orders import Life

D = Decimal
EVERY = 6


def pay(floor: Room, account: str, asset: str, amount: str) -> None:
    """Let a person pay something in (negative: out) at the venue, beside Cambist."""
    floor.exchange._account(account).holdings.pay(asset, -D(amount))


async def at_venue(floor: Room, account: str = "paper") -> dict[str, Decimal]:
    return {asset: held.total for asset, held in (await floor.venues[account].balances()).items() if held.total}


def test_what_differs_freezes_and_a_person_adopts_it(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add(symbols=(BTC, ETH))
            await floor.enter(lane, 100.0, stop_loss=0.05)
            pay(floor, "paper", "BTC", "0.5")
            pay(floor, "paper", "USDT", "-7.25")
            await floor.pass_time(2 * EVERY)
            assert set(lane.account.frozen) == {BTC, ETH}  # the cash is that of both
            await floor.enter(lane, 10.0, symbol=ETH)
            assert "refused.frozen" in floor.heard.told()

            adopted = await floor.engine.adopt(lane, BTC)
            assert [(one.asset, one.amount) for one in adopted] == [("BTC", D("0.5")), ("USDT", D("-7.25"))]
            assert lane.account.ledger.holdings() == await at_venue(floor)
            assert lane.account.ledger.balance("free", "BTC") == D("0.5")
            assert set(lane.account.frozen) == {ETH}
            booked = [entry for entry in floor.journal.ledger("paper") if entry.cause is Cause.CORRECTION]
            assert len(booked) == 2
            for entry in booked:
                assert sum(line.amount for line in entry.lines) == 0
            assert await floor.engine.adopt(lane, ETH) == []
            assert not lane.account.frozen
            await floor.pass_time(3 * EVERY)
            assert not lane.account.frozen
            await floor.enter(lane, 10.0, symbol=ETH)
            assert lane.account.seats["paper-eth"].bot.position
            again = recover(Account(account_spec(), lane.account.traits), floor.journal)
            assert snapshot_of(again.account) == snapshot_of(lane.account)

    asyncio.run(story())


def test_the_same_difference_twice_is_two_entries(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add()
            for _ in range(2):  # at one and the same moment
                pay(floor, "paper", "USDT", "100")
                assert [one.amount for one in await floor.engine.adopt(lane, BTC)] == [D(100)]
            assert lane.account.ledger.holdings() == await at_venue(floor) == {"USDT": CASH + 200}

    asyncio.run(story())


def test_only_what_a_bot_trades_can_be_adopted(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add()
            with pytest.raises(NotFound, match="DOGE/USDT"):
                await floor.engine.adopt(lane, "DOGE/USDT")

    asyncio.run(story())


def test_orders_that_are_not_ours_are_shown_and_cancelled_only_by_name(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add()
            theirs = OrderRequest(
                client_id="bymyself", symbol=BTC, side=Side.BUY, type=OrderType.LIMIT, quantity=D(1), price=D(50)
            )
            floor.exchange.submit("paper", theirs)
            await floor.enter(lane, 100.0, stop_loss=0.05)
            await floor.pass_time(2 * EVERY)
            assert [one.client_id for one in lane.foreign] == ["bymyself"]
            ours = next(name for name, one in lane.account.orders.items() if one.life is Life.OPEN)
            for name in (ours, "nobody's", ""):
                with pytest.raises(NotFound):
                    await floor.engine.cancel_foreign(lane, BTC, name)
            report = await floor.engine.cancel_foreign(lane, BTC, "bymyself")
            assert report.status.final
            assert lane.foreign == ()
            assert [one.client_id for one in await floor.venues["paper"].open_orders()] == [ours]

    asyncio.run(story())


def test_a_cancellation_that_never_left_is_asked_about_and_sent_again(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add()
            await floor.enter(lane, 100.0, limit=90.0)
            (one,) = lane.account.orders.values()
            one.life, one.since_ms = Life.CANCELLING, floor.clock.now_ms()  # as a crash would have left it
            lane.account.seats["paper-btc"].bot.entries.clear()
            await floor.pass_time(12)
            assert one.life is Life.CANCELLED
            assert await floor.venues["paper"].open_orders() == []

    asyncio.run(story())


class Wallet(Wilful):
    """A venue whose wallet goes on showing what open contracts cost, and which lists no contracts among balances."""

    async def balances(self) -> dict[str, Balance]:
        found = await super().balances()
        holdings = self._exchange._account(self._account).holdings
        cost = sum((held.quantity * held.entry_price for held in holdings.positions.values()), D(0))
        cash = found.pop("USDT")
        found.pop(PERP, None)
        return found | {"USDT": replace(cash, free=(cash.total + cost).quantize(D("1e-8")), locked=D(0))}


@pytest.mark.parametrize("kind", [Wilful, Wallet])
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_perpetual_is_no_difference(tmp_path, kind, side):
    async def story() -> None:
        async with room(tmp_path) as floor:
            SqlRegister(floor.url, 1).add_account(account_spec())
            floor.exchange.add_account("paper", {"USDT": CASH})
            floor.venues["paper"] = kind(floor.exchange, "paper", floor.clock)
            lane = await floor.add(symbols=(PERP,))
            await floor.enter(lane, 100.0, 5_000.0, PERP, side=side)
            assert lane.account.seats["paper-perp"].bot.position.quantity == side.sign * 50
            await floor.trade(103.33, PERP, told=True)
            await floor.pass_time(4 * EVERY)
            assert lane.differing == ()
            assert not lane.account.frozen
            pay(floor, "paper", "USDT", "1")
            await floor.pass_time(3 * EVERY)
            assert set(lane.account.frozen) == {PERP}
            assert [one.amount for one in await floor.engine.adopt(lane, PERP)] == [D(1)]
            await floor.pass_time(3 * EVERY)
            assert not lane.account.frozen

    asyncio.run(story())


def test_coins_that_a_person_sold_by_hand_are_released_then_adopted(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add()
            await floor.enter(lane, 100.0, stop_loss=0.05)
            venue, bot = floor.venues["paper"], lane.account.seats["paper-btc"].bot
            held, equity = bot.position.quantity, lane.account.equity()
            floor.engine.tell(lane, Released("paper-btc", floor.clock.now_ms()))
            await floor.settled()
            assert not bot.position
            assert await venue.open_orders() == []  # its stop is gone
            assert lane.account.seats["paper-btc"].state.trades == []  # nothing was sold
            assert lane.account.ledger.balance("free", "BTC") == held
            assert lane.account.equity() == equity - held * 100
            floor.exchange.submit("paper", market_order("byhand", Side.SELL, held))
            await floor.settled()
            await floor.engine.adopt(lane, BTC)
            assert lane.account.ledger.balance("free", "BTC") == 0
            balances = await venue.balances()
            assert lane.account.ledger.holdings() == {"USDT": balances["USDT"].total}
            again = recover(Account(lane.account.spec, venue.traits), floor.journal)
            assert not again.differs
            assert snapshot_of(again.account) == snapshot_of(lane.account)

    asyncio.run(story())


def test_a_venue_that_counts_its_trades_anew_does_not_stop_the_engine(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add(traits=Traits(stops=False, oco=False, cuts_to_cash=True))
            floor.venues["paper"].renamed = "7"
            for _ in range(2):
                await floor.enter(lane, 100.0)
                assert lane.account.seats["paper-btc"].bot.position
                await floor.engine.put(lane, Decided("paper-btc", floor.clock.now_ms(), 100.0, (Exit(),)))
                await floor.settled()
                await floor.pass_time(60)
            assert floor.engine.failed is None
            assert lane.account.seats["paper-btc"].closed == 2
            assert lane.account.ledger.holdings() == {"USDT": (await floor.venues["paper"].balances())["USDT"].total}

    asyncio.run(story())


def test_what_is_being_sold_is_not_released(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add(traits=Traits(stops=False, oco=False, cuts_to_cash=True))
            await floor.enter(lane, 100.0)
            bot, venue = lane.account.seats["paper-btc"].bot, floor.venues["paper"]
            held, answer = bot.position.quantity, asyncio.Event()
            real = venue.submit

            async def slowly(request: OrderRequest):
                await answer.wait()
                return await real(request)

            venue.submit = slowly  # type: ignore[method-assign]
            now = floor.clock.now_ms()
            await floor.engine.put(lane, Decided("paper-btc", now, 100.0, (Exit(),)))
            await floor.engine.put(lane, Released("paper-btc", now))
            assert bot.position.quantity == held
            answer.set()
            await floor.settled()
            assert not bot.position
            assert not lane.account.frozen
            assert lane.account.ledger.holdings() == {"USDT": (await venue.balances())["USDT"].total}

    asyncio.run(story())


def market_order(name: str, side: Side, quantity: Decimal) -> OrderRequest:
    return OrderRequest(client_id=name, symbol=BTC, side=side, type=OrderType.MARKET, quantity=quantity)
