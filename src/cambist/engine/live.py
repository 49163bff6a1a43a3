"""The trading loop: one queue, one task. Each event goes through the desk, then into the journal, and only then out.

What waits in the queue is journaled together in one transaction. Sending, asking and reconciling are tasks of their
own (`carrying`, `reconciling`, `watching`); whatever they learn comes back as an event through the same queue.
Start-up and crash recovery are one path: rebuild from the journal, take what was on its way as unknown, then ask the
venue.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from decimal import Decimal
from typing import Any

from cambist.domain.account import AccountSpec
from cambist.domain.alert import Alert, Level
from cambist.domain.command import VenueCommand
from cambist.domain.errors import BadInput, NotFound
from cambist.domain.event import AccountEvent, Corrected, Opened, Restarted, TimePassed
from cambist.domain.ledger import LedgerEntry
from cambist.domain.report import BalancesReported, OrderReport
from cambist.domain.request import Traits
from cambist.engine.account import Account, Outcome
from cambist.engine.carrying import Carrier
from cambist.engine.desk import step
from cambist.engine.lane import Busy, Lane
from cambist.engine.measures import Measures
from cambist.engine.reconciling import MARGIN_MS, Reconciler
from cambist.engine.recovery import body_of, recover, snapshot_of
from cambist.engine.watching import Watch
from cambist.execution.breaker import BreakerRules
from cambist.execution.limits import Limits
from cambist.ports.alerts import Alerts
from cambist.ports.book import Journal, JournalEntry
from cambist.ports.clock import Clock
from cambist.ports.metrics import Metrics, Unmeasured
from cambist.ports.venue import Venue

__all__ = ["Audit", "Engine", "Lane"]

BATCH = 1_000
"""How many events are journaled together at most."""
SNAPSHOT_EVERY = 10_000

Audit = Callable[[Lane, AccountEvent, Outcome], None]
"""Told of each event after it was journaled, in order. It must not block."""

_Waiting = tuple[Lane, AccountEvent]
_Taken = tuple[Lane, AccountEvent, Outcome]
_UNMEASURED = Unmeasured()


class Engine:
    """The single writer of its accounts. All its methods belong to one event loop."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        alerts: Alerts,
        *,
        reconcile_s: float = 5.0,
        tick_s: float = 1.0,
        metrics: Metrics = _UNMEASURED,
        audit: Audit | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._context = copy_context()
        self._alerts = alerts
        self._tick_s = tick_s
        self._audit = audit
        self._audit_failed = False
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._raised: asyncio.Queue[Alert] = asyncio.Queue()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy = Busy()
        self._failure = asyncio.Event()
        self._awaited: dict[int, asyncio.Future[Outcome]] = {}
        """By event, who waits for what comes of it."""
        self.measures = Measures(metrics)
        self._carrier = Carrier(self)
        self._reconciler = Reconciler(self, self._carrier, reconcile_s)
        self._watch = Watch(self)
        self.lanes: dict[str, Lane] = {}
        self.failed: BaseException | None = None

    async def __aenter__(self) -> "Engine":
        self.start(None, self._run())
        self.start(None, self._tick())
        self.start(None, self._tell_people())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop at once; orders stay at their venues, and the journal is whole."""
        tasks = [*self._tasks, *(task for lane in self.lanes.values() for task in lane.tasks)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while not self._raised.empty():
            await self._alerts.send(self._raised.get_nowait())
        self._writer.shutdown()

    async def broken(self) -> None:
        """Wait until the engine has failed, and raise what it failed with (`StorageFailed`, `JournalFenced`)."""
        await self._failure.wait()
        if self.failed is not None:
            raise self.failed

    # -- accounts -----------------------------------------------------------------------------------------------------

    async def add(self, account: Account, venue: Venue) -> Lane:
        """Rebuild ``account`` from its journal and take it into the loop; its orders are asked for before all else.

        Raises `BadInput` if it is there, `StorageFailed`, and for an account that is new what its venue raises.
        """
        if account.spec.id in self.lanes:
            raise BadInput("account", account.spec.id, "trading.account_added")
        found = await self._in_thread(lambda: recover(account, self._journal))
        balances = {} if found.account.opened else await venue.balances()
        now = self.now_ms()
        lane = Lane(found.account, venue, found.seq, now, snapshot_seq=found.seq)
        self.lanes[found.account.spec.id] = lane
        if found.differs:
            self.alert(lane, Level.CRITICAL, "trading.journal_differs", seq=found.differs[0])
        configured = account.configured(now)
        if not found.seq or found.account.configured(now) != configured:
            self.tell(lane, configured)
        if found.seq:
            oldest = [one.sent_ms or one.since_ms for one in found.account.orders.values() if not one.settled]
            lane.since_ms = min([now, *oldest]) - MARGIN_MS - abs(found.account.clock_skew_ms)
            self.tell(lane, Restarted(now))
        if not found.account.opened:
            self.tell(lane, Opened(BalancesReported(now, tuple(balances.values()))))
        await self.settled(lane)
        self.start(lane, self._reconciler.listen(lane))
        self.start(lane, self._reconciler.keep_reconciling(lane))
        return lane

    def last_known(self, spec: AccountSpec) -> Account:
        """Return how an account that is not in the loop stands by its journal. Blocks."""
        return recover(Account(spec, Traits(stops=False, oco=False)), self._journal).account

    async def remove(self, account_id: str) -> None:
        """Take one account out of the loop: from now on nothing is sent or journaled for it. Its orders stay."""
        lane = self.lanes.get(account_id)
        if lane is None:
            return
        tasks = self._part_with(lane)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._in_thread(lambda: None)  # what was being written is written
        await lane.busy.over()

    def _part_with(self, lane: Lane) -> list[asyncio.Task[None]]:
        lane.gone = True
        self.lanes.pop(lane.account.spec.id, None)
        self._watch.forget(lane)
        self.measures.forget(lane.account)
        tasks = [task for task in lane.tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        return tasks

    # -- what comes in ------------------------------------------------------------------------------------------------

    def tell(self, lane: Lane, event: AccountEvent) -> None:
        """Put an event into the queue; nothing is taken any more once the engine has failed or the account has left."""
        if self.failed is None and not lane.gone:
            self._busy.begin()
            lane.busy.begin()
            self._queue.put_nowait((lane, event))

    async def put(self, lane: Lane, event: AccountEvent) -> Outcome:
        """Put an event into the queue and return what came of it, journaled; orders may still be on their way.

        Raises `NotFound` if the account leaves the loop before, and what the engine fails with.
        """
        if self.failed is not None:
            raise self.failed
        if lane.gone:
            raise _has_left(lane)
        awaited: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._awaited[id(event)] = awaited
        self.tell(lane, event)
        try:
            return await awaited
        finally:
            del self._awaited[id(event)]

    async def configure(self, lane: Lane, limits: Limits, rules: BreakerRules) -> None:
        """Judge an account by these from now on; it is journaled when this returns."""
        await self.put(lane, replace(lane.account, limits=limits, rules=rules).configured(self.now_ms()))

    def price(self, symbol: str, price: Decimal, *, venue: str | None = None) -> None:
        """Let guards that rest at no venue, and the equity breaker, see a price (at ``venue``; None: at all)."""
        self._watch.price(symbol, price, venue)

    def see(self, lane: Lane, ts: int, prices: dict[str, Decimal]) -> None:
        """Journal what is known of market and venue before a decision at ``ts`` (ms); ``prices`` are of now."""
        self._watch.see(lane, ts, prices)

    async def reconcile(self, lane: Lane) -> None:
        """Hold the book of one account against its venue now; raises what the venue raises."""
        await self._reconciler.reconcile(lane)

    async def adopt(self, lane: Lane, symbol: str) -> list[Corrected]:
        """Book, by a person's word, what the venue holds otherwise of ``symbol``'s assets, and let it trade again.

        Raises `NotFound` if no bot of the account trades it, `VenueUnavailable` while things keep moving, and what the
        venue raises.
        """
        corrections = await self._reconciler.adopt(lane, symbol)
        await self.settled(lane)
        return corrections

    async def cancel_foreign(self, lane: Lane, symbol: str, client_id: str) -> OrderReport:
        """Cancel an order that is not ours (`Lane.foreign`), by a person's wish; raises `NotFound`."""
        if self.failed is not None:
            raise self.failed
        return await self._reconciler.cancel_foreign(lane, symbol, client_id)

    async def settled(self, lane: Lane | None = None) -> None:
        """Wait until every event (of ``lane``) has been dealt with and every answer has come."""
        await (self._busy if lane is None else lane.busy).over()
        if self.failed is not None:
            raise self.failed

    # -- journal, then act --------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                await self._take(batch)
            except Exception as error:  # noqa: BLE001 - whatever it is, it was not journaled
                self._stand_still(error)
                why = str(error) or type(error).__name__
                self.alert(batch[0][0], Level.CRITICAL, "trading.journal_failed", why=why)
                return
            finally:
                for lane, _ in batch:
                    lane.busy.done()
                    self._busy.done()

    async def _take(self, batch: list[_Waiting]) -> None:
        now = self.now_ms()
        entries: list[JournalEntry] = []
        ledger: list[tuple[str, LedgerEntry]] = []
        taken: list[_Taken] = []
        for lane, event in batch:
            outcome = None if lane.gone else self._stepped(lane, event)
            if outcome is None:
                self._answer(event, _has_left(lane))
                continue
            lane.seq += 1
            outcome.seq = lane.seq
            name = lane.account.spec.id
            body = body_of(event, outcome.commands)
            entries.append(JournalEntry(account=name, seq=lane.seq, ts=now, kind=type(event).__name__, body=body))
            ledger += [(name, entry) for entry in outcome.entries]
            self.measures.took(lane.account, event, outcome)
            taken.append((lane, event, outcome))
        if not entries:
            return
        began = time.perf_counter()
        await self._in_thread(lambda: self._journal.append(entries, ledger))
        self.measures.appended(time.perf_counter() - began, self._queue.qsize())
        await self._acted(taken)

    def _stepped(self, lane: Lane, event: AccountEvent) -> Outcome | None:
        try:
            return step(lane.account, event)
        except Exception as error:  # noqa: BLE001 - one account's fault must not stop the others
            # what it knows may be half changed: only its journal is whole, and only a new start reads that
            self._part_with(lane)
            why = f"{type(event).__name__}: {type(error).__name__}: {error}"
            self.alert(lane, Level.CRITICAL, "trading.account_failed", why=why)
            return None

    async def _acted(self, taken: list[_Taken]) -> None:
        """Do what has been journaled: first orders leave, then whoever watches is told."""
        for lane, _, outcome in taken:
            for command in outcome.commands:
                self._act(lane, command)
        for _, event, outcome in taken:
            self._answer(event, outcome)
        lanes = {id(lane): lane for lane, _, _ in taken if not lane.gone}.values()
        for lane in lanes:
            self._carrier.resolve_unknown(lane)
            self._watch.stands(lane)
        for lane, event, outcome in taken:
            if self._audit is not None:
                self._audited(self._audit, lane, event, outcome)
            for alert in outcome.alerts:
                self._raise(alert)
        for lane in lanes:
            self.measures.stands(lane.account)
            if lane.seq - lane.snapshot_seq >= SNAPSHOT_EVERY:
                lane.snapshot_seq = lane.seq
                text, name, seq = snapshot_of(lane.account), lane.account.spec.id, lane.seq
                await self._in_thread(lambda name=name, seq=seq, text=text: self._journal.snapshot(name, seq, text))

    def _answer(self, event: AccountEvent, came: Outcome | NotFound) -> None:
        awaited = self._awaited.get(id(event))
        if awaited is None or awaited.done():
            return
        if isinstance(came, NotFound):
            awaited.set_exception(came)
        else:
            awaited.set_result(came)

    def _act(self, lane: Lane, command: VenueCommand) -> None:
        if not lane.gone:
            self._busy.begin()
            lane.busy.begin()
            self.start(lane, self._carrier.carry_out(lane, command), self._carried(lane))

    def _carried(self, lane: Lane) -> Callable[[], None]:
        def done() -> None:
            lane.busy.done()
            self._busy.done()

        return done

    def _audited(self, audit: Audit, lane: Lane, event: AccountEvent, outcome: Outcome) -> None:
        try:
            audit(lane, event, outcome)
        except Exception as error:  # noqa: BLE001 - what watches trading must not stop it
            if not self._audit_failed:
                self._audit_failed = True
                self.alert(lane, Level.WARNING, "trading.audit_failed", why=f"{type(error).__name__}: {error}")

    def _stand_still(self, error: BaseException) -> None:
        # What could not be journaled must not be done: nothing leaves any more until somebody has looked. What is
        # known here is ahead of the journal; an engine that starts on the journal knows again what is true.
        self.failed = error
        self._failure.set()
        for busy in (self._busy, *(lane.busy for lane in self.lanes.values())):
            busy.give_up()
        for awaited in self._awaited.values():
            if not awaited.done():
                awaited.set_exception(error)

    # -- time, threads, alerts ----------------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """Return the engine's time (ms)."""
        return self._clock.now_ms()

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of the engine's clock."""
        await self._clock.sleep(seconds)

    def _crashed(self, lane: Lane | None, error: BaseException) -> None:
        """Let nothing die in silence: what a task did not expect ends its account's trading, or all of it."""
        if lane is None:
            self._stand_still(error)
        elif not lane.gone:
            self._part_with(lane)
            why = f"{type(error).__name__}: {error}"
            self.alert(lane, Level.CRITICAL, "trading.account_failed", why=why)

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._tick_s)
            now = self.now_ms()
            for lane in list(self._watch.holding.values()):
                if lane.account.due(now):
                    self.tell(lane, TimePassed(now))
            self._watch.tick(self.lanes.values())

    def alert(self, lane: Lane, level: Level, key: str, **params: object) -> None:
        """Tell a person of something about an account."""
        spec, told = lane.account.spec, dict(params)
        self._raise(Alert(ts=self.now_ms(), level=level, key=key, params=told, user_id=spec.user_id, account=spec.id))

    def _raise(self, alert: Alert) -> None:
        self._busy.begin()
        self._raised.put_nowait(alert)

    async def _tell_people(self) -> None:
        """Pass alerts on, in order, beside the loop: nobody's slow mail holds up an order."""
        while True:
            alert = await self._raised.get()
            try:
                await self._alerts.send(alert)
            except Exception:  # noqa: BLE001 - it promised not to; what tells people must not stop what trades
                continue
            finally:
                self._busy.done()

    async def _in_thread(self, work: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    def start(self, lane: Lane | None, work: Coroutine[Any, Any, None], then: Callable[[], None] | None = None) -> None:
        """Start ``work``, and call ``then`` when it has ended; it ends when ``lane`` leaves, or the engine stops."""
        tasks = self._tasks if lane is None else lane.tasks
        # in the engine's own context: who asked for what begins here may speak another language
        task = asyncio.get_running_loop().create_task(work, context=self._context.copy())
        tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            if then is not None:
                then()
            if not task.cancelled() and (error := task.exception()) is not None:
                self._crashed(lane, error)

        task.add_done_callback(ended)


def _has_left(lane: Lane) -> NotFound:
    return NotFound("running.left", account=lane.account.spec.id)
