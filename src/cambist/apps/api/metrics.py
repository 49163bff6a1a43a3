"""What is measured of the API: every request by the route that answered it, never by what stood in its address."""

import hmac
import ipaddress
from time import perf_counter

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cambist.ports.metrics import Metrics, ShownMetrics

PATH = "/metrics"
_NO_ROUTE = "(none)"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_BROKEN = 500
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


class Measured:
    """Counts and times every request; the first of all middleware, so that what others refuse is counted too."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun_s = _BROKEN, perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            route = route_of(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.count("http_requests_total", route=route, method=method, status=str(status))
            self._metrics.observe("http_request_duration_seconds", perf_counter() - begun_s, route=route)


def route_of(scope: Scope) -> str:
    """Return the template of the route that answered (``/api/v1/bots/{bot}``); ``(none)`` if none did."""
    # a router's route knows its path only from the router on; FastAPI keeps the whole one beside it
    whole = scope.get("fastapi", {}).get("effective_route_context")
    path = getattr(whole, "path", None) or getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else _NO_ROUTE


class Exposition:
    """Answers ``/metrics`` to this machine, and to whoever brings ``token`` (if there is one); others get 404."""

    def __init__(self, app: ASGIApp, *, metrics: ShownMetrics, token: str | None) -> None:
        self._app = app
        self._metrics = metrics
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "GET" or not self._may(scope):
            await self._app(scope, receive, send)
            return
        await Response(self._metrics.text(), headers={"content-type": self._metrics.content_type})(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if self._token and _same(headers.get("authorization", ""), f"Bearer {self._token}"):
            return True
        # behind a proxy of which nobody told us, everybody seems to come from this machine
        forwarded = any(name in headers for name in _FORWARDED)
        return not forwarded and _is_loopback(str(scope.get("state", {}).get("address", "")))


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
