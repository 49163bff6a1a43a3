"""How an engine dies at a chosen step: a journal and a venue that end their own process with SIGKILL.

Nothing in the product knows of this. The process is gone at once: no handler runs, no buffer is flushed, no socket is
closed politely.
"""

import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from cambist.domain.ledger import LedgerEntry
from cambist.domain.record import record
from cambist.domain.report import OrderReport
from cambist.domain.request import OrderRequest
from cambist.ports.book import Journal, JournalEntry
from cambist.ports.venue import Venue

T = TypeVar("T")
_IDLE = frozenset({"Seen", "TimePassed", "CandleClosed"})
"""Events that no money hangs on: not worth a death."""


class Moment(StrEnum):
    """When an engine dies."""

    BEFORE = "before"
    """An event has come, and is not in the journal yet."""
    AFTER = "after"
    """It is in the journal, and nothing of what it makes us do has left."""
    SENT = "sent"
    """The venue has answered, and the answer is not in the journal."""


@record
class Kill:
    """The death of one engine: at its ``step``-th (from 1) moment of this kind."""

    moment: Moment
    step: int
    down_s: int = 0
    """How long, by the exchange's clock, nobody starts the next."""


class Killer:
    """Counts the steps of this process and ends it when its time has come; says in ``log`` where that was."""

    def __init__(self, kill: Kill | None, log: Path) -> None:
        self._kill = kill
        self._left = kill.step if kill else 0
        self._log = log

    def pass_by(self, moment: Moment, what: str) -> None:
        """Live through a step, or not."""
        if self._kill is None or moment is not self._kill.moment:
            return
        self._left -= 1
        if self._left:
            return
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{moment.value} {what}\n")
        die()


def die() -> None:
    """End this process as a power failure would."""
    if sys.platform == "win32":
        os._exit(-9)  # TerminateProcess: there are no signals there
    os.kill(os.getpid(), signal.SIGKILL)


class DeadlyJournal:
    """A `Journal` at whose steps the process may die."""

    def __init__(self, journal: Journal, killer: Killer) -> None:
        self._journal = journal
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def append(self, entries: Sequence[JournalEntry], ledger: Sequence[tuple[str, LedgerEntry]] = ()) -> None:
        """Write all or nothing."""
        moved = [entry.kind for entry in entries if entry.kind not in _IDLE]
        if moved:
            self._killer.pass_by(Moment.BEFORE, moved[0])
        self._journal.append(entries, ledger)
        if moved:
            self._killer.pass_by(Moment.AFTER, moved[0])


class DeadlyVenue:
    """A `Venue` after whose answers the process may die."""

    def __init__(self, venue: Venue, killer: Killer) -> None:
        self._venue = venue
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    async def submit(self, request: OrderRequest) -> OrderReport:
        """Place one order."""
        return await self._sent("submit", self._venue.submit(request))

    async def submit_oco(
        self, list_id: str, stop: OrderRequest, target: OrderRequest
    ) -> tuple[OrderReport, OrderReport]:
        """Place a pair."""
        return await self._sent("submit_oco", self._venue.submit_oco(list_id, stop, target))

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Take an order back."""
        return await self._sent("cancel", self._venue.cancel(symbol, client_id))

    async def amend(self, symbol: str, client_id: str, trigger: Decimal) -> OrderReport:
        """Move a trigger."""
        return await self._sent("amend", self._venue.amend(symbol, client_id, trigger))

    async def _sent(self, what: str, sending: Coroutine[Any, Any, T]) -> T:
        try:
            return await sending
        finally:
            self._killer.pass_by(Moment.SENT, what)
