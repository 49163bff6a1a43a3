"""What an account's venue pushes, as reports: orders, fills, balances, and whether the connection stands.

Each of ccxt's private streams runs in a task of its own and feeds one queue. Where an exchange lacks a stream its place
is taken by asking: fills when an order shows that it filled, orders every few seconds, balances after fills.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol
from zlib import crc32

from cambist.adapters.venues.ccxt import parse
from cambist.adapters.venues.ccxt.backoff import Backoff
from cambist.adapters.venues.ccxt.errors import translate
from cambist.adapters.venues.ccxt.place import Place
from cambist.domain.errors import CambistError, NotFound
from cambist.domain.report import (
    Balance,
    BalancesReported,
    Connection,
    FillReport,
    OrderReport,
    Report,
)

_log = logging.getLogger(__name__)

_WATCHES = {"watchOrders": "watch_orders", "watchMyTrades": "watch_my_trades", "watchBalance": "watch_balance"}
_ACKNOWLEDGED_S = 3.0  # a subscription that is not confirmed by then is taken for standing: not all are confirmed
_LOOK_S = 0.02
_POLL_S = 2.0
_FILLS_BACK_MS = 60_000
_REMEMBERED = 10_000
_PATIENCE = Backoff(first_s=0.25, longest_s=15.0)


class Asked(Protocol):
    """The account whose reports are watched: what can be asked of it (`cambist.ports.venue.Venue`)."""

    async def open_orders(self, symbols: Iterable[str] = ()) -> list[OrderReport]:
        """Return all orders that are not over."""
        ...

    async def order(self, symbol: str, client_id: str) -> OrderReport:
        """Return the venue's word on one order."""
        ...

    async def fills(self, symbol: str, since_ms: int) -> list[FillReport]:
        """Return the fills on ``symbol``."""
        ...

    async def filled(self, trade: dict[str, Any]) -> FillReport:
        """Return a fill that ccxt was pushed as a report."""
        ...

    async def balances(self) -> dict[str, Balance]:
        """Return what the account holds."""
        ...


async def watch_reports(
    account: Asked, place: Place, view: Any, noted: Callable[[dict[str, Any]], OrderReport]
) -> AsyncGenerator[Report, None]:
    """Yield the reports of ``account`` until the iterator is closed; reconnects by itself."""
    watch = _Watch(account, place, view, noted)
    try:
        watch.start()
        while True:
            report = await watch.queue.get()
            if watch.new(report):
                yield report
    finally:
        await watch.stop()


class _Watch:
    def __init__(self, account: Asked, place: Place, view: Any, noted: Callable[[dict[str, Any]], OrderReport]) -> None:
        self.queue: asyncio.Queue[Report] = asyncio.Queue()
        self._account, self._place, self._view, self._noted = account, place, view, noted
        self._patience = replace(_PATIENCE, seed=crc32(view.user.encode()))  # what cuts off one cuts off all
        self._streams = [name for name in place.quirks.streams if name in _WATCHES]
        self._standing: set[str] = set()
        self._up = False
        self._tasks: list[asyncio.Task[None]] = []
        self._seen: OrderedDict[Any, None] = OrderedDict()
        self._filled: OrderedDict[str, Any] = OrderedDict()

    def start(self) -> None:
        jobs = [self._stream(name) for name in self._streams]
        if "watchOrders" not in self._streams:
            self._streams.append("polling")
            jobs.append(self._poll())
        self._tasks = [asyncio.create_task(job) for job in jobs]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self._view.close_ws_clients()

    def new(self, report: Report) -> bool:
        """Whether ``report`` says something that was not said before."""
        if isinstance(report, FillReport):
            key: Any = (report.symbol, report.trade_id)
        elif isinstance(report, OrderReport):
            key = (report.client_id, report.venue_id, report.status, report.filled, report.trigger, report.quantity)
        else:
            return True
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True

    async def _stream(self, name: str) -> None:
        failures, clock = 0, asyncio.get_running_loop().time
        while True:
            began_s = clock()
            try:
                await self._place.ready()
                self._place.refresh(self._view)
                await self._listen(name)
            except Exception as error:  # noqa: BLE001 (whatever ends a stream, it begins again)
                # one that stands and breaks off at once must not go round four times a second
                failures = 1 if clock() - began_s > self._patience.longest_s else failures + 1
                self._lost(name, error)
                await asyncio.sleep(self._patience.wait_s(failures))

    async def _listen(self, name: str) -> None:
        watch = getattr(self._view, _WATCHES[name])
        first = asyncio.ensure_future(watch())
        try:
            await self._subscribed(first)
            self._stands(name)
            said = await first
            while True:
                await self._take(name, said)
                said = await watch()
        finally:
            if not first.done():
                first.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await first

    async def _subscribed(self, first: asyncio.Future[Any]) -> None:
        """Return once what was asked of the venue's sockets has been confirmed, or a report is there."""
        waited = 0.0
        while not first.done():
            clients = [one for one in (self._view.clients or {}).values() if one.connecting or one.connectionStarted]
            connected = clients and all(client.connected.done() for client in clients)
            if connected:
                answered = all(client.sent and client.received >= client.sent for client in clients)
                if answered or waited >= _ACKNOWLEDGED_S:
                    return
                waited += _LOOK_S
            await asyncio.sleep(_LOOK_S)

    async def _take(self, name: str, said: Any) -> None:
        if name == "watchBalance":
            held = parse.balances(said)
            self.queue.put_nowait(BalancesReported(self._place.now_ms(), tuple(held.values())))
        elif name == "watchMyTrades":
            for trade in said:
                fill = await self._account.filled(trade)
                if fill.price > 0 and fill.quantity > 0:  # Binance also tells of "trades" of nothing, all with one id
                    self.queue.put_nowait(fill)
        else:
            for order in said:
                await self._order(self._noted(order))

    async def _order(self, report: OrderReport) -> None:
        self.queue.put_nowait(report)
        name = report.venue_id or report.client_id
        before = self._filled.get(name, 0)
        self._filled[name] = report.filled
        if len(self._filled) > _REMEMBERED:
            self._filled.popitem(last=False)
        if report.filled <= before:
            return
        if "watchMyTrades" not in self._streams:
            for fill in await self._account.fills(report.symbol, report.ts - _FILLS_BACK_MS):
                self.queue.put_nowait(fill)
        if "watchBalance" not in self._streams:
            held = await self._account.balances()
            self.queue.put_nowait(BalancesReported(self._place.now_ms(), tuple(held.values())))

    async def _poll(self) -> None:
        known: dict[tuple[str, str], OrderReport] = {}
        while True:
            try:
                await self._place.ready()
                now = {(order.symbol, order.client_id): order for order in await self._account.open_orders()}
                self._stands("polling")
                for order in now.values():
                    await self._order(order)
                for symbol, client_id in known.keys() - now.keys():
                    with suppress(NotFound):
                        await self._order(await self._account.order(symbol, client_id))
                known = {name: order for name, order in now.items() if name[1]}
            except Exception as error:  # noqa: BLE001 (nobody would see that we ask no more)
                self._lost("polling", error)
            await asyncio.sleep(_POLL_S)

    def _stands(self, name: str) -> None:
        self._standing.add(name)
        if not self._up and self._standing == set(self._streams):
            self._up = True
            self.queue.put_nowait(Connection(True, self._place.now_ms()))

    def _lost(self, name: str, error: Exception) -> None:
        why = error if isinstance(error, CambistError) else translate(error, self._place.name)
        _log.warning("%s: %s", name, why)
        self._standing.discard(name)
        if self._up:
            self._up = False
            self.queue.put_nowait(Connection(False, self._place.now_ms(), str(why)))
