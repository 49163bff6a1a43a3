"""``/metrics`` for Prometheus, ``/healthz`` for whoever restarts what is not well."""

from collections.abc import Callable, Sequence
from types import TracebackType

from aiohttp import web

from cambist.adapters.telemetry.metrics import CONTENT_TYPE, PrometheusMetrics

Reasons = Callable[[], Sequence[str]]
"""Gives what is not well, one sentence each; nothing if all is well."""


class TelemetryServer:
    """Serves ``/metrics`` (Prometheus' text) and ``/healthz`` (JSON: 200 ``ok``, or 503 ``degraded`` with reasons).

    Listens on this machine alone unless told otherwise: neither page asks who reads it. Port 0 lets the system choose.
    """

    def __init__(
        self, metrics: PrometheusMetrics, reasons: Reasons, *, host: str = "127.0.0.1", port: int = 9464
    ) -> None:
        self._metrics = metrics
        self._reasons = reasons
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return self._port

    async def start(self) -> None:
        """Begin to listen; raise OSError if the port is taken."""
        app = web.Application()
        app.router.add_get("/metrics", self._show_metrics)
        app.router.add_get("/healthz", self._show_health)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> "TelemetryServer":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _show_metrics(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _show_health(self, request: web.Request) -> web.Response:
        del request
        reasons = list(self._reasons())
        status = "degraded" if reasons else "ok"
        return web.json_response({"status": status, "reasons": reasons}, status=503 if reasons else 200)
