"""What every request passes before its route, and every answer after it. Plain ASGI: nothing is held back or copied
that need not be."""

import asyncio
import hashlib
import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cambist.apps.api.problems import internal, problem, problem_of
from cambist.domain.errors import CambistError
from cambist.domain.person import Identity
from cambist.domain.text import Language, say, speak

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-site",
}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Front:
    """Gives each request an id, a language and the address it comes from; bounds its body; answers what broke."""

    def __init__(
        self, app: ASGIApp, *, most_bytes: int, proxies: Sequence[Network], debug_login: Callable[[], bool]
    ) -> None:
        self._app = app
        self._most = most_bytes
        self._proxies = proxies
        self._debug_login = debug_login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid4().hex[:16]
        state = scope.setdefault("state", {})
        state |= {"request_id": request_id, "address": self._address(scope, headers)}
        if scope["type"] == "http":
            scope["scheme"] = self._scheme(scope, headers)
        state["language"] = wanted_language(headers.get("accept-language", ""))
        speak(state["language"] or "en")
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        begun = False
        bounded = _Bounded(receive, self._most)

        async def answer(message: Message) -> None:
            nonlocal begun
            if bounded.over and not begun:
                return  # whatever it makes of a body that was cut off
            if message["type"] == "http.response.start":
                begun = True
                self._mark(MutableHeaders(scope=message), request_id)
            await send(message)

        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._most:
            await _too_large(self._most, request_id)(scope, receive, answer)
            return
        try:
            await self._app(scope, bounded, answer)
        except Exception:
            if begun:
                raise
            if not bounded.over:
                await internal(request_id)(scope, receive, answer)
        if bounded.over and not begun:
            bounded.over = False
            await _too_large(self._most, request_id)(scope, receive, answer)

    def _mark(self, headers: MutableHeaders, request_id: str) -> None:
        headers["x-request-id"] = request_id
        for name, value in _SAFE.items():
            headers.setdefault(name, value)
        headers.setdefault("cache-control", "no-store")
        if self._debug_login():
            headers["x-cambist-debug-login"] = "on"

    def _address(self, scope: Scope, headers: Headers) -> str:
        """Return where a request comes from: beyond our own proxies, the nearest address that is none of them."""
        peer = (scope.get("client") or ("", 0))[0]
        hops = [peer, *reversed([one.strip() for one in headers.get("x-forwarded-for", "").split(",") if one.strip()])]
        for hop in hops:
            if not self._ours(hop):
                return hop if hop is peer or _is_address(hop) else peer
        return hops[-1]

    def _scheme(self, scope: Scope, headers: Headers) -> str:
        """Return how a request was sent: a proxy of ours that ends TLS talks to us without, and says so."""
        told = headers.get("x-forwarded-proto", "").strip().lower()
        believed = told in ("http", "https") and self._ours((scope.get("client") or ("", 0))[0])
        return told if believed else str(scope.get("scheme", "http"))

    def _ours(self, address: str) -> bool:
        return _is_address(address) and any(ipaddress.ip_address(address) in one for one in self._proxies)


def wanted_language(header: str) -> Language | None:
    """Return the first language of an Accept-Language header that we speak, by weight; None if it asks for none."""
    found: list[tuple[float, Language]] = []
    for part in header.split(","):
        name, _, weight = part.strip().partition(";q=")
        tag = name.strip().lower()[:2]
        try:
            value = float(weight) if weight else 1.0
        except ValueError:
            continue
        if tag == "en" or tag == "fr":
            found.append((value, "en" if tag == "en" else "fr"))
    return max(found, key=lambda one: one[0])[1] if found else None


class _TooLarge(Exception):
    """The body has more bytes than is allowed."""


class _Bounded:
    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._left = receive, most
        self.over = False

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.over = True
                raise _TooLarge
        return message


def _too_large(most: int, request_id: str) -> Response:
    return problem(413, "too_large", say("api.too_large", most=most), request_id, headers={"Connection": "close"})


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class Identified:
    """Finds out who asks, once for all that needs to know; what is wrong with a proof is told by the route."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        identify: Callable[[str | None], Identity],
        remembered: Callable[[str], Identity | None],
        debug_login: Callable[[], bool],
    ) -> None:
        self._app = app
        self._identify = identify
        self._remembered = remembered
        self._debug_login = debug_login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            kind, _, proof = Headers(scope=scope).get("authorization", "").partition(" ")
            if kind.lower() == "bearer" and proof:
                await self._find(scope["state"], proof.strip())
            elif self._debug_login():
                await self._find(scope["state"], None)
        await self._app(scope, receive, send)

    async def _find(self, state: dict[str, Any], proof: str | None) -> None:
        try:
            caller = None if proof is None else self._remembered(proof)
            if caller is None:
                caller = await asyncio.to_thread(self._identify, proof)
        except CambistError as error:
            state["caller"] = error
            return
        state["caller"] = caller
        if state["language"] is None:
            speak("fr" if caller.language == "fr" else "en")


class Tagged:
    """Gives what is read a tag, and answers who has it already with that alone (RFC 9110, 304)."""

    def __init__(self, app: ASGIApp, *, most_bytes: int = 2_000_000) -> None:
        self._app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        await self._app(scope, receive, _Tagging(send, known, self._most))


class _Tagging:
    """Keeps a short JSON answer until it is whole; anything else goes straight on."""

    def __init__(self, send: Send, known: str, most: int) -> None:
        self._send, self._known, self._most = send, known, most
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            length = headers.get("content-length")
            json = headers.get("content-type", "").startswith("application/json")
            if message["status"] == 200 and json and length is not None and int(length) <= self._most:
                self._start = message
                return
        if self._start is not None and message["type"] == "http.response.body":
            message = await self._tag(self._start, message)
            self._start = None
        await self._send(message)

    async def _tag(self, start: Message, message: Message) -> Message:
        """Send the head of the answer with its tag, and return its body, empty if it is known."""
        body = message.get("body", b"")
        if message.get("more_body"):
            await self._send(start)
            return message
        tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["etag"] = tag
        headers["cache-control"] = "private, no-cache"
        if tag in [one.strip() for one in self._known.split(",")] or self._known.strip() == "*":
            del headers["content-length"]
            await self._send({**start, "status": 304, "headers": headers.raw})
            return {"type": "http.response.body", "body": b""}
        await self._send({**start, "headers": headers.raw})
        return message


def refused(error: CambistError, scope: Scope) -> Response:
    """Return what a middleware answers instead of the route."""
    return problem_of(error, Request(scope).scope["state"]["request_id"])
