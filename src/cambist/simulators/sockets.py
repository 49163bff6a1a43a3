"""WebSockets of an exchange in a box: what is sent goes out in order, or as a fault has it; what comes is answered."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from aiohttp import WSMsgType, web

from cambist.domain.tick import TradeTick
from cambist.simulators.faults import Fault, Kind
from cambist.simulators.market import Line


class Socket:
    """One client's WebSocket. What is sent goes out in order, from a task of its own."""

    def __init__(self, response: web.WebSocketResponse, opened_ms: int) -> None:
        self.response = response
        self.opened_ms = opened_ms
        self.mute = asyncio.Event()
        """Set when the socket is half open."""
        self._held: str | None = None
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())

    def send(self, message: Any) -> None:
        """Send ``message`` as JSON."""
        self.put(json.dumps(message))

    def put(self, text: str, *, hold: bool = False) -> None:
        """Send ``text``, or with ``hold`` keep it back until the next has been sent."""
        if self.mute.is_set():
            return
        if hold:
            self._held, text_before = text, self._held
            if text_before is not None:
                self._queue.put_nowait(text_before)
            return
        self._queue.put_nowait(text)
        if self._held is not None:
            self._queue.put_nowait(self._held)
            self._held = None

    def deliver(self, text: str, fault: Fault | None) -> None:
        """Send ``text`` as ``fault`` has it."""
        match fault and fault.kind:
            case None:
                self.put(text)
            case Kind.REPEAT:
                self.put(text)
                self.put(text)
            case Kind.REORDER:
                self.put(text, hold=True)
            case Kind.LATE:
                asyncio.get_running_loop().call_later(fault.seconds if fault else 0, self.put, text)
            case Kind.HALF_OPEN:
                self.mute.set()
            case Kind.CLOSE:
                self.cut()
            case _:
                pass  # the message is never sent

    def shut(self) -> None:
        """Close the socket as is polite, after what is still to be sent."""
        self._queue.put_nowait(None)

    def cut(self) -> None:
        """Break the connection off."""
        transport = self.response._req.transport if self.response._req is not None else None
        if transport is not None:
            transport.abort()

    async def sent(self) -> None:
        """Return when all that was to be sent has gone out."""
        await self._queue.join()

    def stop(self) -> None:
        """End the task that sends."""
        self._writer.cancel()

    async def messages(self, take: Callable[[Any], None], number: Callable[[str], Any] = float) -> None:
        """Give ``take`` each message that comes, read from JSON (None where it is none), until the client goes.

        ``number`` reads what is written with a point or an exponent.
        """
        silence = asyncio.create_task(self.mute.wait())
        try:
            while True:
                reading = asyncio.ensure_future(self.response.receive())
                await asyncio.wait((reading, silence), return_when=asyncio.FIRST_COMPLETED)
                if silence.done():
                    reading.cancel()
                    await asyncio.Event().wait()  # half open: nobody reads any more, until the connection is cut
                message = reading.result()
                if message.type is not WSMsgType.TEXT:
                    return
                try:
                    asked = json.loads(message.data, parse_float=number)
                except ValueError:
                    asked = None
                take(asked)
        finally:
            silence.cancel()

    async def ping(self, every_s: float, now: Callable[[], int]) -> None:
        """Ping the client for ever, its time in the message."""
        with suppress(ConnectionError, RuntimeError):
            while True:
                await asyncio.sleep(every_s)
                if not self.mute.is_set():
                    await self.response.ping(str(now()).encode())

    async def _write(self) -> None:
        while True:
            text = await self._queue.get()
            try:
                if text is None:
                    await self.response.close(code=1001, message=b"going away")
                elif not self.response.closed:
                    await self.response.send_str(text)
            except (ConnectionError, RuntimeError):
                pass  # the client has gone; its handler sees that too
            finally:
                self._queue.task_done()


S = TypeVar("S", bound=Socket)


class Hub(ABC, Generic[S]):
    """All open sockets of a box."""

    def __init__(self) -> None:
        self.sockets: set[S] = set()

    @abstractmethod
    def tell_account(self, *news: Any) -> None:
        """Send news of an account (its name first) to those who listen to it."""

    @abstractmethod
    def tell_trade(self, line: Line, trade: TradeTick) -> None:
        """Send all that a trade changes to those who listen."""

    @abstractmethod
    def catch_up(self, now: int) -> None:
        """Send what is due by ``now`` (ms) whether or not anything was traded."""

    def announce(self, now: int) -> None:
        """Tell everyone that the server is about to go, where the exchange does."""

    def cut_all(self) -> None:
        """Break all connections off."""
        for socket in tuple(self.sockets):
            socket.cut()

    async def sent(self) -> None:
        """Return when all messages have gone out."""
        await asyncio.gather(*(socket.sent() for socket in tuple(self.sockets)))
