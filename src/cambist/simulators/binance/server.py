"""The server: takes requests as Binance does, brings about the faults that are in force, keeps the market moving."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.simulators.binance import routes
from cambist.simulators.binance.desk import Desk
from cambist.simulators.binance.market import COSTS, Customer, Market
from cambist.simulators.binance.refusals import Refused, error_body
from cambist.simulators.binance.rest_public import PublicAnswers
from cambist.simulators.binance.rest_signed import SignedAnswers
from cambist.simulators.binance.routes import Route, Who
from cambist.simulators.binance.signing import check_signature, check_time, key_of
from cambist.simulators.binance.sockets import Sockets
from cambist.simulators.binance.streams import Streams
from cambist.simulators.binance.weights import Limiter, Limits, TooMuch, weight_of
from cambist.simulators.clock import Clock
from cambist.simulators.faults import Fault, Faults, Kind, Struck

_TICK_S = 0.02  # how often the market is moved on
_PAGE_OF_A_PROXY = "<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
_ROOTS = ("/api/", "/sapi/", "/fapi/", "/dapi/", "/ws-api/", "/ws", "/stream")


@dataclass(frozen=True, slots=True)
class Served:
    """A request that was served: its path without the host, its parameters, and what was answered."""

    path: str
    params: dict[str, str]
    status: int
    """0 where the answer was held back."""
    fault: Kind | None = None
    rows: list[int] = field(default_factory=list)
    """Open times (ms) of the candles sent."""
    method: str = "GET"


class ExchangeServer:
    """Binance spot on ``host:port`` (0: any free port) over the candles given, one series per symbol.

    Lives on the running event loop from `start` to `stop`. ``clock`` says how time passes (default: as for us); with a
    clock that stands, `advance` moves it. ``customers`` have the accounts. `faults` may be set at any time; `struck`
    tells which came about, `served` what was asked. `exchange` holds the truth: orders, fills, balances.
    Paths may be led by a host name (``/api.binance.com/api/v3/...``), as clients send them that keep it.
    """

    def __init__(
        self,
        candles: Iterable[Candles],
        *,
        customers: Iterable[Customer] = (),
        instruments: Iterable[Instrument] = (),
        clock: Clock | None = None,
        faults: Sequence[Fault] = (),
        seed: int = 0,
        costs: Costs = COSTS,
        limits: Limits | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        ping_s: float = 20.0,
    ) -> None:
        customers = tuple(customers)
        self.clock = clock or Clock()
        self.served: list[Served] = []
        self.url = ""
        self.limiter = Limiter(limits or Limits())
        self._faults = Faults(faults, seed)
        self._host, self._port = host, port
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
        self._held: list[tuple[str, dict[str, Any]]] | None = None
        self.desk = Desk(self.market, self._tell)
        self._public = PublicAnswers(self.market, self.limiter.limits)
        self._signed = SignedAnswers(self.market, self.desk)
        self.streams = Streams(lambda: self.market, self._faults)
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
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._pump: asyncio.Task[None] | None = None
        self._later: set[asyncio.Task[None]] = set()

    # -- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> str:
        """Begin to serve; return the address (``http://host:port``)."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await self._listen()
        host, self._port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{self._port}"
        self._pump = asyncio.create_task(self._run())
        return self.url

    async def stop(self) -> None:
        """Stop serving and cut all connections."""
        for task in (*self._later, self._pump):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        self.streams.cut_all()
        if self._runner is not None:
            await self._runner.cleanup()

    async def advance(self, ms: int) -> None:
        """Let ``ms`` pass, with all the trades of that time; return when the messages about them have been sent."""
        self.clock.advance(ms)
        self.step()
        await self.streams.sent()

    async def refuse(self, seconds: float) -> None:
        """Cut all connections and accept none for ``seconds``."""
        if self._site is not None:
            site, self._site = self._site, None
            await site.stop()
        self._cut_all()
        await asyncio.sleep(seconds)
        await self._listen()

    async def restart(self, *, memory: bool = True) -> None:
        """Cut all connections; without ``memory`` also forget orders and listen keys, and begin with first balances."""
        self.streams.announce(self.market.now)
        await self.streams.sent()
        if not memory:
            self.market.forget()
            self.desk.forget()
            self._signed.listen_keys.clear()
        self._cut_all()

    # -- truth and faults ---------------------------------------------------------------------------------------------

    @property
    def exchange(self) -> Exchange:
        """The matching engine: what has truly happened."""
        return self.market.exchange

    @property
    def faults(self) -> list[Fault]:
        """The faults in force; setting them counts occasions from then on."""
        return self._faults.in_force

    @faults.setter
    def faults(self, faults: Iterable[Fault]) -> None:
        self._faults.set(faults)

    @property
    def struck(self) -> list[Struck]:
        """Which faults have come about, in order."""
        return self._faults.struck

    # -- the market ---------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Bring the market to where the clock is."""
        now = self.clock.now_ms()
        if now > self.market.now:
            self.market.step(now, self.streams.tell_trade)
            self.streams.close_bars(now)
            self.streams.close_old(now)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self.step()

    def _tell(self, account: str, event: dict[str, Any]) -> None:
        if self._held is not None:
            self._held.append((account, event))
        else:
            self.streams.tell_account(account, event)

    # -- requests -----------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.step()
        path = _path(request.path)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._sockets.serve(request, path)
        body = (await request.read()).decode()
        query = request.raw_path.partition("?")[2]
        params = dict(parse_qsl(query, keep_blank_values=True)) | dict(parse_qsl(body, keep_blank_values=True))
        name = f"{request.method} {path}"
        fault = self._faults.strike(self.market.now, name, path)
        if fault is not None:
            await self._before(fault, Served(path, params, 0, fault.kind, method=request.method))
        if fault is not None and fault.kind in (Kind.STATUS, Kind.HTML):
            status, answer, headers = fault.status, error_body(fault.status), self.limiter.headers(orders=False)
        else:
            status, answer, headers = self._answer(name, params, query + body, request, fault)
        sent: Any = answer
        rows = [row[0] for row in sent if isinstance(row, list)] if isinstance(sent, list) else []
        kind = None if fault is None else fault.kind
        if kind is not Kind.STALL:  # that has been noted when it came
            self.served.append(Served(path, params, status, kind, rows, request.method))
        if fault is None:
            return web.json_response(answer, status=status, headers=headers)
        return await self._after(request, fault, status, answer, headers)

    def _answer(
        self, name: str, params: dict[str, str], payload: str, request: web.Request, fault: Fault | None
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, body and headers of the answer, after the request has taken effect."""
        route = self._routes.get(name)
        extra: dict[str, str] = {}
        try:
            if route is None:
                raise Refused(-1000, f"There is no {name} here.", 404)
            self.limiter.take(_real_ms(), weight_of(route.weight, params), route.orders)
            if fault is not None and fault.kind is Kind.SKEW:
                self._public.skew_ms = int(fault.seconds * 1000)
            account = self._account(route, params, payload, request)
            status, answer = 200, self._taken(route, name, params, account, fault)
        except Refused as refused:
            status, answer = refused.status, refused.body()
            if isinstance(refused, TooMuch):
                extra["Retry-After"] = str(refused.retry_after)
        finally:
            self._public.skew_ms = 0
        return status, answer, self.limiter.headers(orders=bool(route and route.orders)) | extra

    def _ask(self, name: str, params: Mapping[str, str], account: str) -> Any:
        """Answer a question of the WebSocket API."""
        route = self._routes[name]
        self.limiter.take(_real_ms(), weight_of(route.weight, params), route.orders)
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
        now, skew = self.market.now, self._public.skew_ms
        if self.clock.speed == 1:
            return ((now + skew, 0),)
        return (now + skew, now - self._began), (_real_ms() + skew, 0)

    def _taken(self, route: Route, name: str, params: dict[str, str], account: str, fault: Fault | None) -> Any:
        """Return the answer of ``route``, with the faults that change what the exchange does or says."""
        asked = (params,) if route.who is Who.ANYONE else (account, params)
        kind = None if fault is None else fault.kind
        factor = Decimal(str(fault.factor)) if fault else Decimal(1)
        if kind is Kind.FILL_AFTER_CANCEL and name == "DELETE /api/v3/order":
            news = self._fill_quietly(account, params, factor)
            answer = route.answer(*asked)
            for owner, event in news:
                self.streams.tell_account(owner, event)
            return answer
        line = self.market.lines.get(params.get("symbol", ""))
        thin = kind is Kind.THIN and line is not None and params.get("quantity")
        try:
            if thin and line is not None:
                self.market.offer(line, float(Decimal(params["quantity"]) * factor))
            self._signed.lie = factor if kind is Kind.WRONG_BALANCES else None
            self._public.stale_ms = int(fault.seconds * 1000) if fault and kind is Kind.STALE_BOOK else 0
            return route.answer(*asked)
        finally:
            self._signed.lie, self._public.stale_ms = None, 0
            if thin and line is not None:
                self.market.offer(line)

    def _fill_quietly(self, account: str, params: dict[str, str], factor: Decimal) -> list[tuple[str, dict[str, Any]]]:
        """Let ``factor`` of a waiting limit order fill; return the news of it, untold."""
        order = self.desk.find(account, params, code=-2011, names=("orderId", "origClientOrderId"))
        if order.over or order.price is None or order.is_stop:
            return []
        self._held = []
        try:
            left = order.quantity - order.filled
            self.market.touch(self.market.line(params["symbol"]), order.price, float(left * factor))
            return self._held
        finally:
            self._held = None

    # -- faults -------------------------------------------------------------------------------------------------------

    async def _before(self, fault: Fault, served: Served) -> None:
        """Bring about what happens before a request takes effect."""
        if fault.kind is Kind.STALL:
            self.served.append(served)
            await asyncio.sleep(fault.seconds)
            self.step()
        elif fault.kind is Kind.BAN:
            self.limiter.ban(_real_ms(), int(fault.seconds * 1000))
        elif fault.kind in (Kind.DOWN, Kind.RESTART, Kind.AMNESIA):
            down = fault.kind is Kind.DOWN
            work = self.refuse(fault.seconds) if down else self.restart(memory=fault.kind is Kind.RESTART)
            task = asyncio.create_task(work)
            self._later.add(task)
            task.add_done_callback(self._later.discard)
            await asyncio.Event().wait()  # the connection is cut, and this request with it

    async def _after(
        self, request: web.Request, fault: Fault, status: int, answer: Any, headers: dict[str, str]
    ) -> web.StreamResponse:
        """Answer, or not, as the fault has it, a request that has taken effect."""
        if fault.retry_after is not None:
            headers = headers | {"Retry-After": fault.retry_after}
        match fault.kind:
            case Kind.LOST:
                return await _broken_off(request, json.dumps(answer), sent=0)
            case Kind.STATUS_AFTER:
                return web.json_response(error_body(fault.status), status=fault.status, headers=headers)
            case Kind.HTML:
                text, status = _PAGE_OF_A_PROXY, fault.status
                return web.Response(text=text, status=status, content_type="text/html", headers=headers)
            case Kind.LATENCY:
                await asyncio.sleep(fault.seconds)
            case Kind.RESET:
                text = json.dumps(answer)
                return await _broken_off(request, text, sent=len(text) // 2)
            case Kind.TRUNCATED:
                text = json.dumps(answer)
                return web.Response(text=text[: len(text) // 2], content_type="application/json", headers=headers)
            case Kind.DUPLICATES if isinstance(answer, list):
                answer = answer + answer[len(answer) // 3 : 2 * len(answer) // 3]
        return web.json_response(answer, status=status, headers=headers)

    # -- connections --------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        if self._runner is not None:
            self._site = web.TCPSite(self._runner, self._host, self._port, reuse_address=True)
            await self._site.start()

    def _cut_all(self) -> None:
        server = None if self._runner is None else self._runner.server
        for connection in [] if server is None else server.connections:
            if connection.transport is not None:
                connection.transport.abort()


async def _broken_off(request: web.Request, text: str, *, sent: int) -> web.StreamResponse:
    """Cut the connection when ``sent`` signs of the answer have gone out; 0: before it begins."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(text))})
    if sent:
        await response.prepare(request)
        await response.write(text[:sent].encode())
    if request.transport is not None:
        request.transport.abort()
    return response


def _path(path: str) -> str:
    """Return ``path`` without the host name that may lead it."""
    if path.startswith(_ROOTS):
        return path
    _, slash, rest = path.removeprefix("/").partition("/")
    return slash + rest


def _real_ms() -> int:
    return int(time.time() * 1000)
