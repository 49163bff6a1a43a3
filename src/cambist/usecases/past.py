"""What has become of orders, read off the journal: every order, fill and trade, and what all of it was worth.

The journal is the truth. What is kept of it is derived: each account has a mark up to which its journal was read, and
reading on takes the events after it through the desk once more, as a start does. Whoever asks for history reads on
first; nothing is missed and nothing is counted twice, however many do so at once.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from itertools import islice
from threading import Lock
from typing import Any, TypeVar

from cambist.domain.account import AccountSpec
from cambist.domain.errors import StorageFailed
from cambist.domain.refusal import Reason
from cambist.domain.request import Traits
from cambist.domain.text import say
from cambist.domain.wire import from_text
from cambist.engine.account import Account
from cambist.engine.recovery import Journaled
from cambist.ports.book import Journal, JournalEntry
from cambist.ports.clock import Clock
from cambist.ports.past import Mark, Past
from cambist.usecases.past_reading import NOT_RUNNING, Reader
from cambist.usecases.past_state import Known, Reading, known_of

T = TypeVar("T")

At = tuple[int, int]
"""Up to which entry an account is known, and when that was journaled (ms): another of its name began anew."""

Look = Callable[[Reading, int], T]
"""Makes something of how an account stands after a journal entry of that number."""

_log = logging.getLogger(__name__)

READ: ContextVar[bool | StorageFailed] = ContextVar("read", default=False)
"""Set by whoever must not wait for a journal, once it has been read elsewhere, to True: what was read by then will do;
or to why it could not be: then it is raised for accounts that have not been read to their ends."""

PIECE = 500
"""Events that are kept at once: a journal of any length passes through this much memory, and on SQLite an engine that
journals waits for no more than this."""
_EVERY_S = 60.0

_REASONS = frozenset(reason.value for reason in Reason)
_UNREADABLE = (ValueError, KeyError, TypeError, ArithmeticError)


class History:
    """The past of one user's accounts (or of all), up to date whenever it is asked for."""

    def __init__(
        self, kept: Past, journal: Journal, traits_of: Callable[[AccountSpec], Traits], *, piece: int = PIECE
    ) -> None:
        self.kept = kept
        """What has been read so far."""
        self._size = piece
        self._journal = journal
        self._traits_of = traits_of
        self._lock = Lock()
        self._known: dict[str, tuple[At, Known]] = {}
        self._looks: dict[tuple[str, Look[Any]], tuple[At, Any]] = {}

    def read_on(self, account: str | None = None) -> Past:
        """Read the journals (or one) to their ends, and return what is kept. Costs one query if nothing is new.

        Raises `StorageFailed` if one cannot be read; the others are.
        """
        self._marks(account)
        return self.kept

    def is_read(self) -> bool:
        """Tell whether the journals have been read to their ends, and here: to ask is then a matter of a few rows."""
        return all(not one.behind and self._is_known(one) for one in self.kept.marks())

    def make_again(self, account: str) -> Past:
        """Forget what is known of ``account`` and read it off its journal anew."""
        self.kept.forget(account)
        return self.read_on(account)

    def known(self) -> dict[str, Known]:
        """Return what each account's journal knows of bots and prices where it ends, by account."""
        marks = self._marks()
        for mark in marks:
            if not self._is_known(mark):
                state = self._state(mark.account.id)
                if state is None:
                    self._known.pop(mark.account.id, None)
                else:
                    self._known[mark.account.id] = (mark.seq, mark.ts), known_of(*state)
        return {one.account.id: self._known[one.account.id][1] for one in marks if one.account.id in self._known}

    def now(self, account: AccountSpec) -> tuple[Reading, int]:
        """Return how ``account`` stands where its journal ends, with what is known beside that, and where that is."""
        self.read_on(account.id)
        return self._state(account.id) or (Reading(Account(account, self._traits_of(account))), 0)

    def seen(self, accounts: Iterable[AccountSpec], look: Look[T]) -> list[T]:
        """Return what ``look`` makes of each of ``accounts`` where its journal ends: made once, and kept until that
        journal goes on. Raises `StorageFailed`."""
        known = self.known()
        found = []
        for spec in accounts:
            at, key = self._known[spec.id][0] if spec.id in known else (0, 0), (spec.id, look)
            kept = self._looks.get(key)
            if kept is None or kept[0] != at:
                kept = self._looks[key] = (at, look(*self.now(spec)))
            found.append(kept[1])
        return found

    def _marks(self, account: str | None = None) -> list[Mark]:
        """Return how far the journals (or the one) have been read, once they have been read to their ends."""
        marks = self.kept.marks(account)
        if any(mark.behind for mark in marks) and (read := READ.get()) is not True:
            if isinstance(read, StorageFailed):
                raise read
            failed = None
            with self._lock:  # threads of one process wait for each other: together they would do the same work
                for mark in self.kept.marks(account):
                    try:
                        if mark.behind:
                            self._catch_up(mark.account)
                    except StorageFailed as error:  # the others are read all the same
                        failed = failed or error
            if failed is not None:
                raise failed
            marks = self.kept.marks(account)
        return marks

    def _is_known(self, mark: Mark) -> bool:
        """Tell whether an account is known here up to its mark."""
        known = self._known.get(mark.account.id)
        return (known[0] if known is not None else (0, 0)) == (mark.seq, mark.ts)

    def _state(self, account: str) -> tuple[Reading, int] | None:
        """Return what is known of ``account`` and up to which entry; None if its journal has none."""
        mark = self.kept.mark(account)
        reading = None if mark is None else _read(mark[1])
        if mark is not None and reading is None:  # another version of Cambist wrote it
            mark = self.make_again(account).mark(account)
            reading = None if mark is None else _read(mark[1])
        return None if mark is None or reading is None else (reading, mark[0])

    def _catch_up(self, spec: AccountSpec) -> None:
        while not self._reach_the_end(spec):
            pass  # somebody else has read on meanwhile: go on from there

    def _reach_the_end(self, spec: AccountSpec) -> bool:
        seq, reading = self._mark(spec)
        reader = Reader(reading, spec)
        for entries in _pieces(self._journal.read(spec.id, seq), self._size):
            for entry in entries:
                reader.take(_event(entry), entry)
            piece = reader.piece(seq)
            if not self.kept.keep(piece):
                return False
            seq = piece.seq
            self._known[spec.id] = (seq, entries[-1].ts), known_of(reader.reading, seq)
        return True

    def _mark(self, spec: AccountSpec) -> tuple[int, Reading]:
        known = self.kept.mark(spec.id)
        if known is not None:
            seq, state = known
            reading = _read(state)
            if reading is not None:
                return seq, reading
            self.kept.forget(spec.id)  # another version of Cambist wrote it
        return 0, Reading(Account(spec, self._traits_of(spec)))


async def keep_reading(history: History, clock: Clock) -> None:
    """Read on every minute, until cancelled: whoever then asks has little to wait for."""
    while True:
        try:
            await asyncio.to_thread(history.read_on)
        except StorageFailed as error:
            _log.warning("%s", error)
        await clock.sleep(_EVERY_S)


def why(reason: str) -> str | None:
    """Return why an order was refused, in the language in use; None if there is nothing to say."""
    if reason == NOT_RUNNING:
        return say("past.not_running")
    if reason in _REASONS:
        return say(f"refused.{reason}")
    return reason or None


def _read(state: str) -> Reading | None:
    """Return what ``state`` says; None if it is not of this version."""
    try:
        found: Reading = from_text(Reading, state)
    except _UNREADABLE:
        return None
    return found if found.version == Reading.VERSION else None


def _event(entry: JournalEntry) -> Journaled:
    try:
        found: Journaled = from_text(Journaled, entry.body)
    except _UNREADABLE as error:
        raise StorageFailed("past.unreadable", account=entry.account, seq=entry.seq) from error
    return found


def _pieces(entries: Iterator[JournalEntry], size: int) -> Iterator[list[JournalEntry]]:
    while piece := list(islice(entries, size)):
        yield piece
