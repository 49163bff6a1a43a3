"""However the calls of many users interleave on one shared exchange, each is signed with its own user's keys."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serving import serving
from tests.unit.ccxt.box import EXCHANGE_INFO, binance_order

from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.adapters.venues.ccxt.trading import CcxtVenue
from cambist.domain.credentials import Credentials
from cambist.domain.order import OrderType, Side
from cambist.ports.venue import OrderRequest

USERS = 5
CALLS = ("submit", "cancel", "order", "open_orders", "balances", "fills", "submit_oco")
SECRETS = {f"key{user}": f"secret{user}" for user in range(USERS)}

plans = st.lists(
    st.tuples(st.integers(0, USERS - 1), st.sampled_from(CALLS), st.integers(0, 3), st.integers(0, 3)),
    min_size=2,
    max_size=25,
)


class Checking:
    """A Binance that checks each signature, and whose order ids tell whose request it was."""

    def __init__(self, delays: list[int]) -> None:
        self.delays = delays
        self.seen: list[tuple[str, str]] = []
        self.wrong: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        if request.path.endswith("/exchangeInfo"):
            return web.json_response(EXCHANGE_INFO)
        if request.path.endswith("/time"):
            return web.json_response({"serverTime": 1_700_000_000_000})
        key = request.headers.get("X-MBX-APIKEY", "")
        signed = request.query_string or await request.text()
        payload, _, signature = signed.rpartition("&signature=")
        expected = hmac.new(SECRETS.get(key, "").encode(), payload.encode(), hashlib.sha256).hexdigest()
        if signature != expected:
            self.wrong.append(f"{request.path} {key}")
        for user in range(USERS):
            if f"u{user}x" in payload and key != f"key{user}":
                self.wrong.append(f"{payload} {key}")
        self.seen.append((key, request.path.rsplit("/", 1)[1]))
        if self.delays:
            await asyncio.sleep(self.delays.pop() / 1000)
        return web.json_response(self._answer(request.path, key))

    def _answer(self, path: str, key: str) -> Any:
        name = f"u{key[-1]}x".ljust(18, "0")
        order = binance_order(clientOrderId=name, status="CANCELED", executedQty="0.0")
        if path.endswith("/account"):
            free = f"{int(key[-1]) + 1}.00000001"
            return {"balances": [{"asset": "BTC", "free": free, "locked": "0"}]}
        if path.endswith("/oco"):
            return {"orderReports": [order, order | {"clientOrderId": f"u{key[-1]}x".ljust(18, "1")}]}
        return {"/openOrders": [order], "/myTrades": []}.get(path[path.rindex("/") :], order)


def wish(user: int, tail: str = "0") -> OrderRequest:
    return OrderRequest(
        client_id=f"u{user}x".ljust(18, tail),
        symbol="BTC/USDT",
        side=Side.SELL,
        type=OrderType.STOP,
        quantity=Decimal("0.1"),
        trigger=Decimal(9_000),
    )


async def call(venue: CcxtVenue, user: int, what: str, delay_ms: int) -> None:
    await asyncio.sleep(delay_ms / 1000)
    name = wish(user).client_id
    calls: dict[str, Callable[[], Any]] = {
        "submit": lambda: venue.submit(wish(user)),
        "cancel": lambda: venue.cancel("BTC/USDT", name),
        "order": lambda: venue.order("BTC/USDT", name),
        "open_orders": venue.open_orders,
        "balances": venue.balances,
        "fills": lambda: venue.fills("BTC/USDT", 1_700_000_000_000),
        "submit_oco": lambda: venue.submit_oco(f"u{user}xlist", wish(user), wish(user, "1")),
    }
    got = await calls[what]()
    if what == "balances":
        assert got["BTC"].free == Decimal(f"{user + 1}.00000001")
    if what in ("submit", "cancel", "order"):
        assert got.client_id == name
    if what == "open_orders":
        assert [order.client_id for order in got] == [name]


async def play(plan: list[tuple[int, str, int, int]]) -> Checking:
    server = Checking([delay for _, _, _, delay in plan])
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.handle)
    async with serving(app) as address:
        gateway = Gateway(base_url=f"http://{address}")
        try:
            venues = [
                gateway.venue(str(user), "binance", Credentials(api_key=f"key{user}", secret=f"secret{user}"))
                for user in range(USERS)
            ]
            await asyncio.gather(*(call(venues[user], user, what, delay) for user, what, delay, _ in plan))
            for venue in venues:
                await venue.close()
        finally:
            await gateway.close()
    return server


@settings(max_examples=25, deadline=None)
@given(plans)
def test_each_request_bears_the_key_and_the_signature_of_its_own_user(plan):
    server = asyncio.run(play(plan))
    assert server.wrong == []
    assert len(server.seen) >= len(plan)
    assert {key for key, _ in server.seen} == {f"key{user}" for user, *_ in plan}


def test_the_shared_exchange_holds_no_keys_and_views_share_nothing_personal():
    gateway = Gateway()
    for name in ("binance", "kraken", "coinbase", "bybit", "bitget", "okx"):
        place = gateway.place(name)
        one, two = (
            place.view(Credentials(api_key=f"k{number}", secret=f"s{number}", password="p")) for number in (1, 2)
        )
        assert not place.exchange.apiKey
        assert not place.exchange.secret
        assert (one.apiKey, two.apiKey) == ("k1", "k2")
        assert one.options is not two.options
        assert one.options == two.options
        for field in ("clients", "balance", "trades", "transactions"):
            assert getattr(one, field) is not getattr(two, field)
        bound = [
            field for field, value in one.__dict__.items() if getattr(value, "__self__", None) in (place.exchange, two)
        ]
        assert bound == [], "a method of another's exchange would sign with another's keys"
