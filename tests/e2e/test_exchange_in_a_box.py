"""The exchange in a box under the clients that people use, unmodified: only their addresses are changed."""

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
import requests

from cambist.domain.instrument import Instrument
from cambist.domain.report import Status
from cambist.domain.timeframe import MINUTE_MS
from cambist.market.synthetic import synthetic_market
from cambist.simulators.binance import BinanceSimulator, Customer
from cambist.simulators.faults import Fault, Kind

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of the websockets that python-binance was written for
    import ccxt
    import ccxt.pro
    from binance.async_client import AsyncClient
    from binance.base_client import BaseClient
    from binance.client import Client
    from binance.error import ClientError
    from binance.exceptions import BinanceAPIException
    from binance.spot import Spot
    from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient
    from binance.ws.reconnecting_websocket import ReconnectingWebsocket
    from binance.ws.streams import BinanceSocketManager

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:binance.*")

START = 1_704_067_200_000
NOW = START + 1_500 * MINUTE_MS
SYMBOL = "BTC/USDT"
CANDLES = synthetic_market((SYMBOL, "ETH/USDT"), start_ms=START, count=2_000, timeframe="1m", seed=1)
RULES = [
    Instrument(
        venue="binance",
        symbol=symbol,
        tick_size=Decimal("0.01"),
        lot_step=Decimal("0.00001"),
        min_notional=Decimal(5),
        min_quantity=Decimal("0.00001"),
    )
    for symbol in CANDLES
]
ALICE = Customer(key="k", secret="s", balances={"USDT": Decimal(100_000), "BTC": Decimal(1)}, name="alice")
HELD = {"USDT": Decimal(100_000), "BTC": Decimal(1)}


@pytest.fixture
def box() -> Iterator[BinanceSimulator]:
    with BinanceSimulator(*CANDLES.values(), instruments=RULES, customers=[ALICE], now_ms=NOW) as running:
        yield running


def last_price(box: BinanceSimulator) -> Decimal:
    return box.exchange.price(SYMBOL)


def moved(exchange: Any, url: str) -> Any:
    """Give ccxt's client of Binance another address; everything else stays as it comes."""
    roots = {"public": "/api/v3", "private": "/api/v3", "v1": "/api/v1", "sapi": "/sapi/v1"}
    roots |= {"fapiPublic": "/fapi/v1", "dapiPublic": "/dapi/v1"}
    exchange.urls["api"] |= {name: url + root for name, root in roots.items()}
    if "ws" in exchange.urls["api"]:
        sockets = "ws" + url.removeprefix("http")
        exchange.urls["api"]["ws"]["spot"] = f"{sockets}/ws"
        exchange.urls["api"]["ws"]["ws-api"]["spot"] = f"{sockets}/ws-api/v3"
    return exchange


SETTINGS = {"apiKey": "k", "secret": "s", "enableRateLimit": False}


@pytest.fixture
def client(box: BinanceSimulator) -> Iterator[Any]:
    """Return ccxt's blocking client."""
    with requests.Session() as session:
        yield moved(ccxt.binance(SETTINGS | {"session": session}), box.url)


def ccxt_pro(box: BinanceSimulator) -> Any:
    return moved(ccxt.pro.binance(SETTINGS), box.url)


def conserved(box: BinanceSimulator) -> None:
    """Check that what the account holds is what it held, moved by its fills and less its fees, to the last digit."""
    expected = dict(HELD)
    for fill in box.exchange.fills("alice", SYMBOL):
        expected["BTC"] += fill.side.sign * fill.quantity
        expected["USDT"] -= fill.side.sign * fill.quantity * fill.price
        expected[fill.fee_asset] -= fill.fee
    assert {asset: held.total for asset, held in box.exchange.balances("alice").items()} == expected


# -- ccxt -------------------------------------------------------------------------------------------------------------


def test_ccxt_reads_the_market(box, client):
    client.load_markets()
    market = client.market(SYMBOL)
    assert sorted(client.markets) == sorted(CANDLES)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    ticker = client.fetch_ticker(SYMBOL)
    assert ticker["last"] == float(last_price(box))
    assert ticker["bid"] <= ticker["last"] <= ticker["ask"]
    candles = client.fetch_ohlcv(SYMBOL, "5m", limit=3)
    assert [row[0] for row in candles] == [NOW - 10 * MINUTE_MS, NOW - 5 * MINUTE_MS, NOW]
    assert candles[0][2] == CANDLES[SYMBOL].high[1_490:1_495].max()
    trades = client.fetch_trades(SYMBOL, limit=5)
    assert [int(one["id"]) - int(trades[0]["id"]) for one in trades] == list(range(5))
    book = client.fetch_order_book(SYMBOL, 10)
    assert len(book["bids"]) == len(book["asks"]) == 10
    assert book["bids"][0][0] < book["asks"][0][0]


def test_ccxt_trades(box, client):
    price = float(last_price(box))
    bought = client.create_order(SYMBOL, "market", "buy", 0.01)
    assert (bought["status"], bought["filled"], bought["average"]) == ("closed", 0.01, price)
    assert bought["fees"] == [{"currency": "BTC", "cost": 0.00001}]
    by_cost = client.create_market_buy_order_with_cost(SYMBOL, 500)
    assert by_cost["status"] == "closed"
    assert 499 < by_cost["cost"] <= 500
    waiting = client.create_order(SYMBOL, "limit", "buy", 0.02, round(price * 0.9, 2), {"clientOrderId": "mine1"})
    stop = client.create_order(SYMBOL, "market", "sell", 0.01, None, {"stopLossPrice": round(price * 0.95, 2)})
    assert {one["id"] for one in client.fetch_open_orders(SYMBOL)} == {waiting["id"], stop["id"]}
    assert client.fetch_balance()["USDT"]["used"] == pytest.approx(round(price * 0.9, 2) * 0.02)
    assert client.cancel_order(waiting["id"], SYMBOL)["status"] == "canceled"
    assert client.fetch_order(waiting["id"], SYMBOL)["status"] == "canceled"
    assert box.exchange.order("alice", SYMBOL, "mine1").status is Status.CANCELLED
    client.cancel_all_orders(SYMBOL)
    assert client.fetch_open_orders(SYMBOL) == []
    assert client.fetch_my_trades(SYMBOL)[0]["amount"] == 0.01
    conserved(box)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (("limit", "buy", 100, 0.9), ccxt.InsufficientFunds),
        (("limit", "buy", 0.0001, 0.9), ccxt.BadRequest),  # NOTIONAL
        (("limit", "buy", 0.01, 0.1), ccxt.InvalidOrder),  # PERCENT_PRICE_BY_SIDE
        (("limit", "buy", 0.01, 1.01, {"postOnly": True}), ccxt.OrderImmediatelyFillable),
        (("market", "sell", 0.01, None, {"stopLossPrice": 99_999}), ccxt.OrderImmediatelyFillable),
    ],
)
def test_ccxt_understands_refusals(box, client, order, error):
    kind, side, amount, level, *params = order
    price = None if level is None else round(float(last_price(box)) * level, 2)
    with pytest.raises(error):
        client.create_order(SYMBOL, kind, side, amount, price, *params)
    assert box.exchange.orders("alice", SYMBOL) == []


def test_ccxt_is_told_no_in_the_exchanges_words(box, client):
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order("4711", SYMBOL)
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("4711", SYMBOL)
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()
    client.secret, client.apiKey = "s", "unknown"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()
    client.apiKey, client.nonce = "k", lambda: NOW - 60_000
    with pytest.raises(ccxt.InvalidNonce):
        client.fetch_balance()


async def moving(box: BinanceSimulator, *waits: Awaitable[Any]) -> list[Any]:
    """Let the market move until all ``waits`` have come about."""
    done = asyncio.gather(*waits)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(15):
        while not done.done():
            await loop.run_in_executor(None, box.advance, 5_000)
            await asyncio.wait([done], timeout=0.02)
        return await done


def test_ccxt_pro_watches(box):
    async def watch() -> None:
        client = ccxt_pro(box)
        try:
            await client.load_markets()
            trades, candles, book = await moving(
                box, client.watch_trades(SYMBOL), client.watch_ohlcv(SYMBOL, "1m"), client.watch_order_book(SYMBOL)
            )
            assert trades[-1]["symbol"] == SYMBOL
            assert candles[-1][0] >= NOW
            assert book["bids"][0][0] < book["asks"][0][0]
            await client.authenticate()
            orders = asyncio.create_task(client.watch_orders())
            fills = asyncio.create_task(client.watch_my_trades())
            balance = asyncio.create_task(client.watch_balance())
            await asyncio.sleep(0)  # all three listen before the order goes out
            await client.create_order(SYMBOL, "market", "buy", 0.02)
            async with asyncio.timeout(10):
                assert [one["amount"] for one in await orders] == [0.02]
                assert [(one["amount"], one["fee"]["currency"]) for one in await fills] == [(0.02, "BTC")]
                assert (await balance)["BTC"]["free"] == 1.01998
        finally:
            await client.close()

    asyncio.run(watch())
    conserved(box)


def test_ccxts_book_built_from_differences_is_the_book_that_is_asked_for(box):
    async def watch() -> None:
        client = ccxt_pro(box)
        try:
            await client.load_markets()
            (book,) = await moving(box, client.watch_order_book(SYMBOL))
            for _ in range(5):
                (book,) = await moving(box, client.watch_order_book(SYMBOL))
            asked = await client.fetch_order_book(SYMBOL, 50)
            assert book["nonce"] == asked["nonce"]
            assert (book["bids"][:50], book["asks"][:50]) == (asked["bids"], asked["asks"])
        finally:
            await client.close()

    asyncio.run(watch())


# -- python-binance ---------------------------------------------------------------------------------------------------


@pytest.fixture
def at_box(box: BinanceSimulator, monkeypatch: pytest.MonkeyPatch) -> BinanceSimulator:
    """Give python-binance the box's address."""
    sockets = "ws" + box.url.removeprefix("http")
    monkeypatch.setattr(BaseClient, "API_URL", f"{box.url}/api")
    monkeypatch.setattr(BaseClient, "WS_API_URL", f"{sockets}/ws-api/v3")
    monkeypatch.setattr(BinanceSocketManager, "STREAM_URL", f"{sockets}/")
    monkeypatch.setattr(ReconnectingWebsocket, "TIMEOUT", 1)  # it closes only after that time without a message
    return box


def test_python_binance_reads_and_trades(at_box):
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    client = Client("k", "s")
    try:
        price = last_price(at_box)
        assert Decimal(client.get_symbol_ticker(symbol="BTCUSDT")["price"]) == price
        assert len(client.get_klines(symbol="BTCUSDT", interval="1h", limit=7)) == 7
        assert client.get_symbol_info("BTCUSDT")["filters"][0]["tickSize"] == "0.01"
        bought = client.order_market_buy(symbol="BTCUSDT", quantity="0.01")
        assert (bought["status"], bought["fills"][0]["commissionAsset"]) == ("FILLED", "BTC")
        low, high = f"{price * Decimal('0.9'):.2f}", f"{price * Decimal('1.1'):.2f}"
        oco = client.create_oco_order(
            symbol="BTCUSDT",
            side="SELL",
            quantity="0.01",
            aboveType="LIMIT_MAKER",
            abovePrice=high,
            belowType="STOP_LOSS",
            belowStopPrice=low,
        )
        assert [one["type"] for one in oco["orderReports"]] == ["LIMIT_MAKER", "STOP_LOSS"]
        assert {one["orderListId"] for one in client.get_open_orders(symbol="BTCUSDT")} == {oco["orderListId"]}
        assert Decimal(client.get_asset_balance("BTC")["locked"]) == Decimal("0.01")  # once for both legs
        client.cancel_order(symbol="BTCUSDT", orderId=oco["orders"][0]["orderId"])
        assert client.get_open_orders(symbol="BTCUSDT") == []
        with pytest.raises(BinanceAPIException, match="would trigger immediately") as refused:
            client.create_order(symbol="BTCUSDT", side="SELL", type="STOP_LOSS", quantity="0.01", stopPrice=high)
        assert refused.value.code == -2010
        client.create_test_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
        assert len(client.get_my_trades(symbol="BTCUSDT")) == 1
        assert len(client.get_all_orders(symbol="BTCUSDT")) == 3
    finally:
        client.close_connection()
        asyncio.set_event_loop(None)
        loop.close()
    conserved(at_box)


def test_python_binance_hears_of_the_market_and_of_its_orders(at_box):
    async def listen() -> None:
        client = await AsyncClient.create("k", "s")
        try:
            sockets = BinanceSocketManager(client)
            async with sockets.kline_socket("BTCUSDT", "1m") as candles:
                closed, opened = None, []
                while closed is None:
                    (message,) = await moving(at_box, candles.recv())
                    opened.append(message["k"]["t"])
                    closed = message if message["k"]["x"] else None
            asked = await client.get_klines(symbol="BTCUSDT", interval="1m", startTime=closed["k"]["t"], limit=1)
            assert [closed["k"][name] for name in "tohlcvTqnVQ"] == asked[0][:11]
            async with sockets.user_socket() as own:
                await client.order_market_buy(symbol="BTCUSDT", quantity="0.01")
                async with asyncio.timeout(5):
                    events = [await own.recv() for _ in range(3)]
            assert [one["e"] for one in events] == ["executionReport"] * 2 + ["outboundAccountPosition"]
            assert [(one["x"], one["X"]) for one in events[:2]] == [("NEW", "NEW"), ("TRADE", "FILLED")]
        finally:
            await client.close_connection()

    asyncio.run(listen())


# -- binance-connector ------------------------------------------------------------------------------------------------


@pytest.fixture
def spot(box: BinanceSimulator) -> Iterator[Spot]:
    client = Spot("k", "s", base_url=box.url)
    yield client
    client.session.close()


def test_binance_connector_trades_an_oco_and_hears_of_it_by_listen_key(box, spot):
    heard: queue.Queue[str] = queue.Queue()
    key = spot.new_listen_key()["listenKey"]
    stream = SpotWebsocketStreamClient(
        "ws" + box.url.removeprefix("http"), on_message=lambda _, text: heard.put(text), on_error=lambda *_: None
    )
    try:
        stream.user_data(listen_key=key)
        assert '"result": null' in heard.get(timeout=5)
        price = last_price(box)
        high, low = (f"{price * factor:.2f}" for factor in (Decimal("1.1"), Decimal("0.9")))
        terms = {"aboveType": "LIMIT_MAKER", "abovePrice": high, "belowType": "STOP_LOSS", "belowStopPrice": low}
        oco = spot.new_oco_order("BTCUSDT", "SELL", "0.01", **terms)
        assert [_event(heard) for _ in range(4)] == [
            "executionReport",
            "executionReport",
            "outboundAccountPosition",
            "listStatus",
        ]
        assert spot.get_oco_order(orderListId=oco["orderListId"])["listOrderStatus"] == "EXECUTING"
        spot.cancel_oco_order("BTCUSDT", orderListId=oco["orderListId"])
        assert spot.get_oco_open_orders() == []
        spot.renew_listen_key(key)
        spot.close_listen_key(key)
        with pytest.raises(ClientError) as refused:
            spot.renew_listen_key(key)
        assert refused.value.error_code == -1125
    finally:
        stream.stop()
        stream.socket_manager.ws.shutdown()  # it leaves its socket open
    conserved(box)


def _event(heard: "queue.Queue[str]") -> str:
    return str(json.loads(heard.get(timeout=5))["e"])


def test_binance_connector_cancels_and_replaces(box, spot):
    spot.show_limit_usage = True
    price = last_price(box)
    low, lower = (f"{price * factor:.2f}" for factor in (Decimal("0.9"), Decimal("0.8")))
    terms = {"timeInForce": "GTC", "quantity": "0.01"}
    first = spot.new_order("BTCUSDT", "BUY", "LIMIT", price=low, newClientOrderId="one", **terms)
    assert first["limit_usage"]["x-mbx-order-count-10s"] == "1"
    replaced = spot.cancel_and_replace(
        "BTCUSDT", "BUY", "LIMIT", "STOP_ON_FAILURE", cancelOrigClientOrderId="one", price=lower, **terms
    )["data"]
    assert (replaced["cancelResult"], replaced["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    with pytest.raises(ClientError) as refused:
        spot.cancel_and_replace(
            "BTCUSDT", "BUY", "LIMIT", "STOP_ON_FAILURE", cancelOrigClientOrderId="one", price=lower, **terms
        )
    assert refused.value.error_code == -2022
    assert len(spot.get_open_orders("BTCUSDT")["data"]) == 1


# -- things go wrong --------------------------------------------------------------------------------------------------


def test_an_answer_that_is_lost_leaves_an_order_that_exists(box, client):
    client.load_markets()
    box.faults = [Fault(kind=Kind.LOST, path="POST /api/v3/order")]
    with pytest.raises(ccxt.NetworkError):
        client.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "lost1"})
    assert [one.fault.kind for one in box.struck] == [Kind.LOST]
    found = client.fetch_order(None, SYMBOL, {"origClientOrderId": "lost1"})
    assert found["status"] == "closed"
    assert box.exchange.order("alice", SYMBOL, "lost1").filled == Decimal("0.01")


def test_an_exchange_that_is_down_is_there_again_at_the_same_address(box, client):
    client.load_markets()
    box.faults = [Fault(kind=Kind.DOWN, path="GET /api/v3/account", seconds=0.3)]
    refused = 0
    deadline = time.monotonic() + 10
    while True:
        try:
            assert client.fetch_balance()["BTC"]["free"] == 1
            break
        except ccxt.NetworkError:
            refused += 1
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert refused >= 2


# -- from the command line --------------------------------------------------------------------------------------------


def test_the_command_serves_until_it_is_interrupted(tmp_path):
    faults = tmp_path / "faults.json"
    faults.write_text('{"seed": 1, "faults": [{"kind": "status", "where": "GET /api/v3/time", "status": 503}]}')
    program = [sys.executable, "-c", "from cambist.apps.cli.main import main; main()"]
    process = subprocess.Popen(
        [*program, "simulate", "exchange", "--port", "0", "--symbol", "BTC/USDT", "--faults", str(faults)],
        env=os.environ | {"CAMBIST_HOME": str(tmp_path), "CAMBIST_LANG": "fr"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = next(word for word in line.replace(",", " ").split() if word.startswith("http"))
        with urllib.request.urlopen(f"{url}/api/v3/ping", timeout=5) as answer:
            assert answer.read() == b"{}"
        with pytest.raises(urllib.error.HTTPError) as failed:
            urllib.request.urlopen(f"{url}/api/v3/time", timeout=5)
        failed.value.close()
        process.send_signal(signal.SIGINT)
        assert "2 requêtes et 1 pannes" in process.communicate(timeout=10)[0]
        assert process.returncode == 0
    finally:
        with suppress(ProcessLookupError):
            process.kill()
