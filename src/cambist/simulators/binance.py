"""Binance's public REST in a box: a real HTTP server on loopback that unmodified clients take for the exchange.

It serves ``/api/v3/ping``, ``time``, ``exchangeInfo`` and ``klines`` out of candles that it is given, as the exchange
documents them: prices as text, at most 1000 rows, the unfinished candle last, errors as ``{"code", "msg"}``. Paths may
be led by a host name (``/api.binance.com/api/v3/...``), as clients send them that keep the host when redirected.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.domain.timeframe import Timeframe
from cambist.simulators import binance_json as shape
from cambist.simulators.faults import Fault, Kind

_PAGE, _LONGEST_PAGE = 500, 1000
_PAGE_OF_A_PROXY = "<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Served:
    """A request that was served: its path without the host, its parameters, and what was answered."""

    path: str
    params: dict[str, str]
    status: int
    fault: Kind | None = None
    rows: list[int] = field(default_factory=list)
    """Open times (ms) of the candles sent."""


class BinanceSimulator:
    """Serves ``candles`` (one series per symbol) from its own thread while its ``with`` block lasts.

    ``now_ms`` is the exchange's clock: candles that open later do not exist yet, the one that it lies in is
    unfinished. By default it stands where the last candle closes. ``faults`` strike in the order given; the first that
    applies to a request wins. ``served`` records the requests.
    """

    def __init__(
        self,
        *candles: Candles,
        faults: Sequence[Fault] = (),
        instruments: Sequence[Instrument] = (),
        now_ms: int | None = None,
    ) -> None:
        self.served: list[Served] = []
        self.faults = list(faults)
        self.now_ms = now_ms or max((c.timeframe.close_of(int(c.ts[-1])) for c in candles if len(c)), default=0)
        self._series = {shape.market_id(series.symbol): series for series in candles}
        self._larger: dict[tuple[str, Timeframe], Candles] = {}
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        self._seen: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="binance-simulator", daemon=True)
        self._runner: web.AppRunner | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def requests(self, path: str = "/api/v3/klines") -> list[Served]:
        """Return what was served at ``path``, in order."""
        return [served for served in self.served if served.path == path]

    async def _open(self) -> None:
        app = web.Application()
        for host in ("", "/{host}"):
            app.router.add_get(f"{host}/api/v3/ping", self._serve(lambda _: (200, {})))
            app.router.add_get(f"{host}/api/v3/time", self._serve(lambda _: (200, {"serverTime": self.now_ms})))
            app.router.add_get(f"{host}/api/v3/exchangeInfo", self._serve(self._exchange_info))
            app.router.add_get(f"{host}/api/v3/klines", self._serve(self._klines))
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def _serve(self, answer: Any) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            path = "/api/" + request.path.split("/api/", 1)[1]
            fault = self._fault(path)
            status, body = answer(dict(request.query))
            if fault is not None and fault.kind in (Kind.STATUS, Kind.HTML):
                status, body = fault.status, shape.error_body(fault.status)
            rows = [row[0] for row in body] if isinstance(body, list) else []
            self.served.append(Served(path, dict(request.query), status, fault.kind if fault else None, rows))
            if fault is None:
                return web.json_response(body, status=status, headers=self._headers())
            return await self._spoil(request, fault, body)

        return handle

    def _fault(self, path: str) -> Fault | None:
        number = self._seen[path]
        self._seen[path] += 1
        return next((fault for fault in self.faults if fault.path == path and fault.strikes(number)), None)

    def _headers(self) -> dict[str, str]:
        return {"X-MBX-USED-WEIGHT-1M": str(2 * len(self.served))}

    async def _spoil(self, request: web.Request, fault: Fault, body: Any) -> web.StreamResponse:
        headers = self._headers() | ({"Retry-After": fault.retry_after} if fault.retry_after is not None else {})
        match fault.kind:
            case Kind.STATUS:
                return web.json_response(body, status=fault.status, headers=headers)
            case Kind.HTML:
                return web.Response(
                    text=_PAGE_OF_A_PROXY, status=fault.status, content_type="text/html", headers=headers
                )
            case Kind.STALL | Kind.LATENCY:
                await asyncio.sleep(fault.seconds)
            case Kind.RESET:
                return await _broken_off(request, json.dumps(body))
            case Kind.TRUNCATED:
                text = json.dumps(body)
                return web.Response(text=text[: len(text) // 2], content_type="application/json", headers=headers)
            case Kind.DUPLICATES:
                body = body + body[len(body) // 3 : 2 * len(body) // 3]
        return web.json_response(body, headers=headers)

    def _exchange_info(self, params: dict[str, str]) -> tuple[int, Any]:
        return 200, shape.exchange_info(
            [
                self._instruments.get(series.symbol) or Instrument.assume("binance", series.symbol, _highest(series))
                for series in self._series.values()
            ],
            self.now_ms,
        )

    def _klines(self, params: dict[str, str]) -> tuple[int, Any]:
        missing = next((name for name in ("symbol", "interval") if not params.get(name)), None)
        if missing is not None:
            return shape.refusal(-1102, f"Mandatory parameter '{missing}' was not sent, was empty/null, or malformed.")
        if params["symbol"] not in self._series:
            return shape.refusal(-1121, "Invalid symbol.")
        if params["interval"] not in shape.INTERVALS:
            return shape.refusal(-1120, "Invalid interval.")
        series = self._candles(params["symbol"], Timeframe(params["interval"]))
        limit = min(int(params.get("limit", _PAGE)), _LONGEST_PAGE)
        since = int(params["startTime"]) if "startTime" in params else None
        until = min(int(params.get("endTime", self.now_ms)), self.now_ms) + 1
        found = series.between(since, until)
        page = found[:limit] if since is not None else found[max(0, len(found) - limit) :]
        return 200, shape.klines(page, self.now_ms)

    def _candles(self, market_id: str, timeframe: Timeframe) -> Candles:
        key = market_id, timeframe
        if key not in self._larger:
            self._larger[key] = shape.in_interval(self._series[market_id], timeframe)
        return self._larger[key]


async def _broken_off(request: web.Request, text: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(text))})
    await response.prepare(request)
    await response.write(text[: len(text) // 2].encode())
    if request.transport is not None:
        request.transport.abort()
    return response


def _highest(series: Candles) -> float:
    return float(series.high.max()) if len(series) else 1.0
