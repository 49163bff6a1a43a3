"""The door of the stream: who may come in, for how long, and how what is said goes back and forth."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from cambist.apps.api.problems import sentence
from cambist.apps.api.stream.client import MOST_KEPT, Client, Ending
from cambist.apps.api.stream.frames import EXTENSION
from cambist.apps.api.stream.hub import Hub
from cambist.apps.api.stream.protocol import MOST_CHARACTERS, Hello, Ping, Said, Subscribe, Unreadable, read
from cambist.apps.api.stream.tickets import Tickets
from cambist.apps.api.stream.topics import Wanted
from cambist.domain.errors import CambistError, NotAllowed, NotSignedIn
from cambist.domain.person import Identity, Scope
from cambist.domain.record import record
from cambist.domain.text import say, speak

_log = logging.getLogger(__name__)

UNREADABLE, NOT_SIGNED_IN, NOT_ALLOWED, TOO_LATE, TOO_MANY = 4400, 4401, 4403, 4408, 4429
UNAVAILABLE = 1013
"""Codes with which a connection is closed, beside `client.TOO_SLOW`."""

HELLO_S = 10.0
LOOK_S = 15.0
"""How long after a session's end a connection may live on."""
_ROUND_S = 1.0
_FORGET_S = 60.0
_LAST_WORDS_S = 5.0
_MOST_CLIENTS, _MOST_PER_USER, _MOST_STRANGERS = 2_000, 20, 50
_MESSAGES_PER_S, _BURST = 20.0, 100.0
_LONGEST_REASON = 120
"""Bytes of a closing reason."""

Identify = Callable[[str | None], Identity]
"""Gives who a token stands for, or raises `NotSignedIn`; blocks. Without a token there is only the debug login."""


@record(kw_only=True)
class Limits:
    """How much one door lets in."""

    clients: int = _MOST_CLIENTS
    per_user: int = _MOST_PER_USER
    strangers: int = _MOST_STRANGERS
    """Connections of one address of which nobody knows yet whose they are."""
    waiting: int = MOST_KEPT
    """Events that wait for one client and must not be lost."""
    hello_s: float = HELLO_S
    look_s: float = LOOK_S
    round_s: float = _ROUND_S


class _Turned(Exception):
    """A connection is closed."""

    def __init__(self, code: int, key: str) -> None:
        super().__init__(code, key)
        self.ending = Ending(code, key)


class _Session:
    """One connection with somebody known at its other end."""

    def __init__(self, client: Client, token: str, look_at_s: float) -> None:
        self.client = client
        self.token = token
        self.look_at_s = look_at_s


class Door:
    """Lets connections in to ``hub``; `run` must run beside it, or ended sessions are not noticed."""

    def __init__(self, hub: Hub, identify: Identify, origins: Collection[str], limits: Limits | None = None) -> None:
        self.hub = hub
        self.tickets = Tickets()
        self._identify = identify
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._limits = limits or Limits()
        self._sessions: set[_Session] = set()
        self._strangers: Counter[str] = Counter()

    async def run(self) -> None:
        """Hear the bus, and close what belongs to sessions that are over, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.hub.run())
            tasks.create_task(self._look())

    async def serve(self, socket: WebSocket) -> None:
        """Serve one connection to its end."""
        address = str(socket.scope.get("state", {}).get("address") or (socket.client and socket.client.host))
        if not self._may_come_from(socket) or self._strangers[address] >= self._limits.strangers:
            await socket.close(NOT_ALLOWED)  # before it was accepted: the answer is 403
            return
        self._strangers[address] += 1
        try:
            await socket.accept()
            session = await self._known(socket)
        except _Turned as turned:
            await _close(socket, turned.ending)
            return
        except WebSocketDisconnect:
            return
        finally:
            self._strangers -= Counter({address: 1})  # and names that are at 0 go
        self._sessions.add(session)
        self.hub.join(session.client)
        try:
            await self._talk(socket, session)
        finally:
            self._sessions.discard(session)
            self.hub.leave(session.client)

    # -- who comes in -------------------------------------------------------------------------------------------------

    def _may_come_from(self, socket: WebSocket) -> bool:
        """Tell whether a page may connect: ours, or one of an address that is listed; programs have no origin."""
        origin = socket.headers.get("origin")
        if origin is None:
            return True
        try:
            place = urlsplit(origin).netloc.lower()
        except ValueError:  # nothing that a browser would send
            return False
        same = place == socket.headers.get("host", "").lower()
        return same or origin.rstrip("/").lower() in self._origins

    async def _known(self, socket: WebSocket) -> _Session:
        token, hello = self._brought(socket), None
        if token is None:
            hello = await self._first_word(socket)
            token = hello.token or ""
        who = await self._who(token)
        _speak(socket, who)
        if self.hub.clients >= self._limits.clients or len(self.hub.of_user(who.user_id)) >= self._limits.per_user:
            raise _Turned(TOO_MANY, "stream.too_many")
        write = socket.scope.get("extensions", {}).get(EXTENSION)
        client = Client(who.user_id, most_kept=self._limits.waiting, write=write)
        self._welcome(client, hello)
        return _Session(client, token, _now_s() + self._limits.look_s)

    def _brought(self, socket: WebSocket) -> str | None:
        """Return the token that came with the request itself."""
        ticket = socket.query_params.get("ticket")
        if ticket is not None:
            token = self.tickets.redeem(ticket)
            if token is None:
                raise _Turned(NOT_SIGNED_IN, "stream.signed_out")
            return token
        kind, _, token = socket.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else None

    async def _first_word(self, socket: WebSocket) -> Hello:
        try:
            async with asyncio.timeout(self._limits.hello_s):
                said = read(_checked(await socket.receive_text()))
        except TimeoutError:
            raise _Turned(TOO_LATE, "stream.no_hello") from None
        except (Unreadable, KeyError):
            raise _Turned(UNREADABLE, "stream.no_hello") from None
        if not isinstance(said, Hello):
            raise _Turned(NOT_SIGNED_IN, "stream.no_hello")
        return said

    async def _who(self, token: str) -> Identity:
        try:
            who = await asyncio.to_thread(self._identify, token or None)
        except (NotSignedIn, NotAllowed):
            raise _Turned(NOT_SIGNED_IN, "stream.signed_out") from None
        except CambistError as error:
            _log.warning("%s", error)
            raise _Turned(UNAVAILABLE, "stream.unavailable") from None
        if Scope.READ not in who.scopes:
            raise _Turned(NOT_ALLOWED, "stream.needs_read")
        return who

    def _welcome(self, client: Client, hello: Hello | None) -> None:
        resumed = False
        if hello is not None and hello.resume is not None:
            resumed = self.hub.resume(client, hello.resume.stream, hello.resume.seq)
        seqs = self.hub.seqs(client.user_id)
        client.say(type="welcome", stream=self.hub.stream, seq=seqs, user_id=client.user_id, resumed=resumed)

    async def _look(self) -> None:
        """Close connections whose session or token is over, and let go of old events."""
        forget_at_s = _now_s() + _FORGET_S
        while True:
            for session in [one for one in self._sessions if one.look_at_s <= _now_s()]:
                await self._look_at(session)
            if _now_s() >= forget_at_s:
                self.hub.forget_old()
                forget_at_s = _now_s() + _FORGET_S
            await asyncio.sleep(self._limits.round_s)

    async def _look_at(self, session: _Session) -> None:
        session.look_at_s = _now_s() + self._limits.look_s
        token = session.token
        try:
            await self._who(token)
        except _Turned as turned:
            if turned.ending.code != UNAVAILABLE and session.token == token:
                session.client.end(turned.ending.code, turned.ending.key)

    # -- what is said -------------------------------------------------------------------------------------------------

    async def _talk(self, socket: WebSocket, session: _Session) -> None:
        hearing = asyncio.create_task(self._hear(socket, session))
        telling = asyncio.create_task(_tell(socket, session.client))
        try:
            await asyncio.wait((hearing, telling, session.client.ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (hearing, telling):
                task.cancel()
            await asyncio.wait((hearing, telling))
        for task in (hearing, telling):
            if not task.cancelled() and not isinstance(task.exception(), WebSocketDisconnect | None):
                _log.error("a connection failed", exc_info=task.exception())
        if session.client.ending is not None:
            await _close(socket, session.client.ending)

    async def _hear(self, socket: WebSocket, session: _Session) -> None:
        """Do what the client says, until it has gone or says what closes the connection."""
        allowed, counted_at_s = _BURST, _now_s()
        while session.client.ending is None:
            try:
                text = _checked(await socket.receive_text())
                now_s = _now_s()
                allowed = min(_BURST, allowed + (now_s - counted_at_s) * _MESSAGES_PER_S) - 1
                counted_at_s = now_s
                if allowed < 0:
                    raise _Turned(TOO_MANY, "stream.too_fast")
                await self._do(read(text), session)
            except Unreadable as error:
                wrong = error.problem
                session.client.say(type="error", code="unreadable", detail=sentence(wrong), **wrong.model_dump())
            except KeyError:  # bytes came
                session.client.end(UNREADABLE, "stream.no_text")
            except _Turned as turned:
                session.client.end(turned.ending.code, turned.ending.key)

    async def _do(self, said: Said, session: _Session) -> None:
        client = session.client
        if isinstance(said, Hello):
            if said.token is not None:
                await self._renew(session, said.token)
            self._welcome(client, said)
        elif isinstance(said, Subscribe):
            await self.hub.subscribe(client, said.topics, Wanted(_set(said.symbols), _set(said.timeframes)))
            client.say(type="subscribed", topics=sorted(client.wanted))
        elif isinstance(said, Ping):
            client.say(type="pong")
        else:
            self.hub.unsubscribe(client, said.topics)
            client.say(type="unsubscribed", topics=sorted(client.wanted))

    async def _renew(self, session: _Session, token: str) -> None:
        who = await self._who(token)
        if who.user_id != session.client.user_id:
            raise _Turned(NOT_SIGNED_IN, "stream.another")
        session.token = token
        session.look_at_s = _now_s() + self._limits.look_s


async def _tell(socket: WebSocket, client: Client) -> None:
    """Send what waits, as fast as the client takes it, until the connection is to end."""
    while client.ending is None:
        await client.something()
        while (text := client.take()) is not None:
            await socket.send_text(text)


async def _close(socket: WebSocket, ending: Ending) -> None:
    """Say why, and close; a client that takes nothing more is not waited for."""
    detail = say(ending.key)
    reason = detail.encode()[:_LONGEST_REASON].decode(errors="ignore")
    with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
        async with asyncio.timeout(_LAST_WORDS_S):
            if socket.application_state is WebSocketState.CONNECTED:
                await socket.send_json({"type": "error", "code": ending.code, "detail": detail})
                await socket.close(ending.code, reason)


def _checked(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise _Turned(UNREADABLE, "stream.too_long")
    return text


def _speak(socket: WebSocket, who: Identity) -> None:
    if socket.scope.get("state", {}).get("language") is None and who.language in ("en", "fr"):
        speak("fr" if who.language == "fr" else "en")


def _set(names: list[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
