"""The gateway's end of the bus: requests in, answers and reports out. Credentials never travel over it.

The bus delivers at least once; an order must leave at most once. A request that may change something is acknowledged
before it is acted on: if we die then, nobody gets it again, and who asked learns from his own clock that the outcome is
unknown. Such a request that comes again while we live is answered from memory. That memory is one process's: of all
gateways on one bus, only one may serve an account at a time.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from cambist.adapters.venues.ccxt.wire import METHODS, ORDERING, error_to_json, from_json, report_to_json, to_json
from cambist.domain.errors import BusFailed, CambistError, OutcomeUnknown, ParseError, VenueUnavailable
from cambist.ports.bus import CCXT_REQUESTS, CCXT_RESPONSES, Bus, Delivery
from cambist.ports.venue import Venue

_log = logging.getLogger(__name__)

Resolve = Callable[[str], Awaitable[Venue]]
"""Returns the venue of an account, by its reference; raises `NotFound`. It knows where the credentials lie."""

GROUP = "gateway"
_REMEMBERED = 50_000


async def serve_requests(resolve: Resolve, bus: Bus, *, consumer: str = "gateway") -> None:
    """Answer what is asked on ``ccxt_requests`` until cancelled.

    One venue per account is kept open; ``resolve`` is asked for it whenever an engine opens the account. Streams of
    reports are forwarded as long as somebody renews his wish for them.
    """
    server = _Server(resolve, bus)
    try:
        async for delivery in bus.subscribe(CCXT_REQUESTS, group=GROUP, consumer=consumer):
            server.take(delivery)
    finally:
        await server.close()


class _Server:
    def __init__(self, resolve: Resolve, bus: Bus) -> None:
        self._resolve = resolve
        self._bus = bus
        self._venues: dict[str, asyncio.Future[Venue]] = {}
        self._answers: OrderedDict[str, asyncio.Task[dict[str, Any]]] = OrderedDict()
        self._jobs: set[asyncio.Task[None]] = set()
        self._listeners: dict[str, asyncio.Task[None]] = {}
        self._wanted_until: dict[str, float] = {}

    def take(self, delivery: Delivery) -> None:
        job = asyncio.create_task(self._handle(delivery))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def close(self) -> None:
        tasks: list[asyncio.Future[Any]] = [
            *self._jobs,
            *self._listeners.values(),
            *self._answers.values(),
            *self._venues.values(),
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _handle(self, delivery: Delivery) -> None:
        request = delivery.message
        name = str(request.get("id"))
        known = self._answers.get(name)
        if known is None:
            known = self._answers[name] = asyncio.create_task(self._answer(delivery))
            self._forget()
        answer = await asyncio.shield(known)
        with suppress(BusFailed):  # who asked will see that we are silent
            await self._bus.publish(CCXT_RESPONSES, answer)
            await self._bus.ack(GROUP, delivery)
        if request.get("method") not in ORDERING:  # may be asked again, and its answer may be long
            self._answers.pop(name, None)

    async def _answer(self, delivery: Delivery) -> dict[str, Any]:
        request = delivery.message
        said = {"request": request.get("id"), "account": request.get("account")}
        try:
            return said | {"result": await self._result(delivery)}
        except CambistError as error:
            return said | {"error": error_to_json(error)}
        except Exception as error:  # noqa: BLE001 (unanswered it would come again and again, and never be answered)
            _log.exception("%s for %s", request.get("method"), request.get("account"))
            lost = OutcomeUnknown if request.get("method") in ORDERING else VenueUnavailable
            return said | {"error": error_to_json(lost("gateway.broke", why=type(error).__name__))}

    async def _result(self, delivery: Delivery) -> Any:
        request = delivery.message
        method, account = str(request.get("method")), str(request.get("account"))
        if method == "listen":
            return await self._listen(account, float(request.get("lease_s") or 0))
        if method == "traits":
            venue = await self._opened_anew(account)
            return {"name": venue.name, "traits": to_json(venue.traits)}
        if method not in METHODS:
            raise ParseError("gateway.garbled", start=str(request)[:80])
        kinds = METHODS[method][0]
        given = request.get("args")
        if not isinstance(given, list) or len(given) != len(kinds):
            raise ParseError("gateway.garbled", start=str(request)[:80])
        args = [from_json(kind, value) for kind, value in zip(kinds, given, strict=True)]
        if method in ORDERING:
            await self._claim(delivery)
        venue = await self._venue(account)
        return to_json(await getattr(venue, method)(*args))

    async def _claim(self, delivery: Delivery) -> None:
        """Take the one right to act on ``delivery``; raise `OutcomeUnknown` if somebody may have acted on it."""
        if time.time() * 1000 > float(delivery.message.get("until_ms") or 0):
            raise OutcomeUnknown("gateway.late")
        try:
            await self._bus.ack(GROUP, delivery)
        except BusFailed as error:
            raise OutcomeUnknown("gateway.taken") from error

    async def _venue(self, account: str) -> Venue:
        known = self._venues.get(account)
        if known is None or (known.done() and (known.cancelled() or known.exception() is not None)):
            known = self._venues[account] = asyncio.ensure_future(self._resolve(account))
        return await asyncio.shield(known)

    async def _opened_anew(self, account: str) -> Venue:
        """Return the venue of an account with the keys of now: an engine that opens it may have been told of others."""
        listener, before = self._listeners.pop(account, None), self._venues.pop(account, None)
        if listener is not None:
            listener.cancel()
            await asyncio.wait([listener])
        if before is not None:
            with suppress(CambistError):
                await (await asyncio.shield(before)).close()
        return await self._venue(account)

    async def _listen(self, account: str, lease_s: float) -> bool:
        venue = await self._venue(account)
        self._wanted_until[account] = time.monotonic() + lease_s
        running = self._listeners.get(account)
        if running is not None and not running.done():
            return True
        self._listeners[account] = asyncio.create_task(self._forward(account, venue))
        return False

    async def _forward(self, account: str, venue: Venue) -> None:
        reports = venue.reports()
        following = asyncio.ensure_future(anext(reports))
        try:
            while (left_s := self._wanted_until[account] - time.monotonic()) > 0:
                done, _ = await asyncio.wait({following}, timeout=left_s)
                if done:
                    message = {"account": account, **report_to_json(following.result())}
                    following = asyncio.ensure_future(anext(reports))
                    await self._bus.publish(CCXT_RESPONSES, message)
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await following
            await reports.aclose()  # type: ignore[attr-defined]  # every stream of reports is a generator

    def _forget(self) -> None:
        while len(self._answers) > _REMEMBERED:
            oldest = next(iter(self._answers))
            if not self._answers[oldest].done():
                return
            del self._answers[oldest]
