"""Orders by hand and requested wishes, beside a bot, against an exchange that loses answers, while we crash."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property import test_desk as desk

from cambist.domain.event import AccountEvent, Decided, HandAmended, HandCancelled, HandOrdered, Wished
from cambist.domain.instrument import Kind
from cambist.domain.order import OrderType, Side
from cambist.domain.refusal import Reason
from cambist.domain.request import Traits
from cambist.domain.wish import CancelEntries, Enter, Exit, Fraction, Wish
from cambist.engine.desk import step
from cambist.engine.hand import seat_id, spendable
from cambist.execution.ids import client_id
from cambist.portfolio.ledger import FREE

HAND = seat_id(desk.SYMBOL)
BUDGET = Decimal(6_000)


class World(desk.World):
    """As in the desk's test; but people order too, with what the bot was not given."""

    def __init__(self, seed: int, traits: Traits, *, fee_in_base: bool = False) -> None:
        self.request = 0
        self.sent: list[HandOrdered | HandCancelled | HandAmended | Wished] = []
        super().__init__(seed, traits, fee_in_base=fee_in_base)

    def ask_for(self) -> None:
        """Ask for something new, or for something that was asked before: a crash may have eaten the answer."""
        if self.sent and self.random.random() < 0.3:
            self.take(self.random.choice(self.sent))
            return
        self.request += 1
        event = self._wanted(self.request)
        self.sent.append(event)
        self.take(event)

    def _wanted(self, number: int) -> HandOrdered | HandCancelled | HandAmended | Wished:
        kind = self.random.random()
        waiting = [name for name, one in self.account.orders.items() if one.order.bot == HAND and not one.ended]
        if kind < 0.2 and waiting:
            return HandCancelled(self.ts, number, self.random.choice(waiting))
        if kind < 0.4 and waiting:
            name = self.random.choice(waiting)
            quantity = Decimal(self.random.randint(1, 200_000)) * desk.BTC.lot_step
            return HandAmended(self.ts, number, name, quantity, price=self._near(0.98, 1.02))
        if kind < 0.5:
            wishes: list[Wish] = [Exit(), CancelEntries(), Enter(side=Side.BUY, size=Fraction(0.3))]
            return Wished(self.ts, number, "bot", self.price, (self.random.choice(wishes),))
        limit = self.random.random() < 0.6
        return HandOrdered(
            ts=self.ts,
            request=number,
            instrument=desk.BTC,
            side=self.random.choice(list(Side)),
            type=OrderType.LIMIT if limit else OrderType.MARKET,
            quantity=Decimal(self.random.randint(1, 200_000)) * desk.BTC.lot_step,
            price=self._near(0.98, 1.02) if limit else None,
        )

    def _near(self, low: float, high: float) -> Decimal:
        return Decimal(f"{self.price * self.random.uniform(low, high):.2f}")


def run(seed: int, traits: Traits, moves: int, *, fee_in_base: bool) -> World:
    world = World(seed, traits, fee_in_base=fee_in_base)
    for _ in range(moves):
        world.candle()
        if world.random.random() < 0.4:
            world.decide()
        for _ in range(world.random.randint(0, 3)):
            world.ask_for()
        if world.random.random() < 0.3:
            world.ask()
        if world.random.random() < 0.05:
            world.crash()
        world.deliver(0.7)
        world.pass_time()
    for name in [name for name, one in world.account.orders.items() if one.order.bot == HAND and not one.ended]:
        world.request += 1
        world.take(HandCancelled(world.ts, world.request, name))
    world.calm_down()
    return world


@pytest.mark.parametrize("traits", [desk.NATIVE, desk.NOTHING], ids=["oco", "none"])
@pytest.mark.parametrize("fee_in_base", [False, True], ids=["fee in quote", "fee in base"])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_people_order_is_neither_lost_nor_doubled(traits: Traits, fee_in_base: bool, seed: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk, "BOT", replace(desk.BOT, budget=BUDGET))  # what is left is people's to trade with
        world = run(seed, traits, 40, fee_in_base=fee_in_base)
    account, exchange = world.account, world.exchange
    held = {asset: balance.total for asset, balance in exchange.balances("paper").items() if balance.total}
    assert account.ledger.holdings() == held
    assert not account.frozen
    assert {order.client_id for order in exchange.open_orders("paper")} == {
        name for name, one in account.orders.items() if not one.ended
    }
    assert account.ledger.balance(FREE, "BTC") >= 0  # nobody sold what the bot holds
    traded: dict[str, Decimal] = {}
    for fill in exchange.fills("paper", desk.SYMBOL):
        traded[fill.client_id] = traded.get(fill.client_id, Decimal(0)) + fill.quantity
    for event in world.sent:
        if isinstance(event, HandOrdered | HandAmended):
            assert traded.get(client_id(f"{HAND}|{event.request}", desk.SYMBOL), 0) <= event.quantity
    assert len(set(account.asked)) == len(account.asked)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), traits=st.sampled_from([desk.NATIVE, desk.PLAIN, desk.NOTHING]))
def test_on_a_perpetual_nobody_closes_what_is_another_s_or_shorts_beyond_the_cash(traits: Traits, seed: int):
    symbol = "BTC/USDT:USDT"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk, "SYMBOL", symbol)
        patch.setattr(desk, "BTC", replace(desk.BTC, symbol=symbol, kind=Kind.PERPETUAL))
        patch.setattr(desk, "BOT", replace(desk.BOT, budget=BUDGET, symbol=symbol))
        world = Perpetual(seed, traits)
        for _ in range(40):
            world.candle()
            if world.random.random() < 0.3:
                world.decide()
            for _ in range(world.random.randint(0, 3)):
                world.ask_for()
            world.deliver(0.7)
            world.pass_time()
        world.calm_down()
    account = world.account
    held = {asset: balance.total for asset, balance in world.exchange.balances("paper").items() if balance.total}
    assert account.ledger.holdings() == held
    assert not account.frozen


class Perpetual(World):
    """People and a bot, both ways, on one perpetual."""

    def take(self, event: AccountEvent) -> None:
        super().take(event)
        sides = {seat.by_hand: self.account.held(seat) for seat in self.account.seats.values()}
        if len(sides) == 2:
            assert sides[True] * sides[False] >= 0

    def look_after(self) -> None:
        """Leave that to the desk's own test: it measures what spot sells."""

    def decide(self) -> None:
        side = self.random.choice(list(Side))
        wish: Wish = Enter(side=side, size=Fraction(0.5), stop_loss=self.random.choice([None, 0.02]))
        if self.random.random() < 0.4:
            wish = Exit()
        self.take(Decided("bot", self.ts, self.price, (wish,)))

    def _wanted(self, number: int) -> HandOrdered | HandCancelled | HandAmended | Wished:
        event = super()._wanted(number)
        if isinstance(event, Wished):
            return replace(event, wishes=(Exit(),))
        if isinstance(event, HandOrdered):
            return replace(event, reduce_only=self.random.random() < 0.3)
        return event


def test_a_request_is_acted_on_once_whatever_is_asked_between():
    world = World(3, desk.NATIVE)
    world.trust = True
    world.candle()
    number = 0
    for _ in range(3):
        for wish in ((Enter(side=Side.BUY, size=Fraction(0.1)),), (Exit(),)):
            number += 1
            asked = Wished(world.ts, number, "bot", world.price, wish)
            for _ in range(3):
                world.take(asked)
                world.exchange.at_open(desk.SYMBOL, world.ts, world.price, 1e6)
                world.deliver(1.0)
    assert len(world.exchange.fills("paper", desk.SYMBOL)) == number


def test_an_amended_order_trades_no_more_than_was_wished_last():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk, "BOT", replace(desk.BOT, budget=BUDGET))
        world = World(5, desk.NATIVE)
    world.trust = True
    world.candle()
    price = Decimal(f"{world.price * 0.9:.2f}")
    ordered = HandOrdered(
        ts=world.ts,
        request=1,
        instrument=desk.BTC,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=Decimal("0.5"),
        price=price,
    )
    world.take(ordered)
    first = client_id(f"{HAND}|1", desk.SYMBOL)
    assert spendable(world.account, "USDT") < Decimal(4_000) - Decimal("0.5") * price
    world.deliver(1.0)
    world.take(HandAmended(world.ts, 2, first, Decimal("0.2"), price - 1))
    world.deliver(1.0)
    world.take(HandCancelled(world.ts, 3, "unknown"))
    (resting,) = world.exchange.open_orders("paper")
    assert (resting.client_id, resting.quantity) == (client_id(f"{HAND}|2", desk.SYMBOL), Decimal("0.2"))
    world.take(HandCancelled(world.ts, 4, resting.client_id))
    world.deliver(1.0)
    assert not world.exchange.open_orders("paper")
    assert spendable(world.account, "USDT") == Decimal(4_000)


@pytest.mark.parametrize(
    ("side", "quantity", "reason"),
    [
        (Side.BUY, "60", Reason.NO_CASH),
        (Side.SELL, "0.1", Reason.NO_HOLDING),
        (Side.BUY, "0.00001", Reason.OFF_LOT),
    ],
)
def test_what_the_account_cannot_pay_for_or_deliver_does_not_leave(side: Side, quantity: str, reason: Reason):
    world = World(5, desk.NATIVE)
    world.trust = True
    world.candle()
    event = HandOrdered(
        ts=world.ts,
        request=1,
        instrument=desk.BTC,
        side=side,
        type=OrderType.MARKET,
        quantity=Decimal(quantity),
    )
    outcome = step(world.account, event)
    assert [one.reason for one in outcome.refused] == [reason]
    assert not outcome.commands


def test_a_purchase_that_is_said_to_reduce_is_limited_as_any_other():
    world = World(5, desk.NATIVE)
    world.trust = True
    world.candle()
    event = HandOrdered(
        ts=world.ts,
        request=1,
        instrument=desk.BTC,
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=Decimal(60),
        reduce_only=True,
    )
    outcome = step(world.account, event)
    assert ([one.reason for one in outcome.refused], outcome.commands) == ([Reason.NO_CASH], [])
