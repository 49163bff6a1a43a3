"""The fill law, sentence by sentence, on candles made by hand and numbers worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.backtest.made import HOUR, START, following, of_bars, rules, told

import cambist as cb
from cambist.domain.event import OrderExpired, OrderFilled
from cambist.domain.instrument import Instrument
from cambist.domain.order import Liquidity, Order, OrderType, Role, Side, TimeInForce
from cambist.domain.timeframe import Timeframe
from cambist.market.matching import Book, Costs

D = Decimal
FLAT = (100.0, 101.0, 99.0, 100.0)
RULES = rules(tick="0.1", lot="0.01")
COSTS: dict[str, Any] = {"maker_fee_bps": 2.0, "taker_fee_bps": 10.0, "slippage_bps": 10.0, "volume_share": None}
RICH = D(10**9)


def book(instrument: Instrument = RULES, **costs: Any) -> Book:
    return Book(instrument, Costs(**{**COSTS, **costs}))


def order(
    side: Side,
    kind: OrderType = OrderType.MARKET,
    *,
    quantity: str = "2",
    at: str | None = None,
    role: Role = Role.ENTRY,
    name: str = "o",
    ioc: bool = False,
) -> Order:
    level = None if at is None else D(at)
    return Order(
        id=name, bot="b", side=side, type=kind, quantity=D(quantity), role=role,
        price=level if kind is OrderType.LIMIT else None,
        trigger=level if kind in (OrderType.STOP, OrderType.TAKE_PROFIT) else None,
        time_in_force=TimeInForce.IOC if ioc else TimeInForce.GTC,
    )  # fmt: skip


def stop(at: str, **how: Any) -> Order:
    return order(Side.SELL, OrderType.STOP, at=at, **{"role": Role.STOP_LOSS, "name": "stop", **how})


def target(at: str, **how: Any) -> Order:
    return order(Side.SELL, OrderType.TAKE_PROFIT, at=at, **{"role": Role.TAKE_PROFIT, "name": "target", **how})


def through(book: Book, bar: tuple[float, float, float, float], volume: float = 1e6, cash: Decimal = RICH) -> list[Any]:
    """What comes of one candle when nobody answers: (order, price, quantity, maker?) or (order, 'expired')."""
    said: list[Any] = []

    def note(event: OrderFilled | OrderExpired | None) -> None:
        if isinstance(event, OrderFilled):
            fill = event.fill
            said.append((event.order.id, fill.price, fill.quantity, fill.liquidity is Liquidity.MAKER))
        elif event is not None:
            said.append((event.order.id, "expired"))

    for due in book.take_at_open():
        note(book.fill_at_open(due, 0, bar[0], volume, lambda: cash))
    book.begin_candle()
    while (event := book.next_in_range(0, bar, volume, lambda: cash)) is not None:
        note(event)
    book.end_candle()
    return said


# -- 1. market orders -------------------------------------------------------------------------------------------------


def test_a_wish_at_a_close_acts_at_the_next_open_and_never_at_its_own_close():
    candles = of_bars([FLAT, (100, 110, 99, 109), (103, 104, 95, 96), (98, 99, 97, 98)])
    assert told({1: lambda s: s.buy(quantity=1), 2: lambda s: s.close()}, candles) == [
        ("long", 2, 103.0, 3, 98.0, "signal")
    ]


@pytest.mark.parametrize(
    ("side", "opened", "spread", "price"),
    [
        (Side.BUY, 100.0, 0.0, "100.1"),  # 10 bps worse, exactly a tick
        (Side.SELL, 100.0, 0.0, "99.9"),
        (Side.BUY, 100.04, 0.0, "100.2"),  # 100.14004: up to the tick
        (Side.SELL, 100.04, 0.0, "99.9"),  # 99.93996: down to the tick
        (Side.BUY, 100.0, 6.0, "100.2"),  # half of 6 bps more: 100.13
        (Side.SELL, 100.0, 6.0, "99.8"),  # 99.87
    ],
)
def test_slippage_half_the_spread_and_the_tick_all_go_against_the_order(side, opened, spread, price):
    ours = book(spread_bps=spread)
    ours.submit(order(side))
    (filled,) = through(ours, (opened, 105.0, 95.0, 100.0))
    assert filled == ("o", D(price), D(2), False)


def test_a_market_order_pays_the_taker_fee_and_tells_its_slippage():
    ours = book()
    ours.submit(order(Side.BUY))
    (due,) = ours.take_at_open()
    event = ours.fill_at_open(due, START, 100.04, 1e6, lambda: RICH)
    assert isinstance(event, OrderFilled)
    assert event.done
    assert event.fill.ts == START
    assert event.fill.fee == D("0.2004")  # 2 at 100.2, 10 bps
    assert event.fill.slippage == D("0.32")  # 2 times 0.16
    assert not ours.at_open


def test_a_negative_fee_is_received():
    ours = book(maker_fee_bps=-1.0)
    ours.submit(order(Side.BUY, OrderType.LIMIT, at="98"))
    ours.begin_candle()
    event = ours.next_in_range(0, (100.0, 101.0, 97.0, 100.0), 1e6, lambda: RICH)
    assert isinstance(event, OrderFilled)
    assert event.fill.fee == D("-0.0196")  # 196, 1 bp
    assert event.fill.slippage == 0


# -- 2. inside the candle ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bar", "said"),
    [
        ((100.0, 101.0, 95.0, 97.0), [("stop", D("94.9"), D(2), False)]),  # touched, not passed: acts (94.905, down)
        ((100.0, 101.0, 95.1, 97.0), []),
        ((100.0, 110.0, 99.0, 109.0), [("target", D("109.8"), D(2), False)]),  # 109.89, down
        ((100.0, 109.9, 99.0, 109.0), []),
    ],
)
def test_stops_and_take_profits_act_on_touch_and_fill_like_market_orders(bar, said):
    ours = book()
    ours.submit(stop("95"))
    ours.submit(target("110"))
    assert through(ours, bar) == said


@pytest.mark.parametrize("first", ["stop", "target"])
def test_where_one_candle_touches_both_the_stop_is_taken(first):
    ours = book(slippage_bps=0.0)
    for protection in (stop("95"), target("110")) if first == "stop" else (target("110"), stop("95")):
        ours.submit(protection)
    assert through(ours, (100.0, 110.0, 95.0, 100.0))[0] == ("stop", D(95), D(2), False)


@pytest.mark.parametrize(
    ("opened", "said"),
    [
        (92.0, ("stop", D("91.9"), D(2), False)),  # beyond the stop: at the open, 91.908 down
        (113.0, ("target", D("112.8"), D(2), False)),  # beyond the target: at the open, 112.887 down
        (95.0, ("stop", D("94.9"), D(2), False)),
    ],
)
def test_what_the_open_is_beyond_acts_at_the_open(opened, said):
    ours = book()
    ours.submit(stop("95"))
    ours.submit(target("110"))
    assert through(ours, (opened, 115.0, 90.0, 100.0))[0] == said


def test_a_target_at_the_open_comes_before_a_stop_within():
    ours = book(slippage_bps=0.0)
    ours.submit(stop("95"))
    ours.submit(target("110"))
    assert through(ours, (112.0, 113.0, 90.0, 91.0))[0] == ("target", D(112), D(2), False)


def test_of_two_protective_stops_the_nearer_one_is_met_first():
    for nearer_first in (True, False):
        ours = book(slippage_bps=0.0)
        near, far = stop("114", name="near", role=Role.TRAILING_STOP), stop("90", name="far")
        for protection in (near, far) if nearer_first else (far, near):
            ours.submit(protection)
        assert through(ours, (118.0, 119.0, 80.0, 85.0))[0][:2] == ("near", D(114))


def test_of_several_stops_those_that_protect_are_met_first():
    ours = book(slippage_bps=0.0)
    ours.submit(order(Side.BUY, OrderType.STOP, at="101", name="more"))  # nearer to the open
    ours.submit(stop("95"))
    assert [name for name, *_ in through(ours, (100.0, 105.0, 90.0, 100.0))] == ["stop", "more"]


def test_shorts_are_the_mirror_image():
    for bar, name, price in (
        ((100.0, 105.0, 90.0, 100.0), "stop", "105.2"),  # both touched: the stop, 105.105 up
        ((107.0, 108.0, 99.0, 100.0), "stop", "107.2"),  # 107.107 up
        ((89.0, 90.0, 80.0, 85.0), "target", "89.1"),  # 89.089 up
    ):
        ours = book()
        ours.submit(order(Side.BUY, OrderType.STOP, at="105", role=Role.STOP_LOSS, name="stop"))
        ours.submit(order(Side.BUY, OrderType.TAKE_PROFIT, at="90", role=Role.TAKE_PROFIT, name="target"))
        assert through(ours, bar)[0] == (name, D(price), D(2), False)


@pytest.mark.parametrize(
    ("side", "touched", "passed"),
    [
        (Side.BUY, (100.0, 101.0, 98.0, 100.0), (100.0, 101.0, 97.9, 100.0)),
        (Side.SELL, (96.0, 98.0, 95.0, 97.0), (96.0, 98.1, 95.0, 97.0)),
    ],
)
def test_a_limit_fills_at_its_price_as_maker_once_price_trades_through_it(side, touched, passed):
    limit = order(side, OrderType.LIMIT, at="98")
    ours = book()
    ours.submit(limit)
    assert through(ours, touched) == []
    assert through(ours, passed) == [("o", D(98), D(2), True)]
    lenient = book(limit_touch=True)
    lenient.submit(limit)
    assert through(lenient, touched) == [("o", D(98), D(2), True)]


@pytest.mark.parametrize(
    ("side", "opened", "price"),
    [
        (Side.BUY, 97.0, "97.1"),  # 97.097 up
        (Side.BUY, 97.95, "98"),  # 98.04795 would be dearer than the limit
        (Side.BUY, 98.0, "98"),
        (Side.SELL, 99.0, "98.9"),  # 98.901 down
        (Side.SELL, 98.05, "98"),
    ],
)
def test_a_limit_that_arrives_beyond_the_market_takes_at_the_open_no_worse_than_its_limit(side, opened, price):
    ours = book()
    ours.submit(order(side, OrderType.LIMIT, at="98"))
    assert through(ours, (opened, 105.0, 90.0, 98.0)) == [("o", D(price), D(2), False)]


def test_a_limit_that_waits_fills_at_its_limit_even_if_the_next_candle_opens_beyond():
    ours = book()
    ours.submit(order(Side.BUY, OrderType.LIMIT, at="98"))
    assert through(ours, FLAT) == []
    assert through(ours, (95.0, 96.0, 94.0, 95.0)) == [("o", D(98), D(2), True)]


def test_ioc_limits_fill_at_the_open_or_not_at_all():
    ours = book()
    ours.submit(order(Side.BUY, OrderType.LIMIT, at="98", ioc=True))
    assert through(ours, (98.1, 105.0, 90.0, 98.0)) == [("o", "expired")]  # although price trades through it later
    assert not ours.waiting
    ours.submit(order(Side.BUY, OrderType.LIMIT, at="98", ioc=True))
    assert through(ours, (97.0, 105.0, 90.0, 98.0)) == [("o", D("97.1"), D(2), False)]


@pytest.mark.parametrize(("side", "limit", "role"), [(Side.BUY, "98", Role.ENTRY), (Side.SELL, "96", Role.EXIT)])
def test_what_of_an_ioc_order_does_not_fill_is_dropped(side, limit, role):
    ours = book(volume_share=0.1, slippage_bps=0.0)
    ours.submit(order(side, OrderType.LIMIT, at=limit, ioc=True, quantity="5", role=role))
    assert through(ours, (97.0, 105.0, 90.0, 98.0), volume=30.0) == [("o", D(97), D(3), False)]
    assert (ours.waiting, ours.at_open) == ({}, [])


def test_stop_entries_wait_for_price_to_go_against_them_and_fill_like_market_orders():
    ours = book()
    ours.submit(order(Side.BUY, OrderType.STOP, at="103"))
    assert through(ours, (100.0, 102.9, 99.0, 102.0)) == []
    assert through(ours, (102.0, 104.0, 101.0, 103.0)) == [("o", D("103.2"), D(2), False)]  # 103.103 up
    ours.submit(order(Side.BUY, OrderType.STOP, at="103"))
    assert through(ours, (106.0, 107.0, 105.0, 106.0)) == [("o", D("106.2"), D(2), False)]  # 106.106 up
    ours.submit(order(Side.SELL, OrderType.STOP, at="97"))
    assert through(ours, (98.0, 99.0, 97.0, 98.0)) == [("o", D("96.9"), D(2), False)]  # 96.903 down


# -- entered inside the candle ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bar", "trades"),
    [
        # limit 98, stop 2 % below: 96.04, target 1 % above: 98.98
        ((100.0, 105.0, 97.0, 100.0), [("long", 2, 98.0, 3, 98.98, "take_profit")]),  # no take-profit in its own candle
        ((100.0, 105.0, 96.04, 100.0), [("long", 2, 98.0, 2, 96.04, "stop_loss")]),  # but the stop
    ],
)
def test_after_a_limit_entry_the_candle_can_stop_but_not_take_profit(bar, trades):
    candles = of_bars([FLAT, FLAT, bar, (98, 99, 97, 98.5)])
    plan = {1: lambda s: s.buy(quantity=1, limit=98, stop_loss=0.02, take_profit=0.01)}
    assert told(plan, candles) == trades


@pytest.mark.parametrize(
    ("bar", "trades"),
    [
        # stop entry 103, stop-loss 2 % below: 100.94
        ((102.0, 104.0, 99.0, 103.0), [("long", 2, 103.0, 3, 101.0, "open")]),  # the low may have come before
        ((102.0, 104.0, 99.0, 100.94), [("long", 2, 103.0, 2, 100.94, "stop_loss")]),  # closes beyond: surely after
    ],
)
def test_after_a_stop_entry_the_candle_stops_only_if_it_closes_beyond(bar, trades):
    candles = of_bars([FLAT, FLAT, bar, (102, 102, 101, 101)])
    plan = {1: lambda s: s.buy(quantity=1, stop=103, stop_loss=0.02, take_profit=0.005)}
    assert told(plan, candles) == trades


def test_one_that_is_stopped_and_enters_again_in_one_candle_can_be_stopped_again():
    candles = of_bars([FLAT, FLAT, (100.0, 101.0, 90.0, 95.0), (95.0, 96.0, 94.0, 95.0)])

    def both(s):
        s.buy(quantity=1, stop_loss=0.02)
        s.buy(quantity=1, limit=95, stop_loss=0.02)

    assert told({1: both}, candles, pyramiding=2) == [
        ("long", 2, 100.0, 2, 98.0, "stop_loss"),
        ("long", 2, 95.0, 2, 93.1, "stop_loss"),
    ]


def test_a_market_entry_lives_through_its_whole_candle():
    candles = of_bars([FLAT, FLAT, (100, 105, 99.5, 104), FLAT])
    plan = {1: lambda s: s.buy(quantity=1, take_profit=0.05, stop_loss=0.01)}
    assert told(plan, candles) == [("long", 2, 100.0, 2, 105.0, "take_profit")]
    candles = of_bars([FLAT, FLAT, (100, 105, 99.0, 104), FLAT])
    assert told(plan, candles) == [("long", 2, 100.0, 2, 99.0, "stop_loss")]


# -- 3. volume --------------------------------------------------------------------------------------------------------


def test_an_entry_takes_its_share_of_the_volume_and_drops_the_rest():
    ours = book(volume_share=0.1, slippage_bps=0.0)
    ours.submit(order(Side.BUY, quantity="5"))
    assert through(ours, FLAT, volume=12.39) == [("o", D(100), D("1.23"), False)]  # 1.239, whole lots
    assert (ours.waiting, ours.at_open) == ({}, [])


def test_an_entry_finds_nothing_in_a_candle_without_trades():
    ours = book(volume_share=0.1)
    ours.submit(order(Side.BUY))
    assert through(ours, FLAT, volume=0.0) == [("o", "expired")]


def test_a_limit_entry_waits_on_for_the_rest():
    ours = book(volume_share=0.1)
    ours.submit(order(Side.BUY, OrderType.LIMIT, at="98", quantity="5"))
    low = (100.0, 101.0, 97.0, 100.0)
    assert through(ours, low, volume=20.0) == [("o", D(98), D(2), True)]
    assert through(ours, low, volume=0.0) == []
    assert through(ours, FLAT, volume=1e6) == []
    assert through(ours, low, volume=20.0) == [("o", D(98), D(2), True)]
    assert through(ours, low, volume=20.0) == [("o", D(98), D(1), True)]
    assert not ours.waiting


@pytest.mark.parametrize("kind", ["market", "stop", "target"])
def test_an_exit_goes_on_at_the_next_opens_until_done(kind):
    ours = book(volume_share=0.1, slippage_bps=0.0)
    leaving = {
        "market": order(Side.SELL, quantity="5", role=Role.EXIT),
        "stop": stop("98", quantity="5", name="o"),
        "target": target("98", quantity="5", name="o"),
    }[kind]
    ours.submit(leaving)
    price = {"market": D(97), "stop": D(97), "target": D(98)}[kind]
    assert through(ours, (97.0, 99.0, 96.0, 98.0), volume=20.0) == [("o", price, D(2), False)]
    assert through(ours, (91.0, 92.0, 90.0, 91.0), volume=0.0) == []
    assert through(ours, (95.0, 99.0, 90.0, 91.0), volume=20.0) == [("o", D(95), D(2), False)]
    assert through(ours, (94.0, 99.0, 90.0, 91.0), volume=20.0) == [("o", D(94), D(1), False)]
    assert (ours.waiting, ours.at_open) == ({}, [])


def test_a_stop_is_not_triggered_by_a_candle_in_which_nobody_traded():
    ours = book(volume_share=0.1, slippage_bps=0.0)
    ours.submit(stop("95"))
    assert through(ours, (100.0, 101.0, 90.0, 99.0), volume=0.0) == []
    assert through(ours, FLAT, volume=1e6) == []
    assert through(ours, (100.0, 101.0, 94.0, 99.0)) == [("stop", D(95), D(2), False)]


def test_no_entry_fills_while_an_exit_that_must_come_first_has_not_completed():
    ours = book(volume_share=0.1, slippage_bps=0.0)
    ours.submit(order(Side.SELL, quantity="5", role=Role.EXIT, name="exit"))
    ours.submit(order(Side.SELL, quantity="1", name="entry"))
    assert through(ours, FLAT, volume=20.0) == [("exit", D(100), D(2), False), ("entry", "expired")]
    ours.submit(order(Side.SELL, OrderType.LIMIT, at="100.5", quantity="1", name="limit"))
    assert through(ours, FLAT, volume=20.0) == [("exit", D(100), D(2), False)]  # traded through 100.5, but not yet
    assert through(ours, FLAT, volume=20.0) == [("exit", D(100), D(1), False), ("limit", D("100.5"), D(1), True)]


def test_a_reversal_by_limit_does_not_touch_the_books_of_what_is_still_held():
    bars = [(*FLAT, 1e6)] * 3 + [(100.0, 101.0, 99.0, 100.0, 10.0)] + [(100.0, 110.0, 99.0, 100.0, 10.0)] * 12
    plan = {1: lambda s: s.buy(quantity=10), 3: lambda s: s.sell(quantity=5, limit=105)}
    trades = told(plan, of_bars(bars), volume_share=0.1)  # an exit of one a candle
    assert trades[0] == ("long", 2, 100.0, 13, 100.0, "signal")
    assert trades[1] == ("short", 13, 105.0, 15, 100.0, "open")


# -- 4. cash and minimums ---------------------------------------------------------------------------------------------


def test_an_entry_takes_no_more_than_cash_pays_for_fee_included():
    ours = book(slippage_bps=0.0)
    ours.submit(order(Side.BUY, quantity="2"))
    # 100 and a fee of 0.1 each: 100.09 pays for 0.99 of it (99.099), not for 1.00 (100.1)
    assert through(ours, FLAT, cash=D("100.09")) == [("o", D(100), D("0.99"), False)]
    ours.submit(order(Side.BUY, quantity="2"))
    assert through(ours, FLAT, cash=D("100.1")) == [("o", D(100), D(1), False)]
    ours.submit(order(Side.BUY, quantity="2"))
    assert through(ours, FLAT, cash=D("1.0009")) == [("o", "expired")]
    ours.submit(order(Side.BUY, quantity="2"))
    assert through(ours, FLAT, cash=D("-5")) == [("o", "expired")]


def test_what_cash_cuts_to_dust_is_dropped():
    ours = book(slippage_bps=0.0)
    ours.submit(order(Side.BUY, quantity="2000"))
    assert through(ours, FLAT, cash=D("200.2")) == [("o", D(100), D(2), False)]  # a thousandth of what was wished
    ours.submit(order(Side.BUY, quantity="2000"))
    assert through(ours, FLAT, cash=D("200.19")) == [("o", "expired")]
    ours = book(slippage_bps=0.0, volume_share=0.1)
    ours.submit(order(Side.BUY, quantity="2000"))
    assert through(ours, FLAT, volume=1.0) == [("o", D(100), D("0.1"), False)]  # it is volume that cut it


@pytest.mark.parametrize("cash", [10_000.0, 333.33, 97.1])
@pytest.mark.parametrize("opened", [100.0, 103.7, 110.01])
def test_all_of_equity_never_overspends_whatever_the_gap(cash, opened):
    candles = of_bars([FLAT, FLAT, (opened, 120.0, 90.0, 100.0), FLAT])
    result = cb.backtest(
        following({1: lambda s: s.buy(fraction=1.0)}), candles, cash=cash, fee_bps=10, slippage_bps=5,
        volume_share=None, instrument=rules(tick="0.01", lot="0.001"), proof=False,
    )  # fmt: skip
    (trade,) = result.trades
    spent = D(str(trade.quantity)) * D(str(trade.entry_price)) * D("1.001")
    one_more = (D(str(trade.quantity)) + D("0.001")) * D(str(trade.entry_price)) * D("1.001")
    assert spent <= D(str(cash))
    if opened > 100:  # it was cash that bound, not the size wished at the close
        assert one_more > D(str(cash))


def test_what_falls_below_the_minimums_is_dropped_but_an_exit_may_leave():
    instrument = rules(tick="0.1", lot="0.01", min_notional=D(50), min_quantity=D("0.3"))
    ours = book(instrument, volume_share=0.1, slippage_bps=0.0)
    for volume, said in ((2.9, "expired"), (4.9, "expired"), (5.0, D("0.5"))):
        ours.submit(order(Side.BUY))  # 0.29: too few; 0.49: worth 49; 0.50: worth 50
        (seen,) = through(ours, FLAT, volume=volume)
        assert (seen[1] if said == "expired" else seen[2]) == said
    ours.submit(order(Side.SELL, role=Role.EXIT, quantity="0.01"))
    assert through(ours, FLAT) == [("o", D(100), D("0.01"), False)]


# -- finer candles ----------------------------------------------------------------------------------------------------


def fine_of(bars: list[tuple[float, float, float, float]], hour: int) -> Any:
    return of_bars(bars, timeframe=Timeframe.M15, start=START + hour * HOUR)


COARSE = [FLAT, FLAT, (100.0, 106.0, 94.0, 100.0), FLAT]
UP_FIRST = [
    (100.0, 106.0, 99.0, 105.0),
    (105.0, 105.0, 94.0, 95.0),
    (95.0, 99.0, 95.0, 99.0),
    (99.0, 100.0, 99.0, 100.0),
]
DOWN_FIRST = [
    (100.0, 101.0, 94.0, 95.0),
    (95.0, 106.0, 95.0, 105.0),
    (105.0, 105.0, 99.0, 99.0),
    (99.0, 100.0, 99.0, 100.0),
]


@pytest.mark.parametrize(
    ("fine", "trades"),
    [
        (None, [("long", 2, 100.0, 2, 95.0, "stop_loss")]),
        (UP_FIRST, [("long", 2, 100.0, 2, 105.0, "take_profit")]),
        (DOWN_FIRST, [("long", 2, 100.0, 2, 95.0, "stop_loss")]),
    ],
)
def test_finer_candles_decide_what_came_first(fine, trades):
    plan = {1: lambda s: s.buy(quantity=1, stop_loss=0.05, take_profit=0.05)}
    detail = () if fine is None else fine_of(fine, 2)
    assert told(plan, of_bars(COARSE), detail=detail) == trades


@pytest.mark.parametrize(
    ("fine", "trades"),
    [
        # limit 97, target 105 is 8.2 % above: in the finer candles after its own it may be taken
        (DOWN_FIRST, [("long", 2, 97.0, 2, 104.954, "take_profit")]),
        (UP_FIRST, [("long", 2, 97.0, 3, 100.0, "open")]),
    ],
)
def test_with_finer_candles_a_limit_entry_can_take_profit_later_in_the_hour(fine, trades):
    plan = {1: lambda s: s.buy(quantity=1, limit=97, take_profit=0.082)}
    assert told(plan, of_bars(COARSE), detail=fine_of(fine, 2), instrument=rules(tick="0.001")) == trades


# -- waking -----------------------------------------------------------------------------------------------------------


def test_the_book_sleeps_between_its_levels_and_new_limits_see_their_first_candle():
    ours = book()
    assert ours.wake_below < 0 < ours.wake_above
    ours.submit(stop("95"))
    ours.submit(target("110"))
    assert (ours.wake_below, ours.wake_above) == (95.0, 110.0)
    ours.amend(stop("95"), D("97.5"))
    assert ours.wake_below == 97.5
    ours.submit(order(Side.BUY, OrderType.LIMIT, at="90"))
    assert ours.wake_below == float("inf")
    through(ours, FLAT)
    assert (ours.wake_below, ours.wake_above) == (97.5, 110.0)
    ours.cancel(stop("95"))
    ours.cancel(target("110"))
    ours.cancel(target("110"))  # gone already: no error
    assert (ours.wake_below, ours.wake_above) == (90.0, float("inf"))
