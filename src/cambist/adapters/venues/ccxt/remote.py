"""A venue in another process: `BusVenue` asks the gateway over the bus."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import uuid4

from cambist.adapters.venues.ccxt.wire import (
    METHODS,
    ORDERING,
    error_from_json,
    from_json,
    report_from_json,
    to_json,
)
from cambist.domain.errors import BusFailed, OutcomeUnknown, ParseError, VenueError, VenueUnavailable
from cambist.domain.instrument import Instrument
from cambist.domain.report import Balance, Connection, FillReport, OrderReport, Report
from cambist.ports.bus import CCXT_REQUESTS, CCXT_RESPONSES, Bus, Delivery
from cambist.ports.venue import OrderRequest, Traits

_log = logging.getLogger(__name__)

_LEASE_S = 6.0
_AGAIN_S = 1.0


class BusVenue:
    """One account whose venue a gateway holds (`cambist.ports.venue.Venue`); made by `open_bus_venue`.

    An order whose answer does not come within ``timeout_s`` is `OutcomeUnknown`; a question is `VenueUnavailable`.
    """

    def __init__(self, account: str, bus: Bus, *, timeout_s: float = 15.0) -> None:
        self.account = account
        self.name = ""
        self.traits = Traits(stops=False, oco=False)
        self._bus = bus
        self._timeout_s = timeout_s
        self._group = f"venue-{account}-{uuid4().hex}"
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._streams: set[asyncio.Queue[Report]] = set()
        self._reader: asyncio.Task[None] | None = None

    async def instruments(self, symbols: Iterable[str]) -> dict[str, Instrument]:
        """Return the rules of ``symbols``; raise `NotFound` for one that the venue does not have."""
        found: dict[str, Instrument] = await self._call("instruments", list(symbols))
        return found

    async def submit(self, request: OrderRequest) -> OrderReport:
        """Place one order and return the venue's word on it."""
        report: OrderReport = await self._call("submit", request)
        return report

    async def submit_oco(
        self, list_id: str, stop: OrderRequest, target: OrderRequest
    ) -> tuple[OrderReport, OrderReport]:
        """Place a stop and a take-profit of which one fills: both or none. Only where ``traits.oco``."""
        reports: tuple[OrderReport, OrderReport] = await self._call("submit_oco", list_id, stop, target)
        return reports

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Take an order back and return the venue's word on it, final or not; raise `NotFound` if it knows none."""
        report: OrderReport = await self._call("cancel", symbol, client_id)
        return report

    async def amend(self, symbol: str, client_id: str, trigger: Decimal) -> OrderReport:
        """Move the trigger of a resting stop. Only where ``traits.amend``."""
        report: OrderReport = await self._call("amend", symbol, client_id, trigger)
        return report

    async def order(self, symbol: str, client_id: str) -> OrderReport:
        """Return the venue's word on one order, final ones included; raise `NotFound` if it knows none."""
        report: OrderReport = await self._call("order", symbol, client_id)
        return report

    async def open_orders(self, symbols: Iterable[str] = ()) -> list[OrderReport]:
        """Return all orders that are not over, those that are not ours included."""
        reports: list[OrderReport] = await self._call("open_orders", list(symbols))
        return reports

    async def fills(self, symbol: str, since_ms: int) -> list[FillReport]:
        """Return this account's fills on ``symbol`` from ``since_ms`` on, oldest first, complete."""
        fills: list[FillReport] = await self._call("fills", symbol, since_ms)
        return fills

    async def balances(self) -> dict[str, Balance]:
        """Return what the account holds, by asset."""
        held: dict[str, Balance] = await self._call("balances")
        return held

    async def price(self, symbol: str) -> Decimal:
        """Return the last traded price."""
        price: Decimal = await self._call("price", symbol)
        return price

    async def clock_ms(self) -> int:
        """Return the venue's time."""
        now_ms: int = await self._call("clock_ms")
        return now_ms

    async def reports(self) -> AsyncIterator[Report]:
        """Yield what the venue pushes. A gateway that falls silent, or begins anew, shows as a `Connection`."""
        queue: asyncio.Queue[Report] = asyncio.Queue()
        self._streams.add(queue)
        renewing = asyncio.create_task(self._renew(queue))
        try:
            while True:
                yield await queue.get()
        finally:
            self._streams.discard(queue)
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing

    async def connect(self) -> None:
        """Listen for answers, and learn what the venue can do; raises the `VenueError` tree."""
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(self._subscribed()))
        said = await self._exchange("traits", {})
        self.name = str(said["name"])
        self.traits = from_json(Traits, said["traits"])

    async def close(self) -> None:
        """Stop listening; the gateway and the orders stay."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError, BusFailed):
                await self._reader
            self._reader = None

    async def _call(self, method: str, *args: Any) -> Any:
        try:
            result = await self._exchange(method, {"args": [to_json(arg) for arg in args]})
            return from_json(METHODS[method][1], result)
        except (ParseError, BusFailed, TimeoutError) as error:
            lost = OutcomeUnknown if method in ORDERING else VenueUnavailable
            raise lost("gateway.silent") from error

    async def _exchange(self, method: str, more: dict[str, Any]) -> Any:
        """Return the result of one request; raise what the gateway raised, `TimeoutError`, or `BusFailed`."""
        name = uuid4().hex
        answer = self._waiting[name] = asyncio.get_running_loop().create_future()
        until_ms = round((time.time() + self._timeout_s) * 1000)
        request = {"id": name, "account": self.account, "method": method, "until_ms": until_ms, **more}
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._bus.publish(CCXT_REQUESTS, request)
                said = await answer
        finally:
            del self._waiting[name]
        if "error" in said:
            raise error_from_json(said["error"])
        return said["result"]

    def _subscribed(self) -> AsyncIterator[Delivery]:
        return self._bus.subscribe(CCXT_RESPONSES, group=self._group, consumer="venue")

    async def _read(self, answers: AsyncIterator[Delivery]) -> None:
        while True:
            try:
                async for delivery in answers:
                    try:
                        self._hear(delivery.message)
                    except ParseError as error:
                        _log.warning("%s", error)
                    with suppress(BusFailed):  # it comes again then, and nobody waits for it any more
                        await self._bus.ack(self._group, delivery)
            except BusFailed as error:
                _log.warning("%s", error)
            await asyncio.sleep(_AGAIN_S)
            answers = self._subscribed()

    def _hear(self, message: dict[str, Any]) -> None:
        if message.get("account") != self.account:
            return
        waiting = self._waiting.get(str(message.get("request")))
        if waiting is not None and not waiting.done():
            waiting.set_result(message)
        if "report" in message:
            report = report_from_json(message)
            for queue in self._streams:
                queue.put_nowait(report)

    async def _renew(self, queue: "asyncio.Queue[Report]") -> None:
        """Say again and again that reports are wished for; what the answers show of the gateway goes to ``queue``."""
        heard = False
        while True:
            try:
                went_on = await self._exchange("listen", {"lease_s": _LEASE_S})
                if went_on and not heard:  # somebody else's wish keeps it going: what it said before, we have missed
                    queue.put_nowait(Connection(True, _now_ms()))
                elif heard and not went_on:
                    queue.put_nowait(Connection(False, _now_ms()))  # it began anew, and will say when it stands
                heard = True
            except (VenueError, BusFailed, TimeoutError) as error:
                if heard:
                    queue.put_nowait(Connection(False, _now_ms(), str(error)))
                heard = False
            await asyncio.sleep(_LEASE_S / 3)


async def open_bus_venue(account: str, bus: Bus, *, timeout_s: float = 15.0) -> BusVenue:
    """Return the venue of ``account``, once its gateway has answered; raises the `VenueError` tree."""
    venue = BusVenue(account, bus, timeout_s=timeout_s)
    try:
        await venue.connect()
    except (TimeoutError, BusFailed, ParseError) as error:
        await venue.close()
        raise VenueUnavailable("gateway.silent") from error
    return venue


def _now_ms() -> int:
    return round(time.time() * 1000)
