"""What every exchange in a box does alike: it serves, keeps the market moving, and brings about the faults in force."""

import asyncio
import json
import socket
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web

from cambist.market.exchange import Exchange
from cambist.simulators.clock import Clock
from cambist.simulators.faults import Fault, Faults, Kind, Struck
from cambist.simulators.market import Line, Market
from cambist.simulators.sockets import Hub

_KEPT = 10_000  # requests: a box may run for days
_TICK_S = 0.02  # how often the market is moved on
_FAREWELL_S = 0.5  # how long clients may take to hear that the exchange goes
_PAGE_OF_A_PROXY = "<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"

T = TypeVar("T")
Answer = tuple[int, Any, dict[str, str]]
"""Status, body and headers."""


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


class Serving(ABC):
    """A server on ``host:port`` (0: any free port) that speaks as its dialect has it.

    Lives on the running event loop from `start` to `stop`. ``clock`` says how time passes (default: as for us); with a
    clock that stands, `advance` moves it. `faults` may be set at any time; `struck` tells which came about, `served`
    what was asked last. `exchange` holds the truth: orders, fills, balances. With ``same_clock`` customers live by the
    box's clock whatever its speed.
    """

    market: Market
    streams: Hub[Any]

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        faults: Sequence[Fault] = (),
        seed: int = 0,
        host: str = "127.0.0.1",
        port: int = 0,
        same_clock: bool = False,
    ) -> None:
        self.clock = clock or Clock()
        self.served: deque[Served] = deque(maxlen=_KEPT)
        self.requests = 0
        """How many there have been."""
        self.url = ""
        self._same_clock = same_clock
        self._faults = Faults(faults, seed)
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self._door: socket.socket | None = None
        self._site: web.SockSite | None = None
        self._pump: asyncio.Task[None] | None = None
        self._later: set[asyncio.Task[Any]] = set()
        self._held: list[tuple[Any, ...]] | None = None  # news of accounts that is told later

    # -- what a dialect says ------------------------------------------------------------------------------------------

    @abstractmethod
    async def _serve_socket(self, request: web.Request, path: str) -> web.StreamResponse:
        """Serve one WebSocket until it ends."""

    @abstractmethod
    def _answer(
        self, request: web.Request, name: str, params: dict[str, str], payload: str, fault: Fault | None
    ) -> Answer:
        """Return the answer to ``name`` (method and path), after the request has taken effect."""

    @abstractmethod
    def _wanted(self, name: str, params: dict[str, str]) -> tuple[Line, Decimal] | None:
        """Return how much (base) of what the request would trade at once, None if it places no order."""

    @abstractmethod
    def _waiting(self, name: str, account: str, params: dict[str, str]) -> tuple[Line, Decimal, Decimal] | None:
        """Return where the one order waits that the request takes back, at which price, and what of it is left."""

    @abstractmethod
    def _error_body(self, status: int) -> dict[str, Any]:
        """Return the body that comes with an error ``status``."""

    @abstractmethod
    def _path(self, path: str) -> str:
        """Return ``path`` without the host name that may lead it."""

    @abstractmethod
    def _ban(self, seconds: float) -> None:
        """Shut clients out for ``seconds``."""

    @abstractmethod
    def _forget(self) -> None:
        """Know nothing of orders and sessions any more, and begin with first balances."""

    def _headers(self) -> dict[str, str]:
        """Return the headers of an answer that a fault gives."""
        return {}

    def _params(self, query: str, body: str) -> dict[str, str]:
        """Return the parameters of a request."""
        return dict(parse_qsl(query, keep_blank_values=True)) | dict(parse_qsl(body, keep_blank_values=True))

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
        await self._shut_door()
        if self._runner is not None:
            await self._runner.cleanup()

    async def advance(self, ms: int) -> None:
        """Let ``ms`` pass, with all the trades of that time; return when the messages about them have been sent."""
        self.clock.advance(ms)
        self.step()
        await self.streams.sent()

    async def refuse(self, seconds: float) -> None:
        """Cut all connections and accept none for ``seconds``; nothing happens if it is down already."""
        if self._door is None:
            return
        await self._shut_door()
        self._cut_all()
        await asyncio.sleep(seconds)
        await self._listen()

    async def restart(self, *, memory: bool = True) -> None:
        """Cut all connections; without ``memory`` also forget orders and sessions, and begin with first balances."""
        self.streams.announce(self.market.now)
        with suppress(TimeoutError):  # who does not read is not waited for
            async with asyncio.timeout(_FAREWELL_S):
                await self.streams.sent()
        if not memory:
            self._forget()
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
            self.streams.catch_up(now)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self.step()

    def _counting_ms(self) -> int:
        """Return the time in which requests are counted."""
        return self.clock.now_ms() if self._same_clock else real_ms()

    # -- what faults change -------------------------------------------------------------------------------------------

    def _tell(self, *news: Any) -> None:
        """Tell an account's sockets of what has happened to it; ``news`` is what `Hub.tell_account` takes."""
        if self._held is None:
            self.streams.tell_account(*news)
        else:
            self._held.append(news)

    @contextmanager
    def _changed(self, fault: Fault | None, name: str, account: str, params: dict[str, str]) -> Iterator[None]:
        """Let the market do and say what ``fault`` has it do and say, while a request takes effect."""
        kind, market = None if fault is None else fault.kind, self.market
        factor = Decimal(str(fault.factor)) if fault else Decimal(1)
        wanted = self._wanted(name, params) if kind is Kind.THIN else None
        waiting = self._waiting(name, account, params) if kind is Kind.FILL_AFTER_CANCEL else None
        news: list[tuple[Any, ...]] = []
        if wanted is not None:
            market.offer(wanted[0], float(wanted[1] * factor))
        if waiting is not None:
            self._held = news
            try:
                market.touch(waiting[0], waiting[1], float(waiting[2] * factor))
            finally:
                self._held = None
        if fault is not None and kind is Kind.STALE_BOOK:
            market.stale_ms = int(fault.seconds * 1000)
        market.lie = factor if kind is Kind.WRONG_BALANCES else Decimal(1)
        try:
            yield
        finally:
            market.lie, market.stale_ms = Decimal(1), 0
            if wanted is not None:
                market.offer(wanted[0])
            for one in news:
                self.streams.tell_account(*one)

    # -- requests -----------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.step()
        path = self._path(request.path)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_socket(request, path)
        body = (await request.read()).decode()
        query = request.raw_path.partition("?")[2]
        params = self._params(query, body)
        fault = self._faults.strike(self.market.now, f"{request.method} {path}", path)
        work = self._take(request, path, params, query + body, fault)
        if fault is None or fault.kind is not Kind.STALL:
            return await work
        return await asyncio.shield(self._begin(work))  # it takes effect though the client may wait no longer

    async def _take(
        self, request: web.Request, path: str, params: dict[str, str], payload: str, fault: Fault | None
    ) -> web.StreamResponse:
        """Let a request take effect and answer it, as ``fault`` has it."""
        if fault is not None:
            await self._before(fault, Served(path, params, 0, fault.kind, method=request.method))
        if fault is not None and fault.kind in (Kind.STATUS, Kind.HTML):
            status, answer, headers = fault.status, self._error_body(fault.status), self._headers()
        else:
            self.market.skew_ms = int(fault.seconds * 1000) if fault and fault.kind is Kind.SKEW else 0
            try:
                status, answer, headers = self._answer(request, f"{request.method} {path}", params, payload, fault)
            finally:
                self.market.skew_ms = 0
        sent: Any = answer
        rows = [row[0] for row in sent if isinstance(row, list)] if isinstance(sent, list) else []
        kind = None if fault is None else fault.kind
        if kind is not Kind.STALL:  # that has been noted when it came
            self._note(Served(path, params, status, kind, rows, request.method))
        if fault is None:
            return web.json_response(answer, status=status, headers=headers)
        return await self._after(request, fault, status, answer, headers)

    def _note(self, served: Served) -> None:
        self.served.append(served)
        self.requests += 1

    async def _before(self, fault: Fault, served: Served) -> None:
        """Bring about what happens before a request takes effect."""
        if fault.kind is Kind.STALL:
            self._note(served)
            await asyncio.sleep(fault.seconds)
            self.step()
        elif fault.kind is Kind.BAN:
            self._ban(fault.seconds)
        elif fault.kind in (Kind.DOWN, Kind.RESTART, Kind.AMNESIA):
            down = fault.kind is Kind.DOWN
            self._begin(self.refuse(fault.seconds) if down else self.restart(memory=fault.kind is Kind.RESTART))
            await asyncio.Event().wait()  # the connection is cut, and this request with it

    def _begin(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Let ``work`` be done whether or not anybody waits for it."""
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return task

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
                return web.json_response(self._error_body(fault.status), status=fault.status, headers=headers)
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
            case Kind.DUPLICATES:
                answer = self._doubled(answer)
        return web.json_response(answer, status=status, headers=headers)

    def _doubled(self, answer: Any) -> Any:
        """Return ``answer`` with some of its rows twice, and out of order."""
        if isinstance(answer, list):
            return answer + answer[len(answer) // 3 : 2 * len(answer) // 3 + 1]
        return answer

    # -- connections --------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        if self._runner is not None:
            self._door = socket.create_server((self._host, self._port))
            self._site = web.SockSite(self._runner, self._door)
            await self._site.start()

    async def _shut_door(self) -> None:
        """Accept no connections any more, and lose none that has just been accepted.

        Before Python 3.13 asyncio leaves one open, and nobody's, whose server is closed before it is handed over.
        """
        door, site, self._door, self._site = self._door, self._site, None, None
        if door is None or site is None:
            return
        with suppress(NotImplementedError):  # Windows' loop does not read by readiness
            asyncio.get_running_loop().remove_reader(door)
        for _ in range(2):  # one turn of the loop hands it over, the next begins to serve it
            await asyncio.sleep(0)
        await site.stop()

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


def real_ms() -> int:
    """Return this machine's time."""
    return int(time.time() * 1000)
