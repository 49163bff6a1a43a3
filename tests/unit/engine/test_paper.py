"""A paper account that comes back has what it had, and its orders act as if nothing had been."""

from decimal import Decimal

import pytest

from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import OrderType, Side
from cambist.domain.position import Position
from cambist.domain.report import Status
from cambist.domain.request import OrderRequest
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs

SYMBOL = "BTC/USDT"
RULES = Instrument(
    venue="simulated",
    symbol=SYMBOL,
    tick_size=Decimal("0.01"),
    lot_step=Decimal("0.001"),
    min_notional=Decimal(5),
    min_quantity=Decimal("0.001"),
)


def request(name: str, side: Side, kind: OrderType, quantity: str, level: str) -> OrderRequest:
    limit = kind is OrderType.LIMIT
    return OrderRequest(
        client_id=name,
        symbol=SYMBOL,
        side=side,
        type=kind,
        quantity=Decimal(quantity),
        price=Decimal(level) if limit else None,
        trigger=None if limit else Decimal(level),
        reduce_only=side is Side.SELL,
    )


STOP = request("stop", Side.SELL, OrderType.STOP, "2", "90")
TARGET = request("target", Side.SELL, OrderType.TAKE_PROFIT, "2", "110")
ENTRY = request("entry", Side.BUY, OrderType.LIMIT, "3", "95")


def candle(exchange: Exchange, ts: int, low: float, high: float, volume: float = 1_000.0) -> None:
    exchange.at_open(SYMBOL, ts, 100.0, volume)
    for _ in exchange.in_range(SYMBOL, ts + 59_999, (100.0, high, low, 100.0), volume):
        pass


@pytest.fixture
def resumed() -> Exchange:
    exchange = Exchange([RULES], Costs(slippage_bps=0.0), by_law=True, first_id=500)
    held = {"USDT": Decimal(1_000), "BTC": Decimal(2)}
    exchange.resume("me", held, {}, [[(STOP, Decimal(0)), (TARGET, Decimal("0.5"))], [(ENTRY, Decimal(1))]])
    return exchange


def test_what_was_open_is_open_and_locks_what_it_needs(resumed):
    open_orders = {one.client_id: (one.status, one.filled) for one in resumed.open_orders("me")}
    assert open_orders == {
        "stop": (Status.OPEN, 0),
        "target": (Status.PARTLY_FILLED, Decimal("0.5")),
        "entry": (Status.PARTLY_FILLED, 1),
    }
    balances = resumed.balances("me")
    assert balances["BTC"].locked == 2  # both legs lock once
    assert balances["USDT"].locked == 2 * 95 * Decimal("1.001")


def test_one_leg_ends_the_other_and_only_what_was_left_fills(resumed):
    candle(resumed, 60_000, low=99, high=111)
    assert resumed.order("me", SYMBOL, "target").status is Status.FILLED
    assert resumed.order("me", SYMBOL, "stop").status is Status.EXPIRED
    assert [fill.quantity for fill in resumed.fills("me", SYMBOL)] == [Decimal("1.5")]
    candle(resumed, 120_000, low=94, high=101)
    assert resumed.order("me", SYMBOL, "entry").status is Status.FILLED
    assert [fill.trade_id for fill in resumed.fills("me", SYMBOL)] == ["500", "501"]
    assert resumed.balances("me")["USDT"].locked == 0


def test_an_account_that_is_forgotten_and_resumed_is_what_it_is_told_to_be(resumed):
    resumed.forget("me")
    resumed.forget("nobody")
    resumed.resume("me", {"USDT": Decimal(300)}, {}, [[(ENTRY, Decimal(0))]])
    candle(resumed, 60_000, low=89, high=111)  # the stop and the target of before act no more
    assert [fill.client_id for fill in resumed.fills("me", SYMBOL)] == ["entry"]
    assert {one.client_id for one in resumed.orders("me", SYMBOL)} == {"entry"}


def test_a_short_in_a_perpetual_keeps_its_margin():
    rules = Instrument(
        venue="simulated",
        symbol="BTC/USDT:USDT",
        tick_size=Decimal("0.01"),
        lot_step=Decimal("0.001"),
        kind=Kind.PERPETUAL,
    )
    exchange = Exchange([rules], Costs())
    short = Position(Decimal(-2), Decimal(100), 1)
    exchange.resume("me", {"USDT": Decimal(1_200), rules.symbol: Decimal(-2)}, {rules.symbol: short}, [])
    assert exchange.balances("me")["USDT"].free == 800
    exchange.at_open(rules.symbol, 60_000, 90.0, 1_000.0)
    exit_ = OrderRequest(
        client_id="x",
        symbol=rules.symbol,
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=Decimal(2),
        reduce_only=True,
    )
    assert exchange.submit("me", exit_).status is Status.FILLED
    assert exchange.balances("me")["USDT"].locked == 0
