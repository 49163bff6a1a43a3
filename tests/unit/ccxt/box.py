"""A scripted exchange on loopback: it records what reaches it and answers what the test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from tests.serving import serving

from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.adapters.venues.ccxt.place import Place
from cambist.domain.credentials import Credentials
from cambist.domain.order import OrderType, Side
from cambist.ports.venue import OrderRequest

IDS = {"kraken": "XBTUSDT", "coinbase": "BTC-USDT", "okx": "BTC-USDT"}
CLIENT_ID = "a12345678901234567"
KEYS = Credentials(api_key="key", secret="c2VjcmV0c2VjcmV0", password="phrase")


BUY = OrderRequest(
    client_id=CLIENT_ID,
    symbol="BTC/USDT",
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=Decimal("0.12345"),
    price=Decimal("10000.10"),
)


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    body: str
    headers: dict[str, str]
    at: float = 0.0

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body, keep_blank_values=True))


Answer = Callable[[Asked], Any]


@dataclass
class Box:
    """``answers`` maps the end of a path to JSON, or to a function of the request that returns JSON or a response."""

    answers: dict[str, Any]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def of(self, ending: str, method: str = "") -> list[Asked]:
        return [one for one in self.asked if one.path.endswith(ending) and method in ("", one.method)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(
            request.method,
            request.path,
            dict(request.query),
            await request.text(),
            dict(request.headers),
            asyncio.get_running_loop().time(),
        )
        self.asked.append(asked)
        ending = next((end for end in self.answers if f"{request.method} {request.path}".endswith(end)), None)
        answer = self.answers[ending] if ending is not None else {}
        if callable(answer):
            answer = answer(asked)
        if isinstance(answer, Awaitable):
            answer = await answer
        if isinstance(answer, web.StreamResponse):
            return answer
        if callable(answer):
            made: web.StreamResponse = await answer(request)
            return made
        return web.json_response(answer)


@asynccontextmanager
async def box(answers: dict[str, Any]) -> AsyncIterator[Box]:
    served = Box(answers)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", served.handle)
    async with serving(app, tells_who_leaves=True) as address:
        served.url = f"http://{address}"
        yield served


def at(status: int, body: Any = None, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(body or {}, status=status, headers=headers)


def market(exchange: Any, symbol: str = "BTC/USDT") -> dict[str, Any]:
    base, quote = symbol.split("/")
    made: dict[str, Any] = exchange.safe_market_structure(
        {
            "id": IDS.get(exchange.id, f"{base}{quote}"),
            "symbol": symbol,
            "base": base,
            "quote": quote,
            "baseId": base,
            "quoteId": quote,
            "type": "spot",
            "spot": True,
            "margin": False,
            "swap": False,
            "future": False,
            "option": False,
            "active": True,
            "contract": False,
            "precision": {"amount": "0.00001", "price": "0.01"},
            "limits": {"amount": {"min": "0.00001"}, "price": {}, "cost": {"min": "5"}},
            "info": {"orderTypes": ["LIMIT", "MARKET", "STOP_LOSS", "TAKE_PROFIT"]},
        }
    )
    return made


def furnish(place: Place) -> Place:
    """Give ``place`` one market and a known clock, as if both had been asked for."""
    place.exchange.set_markets([market(place.exchange)])
    place._kinds.add("spot")
    place._clock_known = True
    return place


@asynccontextmanager
async def gateway_to(served: Box, **settings: Any) -> AsyncIterator[Gateway]:
    gateway = Gateway(base_url=served.url, **settings)
    try:
        yield gateway
    finally:
        await gateway.close()


EXCHANGE_INFO = {
    "timezone": "UTC",
    "serverTime": 1,
    "rateLimits": [],
    "exchangeFilters": [],
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "status": "TRADING",
            "baseAsset": "BTC",
            "baseAssetPrecision": 8,
            "quoteAsset": "USDT",
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "orderTypes": ["LIMIT", "MARKET", "STOP_LOSS", "TAKE_PROFIT"],
            "icebergAllowed": True,
            "ocoAllowed": True,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
                {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
                {"filterType": "NOTIONAL", "minNotional": "5"},
            ],
            "permissions": ["SPOT"],
            "permissionSets": [["SPOT"]],
        }
    ],
}


def binance_order(**said: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "orderId": 28,
        "clientOrderId": CLIENT_ID,
        "transactTime": 1_700_000_000_000,
        "price": "10000.10000000",
        "origQty": "0.12345000",
        "executedQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
    } | said
