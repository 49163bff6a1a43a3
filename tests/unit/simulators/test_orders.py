"""Orders as Binance takes, refuses, fills and tells them."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.simulators.boxes import ALICE, CANDLES, HELD, NOW, RULES, Refusal, ask, box, order, price

from cambist.simulators.binance.desk import Desk, read_old_list
from cambist.simulators.binance.market import Market
from cambist.simulators.binance.refusals import Refused


@pytest.fixture(scope="module")
def shared():
    with box() as running:
        yield running


@pytest.fixture
def server():
    with box() as running:
        yield running


@pytest.mark.parametrize(
    ("terms", "code", "message"),
    [
        ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ({"side": "HOLD"}, -1117, "Invalid side."),
        ({"type": "ICEBERG"}, -1116, "Invalid orderType."),
        ({"quantity": None}, -1102, "Mandatory parameter 'quantity' was not sent"),
        ({"quantity": "much"}, -1100, "Illegal characters found in parameter 'quantity'"),
        ({"quantity": "1e-2"}, -1100, "Illegal characters found in parameter 'quantity'"),
        ({"quantity": "0_1"}, -1100, "Illegal characters found in parameter 'quantity'"),
        ({"quantity": "0"}, -1013, "Invalid quantity."),
        ({"reduceOnly": "true"}, -1104, "Not all sent parameters were read; read '6' parameter(s) but was sent '7'."),
        ({"trailingDelta": "100"}, -1013, "Trailing stop orders are not supported for this symbol."),
        ({"icebergQty": "0.001"}, -1013, "Iceberg orders are not supported for this symbol."),
        ({"quantity": "0.000011"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "200000"}, -1013, "Filter failure: MARKET_LOT_SIZE"),
        ({"quantity": "0.0001"}, -1013, "Filter failure: NOTIONAL"),
        ({"quantity": "99"}, -2010, "Account has insufficient balance for requested action."),
        ({"price": "30000"}, -1106, "Parameter 'price' sent when not required."),
        ({"newClientOrderId": "no good"}, -1100, "Illegal characters found in parameter 'newClientOrderId'"),
        ({"type": "LIMIT", "price": "30000"}, -1102, "Mandatory parameter 'timeInForce' was not sent"),
        ({"type": "LIMIT", "timeInForce": "GTD", "price": "30000"}, -1115, "Invalid timeInForce."),
        ({"type": "LIMIT", "timeInForce": "GTC", "price": "30000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"type": "LIMIT", "timeInForce": "GTC", "price": "3000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"type": "LIMIT_MAKER", "price": "50000"}, -2010, "Order would immediately match and take."),
        ({"type": "STOP_LOSS", "stopPrice": "30000"}, -2010, "Stop price would trigger immediately."),
        ({"type": "STOP_LOSS", "stopPrice": None}, -1102, "Mandatory parameter 'stopPrice' was not sent"),
    ],
)
def test_refusals(shared, terms, code, message):
    wish = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"} | terms
    with pytest.raises(Refusal) as refused:
        ask(shared, "POST order", **wish)
    assert refused.value.code == code
    assert str(refused.value.message).startswith(message)
    assert shared.exchange.orders("alice", "BTC/USDT") == []


def test_a_market_order_answers_with_its_fills_and_pays_its_fee_in_what_it_buys(server):
    answer = order(server, "BUY", "MARKET", "0.02")
    (fill,) = answer["fills"]
    assert answer["status"] == "FILLED"
    assert (fill["qty"], fill["commission"], fill["commissionAsset"]) == ("0.02000000", "0.00002000", "BTC")
    assert Decimal(answer["cummulativeQuoteQty"]) == Decimal("0.02") * Decimal(price(server))
    sold = order(server, "SELL", "MARKET", "0.02")["fills"][0]
    assert (sold["commissionAsset"], Decimal(sold["commission"])) == ("USDT", Decimal(sold["price"]) / 50_000)


def test_worth_buys_no_more_than_it_says(server):
    answer = order(server, "BUY", "MARKET", None, quoteOrderQty="1000")
    spent = Decimal(answer["cummulativeQuoteQty"])
    assert 1000 - Decimal(price(server)) * RULES.lot_step < spent <= 1000
    assert answer["origQuoteOrderQty"] == "1000.00000000"


@pytest.mark.parametrize(
    ("terms", "factor", "status"),
    [
        ({"timeInForce": "IOC"}, "1.001", "FILLED"),
        ({"timeInForce": "IOC"}, "0.99", "EXPIRED"),
        ({"timeInForce": "FOK"}, "1.001", "FILLED"),
        ({"timeInForce": "FOK"}, "0.99", "EXPIRED"),
        ({"timeInForce": "GTC"}, "0.99", "NEW"),
        ({"timeInForce": "GTC"}, "1.001", "FILLED"),
    ],
)
def test_how_long_a_limit_order_lives(server, terms, factor, status):
    answer = order(server, "BUY", "LIMIT", price=price(server, factor), **terms)
    assert answer["status"] == status
    assert ask(server, "GET order", symbol="BTCUSDT", orderId=answer["orderId"])["status"] == status


def test_a_resting_order_fills_when_the_market_trades_through_it(server):
    level = f"{min(CANDLES.low[301:400]) + 0.01:.2f}"
    placed = order(server, "BUY", "LIMIT", price=level)
    assert placed["status"] == "NEW"
    server.advance(100 * 60_000)
    found = ask(server, "GET order", symbol="BTCUSDT", orderId=placed["orderId"])
    (trade,) = ask(server, "GET myTrades", symbol="BTCUSDT", orderId=placed["orderId"])
    assert (found["status"], trade["isMaker"], Decimal(trade["price"])) == ("FILLED", True, Decimal(level))


def test_an_oco_ends_with_its_first_leg(server):
    high = max(CANDLES.high[301:400])
    old = {"price": f"{high - 0.01:.2f}", "stopPrice": price(server, "0.8"), "stopLimitPrice": price(server, "0.79")}
    placed = ask(
        server, "POST order/oco", symbol="BTCUSDT", side="SELL", quantity="0.5", listClientOrderId="pair", **old
    )
    assert [one["type"] for one in placed["orderReports"]] == ["LIMIT_MAKER", "STOP_LOSS_LIMIT"]
    assert server.exchange.balances("alice")["BTC"].locked == Decimal("0.5")
    server.advance(100 * 60_000)
    reports = [ask(server, "GET order", symbol="BTCUSDT", orderId=one["orderId"]) for one in placed["orders"]]
    assert [one["status"] for one in reports] == ["FILLED", "EXPIRED"]
    assert ask(server, "GET orderList", origClientOrderId="pair")["listOrderStatus"] == "ALL_DONE"
    assert ask(server, "GET openOrderList") == []
    assert server.exchange.balances("alice")["BTC"].locked == 0


def test_an_oco_with_its_prices_the_wrong_way_round_is_refused(server):
    wrong = {"price": price(server, "0.9"), "stopPrice": price(server, "1.1")}
    with pytest.raises(Refusal, match="relationship of the prices"):
        ask(server, "POST order/oco", symbol="BTCUSDT", side="SELL", quantity="0.5", **wrong)
    assert ask(server, "GET openOrders", symbol="BTCUSDT") == []


def test_a_client_id_may_come_again_once_its_order_is_over(server):
    low = price(server, "0.9")
    first = order(server, "BUY", "LIMIT", price=low, newClientOrderId="again")
    with pytest.raises(Refusal, match="Duplicate order sent"):
        order(server, "BUY", "LIMIT", price=low, newClientOrderId="again")
    ask(server, "DELETE order", symbol="BTCUSDT", origClientOrderId="again")
    second = order(server, "BUY", "LIMIT", price=low, newClientOrderId="again")
    assert second["orderId"] > first["orderId"]
    assert ask(server, "GET order", symbol="BTCUSDT", origClientOrderId="again")["orderId"] == second["orderId"]
    with pytest.raises(Refusal) as refused:
        ask(server, "DELETE order", symbol="BTCUSDT", orderId=first["orderId"])
    assert refused.value.code == -2011


def test_a_list_name_may_come_again_once_its_list_is_over(server):
    def place() -> Any:
        prices = {"price": price(server, "1.1"), "stopPrice": price(server, "0.9")}
        return ask(
            server, "POST order/oco", symbol="BTCUSDT", side="SELL", quantity="0.1", listClientOrderId="pair", **prices
        )

    first = place()
    with pytest.raises(Refusal, match="Duplicate order sent"):
        place()
    ask(server, "DELETE orderList", symbol="BTCUSDT", listClientOrderId="pair")
    assert place()["orderListId"] > first["orderListId"]


def test_who_replaces_an_order_by_one_that_breaks_a_filter_keeps_the_first(server):
    low = price(server, "0.9")
    first = order(server, "BUY", "LIMIT", price=low)
    terms = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": low}
    how = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": first["orderId"]}
    for wrong, code in (("0.000011", -1013), (None, -1102)):
        with pytest.raises(Refusal) as refused:
            ask(server, "POST order/cancelReplace", **terms, **how, quantity=wrong)
        assert refused.value.code == code
    assert ask(server, "GET order", symbol="BTCUSDT", orderId=first["orderId"])["status"] == "NEW"
    replaced = ask(server, "POST order/cancelReplace", **terms, **how, quantity="0.02")
    assert (replaced["cancelResult"], replaced["newOrderResult"]) == ("SUCCESS", "SUCCESS")


def test_a_stop_does_not_work_before_it_is_triggered(server):
    placed = order(server, "SELL", "STOP_LOSS", stopPrice=price(server, "0.9"), newOrderRespType="RESULT")
    told = ask(server, "GET order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert (told["isWorking"], told["workingTime"], placed["workingTime"]) == (False, -1, -1)
    limit = order(server, "BUY", "LIMIT", price=price(server, "0.9"))
    told = ask(server, "GET order", symbol="BTCUSDT", orderId=limit["orderId"])
    assert (told["isWorking"], told["workingTime"]) == (True, NOW)


@pytest.mark.parametrize("name", ["myTrades", "allOrders"])
def test_of_more_than_a_day_nothing_is_told(server, name):
    day = 86_400_000
    assert ask(server, f"GET {name}", symbol="BTCUSDT", startTime=NOW - day, endTime=NOW) == []
    with pytest.raises(Refusal, match="More than 24 hours") as refused:
        ask(server, f"GET {name}", symbol="BTCUSDT", startTime=NOW - day - 1, endTime=NOW)
    assert refused.value.code == -1127


SIDES = st.sampled_from(["BUY", "SELL"])
QUANTITIES = st.sampled_from(["0.01", "0.3", "1.5", "40"])
FACTORS = st.sampled_from(["0.97", "0.999", "1", "1.001", "1.03"])
ORDERS = st.one_of(
    st.tuples(st.just("MARKET"), SIDES, QUANTITIES, FACTORS, FACTORS, st.just("GTC")),
    st.tuples(st.just("LIMIT"), SIDES, QUANTITIES, FACTORS, FACTORS, st.sampled_from(["GTC", "IOC", "FOK"])),
    st.tuples(
        st.sampled_from(["LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "OCO"]),
        SIDES,
        QUANTITIES,
        FACTORS,
        FACTORS,
        st.just("GTC"),
    ),
)
STEPS = st.lists(st.one_of(ORDERS, st.integers(1, 900_000), st.just("cancel")), max_size=25)


def _params(market: Market, terms: tuple[str, ...]) -> dict[str, str]:
    kind, side, quantity, *factors, life = terms
    last = market.exchange.price("BTC/USDT")
    level, stop = (f"{last * Decimal(factor):.2f}" for factor in factors)
    params = {"symbol": "BTCUSDT", "side": side, "type": kind, "quantity": quantity}
    if kind not in ("MARKET", "STOP_LOSS", "TAKE_PROFIT"):
        params["price"] = level
    if kind in ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"):
        params["timeInForce"] = life
    if kind.startswith(("STOP", "TAKE")) or kind == "OCO":
        params["stopPrice"] = stop
    return params


def _do(market: Market, desk: Desk, step: object) -> None:
    if isinstance(step, int):
        market.step(market.now + step, lambda *_: None)
    elif step == "cancel":
        for one in desk.open_orders("alice")[:1]:
            desk.cancel("alice", one)
    elif isinstance(step, tuple):
        params = _params(market, step)
        if step[0] == "OCO":
            line = market.line("BTCUSDT")
            desk.place_list("alice", line, read_old_list("alice", line, params), "")
        else:
            desk.place("alice", params)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_no_asset_is_made_or_lost_whatever_orders_are_sent(steps):
    told: list[dict] = []
    desk: Desk
    market = Market([CANDLES], instruments=[RULES], customers=[ALICE], now=NOW, listen=lambda *one: desk.hear(*one))
    desk = Desk(market, lambda _, event: told.append(event))
    for step in steps:
        with suppress(Refused):
            _do(market, desk, step)
        held = dict(HELD)
        for one in desk.orders("alice"):
            for fill in one.fills:
                held["BTC"] += fill.side.sign * fill.quantity
                held["USDT"] -= fill.side.sign * fill.quantity * fill.price
                held[fill.fee_asset] -= fill.fee
            assert one.filled == sum(fill.quantity for fill in one.fills) <= one.quantity
        balances = market.exchange.balances("alice")
        assert {asset: one.total for asset, one in balances.items()} == {a: v for a, v in held.items() if v}
        assert all(one.free >= 0 and one.locked >= 0 for one in balances.values())
    # what the stream told adds up to the same orders
    last = {event["i"]: event["X"] for event in told if event["e"] == "executionReport"}
    assert last == {one.id: one.status for one in desk.orders("alice")}
