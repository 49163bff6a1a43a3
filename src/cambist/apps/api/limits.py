"""So many requests a minute, per person or, of those who are nobody yet, per address."""

import time
from collections.abc import Callable
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Away
from redis.exceptions import RedisError
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cambist.apps.api.middleware import refused
from cambist.domain.errors import BusFailed, TooMany
from cambist.domain.person import Identity

_FREE = ("/api/v1/health", "/api/v1/ready", "/api/v1/hooks/", "/metrics")
"""Webhooks count their calls themselves: all alerts of one sender come from the same few addresses."""
_PATIENCE_S = 2.0
"""How long Redis may take to answer: every request waits for it."""


class Counters:
    """Counts requests: in this process, or in Redis for all processes together."""

    def __init__(self, bus_url: str | None) -> None:
        storage: Storage = MemoryStorage()
        self._redis: ConnectionPool | None = None
        if bus_url is not None:
            self._redis = ConnectionPool.from_url(
                bus_url,
                socket_timeout=_PATIENCE_S,
                socket_connect_timeout=_PATIENCE_S,
                retry=Retry(NoBackoff(), 1, (Away,)),  # of a Redis that was restarted the connection is an old one
            )
            how: dict[str, Any] = {"connection_pool": self._redis}
            storage = RedisStorage("async+redis://", implementation="redispy", key_prefix="cambist-limits", **how)
        self._window = SlidingWindowCounterRateLimiter(storage)
        self._where = (bus_url or "").rpartition("@")[2].partition("?")[0]  # without the password

    async def count(self, whom: str, most: int) -> tuple[bool, int, float]:
        """Count one request of ``whom``: whether it is within ``most`` a minute, how many are left, and for how long
        there are none more (seconds). Raises `BusFailed` if Redis is away, or says nothing."""
        limit = RateLimitItemPerMinute(most)
        try:
            within = await self._window.hit(limit, whom)
            stats = await self._window.get_window_stats(limit, whom)
        except (RedisError, OSError) as error:
            raise BusFailed("bus.failed", where=self._where, why=error) from error
        return within, stats.remaining, max(0.0, stats.reset_time - time.time())

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.disconnect()


class Limited:
    """Answers 429 to who asks too often, 503 while nothing can be counted; every other answer says how much is left."""

    def __init__(
        self, app: ASGIApp, *, counters: Counters, of_user: Callable[[Identity], int], of_address: int
    ) -> None:
        self._app = app
        self._counters = counters
        self._of_user = of_user
        self._of_address = of_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"].startswith(_FREE):
            await self._app(scope, receive, send)
            return
        state = scope["state"]
        caller = state.get("caller")
        if isinstance(caller, Identity):
            whom, most = f"user:{caller.user_id}", self._of_user(caller)
        else:
            whom, most = f"address:{state['address']}", self._of_address
        try:
            within, left, wait_s = await self._counters.count(whom, most)
        except BusFailed as away:
            await refused(away, scope)(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["ratelimit-limit"] = str(most)
                headers["ratelimit-remaining"] = str(left)
                headers["ratelimit-reset"] = str(round(wait_s))
            await send(message)

        if within:
            await self._app(scope, receive, answer)
            return
        error = TooMany("api.too_many", wait_s, most=most, seconds=max(1, round(wait_s)))
        await refused(error, scope)(scope, receive, answer)
