"""A stream server and a REST server on loopback that do as a test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import WSMsgType, web
from tests.serving import let_in, serving

from cambist.adapters.venues.binance.sockets import Patience

Act = Callable[["Peer"], Awaitable[None]]

QUICK = Patience(
    silence_s=60.0, lifetime_s=3600, open_s=60.0, first_wait_s=0.01, longest_wait_s=0.02, renewal_s=0.01, pause_s=0.0
)


class Peer:
    """One client of the server, seen from the server."""

    def __init__(self, number: int, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.number, self.socket, self.request = number, socket, request
        self.streams: list[str] = []

    async def subscribed(self, error: str = "") -> list[str]:
        """Wait for a subscription and answer it."""
        request = json.loads((await self.socket.receive()).data)
        assert request["method"] == "SUBSCRIBE"
        self.streams += request["params"]
        answer: dict[str, Any] = {"result": None, "id": request["id"]}
        if error:
            answer = {"error": {"code": 2, "msg": error}, "id": request["id"]}
        await self.socket.send_str(json.dumps(answer))
        return list(request["params"])

    async def say(self, *messages: dict[str, Any] | str) -> None:
        for message in messages:
            await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def stay(self) -> None:
        """Read until the client goes."""
        while (await self.socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
            pass

    def drop(self) -> None:
        """Break the connection off."""
        assert self.request.transport is not None
        self.request.transport.abort()


@asynccontextmanager
async def streams(*acts: Act) -> AsyncIterator[tuple[str, list[Peer]]]:
    """Serve ``/stream``: the n-th connection gets the n-th act, the last act serves all further ones."""
    peers: list[Peer] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        number = len(peers)
        socket = web.WebSocketResponse()
        peer = Peer(number, socket, request)
        peers.append(peer)
        act = acts[min(number, len(acts) - 1)]
        if act is refused:
            return web.Response(status=503)
        await socket.prepare(request)
        with suppress(ConnectionError):
            await act(peer)
        return socket

    app = web.Application()
    app.router.add_get("/stream", handle)
    async with serving(app) as address:
        yield f"ws://{address}", peers


async def refused(peer: Peer) -> None:
    """Answer the handshake with 503."""


@asynccontextmanager
async def rest(answer: Callable[[str, dict[str, str]], tuple[int, Any]]) -> AsyncIterator[tuple[str, list[str]]]:
    """Serve ``/api/v3/...`` with ``answer(path, parameters)``: status and body; text as it is, else as JSON."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        path = request.match_info["path"]
        asked.append(f"{path}?{request.query_string}" if request.query_string else path)
        status, body = answer(path, dict(request.query))
        headers = {"Retry-After": "7"} if status == 429 else {}
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text, content_type="application/json", headers=headers)

    app = web.Application()
    app.router.add_get("/api/v3/{path}", handle)
    async with serving(app) as address:
        yield f"http://{address}", asked


@asynccontextmanager
async def tcp(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Serve raw TCP; all connections have ended when the block has."""
    under_way: list[asyncio.Task[Any] | None] = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.append(asyncio.current_task())
        try:
            await handle(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()[:2]
        try:
            yield f"{host}:{port}"
        finally:
            await let_in(server.sockets)
    await asyncio.gather(*(task for task in under_way if task is not None))


def trade(number: int, ts: int, symbol: str = "BTCUSDT", price: str = "100.10", **changed: Any) -> dict[str, Any]:
    data = {"e": "trade", "E": ts, "s": symbol, "t": number, "p": price, "q": "0.5", "T": ts, "m": False, "M": True}
    return {"stream": f"{symbol.lower()}@trade", "data": data | changed}


def kline(
    ts: int, symbol: str = "BTCUSDT", *, closed: bool = True, price: str = "100.10", ids: tuple[int, int] = (-1, -1)
) -> dict[str, Any]:
    row = {"t": ts, "T": ts + 59_999, "s": symbol, "i": "1m", "f": ids[0], "L": ids[1], "o": price, "c": price}
    row |= {"h": price, "l": price, "v": "0.50000000", "n": 1, "x": closed, "q": "1", "V": "1", "Q": "1", "B": "0"}
    return {
        "stream": f"{symbol.lower()}@kline_1m",
        "data": {"e": "kline", "E": ts + 60_000, "s": symbol, "k": row},
    }


def depth(
    first: int, last: int, bids: Sequence[Sequence[str]] = (), asks: Sequence[Sequence[str]] = ()
) -> dict[str, Any]:
    data = {"e": "depthUpdate", "E": 1_700_000_000_000, "s": "BTCUSDT", "U": first, "u": last}
    return {"stream": "btcusdt@depth@100ms", "data": data | {"b": list(bids), "a": list(asks)}}


def shutdown(ts: int) -> dict[str, Any]:
    return {"e": "serverShutdown", "E": ts}


async def soon(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds; fail after a minute."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)
