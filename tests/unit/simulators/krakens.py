"""Kraken in a box, a plain client of it that signs, and a plain listener."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import urlencode

import aiohttp

from cambist.domain.instrument import Instrument
from cambist.domain.timeframe import MINUTE_MS
from cambist.market.synthetic import synthetic_market
from cambist.simulators.clock import Clock
from cambist.simulators.kraken import Customer, KrakenServer, Limits

START = 1_704_067_200_000
NOW = START + 300 * MINUTE_MS
SYMBOL = "BTC/USD"
CANDLES = synthetic_market((SYMBOL, "ETH/USD"), start_ms=START, count=600, timeframe="1m", seed=5)
RULES = [
    Instrument(
        venue="kraken",
        symbol=symbol,
        tick_size=Decimal("0.1"),
        lot_step=Decimal("0.00000001"),
        min_notional=Decimal("0.5"),
        min_quantity=Decimal("0.0001"),
    )
    for symbol in CANDLES
]
SECRET = base64.b64encode(b"a secret").decode()
HELD = {"USD": Decimal(100_000), "BTC": Decimal(2)}
ALICE = Customer(key="k", secret=SECRET, balances=HELD, name="alice")
UNLIMITED = Limits(calls=1e9, trading=1e9, open_orders=10**9)


class Refusal(Exception):
    """An answer that says no, in the exchange's words."""


@dataclass
class Client:
    """Asks as Kraken's documents say, without any library of others."""

    server: KrakenServer
    session: aiohttp.ClientSession
    key: str = "k"
    secret: str = SECRET
    nonces: Any = field(default_factory=lambda: count(1))

    async def public(self, name: str, **params: Any) -> Any:
        async with self.session.get(f"{self.server.url}/0/public/{name}", params=params) as answer:
            return read(await answer.json())

    async def private(self, name: str, *, nonce: int | None = None, **params: Any) -> Any:
        number = next(self.nonces) if nonce is None else nonce
        return await self._signed(name, number, urlencode({"nonce": number, **params}), "x-www-form-urlencoded")

    async def json(self, name: str, params: dict[str, Any]) -> Any:
        number = next(self.nonces)
        return await self._signed(name, number, json.dumps({"nonce": number, **params}), "json")

    async def _signed(self, name: str, number: int, body: str, kind: str) -> Any:
        path = f"/0/private/{name}"
        digest = hashlib.sha256(f"{number}{body}".encode()).digest()
        sign = hmac.new(base64.b64decode(self.secret), path.encode() + digest, hashlib.sha512).digest()
        headers = {
            "API-Key": self.key,
            "API-Sign": base64.b64encode(sign).decode(),
            "Content-Type": f"application/{kind}",
        }
        async with self.session.post(self.server.url + path, data=body, headers=headers) as answer:
            return read(await answer.json())

    async def order(self, side: str, kind: str, volume: str = "0.01", **terms: Any) -> str:
        """Place an order on BTC/USD and return its name."""
        answer = await self.private("AddOrder", pair="XBTUSD", type=side, ordertype=kind, volume=volume, **terms)
        name: str = answer["txid"][0]
        return name

    async def told(self, name: str) -> Any:
        return (await self.private("QueryOrders", txid=name))[name]

    def price(self, factor: str = "1") -> str:
        """Return the last price times ``factor``, on the tick."""
        return f"{self.server.exchange.price(SYMBOL) * Decimal(factor):.1f}"

    @asynccontextmanager
    async def socket(self) -> AsyncIterator["Ear"]:
        async with self.session.ws_connect(f"{self.server.url}/v2") as socket:
            yield Ear(socket)


@dataclass
class Ear:
    """A WebSocket whose messages are read with exact numbers."""

    socket: aiohttp.ClientWebSocketResponse

    async def say(self, method: str, **params: Any) -> None:
        await self.socket.send_json({"method": method, "params": params, "req_id": 7})

    async def hear(self) -> Any:
        async with asyncio.timeout(5):
            return json.loads((await self.socket.receive()).data, parse_float=Decimal)

    async def until(self, wanted: Callable[[Any], bool]) -> Any:
        while not wanted(message := await self.hear()):
            pass
        return message

    async def of(self, channel: str, kind: str = "update") -> Any:
        """Return the data of the next message of a channel."""
        message = await self.until(lambda one: (one.get("channel"), one.get("type")) == (channel, kind))
        return message["data"]


def read(answer: Any) -> Any:
    if answer["error"]:
        raise Refusal(*answer["error"])
    return answer["result"]


def run(body: Callable[[Client], Awaitable[None]], **settings: Any) -> None:
    """Run ``body`` with a client of a box whose clock stands at `NOW`."""

    async def hold() -> None:
        given: dict[str, Any] = {"clock": Clock(NOW, speed=0), "same_clock": True, "limits": UNLIMITED} | settings
        server = KrakenServer(CANDLES.values(), instruments=RULES, customers=[ALICE], **given)
        await server.start()
        try:
            async with aiohttp.ClientSession() as session:
                await body(Client(server, session))
        finally:
            await server.stop()

    asyncio.run(hold())
