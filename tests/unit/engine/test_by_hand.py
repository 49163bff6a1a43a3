"""Orders by hand before the judge: what they cost, hold and close, beside bots on the same instrument."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.property.test_desk import MemoryJournal
from tests.unit.engine.rooms import BTC, CASH, PERP, bot_spec, instrument
from tests.unit.engine.test_desk import NATIVE, Desk, placed

from cambist.domain.account import BotStatus
from cambist.domain.command import TakeBackOrder
from cambist.domain.event import (
    AccountEvent,
    BotAdded,
    BotChanged,
    Corrected,
    HandAmended,
    HandOrdered,
    Released,
    Seen,
)
from cambist.domain.order import OrderType, Side
from cambist.domain.refusal import Reason
from cambist.domain.report import Status
from cambist.domain.request import OrderRequest
from cambist.domain.wish import Enter, Exit, Notional
from cambist.engine.account import Account, Outcome
from cambist.engine.desk import step
from cambist.engine.hand import spendable
from cambist.engine.recovery import body_of, recover, snapshot_of
from cambist.execution.limits import Limits
from cambist.ports.book import JournalEntry

D = Decimal
BUDGET = bot_spec().budget
FREE = CASH - BUDGET
HELD_BACK = Decimal("0.996")
"""A market order may cost a little more than its price: that is held back from what is free."""


class Hand(Desk):
    """A desk at which a person orders too."""

    requests = 0

    def order(self, side: Side, quantity: str | Decimal, **more: Any) -> Outcome:
        self.requests += 1
        limit: dict[str, Any] = {"type": OrderType.MARKET}
        if more.pop("limit", False):
            limit = {"type": OrderType.LIMIT, "price": more.pop("price", D(100))}
        elif "stop" in more:
            limit = {"type": OrderType.STOP, "trigger": more.pop("stop")}
        ordered: dict[str, Any] = {"side": side, "quantity": D(quantity), "instrument": instrument(self.symbol)}
        return self.take(HandOrdered(ts=self.ts, request=self.requests, **ordered, **limit, **more))

    def traded(self, side: Side, quantity: str, **more: Any) -> None:
        (request,) = placed(self.order(side, quantity, **more))
        self.fill(request, quantity)

    def rests(self, side: Side, quantity: str, **more: Any) -> OrderRequest:
        (request,) = placed(self.order(side, quantity, limit=True, **more))
        self.report(request, Status.OPEN)
        return request

    def reason(self, side: Side, quantity: str | Decimal, **more: Any) -> Reason | None:
        refused = self.order(side, quantity, **more).refused
        return refused[0].reason if refused else None


def most(cash: Decimal) -> Decimal:
    """Return about how many lots at 100 a market order may open with ``cash``."""
    return (cash / 100 * HELD_BACK).quantize(D("0.0001"))


# -- what a short of a perpetual binds --------------------------------------------------------------------------------


def test_a_short_by_hand_is_bound_by_the_cash_as_a_purchase_is():
    for side in Side:
        assert Hand(symbol=PERP).reason(side, most(FREE)) is None
        assert Hand(symbol=PERP).reason(side, FREE / 100) is Reason.NO_CASH


def test_what_a_short_brought_in_cannot_be_spent_and_as_much_again_is_its_margin():
    desk = Hand(symbol=PERP)
    desk.traded(Side.SELL, "100")
    assert spendable(desk.account, "USDT") == FREE - 10_000
    assert desk.reason(Side.SELL, most(FREE)) is Reason.NO_CASH
    assert desk.reason(Side.SELL, most(FREE - 10_000)) is None


def test_what_rests_binds_what_it_would_open_whichever_side():
    for side in Side:
        desk = Hand(symbol=PERP)
        desk.rests(side, "100")
        assert spendable(desk.account, "USDT") == FREE - D("10010.0")  # the fee too


def test_a_short_can_be_bought_back_with_no_cash_at_all_but_not_turned_round():
    desk = Hand(symbol=PERP)
    desk.traded(Side.SELL, f"{most(FREE)}")
    assert spendable(desk.account, "USDT") < 500
    assert desk.reason(Side.BUY, most(FREE) + 10) is Reason.NO_CASH
    desk.traded(Side.BUY, f"{most(FREE)}")
    assert desk.account.contracts[PERP].quantity == 0
    assert spendable(desk.account, "USDT") == FREE


def test_a_position_can_be_closed_once_not_once_for_each_order_that_waits():
    desk = Hand(symbol=PERP)
    desk.traded(Side.BUY, f"{most(FREE)}")
    desk.rests(Side.SELL, f"{most(FREE)}")
    assert desk.reason(Side.SELL, "100", limit=True) is Reason.NO_CASH
    desk = Hand(symbol=PERP)
    for bound in (D(10_000), D(10_000), D("20010.0")):  # what is held, what closes it, and what would open a short
        desk.rests(Side.SELL, "100") if desk.account.contracts else desk.traded(Side.BUY, "100")
        assert spendable(desk.account, "USDT") == FREE - bound


@pytest.mark.parametrize("symbol", [BTC, PERP])
def test_a_purchase_that_is_triggered_already_costs_what_the_market_asks(symbol: str):
    desk = Hand(symbol=symbol)
    below = desk.order(Side.BUY, FREE / 100, stop=D(1))
    assert [one.reason for one in below.refused] == [Reason.NO_CASH]
    (request,) = placed(desk.order(Side.BUY, "1", stop=D(1)))
    assert request.cost_limit == FREE  # and never more than is free, whatever it is filled at
    (request,) = placed(desk.order(Side.BUY, "1", stop=D(110)))
    assert request.cost_limit == FREE - D("100.4")


def test_a_sale_below_the_market_opens_a_short_at_the_market():
    desk = Hand(NATIVE, symbol=PERP, limits=Limits(max_order_notional=D(1_000)))
    assert desk.reason(Side.SELL, "50", limit=True, price=D(1)) is Reason.ORDER_NOTIONAL
    assert Hand(symbol=PERP).reason(Side.SELL, FREE / 100, limit=True, price=D(1)) is Reason.NO_CASH


def test_the_margin_of_a_short_goes_with_its_price_before_that_is_journaled():
    desk = Hand(symbol=PERP)
    desk.traded(Side.SELL, "100")
    desk.take(Seen(desk.ts, (), venue_ready=True, marks=((PERP, D(150)),)))
    assert spendable(desk.account, "USDT") == FREE + 10_000 - 30_000


# -- several on one perpetual -----------------------------------------------------------------------------------------


def test_nobody_takes_the_other_side_of_a_perpetual_that_another_holds_or_wants():
    desk = Hand(symbol=PERP)
    entry = desk.enter(1_000.0, limit=99.0)
    assert desk.reason(Side.SELL, "1") is Reason.OPPOSED  # it may fill at any moment
    desk.report(entry, Status.OPEN)
    desk.fill(entry, "10", 99)
    assert desk.reason(Side.SELL, "1") is Reason.OPPOSED
    assert desk.reason(Side.BUY, "1") is None


def test_a_bot_does_not_go_against_another_nor_against_a_person():
    desk = Hand(symbol=PERP)
    other = replace(bot_spec(symbol=PERP), id="other", budget=D(1_000))
    desk.take(BotAdded(desk.ts, other, instrument(PERP)))
    desk.take(BotChanged(desk.ts, "other", BotStatus.RUNNING))
    short = Enter(side=Side.SELL, size=Notional(500.0))
    desk.traded(Side.BUY, "1")
    assert desk.wish(short) == []
    assert desk.seat.state.refused[-1].reason is Reason.OPPOSED
    desk.traded(Side.SELL, "1")  # a person closes what is theirs
    (request,) = desk.wish(short)
    desk.fill(request, "5")
    desk.bot = "other"
    assert desk.wish(Enter(side=Side.BUY, size=Notional(500.0))) == []
    assert len(desk.wish(short)) == 1


def test_on_spot_everybody_does_as_they_like():
    desk = Hand()
    desk.fill(desk.enter(1_000.0), "10")
    desk.traded(Side.BUY, "2")
    assert desk.reason(Side.SELL, "2") is None


def test_what_is_said_to_reduce_a_perpetual_reduces_what_the_person_holds_not_what_a_bot_does():
    desk = Hand(symbol=PERP)
    desk.fill(desk.enter(1_000.0), "10")
    assert desk.reason(Side.SELL, "1", reduce_only=True) is Reason.NO_HOLDING
    desk.traded(Side.BUY, "2")
    assert desk.reason(Side.SELL, "3", reduce_only=True) is Reason.NO_HOLDING
    desk.rests(Side.SELL, "1.5", reduce_only=True)
    assert desk.reason(Side.SELL, "1", reduce_only=True) is Reason.NO_HOLDING
    desk.traded(Side.SELL, "0.5", reduce_only=True)
    assert desk.account.contracts[PERP].quantity == D("11.5")


# -- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("symbol", [BTC, PERP])
@pytest.mark.parametrize("limit", ["max_instrument_notional", "max_account_notional", "max_user_notional"])
def test_what_was_bought_by_hand_counts_as_held(symbol: str, limit: str):
    desk = Hand(NATIVE, symbol=symbol, limits=Limits(**{limit: D(1_000)}))  # type: ignore[arg-type]
    desk.traded(Side.BUY, "6")
    assert desk.reason(Side.BUY, "5") is not None
    assert desk.wish(Enter(side=Side.BUY, size=Notional(500.0))) == []
    desk.traded(Side.SELL, "6")
    assert desk.reason(Side.BUY, "5") is None


def test_what_has_gone_another_way_counts_no_more():
    desk = Hand(NATIVE, limits=Limits(max_account_notional=D(1_000)))
    desk.traded(Side.BUY, "9")
    desk.take(Corrected(desk.ts, "BTC", D(-9), "adopted"))  # sold elsewhere, and adopted
    assert desk.reason(Side.BUY, "9") is None


def test_it_counts_as_a_position_unless_it_is_dust():
    desk = Hand(NATIVE, limits=Limits(max_open_positions=1))
    desk.traded(Side.BUY, "6")
    assert desk.wish(Enter(side=Side.BUY, size=Notional(500.0))) == []
    desk.traded(Side.SELL, "5.9999")
    assert len(desk.wish(Enter(side=Side.BUY, size=Notional(500.0)))) == 1


# -- what is given away, and what is read again ------------------------------------------------------------------------


def test_what_cannot_be_sold_can_be_released():
    desk = Hand()
    desk.fill(desk.enter(1_000.0), "10")
    (sale,) = desk.wish(Exit())
    desk.take(Released(desk.bot, desk.ts))
    assert desk.seat.bot.position.quantity == 10  # it is on its way
    desk.report(sale, Status.REFUSED, reason="delisted")
    desk.take(Released(desk.bot, desk.ts + 1))
    assert not desk.seat.bot.position
    assert desk.account.ledger.balance("free", "BTC") == 10


def test_what_has_left_is_not_judged_again_when_the_journal_is_read(monkeypatch: pytest.MonkeyPatch):
    """Another version, with other rules, has written it."""
    desk, journal = Hand(NATIVE, limits=Limits(max_account_notional=D(1_000))), MemoryJournal()

    def take(event: AccountEvent) -> Outcome:
        outcome = step(desk.account, event)
        seq = len(journal.entries) + 1
        entry = JournalEntry(account="paper", seq=seq, ts=desk.ts, kind="", body=body_of(event, outcome.commands))
        journal.append([entry])
        return outcome

    journal.snapshot("paper", 0, snapshot_of(desk.account))
    monkeypatch.setattr(desk, "take", take)
    with monkeypatch.context() as older:
        older.setattr("cambist.engine.hand.judge", lambda *_: None)
        older.setattr("cambist.engine.sending.judge", lambda *_: None)
        desk.traded(Side.BUY, "80")
        desk.fill(desk.enter(5_000.0), "50")
    found = recover(Account(desk.account.spec, NATIVE), journal)
    assert not found.differs
    assert snapshot_of(found.account) == snapshot_of(desk.account)
    assert found.account.held(found.account.seats[desk.bot]) == 50
    desk.account = found.account
    assert desk.reason(Side.BUY, "1") is Reason.ACCOUNT_NOTIONAL  # the rules of today are for what is asked today


# -- amending ---------------------------------------------------------------------------------------------------------


def test_an_order_stays_as_it_is_if_what_it_should_become_would_be_refused():
    desk = Hand(NATIVE, limits=Limits(max_order_notional=D(1_000)))
    request = desk.rests(Side.BUY, "5")
    outcome = desk.take(HandAmended(desk.ts, 90, request.client_id, D(11), D(100)))
    assert [one.reason for one in outcome.refused] == [Reason.ORDER_NOTIONAL]
    assert outcome.commands == []
    outcome = desk.take(HandAmended(desk.ts, 91, request.client_id, D(10), D(100)))
    assert outcome.commands == [TakeBackOrder(BTC, request.client_id)]
    (anew,) = placed(desk.report(request, Status.CANCELLED))
    assert anew.quantity == 10


@pytest.mark.parametrize("symbol", [BTC, PERP])
def test_what_an_order_binds_is_free_for_what_it_becomes(symbol: str):
    desk = Hand(NATIVE, symbol=symbol)
    request = desk.rests(Side.BUY, f"{most(FREE)}")
    less = HandAmended(desk.ts, 90, request.client_id, most(FREE) - 1, D(100))
    assert desk.take(less).commands == [TakeBackOrder(symbol, request.client_id)]
    desk.report(request, Status.CANCELLED)
    desk = Hand(NATIVE, symbol=symbol)
    desk.traded(Side.BUY, "6")
    sale = desk.rests(Side.SELL, "6", reduce_only=True)
    outcome = desk.take(HandAmended(desk.ts, 90, sale.client_id, D(6), D(101)))
    assert outcome.commands == [TakeBackOrder(symbol, sale.client_id)]
    sale = desk.report(sale, Status.CANCELLED).requests()[0]
    outcome = desk.take(HandAmended(desk.ts, 91, sale.client_id, D(7), D(101)))
    assert [one.reason for one in outcome.refused] == [Reason.NO_HOLDING]
