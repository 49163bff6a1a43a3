"""The desk, event by event: what it does of itself, whatever the order in which words come."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.engine.rooms import BTC, CASH, PERP, START, account_spec, bot_spec, instrument

from cambist.domain.account import BotStatus
from cambist.domain.command import Place, PlacePair, TakeBackOrder
from cambist.domain.event import (
    AccountEvent,
    BotAdded,
    BotChanged,
    BreakerRearmed,
    Corrected,
    Decided,
    FillReported,
    Opened,
    OrderAbsent,
    OrderLost,
    OrderReported,
    Restarted,
    Seen,
    TimePassed,
    TradingChanged,
)
from cambist.domain.order import Liquidity, OrderType, Side
from cambist.domain.refusal import Reason
from cambist.domain.report import Balance, BalancesReported, FillReport, OrderReport, Status
from cambist.domain.request import OrderRequest, Traits
from cambist.domain.trading import BreakerStage, TradingState
from cambist.domain.wire import from_text
from cambist.domain.wish import CancelEntries, Enter, Exit, Notional
from cambist.engine.account import KEPT, Account, Outcome
from cambist.engine.desk import step
from cambist.engine.recovery import snapshot_of
from cambist.execution.breaker import BreakerRules, Falls
from cambist.execution.limits import Limits
from cambist.execution.orders import Life

D = Decimal
NATIVE = Traits(stops=True, oco=True, cuts_to_cash=True)
BOT = "paper-btc"


class Desk:
    """One account with one bot, and a venue that says what the test says."""

    def __init__(self, traits: Traits = NATIVE, *, symbol: str = BTC, **settings: Any) -> None:
        spec = bot_spec(symbol=symbol)
        self.symbol, self.bot = symbol, spec.id
        self.account = Account(account_spec(), traits, **settings)
        self.ts = START
        self.trades = 0
        self.take(Opened(BalancesReported(START, (Balance("USDT", CASH, D(0)),))))
        self.take(BotAdded(START, spec, instrument(symbol)))
        self.take(BotChanged(START, self.bot, BotStatus.RUNNING))
        self.see(100)

    @property
    def seat(self) -> Any:
        return self.account.seats[self.bot]

    def take(self, event: AccountEvent) -> Outcome:
        return step(self.account, event)

    def see(self, price: int | str) -> Outcome:
        return self.take(Seen(self.ts, ((self.symbol, D(price)),), venue_ready=True))

    def wish(self, *wishes: Any) -> list[OrderRequest]:
        self.ts += 1_000
        return placed(self.take(Decided(self.bot, self.ts, 100.0, wishes)))

    def enter(self, notional: float = 1_000.0, **more: Any) -> OrderRequest:
        (request,) = self.wish(Enter(side=Side.BUY, size=Notional(notional), **more))
        return request

    def report(self, request: OrderRequest, status: Status, filled: str = "0", **more: Any) -> Outcome:
        word = OrderReport(
            client_id=request.client_id, symbol=self.symbol, status=status, filled=D(filled), ts=self.ts, **more
        )
        return self.take(OrderReported(word))

    def fill(self, request: OrderRequest, quantity: str, price: int = 100) -> Outcome:
        self.trades += 1
        told = FillReport(
            trade_id=str(self.trades),
            client_id=request.client_id,
            symbol=self.symbol,
            side=request.side,
            ts=self.ts,
            price=D(price),
            quantity=D(quantity),
            fee=D(0),
            fee_asset="USDT",
            liquidity=Liquidity.TAKER,
        )
        return self.take(FillReported(told))

    def wait(self, ms: int) -> Outcome:
        self.ts += ms
        return self.take(TimePassed(self.ts))


def placed(outcome: Outcome) -> list[OrderRequest]:
    return [command.request for command in outcome.commands if isinstance(command, Place)]


def test_trades_are_counted_beyond_those_that_are_kept():
    desk = Desk()
    for _ in range(KEPT + 7):
        desk.fill(desk.enter(), "10")
        (close,) = desk.wish(Exit())
        outcome = desk.fill(close, "10")
        assert [trade.bot for trade in outcome.closed] == [BOT]
    assert desk.seat.closed == KEPT + 7
    assert len(desk.seat.state.trades) == KEPT
    assert from_text(Account, snapshot_of(desk.account)).seats[BOT].closed == KEPT + 7


def test_an_order_is_judged_by_what_there_is_without_itself():
    desk = Desk(limits=Limits(max_bot_notional=D(1_000)))
    desk.enter(1_000.0)
    assert desk.wish(Enter(side=Side.BUY, size=Notional(1_000.0))) == []


def test_an_entry_that_turns_up_after_everything_was_closed_is_closed_too():
    for word in (
        TradingChanged(START + 5_000, TradingState.REDUCE_ONLY, flatten=True),
        Seen(START + 5_000, ((BTC, D(50)),), venue_ready=True),
    ):
        desk = Desk(rules=BreakerRules(from_peak=Falls(flatten=D("0.01"))))
        held = desk.enter(1_000.0)
        desk.fill(held, "5")
        desk.ts += 10_000
        (close,) = placed(desk.take(replace(word, ts=desk.ts)))
        assert (close.quantity, close.type) == (D(5), OrderType.MARKET)
        desk.fill(close, "5", 50)
        assert not desk.seat.bot.position
        late = desk.fill(held, "5")  # the rest had filled before we took it back
        (again,) = placed(late)
        assert (again.side, again.quantity) == (Side.SELL, D(5))


def test_who_may_trade_again_may_hold_again():
    desk = Desk()
    desk.fill(desk.enter(), "10")
    (close,) = placed(desk.take(TradingChanged(desk.ts, TradingState.HALTED, flatten=True)))
    desk.fill(close, "10")
    desk.take(TradingChanged(desk.ts, TradingState.ACTIVE))
    assert placed(desk.fill(desk.enter(), "10")) == []
    assert desk.seat.bot.position


def test_a_bot_that_is_there_is_not_given_a_budget_again():
    desk = Desk()
    desk.fill(desk.enter(), "10")
    outcome = desk.take(BotAdded(desk.ts, bot_spec(), instrument(BTC)))
    assert not outcome.entries
    assert desk.seat.bot.position.quantity == 10


def test_refused_guards_wait_longer_each_time_and_exits_do_not_wait_for_them():
    desk = Desk(limits=Limits(max_unprotected_ms=None))
    (stop,) = placed(desk.fill(desk.enter(stop_loss=0.05), "10"))
    for wait in (1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000):
        outcome = desk.report(stop, Status.REFUSED, reason="no")
        assert [alert.key for alert in outcome.alerts] == (["trading.guard_refused"] if wait == 1_000 else [])
        assert placed(desk.wait(wait - 1)) == []
        (stop,) = placed(desk.wait(1))
    desk.report(stop, Status.REFUSED, reason="no")
    (close,) = desk.wish(Exit())
    assert close.type is OrderType.MARKET


def test_both_legs_of_a_pair_that_is_refused_count_once():
    desk = Desk()
    outcome = desk.fill(desk.enter(stop_loss=0.05, take_profit=0.1), "10")
    (pair,) = outcome.commands
    assert isinstance(pair, PlacePair)
    for leg in (pair.stop, pair.target):
        desk.report(leg, Status.REFUSED)
    assert desk.seat.guards_refused == 1
    assert len(desk.wait(1_000).commands) == 1


def test_a_guard_that_is_dropped_is_placed_again_at_once_and_the_next_time_later():
    desk = Desk()
    (stop,) = placed(desk.fill(desk.enter(stop_loss=0.05), "10"))
    desk.report(stop, Status.OPEN)
    (stop,) = placed(desk.report(stop, Status.EXPIRED))
    desk.report(stop, Status.OPEN)
    assert placed(desk.report(stop, Status.EXPIRED)) == []
    assert len(placed(desk.wait(2_000))) == 1


def test_a_position_is_bare_until_its_stop_rests_for_all_of_it():
    desk = Desk(limits=Limits(max_unprotected_ms=30_000))
    entry = desk.enter(stop_loss=0.05)
    (stop,) = placed(desk.fill(entry, "4"))
    assert desk.seat.bare_ms == desk.ts
    desk.report(stop, Status.OPEN)
    assert desk.seat.bare_ms == 0
    desk.ts += 5_000
    assert isinstance(desk.fill(entry, "1").commands[0], TakeBackOrder)
    assert desk.seat.bare_ms == desk.ts
    (larger,) = placed(desk.report(stop, Status.CANCELLED))
    assert larger.quantity == 5
    desk.ts += 20_000
    desk.fill(entry, "1")  # while the larger one is on its way
    desk.report(larger, Status.OPEN)
    assert desk.seat.bare_ms == desk.ts  # more is guarded than before: it begins anew
    desk.wait(30_000)
    assert desk.seat.bot.exiting is None
    (alert,) = desk.wait(1).alerts
    assert alert.key == "trading.unprotected"
    assert desk.seat.bot.exiting is not None


def test_a_stop_that_was_never_answered_is_waited_for_before_the_position_is_sold():
    desk = Desk(limits=Limits(max_unprotected_ms=30_000))
    (stop,) = placed(desk.fill(desk.enter(stop_loss=0.05), "10"))
    desk.take(OrderLost(stop.client_id, desk.ts))
    outcome = desk.wait(30_001)
    assert desk.seat.bot.exiting is not None
    assert outcome.commands == []  # it may hold the very coins
    (close,) = placed(desk.take(OrderAbsent(stop.client_id, desk.ts)))
    assert close.quantity == 10


def test_a_stop_on_its_way_when_we_went_down_is_not_held_against_the_position():
    desk = Desk(limits=Limits(max_unprotected_ms=30_000))
    (stop,) = placed(desk.fill(desk.enter(stop_loss=0.05), "10"))
    desk.ts += 3_600_000
    desk.take(Restarted(desk.ts))
    assert desk.seat.bot.exiting is None
    assert desk.account.orders[stop.client_id].life is Life.UNKNOWN
    desk.report(stop, Status.OPEN)
    desk.wait(60_000)
    assert desk.seat.bot.exiting is None


def test_nothing_is_closed_while_a_person_has_locked_the_account():
    desk = Desk(limits=Limits(max_unprotected_ms=30_000))
    (stop,) = placed(desk.fill(desk.enter(stop_loss=0.05), "10"))
    desk.report(stop, Status.REFUSED)
    desk.take(TradingChanged(desk.ts, TradingState.HALTED, may_reduce=False))
    assert desk.wait(120_000).commands == []
    (again,) = placed(desk.take(TradingChanged(desk.ts, TradingState.ACTIVE)))
    assert again.type is OrderType.STOP
    assert desk.seat.bot.exiting is None


def test_a_target_alone_is_no_protection_and_closes_nothing():
    desk = Desk(limits=Limits(max_unprotected_ms=30_000))
    (target,) = placed(desk.fill(desk.enter(take_profit=0.05), "10"))
    desk.report(target, Status.REFUSED)
    desk.wait(120_000)
    assert desk.seat.bot.exiting is None


def test_marks_value_positions_and_are_no_prices_to_decide_on():
    desk = Desk()
    desk.fill(desk.enter(), "10")
    seen = Seen(desk.ts + 5_000, (), venue_ready=True, marks=((BTC, D(90)),), elsewhere=D(77), clock_skew_ms=-3)
    desk.take(seen)
    assert desk.account.equity() == 20_000 - 100
    assert desk.account.prices[BTC] == (D(100), desk.ts)
    assert (desk.account.elsewhere, desk.account.clock_skew_ms) == (77, -3)


def test_a_correction_is_balanced_and_free():
    desk = Desk()
    (entry,) = desk.take(Corrected(desk.ts, "BTC", D("0.25"), "0 / 0.25")).entries
    assert {(line.place, line.amount) for line in entry.lines} == {("free", D("0.25")), ("outside", D("-0.25"))}
    assert desk.account.ledger.holdings() == {"USDT": CASH, "BTC": D("0.25")}


def test_the_breaker_says_beforehand_whether_it_would_move():
    desk = Desk(rules=BreakerRules(from_peak=Falls(halve=D("0.05"), flatten=D("0.2"))))
    desk.fill(desk.enter(20_000.0), "200")
    account = desk.account
    for price, moves in (("95.01", False), ("95", True), ("1", True)):
        assert account.moves_breaker({BTC: D(price)}, desk.ts) is moves
    before = account.breaker
    desk.see("95")
    assert before is not None
    assert account.breaker is not None
    assert account.breaker.stage is BreakerStage.HALVE
    assert not account.moves_breaker({BTC: D("94")}, desk.ts)
    desk.take(BreakerRearmed(desk.ts))
    assert account.breaker.stage is BreakerStage.CLEAR


def test_a_venue_whose_clock_is_an_hour_ahead_puts_off_nothing_for_an_hour():
    desk = Desk(limits=Limits(max_unprotected_ms=30_000))
    desk.take(Seen(desk.ts, ((BTC, D(100)),), venue_ready=True, clock_skew_ms=-3_600_000))
    entry = desk.enter(stop_loss=0.05)
    ours, desk.ts = desk.ts, desk.ts + 3_600_000
    (stop,) = placed(desk.fill(entry, "10"))
    assert desk.seat.bare_ms == ours
    desk.report(stop, Status.REFUSED)
    desk.ts = ours
    assert len(placed(desk.wait(1_000))) == 1
    desk.wait(29_001)
    assert desk.seat.bot.exiting is not None


SHORT = Enter(side=Side.SELL, size=Notional(500.0), stop_loss=0.1)


def long_and_guarded(traits: Traits = NATIVE) -> tuple[Desk, OrderRequest]:
    """Return a desk whose bot is long 10 of a perpetual, and the stop that rests."""
    desk = Desk(traits, symbol=PERP)
    entry = desk.enter(1_000.0, stop_loss=0.1)
    (stop,) = placed(desk.fill(entry, "10"))
    desk.report(entry, Status.FILLED, "10")
    desk.report(stop, Status.OPEN)
    return desk, stop


def anew(desk: Desk) -> None:
    """Go on from what is kept."""
    desk.account = from_text(Account, snapshot_of(desk.account))


@pytest.mark.parametrize("cuts", [True, False])
def test_a_reversal_enters_only_when_the_position_is_closed(cuts):
    desk, stop = long_and_guarded(replace(NATIVE, cuts_to_cash=cuts))
    assert desk.wish(SHORT) == []
    anew(desk)
    (close,) = placed(desk.report(stop, Status.CANCELLED))
    assert (close.side, close.quantity, close.reduce_only) == (Side.SELL, D(10), True)
    assert placed(desk.fill(close, "4")) == []
    anew(desk)
    (entry,) = placed(desk.fill(close, "6"))
    assert (entry.side, entry.quantity, entry.reduce_only) == (Side.SELL, D(5), False)
    (guard,) = placed(desk.fill(entry, "5"))
    assert (guard.side, guard.quantity) == (Side.BUY, D(5))
    assert desk.seat.bot.position.quantity == -5
    assert desk.seat.bot.waiting == []


@pytest.mark.parametrize(
    "event",
    [
        BotChanged(START + 9_000, "paper-perp", BotStatus.STOPPED),
        TradingChanged(START + 9_000, TradingState.HALTED),
        Decided("paper-perp", START + 9_000, 100.0, (CancelEntries(),)),
        Decided("paper-perp", START + 9_000, 100.0, (Exit(),)),
        Restarted(START + 9_000),
    ],
)
def test_a_reversal_that_is_called_off_only_closes(event):
    desk, stop = long_and_guarded()
    desk.wish(SHORT)
    desk.take(event)
    desk.take(TradingChanged(desk.ts, TradingState.ACTIVE))
    desk.see(100)
    (close,) = placed(desk.report(stop, Status.CANCELLED))
    assert placed(desk.fill(close, "10")) == []
    assert not desk.seat.bot.position
    assert not desk.seat.bot.entries


def test_a_reversal_whose_exit_the_venue_refuses_only_closes():
    desk, stop = long_and_guarded()
    desk.wish(SHORT)
    (close,) = placed(desk.report(stop, Status.CANCELLED))
    outcome = desk.report(close, Status.REFUSED, reason="no")
    assert [refused.reason for refused in outcome.refused] == [Reason.EXIT_PENDING]
    (close,) = placed(desk.wait(1_000))
    assert placed(desk.fill(close, "10")) == []
    assert not desk.seat.bot.position


def test_a_reversal_that_may_not_enter_is_refused_at_once_and_closes():
    desk, stop = long_and_guarded()
    desk.account.limits = Limits(max_order_notional=D(400))
    desk.ts += 1_000
    outcome = desk.take(Decided(desk.bot, desk.ts, 100.0, (SHORT,)))
    assert [refused.reason for refused in outcome.refused] == [Reason.ORDER_NOTIONAL]
    (close,) = placed(desk.report(stop, Status.CANCELLED))
    assert placed(desk.fill(close, "10")) == []


def test_a_reversal_that_may_not_enter_any_more_when_it_is_its_turn_is_refused_then():
    desk, stop = long_and_guarded()
    desk.wish(SHORT)
    (close,) = placed(desk.report(stop, Status.CANCELLED))
    desk.account.frozen[PERP] = "a person must look"
    outcome = desk.fill(close, "10")
    assert [refused.reason for refused in outcome.refused] == [Reason.FROZEN]
    assert placed(outcome) == []


def test_an_entry_that_was_taken_back_and_fills_against_the_position_makes_it_smaller():
    desk = Desk(symbol=PERP)
    late = desk.enter(1_000.0, limit=99.0)
    desk.report(late, Status.OPEN)
    (entry,) = desk.wish(Enter(side=Side.SELL, size=Notional(500.0), stop_loss=0.1))
    desk.fill(entry, "5")
    desk.fill(late, "2")
    assert desk.seat.bot.position.quantity == -3
    outcome = desk.fill(late, "7")
    assert desk.seat.bot.position.quantity == 4
    (trade,) = outcome.closed
    assert (trade.sign, trade.quantity, trade.pnl) == (-1, D(5), D(0))
    assert desk.account.contracts[PERP].quantity == 4


def test_an_exit_that_was_too_small_is_sold_once_more_has_filled():
    desk = Desk()
    entry = desk.enter(1_000.0)
    desk.report(entry, Status.OPEN)
    desk.fill(entry, "0.01")
    assert desk.wish(Exit()) == []
    assert desk.seat.too_small
    (close,) = placed(desk.fill(entry, "9.99"))  # before it could be taken back
    assert (close.side, close.quantity, close.type) == (Side.SELL, D(10), OrderType.MARKET)
    desk.fill(close, "10")
    assert not desk.seat.bot.position
