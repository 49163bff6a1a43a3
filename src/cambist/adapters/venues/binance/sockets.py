"""One connection to Binance's combined streams, kept open for as long as it is wanted.

A connection lives at most 24 hours. Well before, and when the server says that it will shut down, another is opened
and subscribed while the first one still reads; only then is the first one closed: nothing is missed, some messages
come twice. When a connection is lost without such warning, a `FeedStatus` says so, and another when it is back.
"""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import aiohttp

from cambist.adapters.venues.binance.messages import VENUE, Answer, BestQuote, Message, ServerShutdown, parse
from cambist.domain.errors import ParseError, VenueRefused, VenueUnavailable
from cambist.domain.record import record
from cambist.domain.text import say
from cambist.domain.tick import FeedStatus, Tick
from cambist.market.backoff import wait_s
from cambist.ports.feed import Raw

_log = logging.getLogger(__name__)

_PARAMS_AT_ONCE = 200
_LARGEST_MESSAGE = 16 * 2**20
_BREATH = 16  # messages taken from a burst before others get their turn
_FAREWELL_S = 1.0  # for the other side's word when we close


@record(kw_only=True)
class Patience:
    """How a connection is kept. The venue pings every 20 s, ends a connection after 24 h, reads 5 messages a second."""

    silence_s: float = 30.0
    """Without a word for so long, pings of ours included, a connection is dead."""
    lifetime_s: float = 23.5 * 3600
    open_s: float = 10.0
    """How long opening and each subscription may take."""
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    renewal_s: float = 5.0
    """At least so long from one connection to the one that replaces it."""
    pause_s: float = 0.25
    """Between our own messages."""


def wall_ms() -> int:
    """Return this machine's time (ms)."""
    return time.time_ns() // 1_000_000


class Outlet:
    """Where connections put what they hear, and one reader takes it: bounded, and never blocking a connection."""

    def __init__(self, limit: int, now_ms: Callable[[], int]) -> None:
        self._limit, self._now_ms = limit, now_ms
        self._ticks: deque[Tick] = deque()
        self._ready = asyncio.Event()
        self._failed: BaseException | None = None

    def put(self, tick: Tick) -> None:
        """Add a tick. A reader too far behind loses what waits, and is told."""
        if len(self._ticks) >= self._limit:
            why = say("feed.too_slow", venue=VENUE, count=len(self._ticks))
            _log.error("%s", why)
            self._ticks.clear()
            self._ticks.append(FeedStatus(up=True, ts=self._now_ms(), why=why))
        self._ticks.append(tick)
        self._ready.set()

    def status(self, up: bool, why: str = "") -> None:
        """Say that a connection was opened or lost, or that something may have been missed on it."""
        self.put(FeedStatus(up=up, ts=self._now_ms(), why=why))

    def fail(self, error: BaseException) -> None:
        """Have the reader raise ``error``."""
        self._failed = error
        self._ready.set()

    async def take(self) -> Tick:
        """Return the next tick; wait for it."""
        while not self._ticks:
            if self._failed is not None:
                raise self._failed
            self._ready.clear()
            await self._ready.wait()
        return self._ticks.popleft()


class Connection:
    """Keeps one connection with ``streams`` open until `run` is cancelled."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        streams: Sequence[str],
        symbols: Mapping[str, str],
        outlet: Outlet,
        *,
        patience: Patience,
        now_ms: Callable[[], int],
        raw: Raw | None,
    ) -> None:
        self._session, self._url, self._streams, self._symbols = session, url, streams, symbols
        self._outlet, self._patience, self._now_ms, self._raw = outlet, patience, now_ms, raw
        self._shutting_down = asyncio.Event()
        self._up: bool | None = None
        """What the reader was told last."""

    async def run(self) -> None:
        """Connect, read, renew, reconnect; raise `VenueRefused` if the venue refuses the subscription."""
        reading: asyncio.Task[None] | None = None
        try:
            while True:
                socket = await self._open_patiently()
                before, reading = reading, asyncio.create_task(self._read(socket))
                if not self._up:
                    self._tell(up=True)
                if before is not None:
                    await _stop(before)
                self._shutting_down.clear()
                await self._until_renewal(reading)
        finally:
            if reading is not None:
                await _stop(reading)

    async def _until_renewal(self, reading: "asyncio.Task[None]") -> None:
        """Wait until the connection is lost, is too old, or its server is about to stop."""
        told = asyncio.create_task(self._shutting_down.wait())
        try:
            # a server that says it of each new connection must not make us run in circles
            await asyncio.wait({reading}, timeout=self._patience.renewal_s)
            await asyncio.wait({reading, told}, timeout=self._patience.lifetime_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()

    def _tell(self, up: bool, why: str = "") -> None:
        self._up = up
        self._outlet.status(up, why)

    async def _open_patiently(self) -> aiohttp.ClientWebSocketResponse:
        """Return a subscribed connection, trying until there is one. The one before, if any, reads on meanwhile."""
        attempt = 0
        while True:
            try:
                return await self._open()
            except VenueUnavailable as error:
                attempt += 1
                longest, seed = self._patience.longest_wait_s, "/".join(self._streams[:3])
                pause = wait_s(attempt, first_s=self._patience.first_wait_s, longest_s=longest, seed=seed)
                _log.warning("%s (%.1f s)", error, pause)
                if self._up is None:
                    self._tell(up=False, why=str(error))
            await asyncio.sleep(pause)

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        """Open and subscribe; raise `VenueUnavailable`, or `VenueRefused` if the subscription is refused."""
        try:
            async with asyncio.timeout(self._patience.open_s):
                socket = await self._session.ws_connect(
                    self._url,
                    # aiohttp pings after a silence of this length and waits half of it for the answer
                    heartbeat=self._patience.silence_s * 2 / 3,
                    max_msg_size=_LARGEST_MESSAGE,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_FAREWELL_S),
                )
        except TimeoutError:
            raise VenueUnavailable("venue.unavailable", venue=VENUE, detail=say("venue.detail.timeout")) from None
        except (aiohttp.ClientError, OSError) as error:
            raise VenueUnavailable("venue.unavailable", venue=VENUE, detail=_said(error)) from error
        try:
            await self._subscribe(socket)
        except BaseException:
            await socket.close()
            raise
        return socket

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        for number, at in enumerate(range(0, len(self._streams), _PARAMS_AT_ONCE), start=1):
            if number > 1:
                await asyncio.sleep(self._patience.pause_s)
            params = self._streams[at : at + _PARAMS_AT_ONCE]
            request = {"method": "SUBSCRIBE", "params": list(params), "id": number}
            try:
                async with asyncio.timeout(self._patience.open_s):
                    await socket.send_str(json.dumps(request))
                    error = await self._answer(socket, number)
            except TimeoutError:
                raise VenueUnavailable("venue.unavailable", venue=VENUE, detail=say("venue.detail.timeout")) from None
            except (aiohttp.ClientError, OSError) as failure:
                raise VenueUnavailable("venue.unavailable", venue=VENUE, detail=_said(failure)) from failure
            if error:
                raise VenueRefused("feed.subscription", venue=VENUE, detail=error)

    async def _answer(self, socket: aiohttp.ClientWebSocketResponse, number: int) -> str:
        """Return the error in the answer to our request ``number``; what comes before the answer is passed on."""
        while True:
            frame = await socket.receive()
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise VenueUnavailable("venue.unavailable", venue=VENUE, detail=self._why(socket))
            message = self._hear(frame.data)
            if isinstance(message, Answer) and message.id in (number, None):
                return message.error

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Pass on what comes until the connection ends, and say that it did."""
        try:
            heard = 0
            while (frame := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                self._hear(frame.data)
                heard += 1
                if heard % _BREATH == 0:
                    await asyncio.sleep(0)
            why = say("feed.lost", venue=VENUE, why=self._why(socket))
            _log.warning("%s", why)
            self._tell(up=False, why=why)
        finally:
            await socket.close()

    def _hear(self, text: str) -> Message | None:
        received_ms = self._now_ms()
        if self._raw is not None:
            self._raw(text, received_ms)
        try:
            message = parse(text, self._symbols, received_ms)
        except ParseError as error:
            _log.error("%s", error)
            self._outlet.status(up=True, why=str(error))
            return None
        if isinstance(message, ServerShutdown):
            self._shutting_down.set()
        elif not isinstance(message, Answer | BestQuote):
            self._outlet.put(message)
        return message

    def _why(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        error = socket.exception()
        if isinstance(error, TimeoutError):
            return say("feed.silent", seconds=self._patience.silence_s)
        return _said(error) if error is not None else say("feed.closed", code=socket.close_code)


def _said(error: BaseException) -> str:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"HTTP {error.status}"
    return say("venue.detail.connection")


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})
