"""The WebSocket side: market streams, user data streams, and the WebSocket API."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from cambist.simulators.binance.refusals import Refused, missing
from cambist.simulators.binance.routes import METHODS
from cambist.simulators.binance.signing import check_signature, check_time, key_of, signed_text
from cambist.simulators.binance.streams import Listener, Streams

_LARGEST = 1024  # streams per connection
_SWIFTEST = 5  # messages that a connection to the streams may send in a second
Ask = Callable[[str, Mapping[str, str], str], Any]
"""Answers (method and path, parameters, account) of a question that was asked over a socket."""


class Sockets:
    """Serves WebSocket connections; what it must know of the rest is given as functions."""

    def __init__(
        self,
        streams: Streams,
        *,
        secrets: Mapping[str, tuple[str, str]],
        listener: Callable[[str], str | None],
        clocks: Callable[[], tuple[tuple[int, int], ...]],
        now: Callable[[], int],
        ask: Ask,
        ping_s: float,
    ) -> None:
        self._streams = streams
        self._secrets = secrets
        """By API key: account and secret."""
        self._listener = listener
        self._clocks = clocks
        self._now = now
        self._ask = ask
        self._ping_s = ping_s
        self._sessions: dict[Listener, str] = {}

    async def serve(self, request: web.Request, path: str) -> web.StreamResponse:
        """Serve one connection until it ends."""
        response = web.WebSocketResponse(autoping=True)
        await response.prepare(request)
        combined = path.startswith("/stream")
        socket = Listener(response, self._now(), combined=combined)
        self._streams.sockets.add(socket)
        names = request.query.get("streams", "") if combined else path.removeprefix("/ws")
        api = path.startswith("/ws-api")
        pinger = asyncio.create_task(socket.ping(self._ping_s, self._now))
        try:
            if not api:
                self._subscribe(socket, [name for name in names.split("/") if name])
            await socket.messages(partial(self._take, socket, self._call if api else self._command))
        finally:
            pinger.cancel()
            socket.stop()
            self._sessions.pop(socket, None)
            self._streams.sockets.discard(socket)
        return response

    def _take(self, socket: Listener, answer: Callable[[Listener, dict[str, Any]], dict[str, Any]], asked: Any) -> None:
        if answer == self._command:
            socket.heard.append(time.monotonic())
            if len(socket.heard) > _SWIFTEST and socket.heard[-1] - socket.heard[0] < 1:
                socket.shut()
        if isinstance(asked, dict):
            socket.send(answer(socket, asked))
        else:
            socket.send({"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}})

    # -- market streams -----------------------------------------------------------------------------------------------

    def _subscribe(self, socket: Listener, names: list[str]) -> None:
        for name in names:
            account = self._listener(name)
            if account is None:
                self._streams.subscribe(socket, [name])
            else:
                socket.account, socket.listen_key = account, name
        self._streams.watch_bars(names)

    def _command(self, socket: Listener, asked: dict[str, Any]) -> dict[str, Any]:
        ident, names = asked.get("id"), asked.get("params")
        method = asked.get("method")
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": sorted(socket.streams), "id": ident}
        if method == "SET_PROPERTY" and isinstance(names, list) and names[:1] == ["combined"]:
            socket.combined = bool(names[1])
            return {"result": None, "id": ident}
        if method == "GET_PROPERTY":
            return {"result": socket.combined, "id": ident}
        if method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            text = "Invalid request: unknown variant, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`"
            return {"error": {"code": 2, "msg": text}, "id": ident}
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return {"error": {"code": 2, "msg": "Invalid request: params must be an array of strings"}, "id": ident}
        if method == "UNSUBSCRIBE":
            socket.streams.difference_update(names)
            if socket.listen_key in names:
                socket.account = socket.listen_key = ""
        elif len(socket.streams) + len(names) > _LARGEST:
            return {"error": {"code": 2, "msg": "Invalid request: too many streams"}, "id": ident}
        else:
            self._subscribe(socket, names)
        return {"result": None, "id": ident}

    # -- the WebSocket API --------------------------------------------------------------------------------------------

    def _call(self, socket: Listener, asked: dict[str, Any]) -> dict[str, Any]:
        ident, method = asked.get("id"), asked.get("method")
        given = asked.get("params") or {}
        params = {name: _text(value) for name, value in given.items()}
        try:
            result = self._called(socket, str(method), params)
        except Refused as refused:
            return {"id": ident, "status": refused.status, "error": refused.body(), "rateLimits": []}
        return {"id": ident, "status": 200, "result": result, "rateLimits": []}

    def _called(self, socket: Listener, method: str, params: dict[str, str]) -> Any:
        if method == "session.logon":
            self._sessions[socket] = self._signer(params)
            return self._session(socket)
        if method == "session.status":
            return self._session(socket)
        if method == "session.logout":
            self._sessions.pop(socket, None)
            return self._session(socket)
        if method in ("userDataStream.subscribe.signature", "userDataStream.subscribe"):
            key = self._sessions.get(socket) if method == "userDataStream.subscribe" else self._signer(params)
            if key is None:
                raise Refused(-2015, "Invalid API-key, IP, or permissions for action.", 401)
            socket.account, socket.subscription = self._secrets[key][0], 0
            return {"subscriptionId": 0}
        if method == "userDataStream.unsubscribe":
            socket.account, socket.subscription = "", None
            return {}
        route = METHODS.get(method)
        if route is None:
            raise Refused(-1000, f"Unknown method '{method}'.")
        signs = "signature" in params or "timestamp" in params
        own = self._secrets[self._signer(params)][0] if signs else ""
        if not own and socket in self._sessions:
            own = self._secrets[self._sessions[socket]][0]
        return self._ask(route, params, own)

    def _signer(self, params: dict[str, str]) -> str:
        """Return the API key with which a request is signed; raise `Refused`."""
        if "apiKey" not in params:
            raise missing("apiKey")
        key = key_of(params["apiKey"], self._secrets)
        check_time(params, self._clocks())
        check_signature(self._secrets[key][1], signed_text(params), params.get("signature"))
        return key

    def _session(self, socket: Listener) -> dict[str, Any]:
        key = self._sessions.get(socket)
        return {"apiKey": key, "connectedSince": socket.opened_ms, "serverTime": self._now(), "returnRateLimits": True}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
