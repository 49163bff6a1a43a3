"""The API as an ASGI application: its routes, what each request passes before them, and how it is served."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from ipaddress import ip_network

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute

from cambist.apps.api.area import PREFIX
from cambist.apps.api.idempotency import HEADER, Idempotent
from cambist.apps.api.limits import Limited
from cambist.apps.api.metrics import Exposition, Measured
from cambist.apps.api.middleware import Front, Identified, Tagged
from cambist.apps.api.problems import ALWAYS, Problem, documented, handle
from cambist.apps.api.services import Services
from cambist.apps.api.stream.opening import open_door
from cambist.domain.person import Identity

MOST_BYTES = 2_000_000
_ROUTES = (
    "auth",
    "me",
    "users",
    "tokens",
    "sessions",
    "invitations",
    "audit",
    "brokers",
    "exchanges",
    "symbols",
    "markets",
    "heartbeat",
    "backtests",
    "searches",
    "jobs",
    "strategies",
    "assistant",
    "webhooks",
    "hooks",
    "orders",
    "statistics",
    "portfolio",
    "health",
    "bots",
    "trading",
    "risk",
    "stream",
)
"""The areas of the API, each a file in ``routes/``."""
_TOLD = (
    *("ETag", "Location", "Content-Disposition", "X-Request-Id", "X-Cambist-Debug-Login", "Idempotency-Replayed"),
    *("Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
)
"""Headers of ours that a page of another host may read."""
_FOR_USER, _FOR_ADDRESS = 1_200, 120
"""Requests a minute, unless an admin has set another limit."""


def create(services: Services) -> FastAPI:
    """Return the application over ``services``."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(services.run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    app = FastAPI(
        title="Cambist",
        version="1",
        summary="Research, backtest, paper and live trading, by program.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        generate_unique_id_function=_name,
        lifespan=lifespan,
        separate_input_output_schemas=False,
    )
    app.state.services, app.state.beside = services, services.beside
    app.state.door = open_door(services)
    services.background.append(app.state.door.run)
    handle(app)
    for area in _ROUTES:
        router = import_module(f"cambist.apps.api.routes.{area}").router
        app.include_router(router, prefix=PREFIX, responses=documented(*ALWAYS))
    _describe(app)
    _wrap(app, services)
    return app


def _wrap(app: FastAPI, services: Services) -> None:
    """Put what every request passes before the routes; what is added last is passed first."""
    settings = services.settings
    app.add_middleware(Tagged)
    app.add_middleware(
        Idempotent,
        secret=lambda: services.office.asking_secret,
        answers=lambda user_id: services.stores(user_id).answers,
        now_ms=services.clock.now_ms,
    )
    app.add_middleware(Limited, counters=services.counters, of_user=_allowance, of_address=_FOR_ADDRESS)
    app.add_middleware(
        Identified, identify=services.identify, remembered=services.remembered, debug_login=services.debug_login
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Accept-Language", HEADER, "If-None-Match", "X-Request-Id"],
        expose_headers=_TOLD,
        allow_credentials=True,
    )
    app.add_middleware(Exposition, metrics=services.metrics, token=settings.metrics_token)
    app.add_middleware(
        Front,
        most_bytes=MOST_BYTES,
        proxies=[ip_network(one) for one in settings.trusted_proxies],
        debug_login=services.debug_login,
    )
    app.add_middleware(Measured, metrics=services.metrics)


def _allowance(caller: Identity) -> int:
    return int(caller.limits.get("requests_per_minute") or _FOR_USER)


def _name(route: APIRoute) -> str:
    """Return an operation's name: its area and what its function is called."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


def _describe(app: FastAPI) -> None:
    """Make the schema name our problems, and nothing of the framework's own."""
    plain = app.openapi

    def described() -> dict[str, object]:
        if app.openapi_schema is None:
            schema = plain()
            parts = schema.setdefault("components", {}).setdefault("schemas", {})
            for name in ("HTTPValidationError", "ValidationError"):
                parts.pop(name, None)
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            parts |= problem.pop("$defs", {}) | {"Problem": problem}
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]
