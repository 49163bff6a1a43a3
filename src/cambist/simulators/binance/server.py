"""The server: takes requests as Binance does."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from aiohttp import web

from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.market.matching import Costs
from cambist.simulators.binance import routes
from cambist.simulators.binance.desk import Desk
from cambist.simulators.binance.market import COSTS, Customer, Line, Market
from cambist.simulators.binance.orders import decimal
from cambist.simulators.binance.refusals import Refused, error_body
from cambist.simulators.binance.rest_public import PublicAnswers
from cambist.simulators.binance.rest_signed import SignedAnswers
from cambist.simulators.binance.routes import Route, Who
from cambist.simulators.binance.signing import check_signature, check_time, key_of
from cambist.simulators.binance.sockets import Sockets
from cambist.simulators.binance.streams import Streams
from cambist.simulators.binance.weights import Limiter, Limits, TooMuch, weight_of
from cambist.simulators.faults import Fault
from cambist.simulators.serving import Answer, Served, Serving, real_ms

__all__ = ["ExchangeServer", "Served"]

_ROOTS = ("/api/", "/sapi/", "/fapi/", "/dapi/", "/ws-api/", "/ws", "/stream")


class ExchangeServer(Serving):
    """Binance spot over the candles given, one series per symbol; see `Serving`.

    ``customers`` have the accounts. With ``same_clock`` signatures, rate limits, bans and listen keys are judged by the
    box's clock alone. Else, where it runs apart from ours, signatures by either are taken, and the others count in our
    time. Paths may be led by a host name (``/api.binance.com/api/v3/...``), as clients send them that keep it. What the
    box does not have: iceberg, trailing and pegged orders, fees in BNB, self-trade prevention, market orders that walk
    the book (all that fills at once does so at the last price), answers that lag behind what has happened.
    """

    market: Market
    desk: Desk
    streams: Streams

    def __init__(
        self,
        candles: Iterable[Candles],
        *,
        customers: Iterable[Customer] = (),
        instruments: Iterable[Instrument] = (),
        seed: int = 0,
        costs: Costs = COSTS,
        limits: Limits | None = None,
        ping_s: float = 20.0,
        **serving: Any,
    ) -> None:
        super().__init__(seed=seed, **serving)
        customers = tuple(customers)
        self.limiter = Limiter(limits or Limits())
        self._secrets = {one.key: (one.account, one.secret) for one in customers}
        self.market = Market(
            candles,
            instruments=instruments,
            customers=customers,
            costs=costs,
            seed=seed,
            now=self.clock.now_ms(),
            listen=lambda account, report: self.desk.hear(account, report),
        )
        self._began = self.market.now
        self.desk = Desk(self.market, self._tell)
        self._public = PublicAnswers(self.market, self.limiter.limits)
        self._signed = SignedAnswers(self.market, self.desk, self._counting_ms)
        self.streams = Streams(lambda: self.market, self._faults, self._signed.listener)
        self._routes: dict[str, Route] = routes.public(self._public) | routes.signed(self._signed)
        self._sockets = Sockets(
            self.streams,
            secrets=self._secrets,
            listener=self._signed.listener,
            clocks=self._clocks,
            now=lambda: self.market.now,
            ask=self._ask,
            ping_s=ping_s,
        )

    # -- requests -----------------------------------------------------------------------------------------------------

    async def _serve_socket(self, request: web.Request, path: str) -> web.StreamResponse:
        return await self._sockets.serve(request, path)

    def _answer(
        self, request: web.Request, name: str, params: dict[str, str], payload: str, fault: Fault | None
    ) -> Answer:
        route = self._routes.get(name)
        extra: dict[str, str] = {}
        try:
            if route is None:
                raise Refused(-1000, f"There is no {name} here.", 404)
            self.limiter.take(self._counting_ms(), weight_of(route.weight, params), route.orders)
            account = self._account(route, params, payload, request)
            status, answer = 200, self._taken(route, name, params, account, fault)
        except Refused as refused:
            status, answer = refused.status, refused.body()
            if isinstance(refused, TooMuch):
                extra["Retry-After"] = str(refused.retry_after)
        return status, answer, self.limiter.headers(orders=bool(route and route.orders)) | extra

    def _ask(self, name: str, params: Mapping[str, str], account: str) -> Any:
        """Answer a question of the WebSocket API."""
        route = self._routes[name]
        self.limiter.take(self._counting_ms(), weight_of(route.weight, params), route.orders)
        if route.who is not Who.ANYONE and not account:
            raise Refused(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return self._taken(route, name, dict(params), account, self._faults.strike(self.market.now, f"ws-api {name}"))

    def _account(self, route: Route, params: dict[str, str], payload: str, request: web.Request) -> str:
        """Return whose request it is, empty for a public one; raise `Refused`."""
        if route.who is Who.ANYONE:
            return ""
        key = key_of(request.headers.get("X-MBX-APIKEY"), self._secrets)
        account, secret = self._secrets[key]
        if route.who is Who.SIGNED:
            check_time(params, self._clocks())
            check_signature(secret, payload, params.get("signature"))
        return account

    def _clocks(self) -> tuple[tuple[int, int], ...]:
        """Return the times, each with a grace, by which a request may have been made.

        Where the box's clock runs apart from ours, a client may sign by ours, or by the box's as it knew it at any
        time since the beginning: clients ask for it once.
        """
        now = self.market.told_now
        if self._same_clock or self.clock.speed == 1:
            return ((now, 0),)
        return (now, self.market.now - self._began), (real_ms() + self.market.skew_ms, 0)

    def _taken(self, route: Route, name: str, params: dict[str, str], account: str, fault: Fault | None) -> Any:
        """Return the answer of ``route``, with the faults that change what the exchange does or says."""
        asked = (params,) if route.who is Who.ANYONE else (account, params)
        with self._changed(fault, name, account, params):
            return route.answer(*asked)

    # -- what faults need ---------------------------------------------------------------------------------------------

    def _wanted(self, name: str, params: dict[str, str]) -> tuple[Line, Decimal] | None:
        line = self.market.lines.get(params.get("symbol", ""))
        return None if line is None or not params.get("quantity") else (line, decimal(params, "quantity"))

    def _waiting(self, name: str, account: str, params: dict[str, str]) -> tuple[Line, Decimal, Decimal] | None:
        if name != "DELETE /api/v3/order":
            return None
        order = self.desk.find(account, params, code=-2011, names=("orderId", "origClientOrderId"))
        level = order.price or order.stop
        if order.over or level is None:
            return None
        return self.market.line(params["symbol"]), level, order.quantity - order.filled

    def _ban(self, seconds: float) -> None:
        self.limiter.ban(self._counting_ms(), int(seconds * 1000))

    def _headers(self) -> dict[str, str]:
        return self.limiter.headers(orders=False)

    def _error_body(self, status: int) -> dict[str, Any]:
        return error_body(status)

    def _forget(self) -> None:
        self.market.forget()
        self.desk.forget()
        self._signed.listen_keys.clear()

    def _path(self, path: str) -> str:
        if path.startswith(_ROOTS):
            return path
        _, slash, rest = path.removeprefix("/").partition("/")
        return slash + rest
