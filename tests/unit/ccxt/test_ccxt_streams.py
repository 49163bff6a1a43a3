"""Reports from a real WebSocket: what is pushed, what is said of the connection, and what is asked where none is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from typing import Any

from aiohttp import WSMsgType, web
from tests.unit.ccxt.box import CLIENT_ID, KEYS, Asked, box, furnish, gateway_to

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
        self.came = asyncio.Event()

    async def __call__(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            said = json.loads(message.data)
            assert said["params"]["apiKey"] == "key"
            self.subscribed += 1
            await socket.send_json({"id": said["id"], "status": 200, "result": {"subscriptionId": 0}})
            self.came.set()
        return socket

    async def push(self, event: dict[str, Any]) -> None:
        await self.sockets[-1].send_json({"subscriptionId": 0, "event": event})


async def until(stream: AsyncIterator[Report], kind: type[Any]) -> tuple[Any, list[Report]]:
    """Return the next report of ``kind``, and those that came before it."""
    before: list[Report] = []
    async with asyncio.timeout(10):
        while True:
            report = await anext(stream)
            if isinstance(report, kind):
                return report, before
            before.append(report)


def test_orders_fills_and_balances_are_pushed_once_each_and_a_lost_socket_is_said():
    async def inside() -> None:
        binance = Pushing()
        async with (
            box({"/ws-api/v3": lambda _: binance, "/account": {"balances": []}}) as served,
            gateway_to(served) as gateway,
        ):
            furnish(gateway.place("binance"))
            venue = gateway.venue("one", "binance", KEYS)
            async with aclosing(venue.reports()) as stream:  # type: ignore[type-var]
                first = await anext(stream)
                assert isinstance(first, Connection)
                assert first.up
                assert binance.subscribed == 1, "it stands only once the venue has confirmed the subscription"
                await binance.push(EXECUTION)
                await binance.push(EXECUTION)  # at least once, says the venue
                await binance.push(POSITION)
                got: list[Any] = []
                while not any(isinstance(one, BalancesReported) for one in got) or len(got) < 3:
                    got.append(await asyncio.wait_for(anext(stream), 10))
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
            await venue.close()

    asyncio.run(inside())


def test_where_nothing_is_pushed_it_is_asked(monkeypatch):
    """An exchange without private streams: orders are looked at, fills and balances follow them."""
    monkeypatch.setattr("cambist.adapters.venues.ccxt.streams._POLL_S", 0.01)
    state = {"filled": "0", "open": True}

    def order_now() -> dict[str, Any]:
        return {
            "order_id": "venue-1",
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

    fill = {
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
                assert (await asyncio.wait_for(anext(stream), 10)).up  # type: ignore[union-attr]
                order, _ = await until(stream, OrderReport)
                assert (order.client_id, order.status, order.venue_id) == (CLIENT_ID, Status.OPEN, "venue-1")
                state.update(filled="0.12345", open=False)
                order, _ = await until(stream, OrderReport)
                assert (order.status, order.filled) == (Status.FILLED, Decimal("0.12345"))
                got, _ = await until(stream, FillReport)
                assert (got.client_id, str(got.fee), got.fee_asset) == (CLIENT_ID, "0.6172561725", "USDT")
                held, _ = await until(stream, BalancesReported)
                assert held.balances[0].free == Decimal("0.12345")
            await venue.close()

    asyncio.run(inside())


def test_a_message_that_ccxt_cannot_read_is_not_the_silent_end_of_the_stream():
    async def inside() -> None:
        binance = Pushing()
        async with box({"/ws-api/v3": lambda _: binance}) as served, gateway_to(served) as gateway:
            furnish(gateway.place("binance"))
            venue = gateway.venue("one", "binance", KEYS)
            async with aclosing(venue.reports()) as stream:  # type: ignore[type-var]
                assert (await asyncio.wait_for(anext(stream), 10)).up  # type: ignore[union-attr]
                await binance.push(EXECUTION | {"z": "a lot"})
                down, _ = await until(stream, Connection)
                assert not down.up
                up, _ = await until(stream, Connection)
                assert up.up
                await binance.push(EXECUTION)
                order, _ = await until(stream, OrderReport)
                assert order.client_id == CLIENT_ID
            await venue.close()

    asyncio.run(inside())
