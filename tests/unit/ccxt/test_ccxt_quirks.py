"""What each row of the table puts on the wire: ccxt signs for real, a server on loopback reads it."""

import asyncio
import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.ccxt.box import CLIENT_ID, KEYS, Asked, box, furnish, gateway_to

from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.adapters.venues.ccxt.quirks import QUIRKS, TryOut, quirks_of
from cambist.domain.credentials import Credentials
from cambist.domain.errors import BadInput, CambistError, OutcomeUnknown, RateLimited, VenueRefused
from cambist.domain.order import OrderType, Side, TimeInForce
from cambist.domain.text import speak
from cambist.ports.venue import OrderRequest

# where an order goes, and how its fields are called there
CREATE = {
    "binance": "/api/v3/order",
    "kraken": "/0/private/AddOrder",
    "coinbase": "/api/v3/brokerage/orders",
    "bybit": "/v5/order/create",
    "bitget": "/api/v2/spot/trade/place-order",
    "okx": "/api/v5/trade/batch-orders",
}
ID_FIELD = {
    "binance": "newClientOrderId",
    "kraken": "cl_ord_id",
    "coinbase": "client_order_id",
    "bybit": "orderLinkId",
    "bitget": "clientOid",
    "okx": "clOrdId",
}
ALL = sorted(CREATE)


def request(**given: Any) -> OrderRequest:
    plain: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "symbol": "BTC/USDT",
        "side": Side.SELL,
        "type": OrderType.MARKET,
        "quantity": Decimal("0.12345"),
    }
    return OrderRequest(**plain | given)


def fields(asked: Asked) -> dict[str, Any]:
    if asked.body.startswith(("{", "[")):
        read: Any = json.loads(asked.body)
        found: dict[str, Any] = read[0] if isinstance(read, list) else read
        return found
    return asked.form or asked.query


def sent(exchange: str, wish: OrderRequest, answers: dict[str, Any] | None = None) -> list[Asked]:
    """Return what reached the exchange when ``wish`` was submitted to it."""

    async def run() -> list[Asked]:
        async with box(answers or {}) as served, gateway_to(served) as gateway:
            furnish(gateway.place(exchange))
            venue = gateway.venue("one", exchange, KEYS)
            try:
                await venue.submit(wish)
            except OutcomeUnknown:
                pass  # an empty answer says nothing of the order
            finally:
                await venue.close()
            return served.asked

    return asyncio.run(run())


@pytest.mark.parametrize("exchange", ALL)
def test_a_limit_order_goes_out_once_under_our_id_to_the_digit(exchange):
    asked = sent(exchange, request(type=OrderType.LIMIT, side=Side.BUY, price=Decimal("10000.10")))
    assert [one.path.endswith(CREATE[exchange]) for one in asked] == [True]
    said = fields(asked[0])
    assert said[ID_FIELD[exchange]] == CLIENT_ID
    text = json.dumps(said)
    assert '"0.12345"' in text
    assert '"10000.1"' in text
    assert "ccxt-" not in text


@pytest.mark.parametrize("exchange", ALL)
def test_a_market_sale_goes_out_under_our_id(exchange):
    said = fields(sent(exchange, request())[-1])
    assert said[ID_FIELD[exchange]] == CLIENT_ID
    assert '"0.12345"' in json.dumps(said)


TICKERS = {
    "/ticker": {"trades": [{"price": "10000.00"}]},
    "/spot/market/tickers": {"code": "00000", "data": [{"symbol": "BTCUSDT", "lastPr": "10000.00"}]},
}


@pytest.mark.parametrize("exchange", ALL)
def test_a_market_purchase_buys_a_quantity_or_goes_as_a_limit_that_does_not_wait(exchange):
    asked = sent(exchange, request(side=Side.BUY), TICKERS)
    said = json.dumps(fields(asked[-1]))
    assert CLIENT_ID in said
    assert '"0.12345"' in said
    if QUIRKS[exchange].market_buys:
        assert "10200" not in said
    else:
        assert '"10200"' in said
        assert "ioc" in said.lower()


@pytest.mark.parametrize("exchange", ALL)
def test_a_limit_that_must_not_wait(exchange):
    wish = request(type=OrderType.LIMIT, price=Decimal("9000.5"), time_in_force=TimeInForce.IOC)
    assert "ioc" in json.dumps(fields(sent(exchange, wish)[0])).lower()


STOPS: dict[str, dict[str, Any]] = {
    "binance": {"type": "STOP_LOSS", "stopPrice": "9000.5", "newClientOrderId": CLIENT_ID},
    "kraken": {"ordertype": "stop-loss", "price": "9000.5", "cl_ord_id": CLIENT_ID},
    "coinbase": {
        "client_order_id": CLIENT_ID,
        "order_configuration": {
            "stop_limit_stop_limit_gtc": {
                "base_size": "0.12345",
                "limit_price": "8550.47",
                "stop_price": "9000.5",
                "stop_direction": "STOP_DIRECTION_STOP_DOWN",
            }
        },
    },
    "bybit": {"orderFilter": "StopOrder", "triggerPrice": "9000.5", "orderLinkId": CLIENT_ID, "orderType": "Market"},
    "okx": {
        "ordType": "trigger",
        "triggerPx": "9000.5",
        "orderPx": "-1",
        "tdMode": "cash",
        "algoClOrdId": CLIENT_ID,
        "clOrdId": CLIENT_ID,
    },
}
PROFITS = {
    "binance": {"type": "TAKE_PROFIT", "stopPrice": "11000.5"},
    "kraken": {"ordertype": "take-profit", "price": "11000.5"},
    "bybit": {"orderFilter": "StopOrder", "triggerPrice": "11000.5"},
    "okx": {"ordType": "trigger", "triggerPx": "11000.5"},
}


@pytest.mark.parametrize("exchange", sorted(STOPS))
def test_a_stop_rests_at_the_venue(exchange):
    asked = sent(exchange, request(type=OrderType.STOP, trigger=Decimal("9000.50")))
    assert len(asked) == 1
    assert STOPS[exchange].items() <= fields(asked[0]).items()


@pytest.mark.parametrize("exchange", sorted(PROFITS))
def test_a_take_profit_rests_at_the_venue(exchange):
    asked = sent(exchange, request(type=OrderType.TAKE_PROFIT, trigger=Decimal("11000.50")))
    assert PROFITS[exchange].items() <= fields(asked[0]).items()


def test_a_venue_without_stops_says_so_before_anything_leaves():
    with pytest.raises(VenueRefused, match="watches it instead"):
        sent("bitget", request(type=OrderType.STOP, trigger=Decimal("9000.50")))
    assert {name for name, row in QUIRKS.items() if not row.traits().stops} == {"bitget"}


ASKS = {
    "binance": ("/api/v3/order", {"origClientOrderId": CLIENT_ID}),
    "kraken": ("/0/private/OpenOrders", {"cl_ord_id": CLIENT_ID}),
    "coinbase": ("/historical/batch", {"product_id": "BTC-USDT"}),
    "bybit": ("/v5/order/realtime", {"orderLinkId": CLIENT_ID}),
    "bitget": ("/spot/trade/orderInfo", {"clientOid": CLIENT_ID}),
    "okx": ("/api/v5/trade/order", {"clOrdId": CLIENT_ID}),
}
CANCELS = {
    "binance": ("/api/v3/order", {"origClientOrderId": CLIENT_ID}),
    "kraken": ("/CancelOrder", {"cl_ord_id": CLIENT_ID}),
    "bybit": ("/v5/order/cancel", {"orderLinkId": CLIENT_ID}),
    "bitget": ("/cancel-order", {"clientOid": CLIENT_ID}),
    "okx": ("/api/v5/trade/cancel-order", {"clOrdId": CLIENT_ID}),
}


@pytest.mark.parametrize("exchange", ALL)
@pytest.mark.parametrize("verb", ["order", "cancel"])
def test_orders_are_asked_for_and_taken_back_by_our_id(exchange, verb):
    async def run() -> list[Asked]:
        async with box({}) as served, gateway_to(served) as gateway:
            furnish(gateway.place(exchange))
            venue = gateway.venue("one", exchange, KEYS)
            with suppress(CambistError):  # empty answers
                await getattr(venue, verb)("BTC/USDT", CLIENT_ID)
            await venue.close()
            return served.asked

    path, said = (CANCELS if verb == "cancel" else ASKS).get(exchange, ASKS[exchange])
    first = asyncio.run(run())[0]
    assert first.path.endswith(path)
    assert said.items() <= fields(first).items()


def test_the_oco_of_binance_names_both_legs():
    stop = request(client_id="a" * 18, type=OrderType.STOP, trigger=Decimal("9000.50"))
    target = request(client_id="b" * 18, type=OrderType.LIMIT, price=Decimal("11000.00"))

    async def run() -> Asked:
        async with box({}) as served, gateway_to(served) as gateway:
            furnish(gateway.place("binance"))
            venue = gateway.venue("one", "binance", KEYS)
            with pytest.raises(OutcomeUnknown):
                await venue.submit_oco("c" * 18, stop, target)
            return served.of("/orderList/oco")[0]

    said = asyncio.run(run()).form
    assert said["listClientOrderId"] == "c" * 18
    assert (said["aboveType"], said["abovePrice"], said["aboveClientOrderId"]) == ("LIMIT_MAKER", "11000.00", "b" * 18)
    assert (said["belowType"], said["belowStopPrice"], said["belowClientOrderId"]) == (
        "STOP_LOSS",
        "9000.50",
        "a" * 18,
    )


@pytest.mark.parametrize(
    ("exchange", "path", "trigger"),
    [("kraken", "/AmendOrder", "trigger_price"), ("bybit", "/v5/order/amend", "triggerPrice")],
)
def test_a_trigger_is_moved_under_the_same_id(exchange, path, trigger):
    async def run() -> Asked:
        async with box({}) as served, gateway_to(served) as gateway:
            furnish(gateway.place(exchange))
            venue = gateway.venue("one", exchange, KEYS)
            with pytest.raises(CambistError):
                await venue.amend("BTC/USDT", CLIENT_ID, Decimal("9100.50"))
            return served.of(path)[0]

    said = fields(asyncio.run(run()))
    assert said[trigger] == "9100.50"
    assert CLIENT_ID in said.values()


def test_where_there_is_no_testnet_it_is_said_in_both_languages():
    for name, row in QUIRKS.items():
        if row.testnet is not TryOut.NONE:
            assert Gateway().place(name, testnet=True).exchange is not None
            continue
        with pytest.raises(VenueRefused) as refused:
            Gateway().venue("one", name, KEYS, testnet=True)
        assert "no test exchange" in str(refused.value)
        assert "binance" in str(refused.value)
        speak("fr")
        assert "bourse d'essai" in str(refused.value)
        speak("en")


def test_a_missing_pass_phrase_is_named_and_no_key_is_shown():
    short = Credentials(api_key="SECRETKEY", secret="SECRETSECRET")
    with pytest.raises(BadInput, match="password"):
        Gateway().venue("one", "okx", short)
    assert "SECRET" not in repr(short)
    assert "SECRET" not in str(short)


def test_an_exchange_without_a_row_gets_the_most_careful_one():
    with pytest.raises(VenueRefused, match="fetchMyTrades"):
        quirks_of("somewhere", {"createOrder": True, "cancelOrder": True, "fetchOpenOrders": True}, 100)
    venue = Gateway().venue("one", "kucoin", KEYS)
    assert not venue.traits.stops
    assert not venue.traits.oco
    with pytest.raises(BadInput, match="binance"):
        Gateway().venue("one", "binnance", KEYS)


def test_nothing_is_sent_when_the_venue_is_not_ready():
    async def run() -> list[Asked]:
        async with box({"/exchangeInfo": {}, "/time": {}}) as served, gateway_to(served) as gateway:
            venue = gateway.venue("one", "binance", KEYS)
            with pytest.raises(RateLimited, match="Nothing was sent"):
                await venue.submit(request())
            return served.of("/order")

    assert asyncio.run(run()) == []
