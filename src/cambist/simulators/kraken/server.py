"""The server: takes requests as Kraken does."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from aiohttp import web

from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.market.matching import Costs
from cambist.simulators.faults import Fault
from cambist.simulators.kraken import routes
from cambist.simulators.kraken.desk import Desk
from cambist.simulators.kraken.limits import Limiter, Limits
from cambist.simulators.kraken.market import COSTS, Market
from cambist.simulators.kraken.orders import decimal
from cambist.simulators.kraken.refusals import UNKNOWN_METHOD, Refused, error_body
from cambist.simulators.kraken.rest_private import PrivateAnswers
from cambist.simulators.kraken.rest_public import PublicAnswers
from cambist.simulators.kraken.routes import Route
from cambist.simulators.kraken.shapes import to_text
from cambist.simulators.kraken.signing import Signers
from cambist.simulators.kraken.sockets import Sockets
from cambist.simulators.kraken.streams import Streams
from cambist.simulators.market import Customer, Line
from cambist.simulators.serving import Answer, Serving

_ADD, _CANCEL = "/0/private/AddOrder", "/0/private/CancelOrder"


class KrakenServer(Serving):
    """Kraken spot over the candles given, one series per symbol; see `Serving`.

    ``customers`` have the accounts; their secrets are base64. Counters sink by the box's clock with ``same_clock``,
    else by ours. Paths may be led by a host name (``/api.kraken.com/0/...``), as clients send them that keep it. What
    the box does not have: margin, trailing stops, conditional closes, fill-or-kill, good-till-date, weekly candles.
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
        **serving: Any,
    ) -> None:
        super().__init__(seed=seed, **serving)
        customers = tuple(customers)
        self.limiter = Limiter(limits or Limits())
        self._signers = Signers({one.key: (one.account, one.secret) for one in customers})
        self.market = Market(
            candles,
            instruments=instruments,
            customers=customers,
            costs=costs,
            seed=seed,
            now=self.clock.now_ms(),
            listen=lambda account, report: self.desk.hear(account, report),
        )
        self.desk = Desk(self.market, self.limiter, self._tell, self._counting_ms)
        self._public = PublicAnswers(self.market)
        self._private = PrivateAnswers(self.market, self.desk)
        self.streams = Streams(lambda: self.market, self._faults)
        self._routes: dict[str, Route] = routes.public(self._public) | routes.private(self._private)
        self._sockets = Sockets(
            self.streams,
            self.desk,
            bearer=self._private.bearer,
            now=lambda: self.market.now,
            taken=self._taken_by_socket,
        )

    # -- requests -----------------------------------------------------------------------------------------------------

    async def _serve_socket(self, request: web.Request, path: str) -> web.StreamResponse:
        return await self._sockets.serve(request)

    def _answer(
        self, request: web.Request, name: str, params: dict[str, str], payload: str, fault: Fault | None
    ) -> Answer:
        path = name.partition(" ")[2]
        route = self._routes.get(path)
        try:
            self.limiter.admit(self._counting_ms())
            if route is None or (route.signed and request.method != "POST"):
                raise Refused(UNKNOWN_METHOD)
            account = ""
            if route.signed:
                key, signature = request.headers.get("API-Key"), request.headers.get("API-Sign")
                account = self._signers.account_of(key, signature, path, payload, params.get("nonce"))
                self.limiter.call(self._counting_ms(), key or "", route.points)
            answer = {"error": [], "result": self._taken(route, path, params, account, fault)}
        except Refused as refused:
            answer = refused.body()
        return 200, answer, {}

    def _taken_by_socket(self, path: str, account: str, params: dict[str, str]) -> Any:
        self.limiter.admit(self._counting_ms())
        name = path.rpartition("/")[2]
        return self._taken(
            self._routes[path], path, params, account, self._faults.strike(self.market.now, f"ws {name}")
        )

    def _taken(self, route: Route, path: str, params: dict[str, str], account: str, fault: Fault | None) -> Any:
        """Return the answer of ``route``, with the faults that change what the exchange does or says."""
        asked = (account, params) if route.signed else (params,)
        with self._changed(fault, path, account, params):
            return route.answer(*asked)

    def _params(self, query: str, body: str) -> dict[str, str]:
        if not body.startswith("{"):
            return super()._params(query, body)
        try:
            given = json.loads(body, parse_float=Decimal)
        except ValueError:
            return {}
        return {name: value if isinstance(value, str) else to_text(value) for name, value in given.items()}

    # -- what faults need ---------------------------------------------------------------------------------------------

    def _wanted(self, name: str, params: dict[str, str]) -> tuple[Line, Decimal] | None:
        return (self.market.line(params.get("pair")), decimal(params, "volume")) if name == _ADD else None

    def _waiting(self, name: str, account: str, params: dict[str, str]) -> tuple[Line, Decimal, Decimal] | None:
        if name != _CANCEL:
            return None
        order, *others = self.desk.named(account, params)
        level = order.price or order.trigger
        if others or level is None:
            return None
        return self.market.line(order.symbol), level, order.quantity - order.filled

    def _ban(self, seconds: float) -> None:
        self.limiter.lock_out(self._counting_ms(), int(seconds * 1000))

    def _error_body(self, status: int) -> dict[str, Any]:
        return error_body(status)

    def _doubled(self, answer: Any) -> Any:
        result = answer.get("result")
        if not isinstance(result, dict):
            return answer
        rows = {name: super(KrakenServer, self)._doubled(value) for name, value in result.items()}
        return {**answer, "result": rows}

    def _forget(self) -> None:
        self.market.forget()
        self.desk.forget()
        self._private.tokens.clear()

    def _path(self, path: str) -> str:
        if path.startswith(("/0/", "/v2")):
            return path
        _, slash, rest = path.removeprefix("/").partition("/")
        return slash + rest
