"""The trading floor: one engine for all accounts, for as long as this process is the one that may write them.

Another process that runs the same accounts waits, and takes over when this one dies. Whatever brings the engine down
(a disk that is full, another writer) ends in the same way: everything is rebuilt from the journal, then asked for.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from cambist.domain.errors import BusFailed, CambistError, JournalFenced, StorageFailed
from cambist.domain.record import record
from cambist.domain.text import say
from cambist.engine.asking import Asker
from cambist.engine.attendant import Attendant
from cambist.engine.bots import Bots
from cambist.engine.live import Audit, Engine
from cambist.engine.seating import Surroundings
from cambist.market.backoff import wait_s
from cambist.ports.book import Journal, Lease
from cambist.ports.metrics import Metrics

_log = logging.getLogger(__name__)

LEASE = "engine"
_LOOK_S = 1.0
_RECONCILE_S = 5.0


@record(kw_only=True)
class Book:
    """Where accounts are written, and the right to write them."""

    journal: Callable[[], Journal]
    """A journal anew: one that has failed knows no more than what was committed."""
    lease: Lease


class Floor:
    """Runs everything that is set up in the register. ``name`` tells this process from others on the bus."""

    def __init__(
        self, book: Book, around: Surroundings, metrics: Metrics, audit: Audit | None = None, *, name: str = "engine"
    ) -> None:
        self._book = book
        self._around = around
        self._metrics = metrics
        self._audit = audit
        self._name = name
        self._why = say("running.standby")
        self._attendant: Attendant | None = None
        self.up = asyncio.Event()
        """Set while accounts are open."""

    def reasons(self) -> list[str]:
        """Return what is not well, one sentence each; nothing if all is well."""
        return self._attendant.reasons() if self._attendant is not None and self.up.is_set() else [self._why]

    async def run(self) -> None:
        """Serve until cancelled; then another may write."""
        tries = 0
        try:
            while True:
                await self._until_ours()
                why = await self._until_down()
                tries += 1
                self._why = say("running.down", why=why)
                _log.critical("%s", self._why)
                if isinstance(why, JournalFenced):
                    self._book.lease.give_back()
                await self._around.clock.sleep(wait_s(tries, seed=self._name) * self._around.pace)
        finally:
            self._book.lease.give_back()

    async def _until_down(self) -> Exception:
        """Serve until something ends it, and return what."""
        try:
            await self._serve()
        except (StorageFailed, BusFailed, _LeaseLost) as error:
            return error
        except Exception as error:  # noqa: BLE001 - positions are better looked after by an engine that starts anew
            _log.exception("the floor came down")
            return error
        else:
            return CambistError("running.bus_closed")
        finally:
            self.up.clear()
            self._attendant = None

    async def _until_ours(self) -> None:
        told = False
        while not await asyncio.to_thread(self._book.lease.take, LEASE):
            if not told:
                told = True
                self._why = say("running.standby")
                _log.warning("%s", self._why)
            await self._pause()

    async def _serve(self) -> None:
        around = self._around
        journal = await asyncio.to_thread(self._book.journal)
        asker = Asker()
        engine = Engine(
            journal,
            around.clock,
            around.alerts,
            reconcile_s=_RECONCILE_S * around.pace,
            tick_s=_LOOK_S * around.pace,
            metrics=self._metrics,
            audit=self._audit,
        )
        bots = Bots(engine, asker, around.alerts, around.recent, around.lake)
        self._attendant = attendant = Attendant(around, engine, bots, self._name)
        try:
            async with engine:
                await _first_to_fail(engine.broken(), self._keep_lease(), self._attend(attendant))
        finally:
            asker.close()
            await attendant.close()

    async def _attend(self, attendant: Attendant) -> None:
        await attendant.come_up()
        self.up.set()
        await _first_to_fail(attendant.follow(), attendant.attend(), attendant.watch())

    async def _keep_lease(self) -> None:
        while await asyncio.to_thread(self._book.lease.held, LEASE):
            await self._pause()
        raise _LeaseLost("running.lease_lost")

    async def _pause(self) -> None:
        await self._around.clock.sleep(_LOOK_S * self._around.pace)


class _LeaseLost(CambistError):
    """The right to write is gone: somebody else may have it."""


async def _first_to_fail(*work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` side by side; when one raises, end the others and raise what it raised."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for one in work:
                tasks.create_task(one)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
