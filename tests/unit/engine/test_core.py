"""The decision by itself: events in, commands out, and what it refuses."""

from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.backtest.made import rules

from cambist.domain.command import AmendOrder, CancelOrder, Command, SubmitOrder
from cambist.domain.event import CandleClosed, Decided, Event, FundingPaid, OrderExpired, OrderFilled
from cambist.domain.instrument import Kind
from cambist.domain.order import Fill, Liquidity, Order, OrderType, Role, Side
from cambist.domain.position import Position
from cambist.domain.refusal import Reason
from cambist.domain.trade import ExitReason
from cambist.domain.wish import CancelEntries, Enter, Exit, Fraction, Notional, Quantity, Risk, Size, Wish
from cambist.engine.core import process
from cambist.engine.state import Bot, State
from cambist.market.matching import Steps
from cambist.portfolio.sizing import quantity

D = Decimal
LONG, SHORT = Side.BUY, Side.SELL


def account(kind: Kind = Kind.PERPETUAL, *, cash: str = "10000", pyramiding: int = 1, **more: Any) -> State:
    instrument = rules(kind, tick="0.1", lot="0.01", **more)
    return State(cash=D(cash), bots={"b": Bot("b", instrument, pyramiding)})


def enter(side: Side = LONG, size: Size | None = None, **how: Any) -> Enter:
    return Enter(side=side, size=size or Quantity(D(1)), **how)


def decided(state: State, *wishes: Wish, ts: int = 1, close: float = 100.0) -> list[Command]:
    return process(state, Decided("b", ts, close, wishes))


def fill(order: Order, price: str, *, ts: int = 2, amount: str | None = None, fee: str = "0") -> OrderFilled:
    filled = order.quantity if amount is None else D(amount)
    what = Fill(ts=ts, price=D(price), quantity=filled, fee=D(fee), slippage=D(0), liquidity=Liquidity.TAKER)
    return OrderFilled(order, what, filled == order.quantity)


def submitted(commands: list[Command]) -> dict[Role, Order]:
    return {command.order.role: command.order for command in commands if isinstance(command, SubmitOrder)}


def cancelled(commands: list[Command]) -> list[Role]:
    return [command.order.role for command in commands if isinstance(command, CancelOrder)]


def entered(state: State, wish: Enter, price: str = "100", *, ts: int = 1) -> dict[Role, Order]:
    """Let ``wish`` be decided and filled; return the orders that guard the position."""
    order = submitted(decided(state, wish, ts=ts))[Role.ENTRY]
    return submitted(process(state, fill(order, price, ts=ts + 1)))


def reasons(state: State) -> list[Reason]:
    return [refused.reason for refused in state.refused]


# -- purity -----------------------------------------------------------------------------------------------------------

wishes = st.one_of(
    st.builds(
        enter,
        st.sampled_from(Side),
        st.one_of(
            st.builds(Fraction, st.floats(0, 2)),
            st.builds(Notional, st.floats(0, 1e4)),
            st.builds(Risk, st.floats(0, 1)),
        ),
        stop_loss=st.sampled_from([None, 0.02]),
        take_profit=st.sampled_from([None, 0.03]),
        trailing_stop=st.sampled_from([None, 0.05]),
        limit=st.sampled_from([None, 99.0]),
    ),
    st.just(Exit()),
    st.just(CancelEntries()),
)


@given(
    script=st.lists(
        st.tuples(st.sampled_from(["decide", "fill", "part", "expire", "close", "fund"]), st.lists(wishes, max_size=3)),
        max_size=25,
    ),
    price=st.sampled_from(["90", "100", "110.5"]),
)
def test_the_same_events_give_the_same_commands_and_the_same_state(script, price):
    state = account(pyramiding=2)
    events: list[Event] = []
    answers: list[list[Command]] = []
    market: dict[str, Order] = {}
    for ts, (what, asked) in enumerate(script):
        order = next(iter(market.values()), None)
        event: Event | None = {
            "decide": Decided("b", ts, 100.0, tuple(asked)),
            "fill": fill(order, price, ts=ts) if order else None,
            "part": fill(order, price, ts=ts, amount=str(order.quantity / 2)) if order else None,
            "expire": OrderExpired(order, ts) if order and not order.reduces else None,
            "close": CandleClosed("b", ts, 120.0, 80.0, 100.0),
            "fund": FundingPaid("b", ts, D("0.5")),
        }[what]
        if event is None:
            continue
        held = state.bots["b"].position.quantity
        if isinstance(event, OrderFilled) and not event.order.reduces and held * event.order.side.sign < 0:
            continue  # no market fills an entry before the exit that must come first
        if isinstance(event, OrderFilled | OrderExpired):
            if isinstance(event, OrderFilled) and not event.done:
                market[event.order.id] = replace(event.order, quantity=event.order.quantity - event.fill.quantity)
            else:
                del market[event.order.id]
        before = deepcopy(event)
        commands = process(state, event)
        assert event == before
        events.append(event)
        answers.append(commands)
        for command in commands:
            if isinstance(command, SubmitOrder):
                market[command.order.id] = command.order
            elif isinstance(command, CancelOrder):
                market.pop(command.order.id, None)
    again = account(pyramiding=2)
    again.bots["b"].steps = state.bots["b"].steps
    assert [process(again, event) for event in events] == answers
    assert again == state


def test_ids_are_pure_functions_of_bot_cause_and_leg():
    first, second = account(pyramiding=3), account(pyramiding=3, cash="77")
    for state in (first, second):
        decided(state, enter(limit=90.0), enter(limit=91.0), ts=5)
    assert list(first.bots["b"].entries) == list(second.bots["b"].entries) == ["b|5|entry0", "b|5|entry1"]
    guards = entered(account(), enter(stop_loss=0.02, take_profit=0.03, trailing_stop=0.04), ts=7)
    held = sum(order.quantity for order in guards.values() if order.role is Role.STOP_LOSS)
    assert sorted(order.id for order in guards.values()) == [
        f"b|7|entry0|{role}|{held}" for role in ("stop_loss", "take_profit", "trailing_stop")
    ]
    state = account()
    entered(state, enter())
    assert submitted(decided(state, Exit(), ts=9))[Role.EXIT].id == "b|9|exit"


# -- wishes become orders ---------------------------------------------------------------------------------------------


def test_an_entry_is_a_market_order_unless_a_price_is_named():
    state = account(pyramiding=3)
    orders = [
        command.order
        for command in decided(state, enter(), enter(limit=98.77), enter(stop=101.23))
        if isinstance(command, SubmitOrder)
    ]
    assert [order.type for order in orders] == [OrderType.MARKET, OrderType.LIMIT, OrderType.STOP]
    assert (orders[1].price, orders[2].trigger) == (D("98.7"), D("101.2"))  # never dearer than was wished
    state = account()
    assert submitted(decided(state, enter(SHORT, limit=98.77)))[Role.ENTRY].price == D("98.8")


def test_what_is_filled_is_guarded_at_once_at_fractions_of_the_entry_price():
    guards = entered(account(), enter(stop_loss=0.02, take_profit=0.04, trailing_stop=0.05), "100.3")
    assert {role: (order.side, order.type, order.trigger, order.quantity) for role, order in guards.items()} == {
        Role.STOP_LOSS: (SHORT, OrderType.STOP, D("98.3"), D(1)),  # 98.294, no later than asked
        Role.TAKE_PROFIT: (SHORT, OrderType.TAKE_PROFIT, D("104.4"), D(1)),  # 104.312, no sooner
        Role.TRAILING_STOP: (SHORT, OrderType.STOP, D("95.3"), D(1)),  # 95.285
    }
    guards = entered(account(), enter(SHORT, stop_loss=0.02, take_profit=0.04), "100.3")
    assert {role: (order.side, order.trigger) for role, order in guards.items()} == {
        Role.STOP_LOSS: (LONG, D("102.3")),  # 102.306
        Role.TAKE_PROFIT: (LONG, D("96.2")),  # 96.288
    }
    for nothing in (None, 0.0, float("nan"), -0.1):
        assert entered(account(), enter(stop_loss=nothing, take_profit=nothing)) == {}


def test_a_position_that_grows_is_guarded_anew_as_a_whole_from_its_average_price():
    state = account(pyramiding=2)
    old = entered(state, enter(stop_loss=0.1), "100")
    order = submitted(decided(state, enter(size=Quantity(D(3)), stop_loss=0.1), ts=5))[Role.ENTRY]
    commands = process(state, fill(order, "120", ts=6))
    assert commands[0] == CancelOrder(old[Role.STOP_LOSS])
    assert state.bots["b"].position == Position(D(4), D(115), 2)
    guard = submitted(commands)[Role.STOP_LOSS]
    assert (guard.quantity, guard.trigger) == (D(4), D("103.5"))


def test_parts_of_one_order_are_one_entry():
    state = account(pyramiding=2)
    order = submitted(decided(state, enter(limit=100.0, size=Quantity(D(2)), stop_loss=0.5)))[Role.ENTRY]
    process(state, fill(order, "100", amount="0.5"))
    commands = process(state, fill(replace(order, quantity=D("1.5")), "100", ts=3))
    assert submitted(commands)[Role.STOP_LOSS].quantity == 2
    assert state.bots["b"].position.entries == 1
    assert state.bots["b"].entries == {}


def test_a_trade_adds_up_to_the_last_unit():
    state = account()
    guards = entered(state, enter(stop_loss=0.02, take_profit=0.1), "100.3")
    process(state, FundingPaid("b", 3, D("0.07")))
    commands = process(state, fill(guards[Role.STOP_LOSS], "98.2", ts=9, fee="0.0982"))
    assert cancelled(commands) == [Role.TAKE_PROFIT]
    (trade,) = state.trades
    assert (trade.reason, trade.entry_ts, trade.exit_ts, trade.sign) == (ExitReason.STOP_LOSS, 2, 9, 1)
    assert trade.pnl == D("98.2") - D("100.3") - D("0.0982") - D("0.07")
    assert state.cash == D(10000) + trade.pnl
    assert state.equity() == state.cash


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (enter(SHORT), Reason.SHORT_ON_SPOT),
        (enter(size=Fraction(0.0)), Reason.NO_SIZE),
        (enter(size=Fraction(-1.0)), Reason.NO_SIZE),
        (enter(size=Notional(float("nan"))), Reason.NO_SIZE),
        (enter(size=Notional(float("inf"))), Reason.NO_SIZE),
        (enter(size=Risk(0.01)), Reason.NO_STOP_FOR_RISK),
        (enter(size=Risk(0.01), stop_loss=0.0), Reason.NO_STOP_FOR_RISK),
        (enter(size=Quantity(D("0.09"))), Reason.BELOW_MIN_QUANTITY),
        (enter(size=Quantity(D("0.001"))), Reason.BELOW_MIN_QUANTITY),
        (enter(size=Quantity(D("0.49"))), Reason.BELOW_MIN_NOTIONAL),
    ],
)
def test_refusals_are_values_with_a_reason(wish, reason):
    state = account(Kind.SPOT, min_quantity=D("0.1"), min_notional=D(50))
    assert decided(state, wish, ts=3) == []
    (refused,) = state.refused
    assert (refused.bot, refused.ts, refused.reason) == ("b", 3, reason)
    assert state.bots["b"].entries == {}


@pytest.mark.parametrize("kind", [Kind.SPOT, Kind.OUTCOME])
def test_shorts_are_for_perpetuals(kind):
    state = account(kind)
    entered(state, enter())
    assert decided(state, enter(SHORT), ts=4) == []  # nor does it close what is held
    assert reasons(state) == [Reason.SHORT_ON_SPOT]


def test_one_entry_at_a_time_unless_pyramiding():
    state = account()
    assert len(decided(state, enter(limit=90.0), enter(limit=91.0))) == 1
    assert decided(state, enter(), ts=2) == []  # one waits already
    assert reasons(state) == [Reason.ALREADY_IN] * 2
    state = account(pyramiding=2)
    entered(state, enter())
    assert len(decided(state, enter(), enter(), ts=4)) == 1
    assert reasons(state) == [Reason.ALREADY_IN]


def test_nothing_is_bought_with_no_cash():
    assert decided(state := account(cash="0"), enter()) == []
    assert reasons(state) == [Reason.NO_CASH]
    state = account(pyramiding=2)
    entered(state, enter(SHORT, size=Quantity(D(60))))  # 6,000 of margin are held: 4,000 are left
    assert state.free_cash() == 4_000
    assert len(decided(state, enter(SHORT, size=Quantity(D(1))), ts=5)) == 1
    state = account(pyramiding=2)
    entered(state, enter(SHORT, size=Quantity(D(100))))
    assert decided(state, enter(SHORT, size=Quantity(D(1))), ts=5) == []
    assert reasons(state) == [Reason.NO_CASH]


def test_long_and_short_at_once_is_a_contradiction():
    state = account()
    assert decided(state, enter(LONG), enter(SHORT)) == []
    assert reasons(state) == [Reason.CONTRADICTION] * 2


def test_in_and_out_at_once_goes_out():
    state = account(pyramiding=2)
    entered(state, enter())
    commands = decided(state, Exit(), enter(), ts=4)
    assert list(submitted(commands)) == [Role.EXIT]
    assert reasons(state) == [Reason.CONTRADICTION]


def test_while_an_exit_is_under_way_nothing_enters():
    state = account(pyramiding=2)
    guards = entered(state, enter(size=Quantity(D(5)), stop_loss=0.02))
    process(state, fill(guards[Role.STOP_LOSS], "98", amount="2", ts=3))
    for side in Side:
        assert decided(state, enter(side), ts=4) == []
    assert reasons(state) == [Reason.EXIT_PENDING] * 2
    assert decided(state, Exit(), ts=5) == []  # it is leaving already


def test_what_expires_is_told():
    state = account()
    order = submitted(decided(state, enter()))[Role.ENTRY]
    assert process(state, OrderExpired(order, 2)) == []
    assert (reasons(state), state.bots["b"].entries) == ([Reason.EXPIRED], {})
    assert len(decided(state, enter(), ts=3)) == 1


# -- exits, reversals, cancels ----------------------------------------------------------------------------------------


def test_an_exit_takes_back_what_waits_and_closes_all_of_it_once():
    state = account(pyramiding=3)
    entered(state, enter(stop_loss=0.02))
    decided(state, enter(limit=90.0), ts=3)
    commands = decided(state, Exit(), ts=4)
    assert cancelled(commands) == [Role.ENTRY]
    leaving = submitted(commands)[Role.EXIT]
    assert (leaving.side, leaving.type, leaving.quantity) == (SHORT, OrderType.MARKET, D(1))
    assert decided(state, Exit(), ts=5) == []
    commands = process(state, fill(leaving, "101", ts=6))
    assert cancelled(commands) == [Role.STOP_LOSS]
    assert state.trades[0].reason is ExitReason.SIGNAL
    assert decided(state, Exit(), ts=7) == []  # flat


def test_a_reversal_leaves_first_and_then_enters():
    state = account()
    entered(state, enter(stop_loss=0.02))
    commands = decided(state, enter(SHORT, size=Quantity(D(2))), ts=4)
    assert [(type(command), command.order.role, command.order.side) for command in commands] == [
        (SubmitOrder, Role.EXIT, SHORT),
        (SubmitOrder, Role.ENTRY, SHORT),
    ]
    process(state, fill(commands[0].order, "101", ts=5))
    process(state, fill(commands[1].order, "101", ts=5))
    assert state.bots["b"].position == Position(D(-2), D(101), 1)
    assert [(trade.sign, trade.pnl) for trade in state.trades] == [(1, D(1))]


def test_a_reversal_whose_entry_is_refused_still_leaves():
    state = account(min_notional=D(50))
    entered(state, enter())
    commands = decided(state, enter(SHORT, size=Quantity(D("0.1"))), ts=4)
    assert list(submitted(commands)) == [Role.EXIT]
    assert reasons(state) == [Reason.BELOW_MIN_NOTIONAL]


def test_a_wish_the_other_way_takes_back_the_entries_that_wait():
    state = account(pyramiding=2)
    decided(state, enter(LONG, limit=90.0))
    commands = decided(state, enter(SHORT), ts=2)
    assert cancelled(commands) == [Role.ENTRY]
    assert list(state.bots["b"].entries) == ["b|2|entry0"]


def test_cancel_takes_back_entries_and_leaves_guards_alone():
    state = account(pyramiding=2)
    guards = entered(state, enter(stop_loss=0.02))
    decided(state, enter(limit=90.0), ts=3)
    commands = decided(state, CancelEntries(), ts=4)
    assert cancelled(commands) == [Role.ENTRY]
    assert list(state.bots["b"].protections.values()) == list(guards.values())


def test_when_a_stop_takes_the_position_the_wished_exit_is_taken_back():
    state = account()
    guards = entered(state, enter(stop_loss=0.02))
    decided(state, Exit(), ts=4)
    commands = process(state, fill(guards[Role.STOP_LOSS], "98", ts=5))
    assert cancelled(commands) == [Role.EXIT]
    assert state.bots["b"].exiting is None


def test_the_rest_of_a_limit_entry_goes_with_the_position_that_it_opened():
    state = account()
    order = submitted(decided(state, enter(limit=100.0, size=Quantity(D(5)), stop_loss=0.02)))[Role.ENTRY]
    guards = submitted(process(state, fill(order, "100", amount="2")))
    commands = process(state, fill(guards[Role.STOP_LOSS], "98", ts=3))
    assert cancelled(commands) == [Role.ENTRY]
    assert state.bots["b"].entries == {}


# -- trailing stops ---------------------------------------------------------------------------------------------------


def closes(state: State, ts: int, high: float, low: float, close: float) -> Decimal | None:
    commands = process(state, CandleClosed("b", ts, high, low, close))
    assert len(commands) <= 1
    return commands[0].trigger if commands and isinstance(commands[0], AmendOrder) else None


def test_a_trailing_stop_follows_the_best_price_and_never_moves_back():
    state = account()
    entered(state, enter(trailing_stop=0.1), "100")
    assert closes(state, 2, 200.0, 95.0, 110.0) == D(99)  # of its own candle the close alone is surely after it
    assert closes(state, 3, 120.0, 100.0, 101.0) == D(108)
    assert closes(state, 4, 119.9, 109.0, 118.0) is None
    assert closes(state, 5, 120.0, 109.0, 118.0) is None
    assert closes(state, 6, 121.0, 109.0, 110.0) == D("108.9")
    short = account()
    entered(short, enter(SHORT, trailing_stop=0.1), "100")
    assert closes(short, 2, 105.0, 10.0, 90.0) == D(99)
    assert closes(short, 3, 105.0, 80.0, 90.0) == D(88)
    assert closes(short, 4, 90.0, 81.0, 85.0) is None


def test_a_position_that_grows_does_not_send_its_trailing_stop_back():
    state = account(pyramiding=2)
    entered(state, enter(trailing_stop=0.1), "100")
    closes(state, 3, 150.0, 100.0, 140.0)  # 135
    order = submitted(decided(state, enter(trailing_stop=0.1), ts=4))[Role.ENTRY]
    guard = submitted(process(state, fill(order, "140", ts=5)))[Role.TRAILING_STOP]
    assert (guard.quantity, guard.trigger) == (D(2), D(135))  # not 10 % below the average of 120


def test_without_a_trailing_stop_a_closed_candle_moves_only_the_mark():
    state = account()
    entered(state, enter(stop_loss=0.1))
    assert closes(state, 3, 150.0, 100.0, 140.0) is None
    assert state.bots["b"].mark == 140.0
    assert state.equity() == 10_040


# -- sizing -----------------------------------------------------------------------------------------------------------

STEPS = Steps(rules(lot="0.01"))


@pytest.mark.parametrize(
    ("size", "stop_loss", "expected"),
    [
        (Fraction(0.1), None, "3.33"),  # 1,000 at 300
        (Fraction(1.0), None, "33.33"),
        (Fraction(2.5), None, "83.33"),
        (Notional(1_000.0), None, "3.33"),
        (Notional(2.99), None, "0.00"),  # less than a lot
        (Quantity(D("7.777")), None, "7.77"),
        (Risk(0.01), 0.02, "16.66"),  # 100 at risk, 6 a piece
        (Risk(0.01), 0.1, "3.33"),
    ],
)
def test_sizes_in_whole_lots_rounded_down(size, stop_loss, expected):
    found = quantity(size, equity=10_000.0, price=300.0, stop_loss=stop_loss, steps=STEPS)
    assert found == D(expected)
    assert isinstance(found, Decimal)


def test_a_fraction_is_of_equity_not_of_cash():
    state = account(pyramiding=2)
    entered(state, enter(size=Quantity(D(50))), "100")
    state.bots["b"].mark = 200.0  # 5,000 of cash and 10,000 held
    order = submitted(decided(state, enter(size=Fraction(0.1)), ts=4, close=300.0))[Role.ENTRY]
    assert order.quantity == D("6.66")  # a tenth of 20,000, at 300


def test_a_size_is_reckoned_at_the_price_of_the_order():
    state = account()
    assert submitted(decided(state, enter(size=Notional(1_000.0), limit=50.0)))[Role.ENTRY].quantity == D(20)
