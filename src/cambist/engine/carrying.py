"""Commands to the venue, and its word back as events. What was never answered is asked for until the venue has said."""

import time
from collections.abc import Coroutine, Iterable
from decimal import Decimal
from typing import Any

from cambist.domain.alert import Level
from cambist.domain.command import MoveStop, Place, PlacePair, TakeBackOrder, VenueCommand
from cambist.domain.errors import BadInput, NotFound, RateLimited, VenueRefused
from cambist.domain.event import CancelStood, FillReported, OrderAbsent, OrderLost, OrderReported, TriggerMoved
from cambist.domain.report import FillReport, OrderReport, Status
from cambist.domain.request import OrderRequest
from cambist.engine.lane import Lane, Loop
from cambist.execution.orders import Life, Working

FIRST_ASK_S = 0.5
LONGEST_ASK_S = 30.0
UNKNOWN_ALERT_MS = 30_000


class Carrier:
    """Carries out what the desk commands, for every account of one loop."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    async def carry_out(self, lane: Lane, command: VenueCommand) -> None:
        """Send ``command`` and tell the loop what came of it; never raises."""
        match command:
            case Place(request):
                await self._place(lane, (request,), lane.venue.submit(request))
            case PlacePair(list_id, stop, target):
                await self._place(lane, (stop, target), lane.venue.submit_oco(list_id, stop, target))
            case TakeBackOrder(symbol, client_id):
                await self._take_back(lane, symbol, client_id)
            case MoveStop(symbol, client_id, trigger):
                await self._move(lane, symbol, client_id, trigger)

    def resolve_unknown(self, lane: Lane) -> None:
        """Ask about every order of which it is not known whether the venue has it."""
        for one in lane.account.unknown():
            self.ask_about(lane, one.request.client_id)

    def ask_about(self, lane: Lane, client_id: str) -> None:
        """Ask the venue about one order until its own word ends the doubt."""
        if client_id not in lane.resolving and client_id in lane.account.orders:
            lane.resolving.add(client_id)
            self._loop.start(lane, self._ask_until_known(lane, client_id))

    async def take_fills(self, lane: Lane, symbol: str) -> None:
        """Ask for the fills on ``symbol`` and take in those that are new; raises the `VenueError` tree."""
        for fill in await lane.venue.fills(symbol, lane.since_ms):
            self.heard_fill(lane, fill)

    def heard_fill(self, lane: Lane, fill: FillReport) -> None:
        """Take in ``fill`` if it is of an order of ours and new."""
        one = lane.account.orders.get(fill.client_id)
        if one is not None and fill.trade_id not in one.trades:
            self._loop.tell(lane, FillReported(fill))

    async def _place(self, lane: Lane, requests: tuple[OrderRequest, ...], sending: Coroutine[Any, Any, Any]) -> None:
        began = time.perf_counter()
        try:
            answer = await sending
        except (VenueRefused, RateLimited, NotFound, BadInput) as error:
            self._loop.measures.failed(lane.venue.name, error)
            self._say_refused(lane, requests, error)  # the venue turned it away, or it never left
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the order may exist: only the venue knows
            self._loop.measures.failed(lane.venue.name, error)
            for request in requests:
                self._loop.tell(lane, OrderLost(request.client_id, self._loop.now_ms()))
        else:
            self._loop.measures.answered(lane.venue.name, time.perf_counter() - began)
            for report in answer if isinstance(answer, tuple) else (answer,):
                self._loop.tell(lane, OrderReported(report))

    def _say_refused(self, lane: Lane, requests: Iterable[OrderRequest], error: BaseException) -> None:
        now = self._loop.now_ms()
        for request in requests:
            report = OrderReport(
                client_id=request.client_id,
                symbol=request.symbol,
                status=Status.REFUSED,
                filled=Decimal(0),
                ts=now,
                reason=str(error),
            )
            self._loop.tell(lane, OrderReported(report))

    async def _take_back(self, lane: Lane, symbol: str, client_id: str) -> None:
        try:
            report = await lane.venue.cancel(symbol, client_id)
        except Exception as error:  # noqa: BLE001 - refused, lost or gone meanwhile: what became of it is asked
            self._stood(lane, client_id, error)
        else:
            lane.stood.pop(client_id, None)
            self._loop.tell(lane, OrderReported(report))

    async def _move(self, lane: Lane, symbol: str, client_id: str, trigger: Decimal) -> None:
        try:
            await lane.venue.amend(symbol, client_id, trigger)
        except Exception as error:  # noqa: BLE001 - as above
            self._stood(lane, client_id, error)
        else:
            lane.stood.pop(client_id, None)
            self._loop.tell(lane, TriggerMoved(client_id, self._loop.now_ms(), trigger))

    def _stood(self, lane: Lane, client_id: str, error: Exception) -> None:
        """Ask what has become of an order that we could not change: at once, and the more often it fails the later.

        The answer may be that it still stands, and then the same is asked of the venue again.
        """
        self._loop.measures.failed(lane.venue.name, error)
        one = lane.account.orders.get(client_id)
        times = lane.stood.get(client_id, 0)
        if one is None or one.ended:
            lane.stood.pop(client_id, None)
            return
        lane.stood[client_id] = times + 1
        if not times:
            self.ask_about(lane, client_id)
        else:
            self._loop.start(
                lane, self._ask_later(lane, client_id, min(LONGEST_ASK_S, FIRST_ASK_S * 2 ** min(times, 9)))
            )

    async def _ask_later(self, lane: Lane, client_id: str, wait: float) -> None:
        await self._loop.sleep(wait)
        self.ask_about(lane, client_id)

    async def _ask_until_known(self, lane: Lane, client_id: str) -> None:
        one = lane.account.orders[client_id]
        began, wait, told = self._loop.now_ms(), FIRST_ASK_S, False
        # a request of ours may still be on its way for this long after it was signed
        window_ms = lane.venue.traits.receive_window_ms + 1_000
        try:
            while not await self._asked(lane, one, overdue=self._loop.now_ms() - began > window_ms):
                if not told and self._loop.now_ms() - began > UNKNOWN_ALERT_MS:
                    told = True
                    self._loop.alert(lane, Level.CRITICAL, "trading.unknown_long", order=client_id)
                await self._loop.sleep(wait)
                wait = min(LONGEST_ASK_S, 1.5 * wait)
        finally:
            lane.resolving.discard(client_id)

    async def _asked(self, lane: Lane, one: Working, *, overdue: bool) -> bool:
        """Ask once; tell whether the venue has said what there is to say. ``overdue``: "none" counts as an answer."""
        client_id, symbol = one.request.client_id, one.request.symbol
        try:
            report = await lane.venue.order(symbol, client_id)
        except NotFound:
            if overdue:
                self._loop.tell(lane, OrderAbsent(client_id, self._loop.now_ms()))
            return overdue
        except Exception as error:  # noqa: BLE001 - no answer, for whatever reason: asked again
            self._loop.measures.failed(lane.venue.name, error)
            return False
        self._loop.tell(lane, OrderReported(report))
        if report.status.final:
            lane.stood.pop(client_id, None)
        if one.life is Life.CANCELLING and not report.status.final:
            self._loop.tell(lane, CancelStood(client_id, self._loop.now_ms()))
        try:
            await self.take_fills(lane, symbol)
        except Exception as error:  # noqa: BLE001 - reconciliation asks for them again
            self._loop.measures.failed(lane.venue.name, error)
        return True
