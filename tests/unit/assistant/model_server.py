"""A little server that speaks as OpenAI's interface does, and misbehaves when it is told to."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from tests.serving import serving as served

Play = Callable[[web.Request, web.StreamResponse], Coroutine[Any, Any, None]]


@dataclass
class ModelServer:
    """Answers each request for words with the next of ``script``: text to stream, a response, or a `Play`."""

    script: list[str | web.Response | Play] = field(default_factory=list)
    models: Any = field(default_factory=lambda: {"object": "list", "data": [{"id": "zeta"}, {"id": "alpha"}]})
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    """The bodies that came."""
    headers: list[dict[str, str]] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    """Set when a client has gone before its answer was whole."""
    holding: threading.Event = field(default_factory=threading.Event)
    """Set when a client is kept waiting by `hang`."""

    async def words(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        self.headers.append(dict(request.headers))
        step = self.script.pop(0)
        if isinstance(step, web.Response):
            return step
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await (says(step) if isinstance(step, str) else step)(request, response)
        return response

    async def list_models(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        if isinstance(self.models, web.Response):
            return self.models
        return web.json_response(self.models)

    async def hang(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Say one word, and then nothing until the client goes."""
        await response.write(_delta("wait "))
        self.holding.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.hung_up.set()
            raise

    async def elsewhere(self, _request: web.Request) -> web.StreamResponse:
        raise AssertionError("a redirect was followed")


def says(text: str) -> Play:
    """Stream ``text`` in pieces, as servers do: comments, a role first, an empty end, [DONE]."""

    async def play(_request: web.Request, response: web.StreamResponse) -> None:
        await response.write(b": PROCESSING\n\n")
        await response.write(_event({"choices": [{"delta": {"role": "assistant", "content": None}}]}))
        for at in range(0, len(text), 7):
            await response.write(_delta(text[at : at + 7]))
        await response.write(_event({"choices": [{"delta": {}, "finish_reason": "stop"}]}))
        await response.write(_event({"choices": [], "usage": {"total_tokens": 7}}))
        await response.write(b"data: [DONE]\n\n")

    return play


def raw(*parts: bytes, cut: bool = False) -> Play:
    """Send ``parts`` as they are; ``cut``: then break the connection off."""

    async def play(request: web.Request, response: web.StreamResponse) -> None:
        for part in parts:
            await response.write(part)
        if cut:
            assert request.transport is not None
            request.transport.abort()

    return play


def _delta(text: str) -> bytes:
    return _event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})


def _event(body: Any) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


@asynccontextmanager
async def serving(server: ModelServer) -> AsyncIterator[ModelServer]:
    """Serve on loopback, at ``server.url``."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.words)
    app.router.add_get("/v1/models", server.list_models)
    app.router.add_route("*", "/elsewhere", server.elsewhere)
    async with served(app, tells_who_leaves=True) as address:
        server.url = f"http://{address}/v1"
        yield server


@contextmanager
def serving_apart(server: ModelServer) -> Iterator[ModelServer]:
    """Serve from a thread of its own, for clients that block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    context = serving(server)
    try:
        asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(60)
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()
