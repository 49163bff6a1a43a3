"""The trading loop: one queue, one task. Each event goes through the desk, then into the journal, and only then out.

What waits in the queue is journaled together in one transaction. Sending, asking and reconciling are tasks of their
own; whatever they learn comes back as an event through the same queue. Start-up and crash recovery are one path:
rebuild from the journal, take what was on its way as unknown, then ask the venue.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cambist.domain.alert import Alert, Level
from cambist.domain.command import MoveStop, Place, PlacePair, TakeBackOrder, VenueCommand
from cambist.domain.errors import BadInput, CambistError, NotFound, RateLimited, VenueRefused
from cambist.domain.event import (
    AccountEvent,
    CancelStood,
    FillReported,
    Frozen,
    Opened,
    OrderAbsent,
    OrderLost,
    OrderReported,
    Restarted,
    TimePassed,
    TriggerMoved,
)
from cambist.domain.ledger import LedgerEntry
from cambist.domain.report import BalancesReported, Connection, FillReport, OrderReport, Report, Status
from cambist.domain.request import OrderRequest
from cambist.engine.account import Account, Outcome
from cambist.engine.desk import step
from cambist.engine.recovery import body_of, recover, snapshot_of
from cambist.execution.orders import Life
from cambist.execution.reconcile import HoldingDiffers, foreign, holdings, to_ask
from cambist.ports.alerts import Alerts
from cambist.ports.book import Journal, JournalEntry
from cambist.ports.clock import Clock
from cambist.ports.venue import Venue

BATCH = 1_000
"""How many events are journaled together at most."""
SNAPSHOT_EVERY = 10_000
FIRST_ASK_S = 0.5
LONGEST_ASK_S = 30.0
UNKNOWN_ALERT_MS = 30_000


@dataclass(slots=True)
class Lane:
    """One account in the loop."""

    account: Account
    venue: Venue
    seq: int
    since_ms: int
    """Fills before this were taken in before the engine came up."""
    resolving: set[str] = field(default_factory=set)
    """Client ids that the venue is being asked about."""
    differing: tuple[HoldingDiffers, ...] = ()
    foreign: tuple[OrderReport, ...] = ()
    snapshot_seq: int = 0
    ready: bool = False
    """Whether the venue's stream is up, and its orders have been asked for since."""


class Engine:
    """The single writer of its accounts. All its methods belong to one event loop."""

    def __init__(
        self, journal: Journal, clock: Clock, alerts: Alerts, *, reconcile_s: float = 5.0, tick_s: float = 1.0
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._alerts = alerts
        self._reconcile_s = reconcile_s
        self._tick_s = tick_s
        self._queue: asyncio.Queue[tuple[Lane, AccountEvent]] = asyncio.Queue()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self.lanes: dict[str, Lane] = {}
        self.failed: BaseException | None = None

    async def __aenter__(self) -> "Engine":
        self._start(self._run())
        self._start(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop at once; orders stay at their venues, and the journal is whole."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._writer.shutdown()

    async def add(self, account: Account, venue: Venue) -> Lane:
        """Rebuild ``account`` from its journal and take it into the loop; its orders are asked for before all else."""
        found = await self._in_thread(lambda: recover(account, self._journal))
        now = self._clock.now_ms()
        lane = Lane(found.account, venue, found.seq, now, snapshot_seq=found.seq)
        self.lanes[found.account.spec.id] = lane
        if found.differs:
            await self._alert(lane, Level.CRITICAL, "trading.journal_differs", seq=found.differs[0])
        if found.seq:
            oldest = [one.since_ms for one in found.account.orders.values() if not one.settled]
            lane.since_ms = min([now, *oldest])
            self.tell(lane, Restarted(now))
        if not found.account.opened:
            balances = await venue.balances()
            self.tell(lane, Opened(BalancesReported(now, tuple(balances.values()))))
        await self.settled()
        self._start(self._listen(lane))
        self._start(self._keep_reconciling(lane))
        return lane

    def tell(self, lane: Lane, event: AccountEvent) -> None:
        """Put an event into the queue."""
        self._quiet.clear()
        self._queue.put_nowait((lane, event))

    def now_ms(self) -> int:
        """Return the engine's time (ms)."""
        return self._clock.now_ms()

    def price(self, symbol: str, price: Decimal) -> None:
        """Let the guards that rest at no venue see a price."""
        now = self._clock.now_ms()
        for lane in self.lanes.values():
            for event in lane.account.touched(symbol, price, now):
                self.tell(lane, event)

    async def settled(self) -> None:
        """Wait until every event has been dealt with and every answer has come."""
        while True:
            await self._quiet.wait()
            if self.failed is not None:
                raise self.failed
            await asyncio.sleep(0)
            if self._quiet.is_set():
                return

    # -- journal, then act --------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                await self._take(batch)
            except CambistError as error:
                # What could not be journaled must not be done: nothing leaves any more until somebody has looked.
                self.failed = error
                self._quiet.set()
                await self._alert(batch[0][0], Level.CRITICAL, "trading.journal_failed", why=str(error))
                raise
            self._look_quiet()

    async def _take(self, batch: list[tuple[Lane, AccountEvent]]) -> None:
        now = self._clock.now_ms()
        entries: list[JournalEntry] = []
        ledger: list[tuple[str, LedgerEntry]] = []
        outcomes: list[tuple[Lane, Outcome]] = []
        for lane, event in batch:
            outcome = step(lane.account, event)
            lane.seq += 1
            name = lane.account.spec.id
            body = body_of(event, outcome.commands)
            entries.append(JournalEntry(account=name, seq=lane.seq, ts=now, kind=type(event).__name__, body=body))
            ledger += [(name, entry) for entry in outcome.entries]
            outcomes.append((lane, outcome))
        await self._in_thread(lambda: self._journal.append(entries, ledger))
        for lane, outcome in outcomes:
            for command in outcome.commands:
                self._act(lane, command)
            for alert in outcome.alerts:
                await self._alerts.send(alert)
            self._resolve_unknown(lane)
        for lane in {id(lane): lane for lane, _ in outcomes}.values():
            if lane.seq - lane.snapshot_seq >= SNAPSHOT_EVERY:
                lane.snapshot_seq = lane.seq
                text, name, seq = snapshot_of(lane.account), lane.account.spec.id, lane.seq
                await self._in_thread(lambda name=name, seq=seq, text=text: self._journal.snapshot(name, seq, text))

    def _act(self, lane: Lane, command: VenueCommand) -> None:
        self._sending += 1
        self._start(self._counted(self._carry_out(lane, command)))

    async def _counted(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            self._sending -= 1
            self._look_quiet()

    def _look_quiet(self) -> None:
        if self._queue.empty() and not self._sending:
            self._quiet.set()

    # -- to the venue and back ----------------------------------------------------------------------------------------

    async def _carry_out(self, lane: Lane, command: VenueCommand) -> None:
        match command:
            case Place(request):
                await self._place(lane, (request,), lane.venue.submit(request))
            case PlacePair(list_id, stop, target):
                await self._place(lane, (stop, target), lane.venue.submit_oco(list_id, stop, target))
            case TakeBackOrder(symbol, client_id):
                await self._take_back(lane, symbol, client_id)
            case MoveStop(symbol, client_id, trigger):
                await self._move(lane, symbol, client_id, trigger)

    async def _place(self, lane: Lane, requests: tuple[OrderRequest, ...], sending: Coroutine[Any, Any, Any]) -> None:
        try:
            answer = await sending
        except (VenueRefused, RateLimited, NotFound, BadInput) as error:
            self._say_refused(lane, requests, error)  # the venue turned it away, or it never left
        except (CambistError, OSError, TimeoutError):
            for request in requests:
                self.tell(lane, OrderLost(request.client_id, self._clock.now_ms()))
        else:
            for report in answer if isinstance(answer, tuple) else (answer,):
                self.tell(lane, OrderReported(report))

    def _say_refused(self, lane: Lane, requests: Iterable[OrderRequest], error: BaseException) -> None:
        now = self._clock.now_ms()
        for request in requests:
            report = OrderReport(
                client_id=request.client_id,
                symbol=request.symbol,
                status=Status.REFUSED,
                filled=Decimal(0),
                ts=now,
                reason=str(error),
            )
            self.tell(lane, OrderReported(report))

    async def _take_back(self, lane: Lane, symbol: str, client_id: str) -> None:
        try:
            self.tell(lane, OrderReported(await lane.venue.cancel(symbol, client_id)))
        except (CambistError, OSError, TimeoutError):
            # refused, lost or gone meanwhile: what has become of it only the venue can say
            self._ask_about(lane, client_id)

    async def _move(self, lane: Lane, symbol: str, client_id: str, trigger: Decimal) -> None:
        try:
            await lane.venue.amend(symbol, client_id, trigger)
        except (CambistError, OSError, TimeoutError):
            self._ask_about(lane, client_id)
        else:
            self.tell(lane, TriggerMoved(client_id, self._clock.now_ms(), trigger))

    def _resolve_unknown(self, lane: Lane) -> None:
        for one in lane.account.unknown():
            self._ask_about(lane, one.request.client_id)

    def _ask_about(self, lane: Lane, client_id: str) -> None:
        if client_id not in lane.resolving:
            lane.resolving.add(client_id)
            self._start(self._ask_until_known(lane, client_id))

    async def _ask_until_known(self, lane: Lane, client_id: str) -> None:
        """Ask the venue about one order until its own word ends the doubt."""
        one = lane.account.orders[client_id]
        began, wait, told = self._clock.now_ms(), FIRST_ASK_S, False
        # a request of ours may still be on its way for this long after it was signed
        window_ms = lane.venue.traits.receive_window_ms + 1_000
        try:
            while True:
                now = self._clock.now_ms()
                try:
                    report = await lane.venue.order(one.request.symbol, client_id)
                except NotFound:
                    if now - began > window_ms:
                        self.tell(lane, OrderAbsent(client_id, now))
                        return
                except (CambistError, OSError, TimeoutError):
                    wait = min(LONGEST_ASK_S, 2 * wait)
                else:
                    self.tell(lane, OrderReported(report))
                    if one.life is Life.CANCELLING and not report.status.final:
                        self.tell(lane, CancelStood(client_id, now))
                    await self._take_fills(lane, one.request.symbol)
                    return
                if not told and now - began > UNKNOWN_ALERT_MS:
                    told = True
                    await self._alert(lane, Level.CRITICAL, "trading.unknown_long", order=client_id)
                await self._clock.sleep(wait)
        finally:
            lane.resolving.discard(client_id)

    async def _listen(self, lane: Lane) -> None:
        async for report in lane.venue.reports():
            self._heard(lane, report)

    def _heard(self, lane: Lane, report: Report) -> None:
        if isinstance(report, OrderReport):
            if report.client_id in lane.account.orders:
                self.tell(lane, OrderReported(report))
        elif isinstance(report, FillReport):
            self._heard_fill(lane, report)
        elif isinstance(report, Connection):
            lane.ready = False
            if report.up:
                self._start(self._reconcile_safely(lane))

    def _heard_fill(self, lane: Lane, fill: FillReport) -> None:
        one = lane.account.orders.get(fill.client_id)
        if one is not None and fill.trade_id not in one.trades:
            self.tell(lane, FillReported(fill))

    # -- reconciliation -----------------------------------------------------------------------------------------------

    async def _keep_reconciling(self, lane: Lane) -> None:
        while True:
            await self._reconcile_safely(lane)
            await self._clock.sleep(self._reconcile_s)

    async def _reconcile_safely(self, lane: Lane) -> None:
        # a venue that does not answer now is asked again; what it says is never guessed
        with suppress(CambistError, OSError, TimeoutError):
            await self.reconcile(lane)
            lane.ready = True

    async def reconcile(self, lane: Lane) -> None:
        """Hold the book against the venue: orders, fills, balances. Differences become events with their evidence."""
        account = lane.account
        quiet = self._is_quiet(lane)
        seq = lane.seq
        open_orders = await lane.venue.open_orders()
        lane.foreign = foreign(open_orders, account.orders)
        open_ids = frozenset(report.client_id for report in open_orders)
        for one in to_ask(account.orders.values(), open_ids):
            self._ask_about(lane, one.request.client_id)
        for symbol in sorted({seat.spec.symbol for seat in account.seats.values()}):
            await self._take_fills(lane, symbol)
        balances = await lane.venue.balances()
        if not quiet or lane.seq != seq or not self._is_quiet(lane):
            lane.differing = ()  # something moved while we looked: what is seen then proves nothing
            return
        differing = holdings(account.ledger.holdings(), balances)
        if differing and differing == lane.differing:
            self._freeze(lane, differing)
        lane.differing = differing

    def _is_quiet(self, lane: Lane) -> bool:
        return (
            self._queue.empty()
            and not self._sending
            and all(one.settled or one.life is Life.OPEN for one in lane.account.orders.values())
        )

    def _freeze(self, lane: Lane, differing: tuple[HoldingDiffers, ...]) -> None:
        by_asset = {one.asset: one for one in differing}
        for seat in lane.account.seats.values():
            instrument = seat.bot.instrument
            for asset in (instrument.base, instrument.quote):
                found = by_asset.get(asset)
                if found is not None and seat.spec.symbol not in lane.account.frozen:
                    why = f"{asset}: {found.expected} / {found.found}"
                    self.tell(lane, Frozen(self._clock.now_ms(), seat.spec.symbol, why))

    async def _take_fills(self, lane: Lane, symbol: str) -> None:
        for fill in await lane.venue.fills(symbol, lane.since_ms):
            self._heard_fill(lane, fill)

    # -- time, threads, alerts ----------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._tick_s)
            now = self._clock.now_ms()
            for lane in list(self.lanes.values()):
                if lane.account.due(now):
                    self.tell(lane, TimePassed(now))

    async def _alert(self, lane: Lane, level: Level, key: str, **params: object) -> None:
        spec = lane.account.spec
        ts = self._clock.now_ms()
        await self._alerts.send(
            Alert(ts=ts, level=level, key=key, params=dict(params), user_id=spec.user_id, account=spec.id)
        )

    async def _in_thread(self, work: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
