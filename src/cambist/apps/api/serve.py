"""Serving the API over HTTP, inside of a process that may do other things too."""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn

from cambist.apps.api.app import create
from cambist.apps.api.services import Services
from cambist.apps.api.stream.frames import Framing

_PATIENCE_S = 3
"""How long requests under way may take once the API is to end."""


class Api:
    """The API over ``services`` at ``host``; ``port`` 0 takes any. ``async with Api(...) as api`` serves meanwhile."""

    def __init__(self, services: Services, host: str = "127.0.0.1", port: int = 0) -> None:
        self._services = services
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self._serving: asyncio.Task[None] | None = None
        self._server: _Server | None = None

    async def open(self) -> None:
        """Take the address, so that nobody else can; raise `OSError` if it cannot be had."""
        self._socket = socket.create_server((self._host, self._port), reuse_port=False, backlog=2048)
        # asyncio sets it only where a socket names its protocol; without it answers can wait 40 ms for one another
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = self._socket.getsockname()[1]

    async def __aenter__(self) -> "Api":
        if self._socket is None:
            await self.open()
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        config = uvicorn.Config(
            create(self._services),
            ws=Framing,
            ws_per_message_deflate=False,  # it costs more time than it saves where people are
            ws_max_size=65_536,
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE_S,
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve([self._socket] if self._socket else None))
        try:
            await self._begun(self._server, self._serving)
        except asyncio.CancelledError:
            await self._begun(self._server, self._serving)  # told to end before, uvicorn leaves half of it behind
            await self.__aexit__()
            raise
        if self._serving.done():
            self._serving.result()
        # What was loaded until here stays: to look through it for garbage again and again stops everything for a tenth
        # of a second.
        gc.collect()
        gc.freeze()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            with suppress(asyncio.CancelledError):
                await self._serving

    @staticmethod
    async def _begun(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)

    @property
    def url(self) -> str:
        """Return where it is served."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def ended(self) -> None:
        """Wait until it serves no more; raise what ended it."""
        if self._serving is not None:
            await asyncio.shield(self._serving)


def new_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes a loop to serve in: uvloop's, where that is installed; None for asyncio's own."""
    return uvicorn.Config(create, log_config=None).get_loop_factory()


class _Server(uvicorn.Server):
    """Leaves signals to whoever owns the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
