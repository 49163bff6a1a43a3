"""Servers of a test's own, on loopback, that leave no connection open when they go."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from aiohttp import web


@asynccontextmanager
async def serving(app: web.Application, *, tells_who_leaves: bool = False) -> AsyncIterator[str]:
    """Serve ``app``, and give its ``host:port``; with ``tells_who_leaves`` a handler ends when its client has gone."""
    runner = web.AppRunner(app, handler_cancellation=tells_who_leaves, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    door = socket.create_server(("127.0.0.1", 0))
    try:
        await web.SockSite(runner, door).start()
        host, port = door.getsockname()
        yield f"{host}:{port}"
    finally:
        await let_in([door])
        await runner.cleanup()
        door.close()


async def let_in(doors: Iterable[socket.socket]) -> None:
    """Accept nobody more at ``doors``, but let in who has been accepted: then the server may close.

    Before Python 3.13 asyncio leaves a connection open, and nobody's, whose server is closed before it is handed over.
    """
    for door in doors:
        with suppress(NotImplementedError):  # Windows' loop does not read by readiness
            asyncio.get_running_loop().remove_reader(door)
    for _ in range(2):  # one turn of the loop hands it over, the next begins to serve it
        await asyncio.sleep(0)
