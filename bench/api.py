"""The API under load, an engine with bots beside it: 50 people reading, 200 listening, 500 connected.

``python -m bench.api`` prints it (``DATABASE_URL`` names another database). Server, engine and load are three
processes; stamps are the machine's own clock.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.beats import percentile
from bench.work import ROOT

USERS, RATE, SECONDS = 50, 300, 20.0
LISTENERS, BROADCASTS, EVERY_S = 200, 40, 0.05
MOST = 500
_AT_ONCE = 20
_STRATEGY = "class Cross(Strategy):\n    def next(self):\n        self.close()\n"


def rows(seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Return one row per figure."""
    return asyncio.run(_measured(seconds))


async def _measured(seconds: float) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as home:
        async with _engine(home), _server(home) as server:
            routes = await _read_routes(server)
            read = await _load(server, routes, seconds)
            before_mb = await server.ask("memory")
            broadcasts, most_mb = await _listen(server)
    slow_ms = 1e3 * percentile(read.took, 0.95)
    what = (
        f"{USERS} people, {len(read.took) / read.seconds:.0f} requests/s over {len(routes)} read routes, engine beside"
    )
    times = ", ".join(f"p{share} {1e3 * percentile(read.took, share / 100):.1f} ms" for share in (50, 95, 99))
    errors = ", ".join(f"{count} x {status}" for status, count in read.errors.items()) or "none"
    middle, worst = 1e3 * statistics.median(broadcasts), 1e3 * max(broadcasts)
    each_kb = 1e3 * (most_mb - before_mb) / MOST
    return [
        _row(what, times, "p95 under 100 ms", slow_ms < 100),
        _row("... errors among them", errors, "none", not read.errors),
        _row("the first look of each person at each route", f"{1 / read.first_s:.0f} requests/s"),
        _row(
            f"one broadcast to {LISTENERS} clients",
            f"median {middle:.1f} ms, worst {worst:.1f} ms",
            "median under 10 ms",
            middle < 10,
        ),
        _row(f"{MOST} clients connected", f"{most_mb:.0f} MB, {each_kb:.0f} kB a client"),
    ]


def _row(what: str, came: str, target: str = "", met: bool | None = None) -> dict[str, Any]:
    return {"what": what, "came": came, "target": target, "met": met}


# -- the other processes ----------------------------------------------------------------------------------------------


@dataclass
class _Server:
    process: asyncio.subprocess.Process
    port: int
    tokens: list[str]

    async def ask(self, line: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n".encode())
        return json.loads(await self.process.stdout.readline())


@asynccontextmanager
async def _server(home: str) -> AsyncIterator[_Server]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.api_server",
        home,
        str(USERS),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        told = json.loads(await process.stdout.readline())
        yield _Server(process, told["port"], told["tokens"])
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def _engine(home: str) -> AsyncIterator[None]:
    """Run a floor of its own, with two bots on a made-up market sixty times as fast as life."""
    program = Path(sys.executable).parent / "cambist"
    environment = os.environ | {"CAMBIST_HOME": home}
    process = await asyncio.create_subprocess_exec(
        str(program), "up", "--headless", "--port", "0", env=environment, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    draining = asyncio.create_task(_drain(process.stderr, started := asyncio.Event()))
    try:
        await asyncio.wait_for(started.wait(), 60)
        yield
    finally:
        process.terminate()
        await process.wait()
        await draining


async def _drain(stream: asyncio.StreamReader, started: asyncio.Event) -> None:
    while await stream.readline():
        started.set()


# -- people who read --------------------------------------------------------------------------------------------------


@dataclass
class _Read:
    seconds: float
    first_s: float = 0.0
    """Mean of the first look of each person at each route, ``_AT_ONCE`` at once."""
    took: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


async def _read_routes(server: _Server) -> list[str]:
    """Return the addresses that one reads without giving anything, and that answer a person who trades."""
    async with _client(server) as client:
        for token in server.tokens:
            body = {"name": "Cross", "code": _STRATEGY, "check": False}
            async with client.post("/api/v1/strategies", json=body, headers=_as(token)) as made:
                made.raise_for_status()
        async with client.get("/api/v1/openapi.json") as answer:
            paths = (await answer.json())["paths"]
        found = []
        for path, methods in paths.items():
            if "get" in methods and "{" not in path:
                async with client.get(path, headers=_as(server.tokens[0])) as answer:
                    if answer.status == 200:
                        found.append(path)
    return found


async def _load(server: _Server, routes: Sequence[str], seconds: float) -> _Read:
    """Ask ``RATE`` times a second, routes and people in turn, whether the last answers have come or not."""
    read = _Read(seconds)

    async def ask(client: aiohttp.ClientSession, number: int) -> None:
        route = routes[number % len(routes)]
        token = server.tokens[(number // len(routes) + number) % USERS]
        begun = time.perf_counter()
        try:
            async with client.get(route, headers=_as(token)) as answer:
                await answer.read()
                if answer.status != 200:
                    read.errors[str(answer.status)] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            read.errors[type(error).__name__] += 1
        read.took.append(time.perf_counter() - begun)

    async with _client(server) as client:
        begun = time.perf_counter()
        # whoever looks for the first time has their stores opened: a matter of the first minute, not of the load
        for first in range(0, len(routes) * USERS, _AT_ONCE):
            await asyncio.gather(*(ask(client, number) for number in range(first, first + _AT_ONCE)))
        read.first_s = (time.perf_counter() - begun) / len(read.took)
        read.took.clear()
        begun, asked = time.perf_counter(), []
        for number in range(round(RATE * seconds)):
            await asyncio.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
            asked.append(asyncio.create_task(ask(client, number)))
        await asyncio.gather(*asked)
        read.seconds = time.perf_counter() - begun
    return read


def _client(server: _Server) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=USERS)
    return aiohttp.ClientSession(
        f"http://127.0.0.1:{server.port}", connector=connector, timeout=aiohttp.ClientTimeout(10)
    )


def _as(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# -- people who listen ------------------------------------------------------------------------------------------------


class _Listener(asyncio.Protocol):
    """A WebSocket client that notes when something came, and reads none of it: the load must not be the clients'."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.at: list[float] = []
        self.heard = asyncio.Event()

    @classmethod
    async def to(cls, port: int, token: str) -> _Listener:
        """Return one that has connected, and will have subscribed when `heard` is set."""
        made = cls(token)
        await asyncio.get_running_loop().create_connection(lambda: made, "127.0.0.1", port)
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nAuthorization: Bearer {self._token}\r\n\r\n"
        )
        transport.write(head.encode())

    def data_received(self, data: bytes) -> None:
        self.at += [time.monotonic()] * data.count(b'"type":"event"')  # more than one may have come together
        if data.startswith(b"HTTP") and not data.startswith(b"HTTP/1.1 101"):
            raise RuntimeError(data[:80].decode())
        if b'"welcome"' in data:
            self._say({"type": "subscribe", "topics": ["ticks"]})
        if b'"subscribed"' in data:
            self.at.clear()
            self.heard.set()

    def _say(self, message: dict[str, Any]) -> None:
        text = json.dumps(message).encode()
        self.transport.write(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)  # masked with zeros


async def _listen(server: _Server) -> tuple[list[float], float]:
    """Return how long each broadcast took to the last of `LISTENERS`, and what the server holds with `MOST` (MB)."""
    listeners = await _connect(server, LISTENERS)
    sent = await server.ask(f"broadcast {BROADCASTS} {EVERY_S}")
    async with asyncio.timeout(30):
        while any(len(one.at) < BROADCASTS for one in listeners):
            await asyncio.sleep(0.01)
    took = [max(one.at[number] for one in listeners) - at for number, at in enumerate(sent)]
    listeners += await _connect(server, MOST - LISTENERS)
    held = await server.ask("memory")
    for one in listeners:
        one.transport.close()
    return took, held


async def _connect(server: _Server, count: int) -> list[_Listener]:
    found: list[_Listener] = []
    while len(found) < count:
        numbers = range(len(found), min(len(found) + _AT_ONCE, count))
        batch = [await _Listener.to(server.port, server.tokens[number % USERS]) for number in numbers]
        await asyncio.wait_for(asyncio.gather(*(one.heard.wait() for one in batch)), 30)
        found += batch
    return found


if __name__ == "__main__":
    for row in rows():
        print(f"{row['what']}: {row['came']} ({row['target'] or 'no target'}; met: {row['met']})")
