"""Reports from a real WebSocket: what is pushed, what is said of the connection, and what is asked where none is."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

from aiohttp import WSMsgType, web
from tests.unit.ccxt.box import CLIENT_ID, KEYS, Asked, box, furnish, gateway_to

from cambist.adapters.venues.ccxt.backoff import Backoff
from cambist.adapters.venues.ccxt.trading import CcxtVenue
from cambist.domain.report import BalancesReported, Connection, FillReport, OrderReport, Report, Status

EXECUTION = {
    "e": "executionReport",
    "E": 1_700_000_000_001,
    "s": "BTCUSDT",
    "c": CLIENT_ID,
    "S": "BUY",
    "o": "LIMIT",
    "f": "GTC",
    "q": "0.12345000",
    "p": "10000.10000000",
    "P": "0.00000000",
    "C": "",
    "x": "TRADE",
    "X": "PARTIALLY_FILLED",
    "r": "NONE",
    "i": 28,
    "l": "0.00001000",
    "z": "0.00001000",
    "L": "10000.10000000",
    "n": "0.00000001",
    "N": "BNB",
    "T": 1_700_000_000_000,
    "t": 77,
    "m": True,
    "O": 1_700_000_000_000,
    "Z": "0.10000100",
    "Y": "0.10000100",
}
POSITION = {
    "e": "outboundAccountPosition",
    "E": 1_700_000_000_001,
    "u": 1_700_000_000_000,
    "B": [{"a": "BTC", "f": "0.00001000", "l": "0.00000000"}],
}


class Pushing:
    """Binance's WebSocket API: subscribes whoever asks, then pushes what the test says."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.subscribed = 0
        self.key = "key"
        self.came = asyncio.Event()

    async def __call__(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            said = json.loads(message.data)
            assert said["params"]["apiKey"] == self.key
            self.subscribed += 1
            await socket.send_json({"id": said["id"], "status": 200, "result": {"subscriptionId": 0}})
            self.came.set()
        return socket

    async def push(self, event: dict[str, Any]) -> None:
        await self.sockets[-1].send_json({"subscriptionId": 0, "event": event})


async def until(stream: AsyncIterator[Report], kind: type[Any]) -> tuple[Any, list[Report]]:
    """Return the next report of ``kind``, and those that came before it."""
    before: list[Report] = []
    async with asyncio.timeout(60):
        while True:
            report = await anext(stream)
            if isinstance(report, kind):
                return report, before
            before.append(report)


@asynccontextmanager
async def reports(exchange: str, answers: dict[str, Any]) -> AsyncIterator[tuple[CcxtVenue, AsyncIterator[Report]]]:
    """Open a venue at ``exchange``, and its reports; the venue is closed after them."""
    async with box(answers) as served, gateway_to(served) as gateway:
        furnish(gateway.place(exchange))
        venue = gateway.venue("one", exchange, KEYS)
        async with aclosing(venue.reports()) as stream:  # type: ignore[type-var]
            yield venue, stream
        await venue.close()


@asynccontextmanager
async def standing(binance: Pushing) -> AsyncIterator[AsyncIterator[Report]]:
    """Open the reports of ``binance``, and wait until its stream stands."""
    async with reports("binance", {"/ws-api/v3": lambda _: binance, "/account": {"balances": []}}) as (_, stream):
        first = await anext(stream)
        assert isinstance(first, Connection)
        assert first.up
        yield stream


def test_orders_fills_and_balances_are_pushed_once_each_and_a_lost_socket_is_said():
    async def inside() -> None:
        binance = Pushing()
        async with standing(binance) as stream:
            assert binance.subscribed == 1, "it stands only once the venue has confirmed the subscription"
            await binance.push(EXECUTION)
            await binance.push(EXECUTION)  # at least once, says the venue
            await binance.push(POSITION)
            got: list[Any] = []
            while not any(isinstance(one, BalancesReported) for one in got) or len(got) < 3:
                got.append(await asyncio.wait_for(anext(stream), 60))
            (order,) = [one for one in got if isinstance(one, OrderReport)]
            (fill,) = [one for one in got if isinstance(one, FillReport)]
            (held,) = [one for one in got if isinstance(one, BalancesReported)]
            assert (order.client_id, order.status, str(order.filled)) == (
                CLIENT_ID,
                Status.PARTLY_FILLED,
                "0.00001000",
            )
            assert (fill.client_id, fill.trade_id, str(fill.fee), fill.fee_asset) == (
                CLIENT_ID,
                "77",
                "1E-8",
                "BNB",
            )
            assert {one.asset: one.free for one in held.balances} == {"BTC": Decimal("0.00001")}

            await binance.sockets[-1].close()
            down, _ = await until(stream, Connection)
            assert not down.up
            assert down.why
            up, _ = await until(stream, Connection)
            assert up.up
            assert len(binance.sockets) == 2
            await binance.push(EXECUTION | {"z": "0.12345000", "X": "FILLED", "t": 78, "l": "0.12344000"})
            order, _ = await until(stream, OrderReport)
            assert order.status is Status.FILLED

    asyncio.run(inside())


OKX_FILL = {
    "instType": "SPOT",
    "instId": "BTC-USDT",
    "ordId": "28",
    "clOrdId": CLIENT_ID,
    "tradeId": "77",
    "ordType": "limit",
    "side": "sell",
    "state": "partially_filled",
    "px": "50100",
    "sz": "0.05",
    "accFillSz": "0.02",
    "fillPx": "50100.5",
    "fillSz": "0.02",
    "fillTime": "1746947318502",
    "cTime": "1746947318501",
    "uTime": "1746947318502",
    "execType": "T",
    "fee": "-0.3006",
    "feeCcy": "USDT",
    "fillFee": "-0.1002",
    "fillFeeCcy": "USDT",
}


def test_okx_pushes_spot_alone_and_a_fill_costs_what_it_costs_when_asked_for():
    asked: list[dict[str, Any]] = []

    async def okx(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            said = json.loads(message.data)
            if said["op"] == "login":
                await socket.send_json({"event": "login", "code": "0", "msg": ""})
                continue
            for one in said["args"]:
                asked.append(one)
                await socket.send_json({"event": "subscribe", "arg": one})
                if one["channel"] == "orders":
                    await socket.send_json({"arg": one, "data": [OKX_FILL | {"fillTime": str(now_ms)}]})
        return socket

    by_rest = {"instId": "BTC-USDT", "ordId": "28", "clOrdId": CLIENT_ID, "tradeId": "77", "side": "sell"}
    now_ms = round(time.time() * 1000)
    by_rest |= {"fillPx": "50100.5", "fillSz": "0.02", "fee": "-0.1002", "feeCcy": "USDT", "ts": str(now_ms)}

    async def inside() -> None:
        answers = {"/ws/v5/private": lambda _: okx, "/trade/fills-history": {"code": "0", "data": [by_rest]}}
        async with reports("okx", answers) as (venue, stream):
            pushed, _ = await until(stream, FillReport)
            (told,) = await venue.fills("BTC/USDT", now_ms - 1_000)
            assert (pushed.fee, pushed.fee_asset, pushed.client_id) == (Decimal("0.1002"), "USDT", CLIENT_ID)
            assert replace(pushed, liquidity=told.liquidity) == told
            assert {one["instType"] for one in asked if one["channel"] == "orders"} == {"SPOT"}

    asyncio.run(inside())


def test_bitget_pushes_what_filled_last_and_what_filled_in_all():
    ids = {"instId": "BTCUSDT", "orderId": "28", "clientOid": CLIENT_ID}
    terms = {"orderType": "limit", "side": "sell", "force": "gtc", "price": "10000", "newSize": "0.10"}

    async def bitget(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            said = json.loads(message.data)
            if said["op"] == "login":
                await socket.send_json({"event": "login", "code": 0})
                continue
            for one in said["args"]:
                await socket.send_json({"event": "subscribe", "arg": one})
                pieces = (("partially_filled", "0.03", "0.03"), ("filled", "0.07", "0.10"))
                for status, last, in_all in pieces if one["channel"] == "orders" else ():
                    filled = {"status": status, "baseVolume": last, "accBaseVolume": in_all, "uTime": "2"}
                    await socket.send_json({"action": "snapshot", "arg": one, "data": [ids | terms | filled]})
        return socket

    async def inside() -> None:
        async with reports("bitget", {"/ws/private": lambda _: bitget}) as (_, stream):
            order, _ = await until(stream, OrderReport)
            while order.status is Status.PARTLY_FILLED:
                assert order.filled == Decimal("0.03")
                order, _ = await until(stream, OrderReport)
            assert (order.status, order.filled, order.client_id) == (Status.FILLED, Decimal("0.10"), CLIENT_ID)

    asyncio.run(inside())


def test_a_trade_of_nothing_is_no_fill():
    async def inside() -> None:
        binance = Pushing()
        async with standing(binance) as stream:
            await binance.push(EXECUTION | {"X": "CANCELED", "l": "0.00000000", "L": "0.00000000", "t": -1})
            await binance.push(EXECUTION)
            fill, _ = await until(stream, FillReport)
            assert fill.trade_id == "77"

    asyncio.run(inside())


def test_a_stream_that_binance_ends_while_the_socket_stays_is_subscribed_to_anew():
    async def inside() -> None:
        binance = Pushing()
        async with standing(binance) as stream:
            await binance.push({"e": "eventStreamTerminated", "E": 1_700_000_000_001})
            down, _ = await until(stream, Connection)
            up, _ = await until(stream, Connection)
            assert (down.up, up.up, binance.subscribed) == (False, True, 2)
            await binance.push(EXECUTION)
            order, _ = await until(stream, OrderReport)
            assert order.client_id == CLIENT_ID

    asyncio.run(inside())


def test_where_nothing_is_pushed_it_is_asked(monkeypatch):
    """An exchange without private streams: orders are looked at, fills and balances follow them."""
    monkeypatch.setattr("cambist.adapters.venues.ccxt.streams._POLL_S", 0.01)
    state: dict[str, Any] = {"filled": "0", "open": True, "order": "venue-1"}

    def order_now() -> dict[str, Any]:
        return {
            "order_id": state["order"],
            "client_order_id": CLIENT_ID,
            "product_id": "BTC-USDT",
            "side": "BUY",
            "status": "OPEN" if state["open"] else "FILLED",
            "filled_size": state["filled"],
            "average_filled_price": "10000",
            "created_time": "2023-11-14T22:13:20Z",
            "order_configuration": {"limit_limit_gtc": {"base_size": "0.12345", "limit_price": "10000.1"}},
        }

    def open_orders(asked: Asked) -> dict[str, Any]:
        assert asked.query["order_status"] == "OPEN"
        return {"orders": [order_now()] if state["open"] else [], "has_next": False, "cursor": ""}

    fill: dict[str, Any] = {
        "entry_id": "e1",
        "trade_id": "t1",
        "order_id": "venue-1",
        "trade_time": "2023-11-14T22:13:21Z",
        "price": "10000.1",
        "size": "0.12345",
        "commission": "0.6172561725",
        "product_id": "BTC-USDT",
        "liquidity_indicator": "MAKER",
        "side": "BUY",
    }
    account = {
        "name": "BTC Wallet",
        "uuid": "u",
        "currency": "BTC",
        "available_balance": {"value": "0.12345", "currency": "BTC"},
        "hold": {"value": "0", "currency": "BTC"},
        "type": "ACCOUNT_TYPE_CRYPTO",
    }

    async def inside() -> None:
        answers = {
            "/historical/batch": open_orders,
            "/historical/venue-1": lambda _: {"order": order_now()},
            "/historical/fills": {"fills": [fill], "cursor": ""},
            "/brokerage/accounts": {"accounts": [account], "has_next": False},
        }
        async with box(answers) as served, gateway_to(served) as gateway:
            place = furnish(gateway.place("coinbase"))
            place.quirks = replace(place.quirks, streams=())
            venue = gateway.venue("one", "coinbase", KEYS)
            async with aclosing(venue.reports()) as stream:  # type: ignore[type-var]
                assert (await asyncio.wait_for(anext(stream), 60)).up  # type: ignore[union-attr]
                order, _ = await until(stream, OrderReport)
                assert (order.client_id, order.status, order.venue_id) == (CLIENT_ID, Status.OPEN, "venue-1")
                state.update(filled="0.12345", open=False)
                order, _ = await until(stream, OrderReport)
                assert (order.status, order.filled) == (Status.FILLED, Decimal("0.12345"))
                got, _ = await until(stream, FillReport)
                assert (got.client_id, str(got.fee), got.fee_asset) == (CLIENT_ID, "0.6172561725", "USDT")
                held, _ = await until(stream, BalancesReported)
                assert held.balances[0].free == Decimal("0.12345")

                fill["price"] = ""  # whatever cannot be read: asking goes on, and it is said
                state.update(open=True, order="venue-2")
                down, _ = await until(stream, Connection)
                fill["price"] = "10000.1"
                up, _ = await until(stream, Connection)
                assert (down.up, up.up) == (False, True)
            await venue.close()

    asyncio.run(inside())


def test_a_message_that_ccxt_cannot_read_is_not_the_silent_end_of_the_stream():
    async def inside() -> None:
        binance = Pushing()
        async with standing(binance) as stream:
            await binance.push(EXECUTION | {"z": "a lot"})
            down, _ = await until(stream, Connection)
            assert not down.up
            up, _ = await until(stream, Connection)
            assert up.up
            await binance.push(EXECUTION)
            order, _ = await until(stream, OrderReport)
            assert order.client_id == CLIENT_ID

    asyncio.run(inside())


def test_a_stream_that_stands_and_breaks_off_at_once_is_opened_more_and_more_slowly(monkeypatch):
    tries: list[int] = []
    seeds: set[int] = set()

    def recorded(patience: Backoff, attempt: int) -> float:
        tries.append(attempt)
        seeds.add(patience.seed)
        return 0.0

    monkeypatch.setattr(Backoff, "wait_s", recorded)

    async def inside() -> None:
        binance = Pushing()
        async with box({"/ws-api/v3": lambda _: binance}) as served, gateway_to(served) as gateway:
            furnish(gateway.place("binance"))
            for account in ("one", "two"):
                binance.key = account
                tries.clear()
                venue = gateway.venue(account, "binance", replace(KEYS, api_key=account))
                async with aclosing(venue.reports()) as stream:  # type: ignore[type-var]
                    for number in range(1, 4):
                        assert (await until(stream, Connection))[0].up
                        await binance.sockets[-1].close()
                        assert not (await until(stream, Connection))[0].up
                        assert max(tries) == number
                await venue.close()
        assert len(seeds) == 2, "accounts do not all come back at the same moment"

    asyncio.run(inside())
