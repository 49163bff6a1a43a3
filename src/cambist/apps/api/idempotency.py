"""A request that creates something may carry an Idempotency-Key: repeated, it is answered as it was the first time."""

import asyncio
import hmac
import re
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cambist.apps.api.middleware import refused
from cambist.domain.errors import BadInput, CambistError, Taken
from cambist.domain.person import Identity
from cambist.ports.answers import Answers, Kept
from cambist.usecases.accounts import UNDER

HEADER = "Idempotency-Key"
SHOWN_ONCE = "x-shown-once"
"""An answer with this header holds a secret: it is not kept, and a repetition is told so."""
_KEY = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Idempotent:
    """Does each keyed POST of a person once."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        secret: Callable[[], bytes],
        answers: Callable[[int], Answers],
        now_ms: Callable[[], int],
    ) -> None:
        self._app = app
        self._secret = secret
        self._answers = answers
        self._now_ms = now_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        key = Headers(scope=scope).get(HEADER) if scope["type"] == "http" and scope["method"] == "POST" else None
        caller = scope["state"].get("caller") if key is not None else None
        if key is None or not isinstance(caller, Identity):
            await self._app(scope, receive, send)
            return
        try:
            if not _KEY.fullmatch(key):
                raise BadInput(HEADER, key, "api.key_form")
            body = await _whole(receive)
            kept = await asyncio.to_thread(self._claim, caller.user_id, key, scope, body)
        except ClientDisconnect:
            return
        except CambistError as error:
            await refused(error, scope)(scope, receive, send)
            return
        if kept is not None:
            await _again(kept)(scope, receive, send)
            return
        await self._first(self._answers(caller.user_id), key, scope, body, receive, send)

    def _claim(self, user_id: int, key: str, scope: Scope, body: bytes) -> Kept | None:
        asked = f"{scope['method']} {scope['path']}?{scope['query_string'].decode('latin-1')}\n".encode() + body
        # keyed: what was asked may hold a password, which whoever gets the database could else guess
        digest = hmac.digest(self._secret(), asked, "sha256").hex()
        kept = self._answers(user_id).claim(key, digest, self._now_ms())
        if kept is None:
            return None
        if kept.request and kept.request != digest:  # of what was asked before an upgrade the digest is forgotten
            raise BadInput(HEADER, key, "api.key_reused")
        if kept.status is None:
            raise Taken("api.key_busy")
        if kept.headers is None:
            raise Taken("api.key_shown")
        return kept

    async def _first(self, answers: Answers, key: str, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        sent = _Sent(send)
        done = False
        UNDER.set(key)  # if no answer comes of it the key is given back; what was put to the engine by then stays put
        try:
            await self._app(scope, _replayed(body, receive), sent)
            if sent.status < 500 and sent.status != 429:
                await asyncio.to_thread(answers.keep, key, sent.status, *sent.kept())
                done = True
        finally:
            if not done:
                await asyncio.to_thread(answers.drop, key)


class _Sent:
    """Passes an answer on and remembers it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._parts: list[bytes] = []
        self._headers: dict[str, str] | None = None
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            if SHOWN_ONCE in headers:
                del headers[SHOWN_ONCE]
            else:
                self._headers = dict(headers)
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
        await self._send(message)

    def kept(self) -> tuple[dict[str, str] | None, str]:
        """Return headers and body, as they are to be kept: of an answer that holds a secret, nothing."""
        return self._headers, "" if self._headers is None else b"".join(self._parts).decode("utf-8")


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect  # what came of the body is not what was asked
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _again(kept: Kept) -> Response:
    return Response(kept.body, kept.status or 200, {**(kept.headers or {}), "idempotency-replayed": "true"})
