"""Recorded answers of the exchanges through ccxt's real parsers and ours: the money comes out to the digit."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.ccxt.box import KEYS, box, furnish, gateway_to, market

from cambist.adapters.venues.ccxt import parse
from cambist.adapters.venues.ccxt.quirks import QUIRKS
from cambist.domain.order import Liquidity, OrderType, Side
from cambist.domain.report import Status
from cambist.ports.venue import OrderRequest

RECORDED = (Path(__file__).resolve().parents[3] / "../shared/data/02-books-ws").resolve()
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded sockets are not on this machine")


def recorded(exchange: str, name: str) -> Any:
    return json.loads((RECORDED / f"nautilus_{exchange}_payloads_open.json").read_text())[name]


def parsed(exchange: str, raw: dict[str, Any], symbol: str) -> Any:
    async def inside() -> Any:
        async with box({}) as served, gateway_to(served) as gateway:
            shared = furnish(gateway.place(exchange)).exchange
            shared.set_markets([market(shared, symbol)])
            return shared.parse_trade(raw, shared.market(symbol))

    return parse.fill_report(QUIRKS[exchange], asyncio.run(inside()), "ours")


def test_a_fill_of_binance():
    fill = parsed("binance", recorded("binance", "spot/http_json/account_trades_response.json")[0], "BNB/BTC")
    assert (str(fill.price), str(fill.quantity), str(fill.fee), fill.fee_asset) == (
        "4.00000100",
        "12.00000000",
        "10.10000000",
        "BNB",
    )
    assert (fill.trade_id, fill.venue_id, fill.ts) == ("28457", "100234", 1_499_865_549_590)
    assert (fill.side, fill.liquidity) == (Side.BUY, Liquidity.TAKER)


def test_a_fill_of_coinbase():
    fill = parsed("coinbase", recorded("coinbase", "http_fills.json")["fills"][0], "BTC/USD")
    assert (str(fill.price), str(fill.quantity), str(fill.fee), fill.fee_asset) == ("45123.45", "0.005", "1.14", "USD")
    assert fill.liquidity is Liquidity.MAKER


def test_a_fill_of_okx_whose_fee_is_written_as_what_the_account_gains():
    fill = parsed("okx", recorded("okx", "http_transaction_detail.json"), "BTC/USDT")
    assert (str(fill.price), str(fill.quantity), fill.fee_asset) == ("42000.5", "0.001", "USDT")
    assert fill.fee == Decimal("-0.042")  # OKX writes a charge below zero: this one is a rebate
    assert fill.venue_id == "987654321"


def test_a_fill_of_bybit():
    raw = recorded("bybit", "http_get_executions.json")["result"]["list"][0]
    fill = parsed("bybit", raw, "BTC/USDT")
    assert (str(fill.price), str(fill.quantity), str(fill.fee), fill.fee_asset) == (
        "50000.00",
        "0.100",
        "0.0150",
        "USDT",
    )


def pushed(exchange: str, message: dict[str, Any], symbol: str) -> Any:
    """Return ccxt's view of an account after the exchange has pushed ``message``."""

    async def inside() -> Any:
        async with box({}) as served, gateway_to(served) as gateway:
            place = furnish(gateway.place(exchange))
            place.exchange.set_markets([market(place.exchange, symbol)])
            view = place.view(KEYS)
            place.refresh(view)
            view.handle_message(SimpleNamespace(resolve=lambda *_: None, subscriptions={}, futures={}, url=""), message)
            return view

    return asyncio.run(inside())


def test_an_order_that_bybit_rejected_half_filled_is_not_refused():
    message = recorded("bybit", "ws_account_order_partially_filled_rejected.json")
    (order,) = pushed("bybit", message, "APEX/USDT").orders
    report = parse.order_report(QUIRKS["bybit"], order, 0)
    assert (report.status, report.filled, report.quantity) == (Status.CANCELLED, Decimal(50), Decimal(100))


def placed(exchange: str, path: str, answer: Any) -> Any:
    wish = OrderRequest(
        client_id="ours",
        symbol="BTC/USDT",
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=Decimal(10),
    )

    async def inside() -> Any:
        async with box({path: answer}) as served, gateway_to(served) as gateway:
            furnish(gateway.place(exchange))
            return await gateway.venue("one", exchange, KEYS).submit(wish)

    return asyncio.run(inside())


def test_an_order_of_binance_that_filled_at_once():
    report = placed("binance", "/api/v3/order", recorded("binance", "spot/http_json/new_order_full_response.json"))
    assert (report.status, str(report.filled), report.venue_id, report.client_id) == (
        Status.FILLED,
        "10.00000000",
        "28",
        "ours",
    )


def test_an_order_of_kraken_is_taken_and_no_more_is_said():
    report = placed("kraken", "/AddOrder", recorded("kraken", "http_add_order_spot.json"))
    assert (report.status, report.filled, report.venue_id) == (Status.OPEN, 0, "OUF4EM-FRGI2-MQMWZD")
    assert (report.type, report.quantity) == (OrderType.MARKET, Decimal(10))


def test_an_order_of_okx_is_taken_and_no_more_is_said():
    answer = {"code": "0", "msg": "", "data": [recorded("okx", "http_place_order_response.json")]}
    report = placed("okx", "/batch-orders", answer)
    assert (report.status, report.venue_id, report.client_id) == (Status.OPEN, "12345678901234567890", "ours")
