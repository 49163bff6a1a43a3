"""One account at the simulated exchange, behind the port that real venues stand behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from decimal import Decimal

from cambist.domain.instrument import Instrument
from cambist.domain.report import Balance, Connection, FillReport, OrderReport, Report
from cambist.market.exchange import Exchange
from cambist.ports.clock import Clock
from cambist.ports.venue import OrderRequest, Traits

Rules = Callable[[str], Awaitable[Instrument]]

_Queue = asyncio.Queue[Report | None]


class SimulatedVenue:
    """``account`` at ``exchange``, which somebody else moves (see `market`).

    Entries are cut to their cost limit as the fill law says. Answers come at once: nothing is ever unknown here.
    """

    traits = Traits(stops=True, oco=True, amend=True, cuts_to_cash=True)

    def __init__(
        self, exchange: Exchange, account: str, clock: Clock, *, name: str = "simulated", rules: Rules | None = None
    ) -> None:
        """``rules`` gives those of a symbol that ``exchange`` does not list yet; it is listed then."""
        self.name = name
        self._rules = rules
        self._exchange = exchange
        self._account = account
        self._clock = clock
        self._streams: set[_Queue] = set()

    async def instruments(self, symbols: Iterable[str]) -> dict[str, Instrument]:
        """Return the rules of ``symbols``; raise `NotFound` for one that is not traded."""
        wanted = tuple(symbols)
        for symbol in wanted:
            if self._rules is not None and not self._exchange.admits(symbol):
                self._exchange.admit(await self._rules(symbol))
        return {symbol: self._exchange.instrument(symbol) for symbol in wanted}

    async def submit(self, request: OrderRequest) -> OrderReport:
        """Place one order; raise `VenueRefused`."""
        self._on_time()
        return self._exchange.submit(self._account, request)

    async def submit_oco(
        self, list_id: str, stop: OrderRequest, target: OrderRequest
    ) -> tuple[OrderReport, OrderReport]:
        """Place a stop and a take-profit of which one fills, both or (`VenueRefused`) none."""
        self._on_time()
        return self._exchange.submit_oco(self._account, list_id, stop, target)

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Take an order back, an OCO's other leg with it; raise `NotFound`."""
        self._on_time()
        return self._exchange.cancel(self._account, symbol, client_id)

    async def amend(self, symbol: str, client_id: str, trigger: Decimal) -> OrderReport:
        """Move the trigger of a resting stop; raise `NotFound`, `VenueRefused` if it waits no more."""
        self._on_time()
        return self._exchange.amend(self._account, symbol, client_id, trigger)

    async def order(self, symbol: str, client_id: str) -> OrderReport:
        """Return the state of one order; raise `NotFound`."""
        return self._exchange.order(self._account, symbol, client_id)

    async def open_orders(self, symbols: Iterable[str] = ()) -> list[OrderReport]:
        """Return all orders that are not over."""
        return self._exchange.open_orders(self._account)

    async def fills(self, symbol: str, since_ms: int) -> list[FillReport]:
        """Return the fills on ``symbol`` from ``since_ms`` on, oldest first."""
        return self._exchange.fills(self._account, symbol, since_ms)

    async def balances(self) -> dict[str, Balance]:
        """Return what the account holds, by asset; positions in perpetuals under their symbol, negative if short."""
        return self._exchange.balances(self._account)

    async def price(self, symbol: str) -> Decimal:
        """Return the last price; raise `NotFound` before there was one."""
        return self._exchange.price(symbol)

    async def clock_ms(self) -> int:
        """Return the time by which the venue goes."""
        return self._clock.now_ms()

    async def reports(self) -> AsyncIterator[Report]:
        """Yield all that happens to the account, once and in order, from the `Connection` on that comes first.

        What nobody has taken yet is kept without bound: no report is ever dropped. `close` ends it.
        """
        queue: _Queue = asyncio.Queue()
        detach = self._exchange.attach(self._account, queue.put_nowait)
        self._streams.add(queue)
        in_hand = False
        try:
            yield Connection(up=True, ts=self._clock.now_ms())
            while queue in self._streams:
                report = await queue.get()
                in_hand = True
                if report is None:
                    return
                yield report
                queue.task_done()
                in_hand = False
        finally:
            detach()
            self._streams.discard(queue)
            if in_hand:
                queue.task_done()
            while not queue.empty():
                queue.get_nowait()
                queue.task_done()

    async def settled(self) -> None:
        """Wait until those who stream reports have dealt with all that there are (they have come back for more)."""
        for queue in list(self._streams):
            await queue.join()

    async def close(self) -> None:
        """End the streams of reports; orders stay."""
        for queue in list(self._streams):
            queue.put_nowait(None)

    def _on_time(self) -> None:
        self._exchange.now_ms = max(self._exchange.now_ms, self._clock.now_ms())
