"""What the journal costs on SQLite: an append, reading it back, and the start of an account after a million events.

``python -m bench.journals`` prints it. Every event is one that the desk took in (`bench.busy`), with what it booked.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from bench.beats import percentile
from bench.busy import SPEC, BusyAccount, Taken, new_account
from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.register import SqlRegister
from cambist.domain.wire import from_text
from cambist.engine.desk import step
from cambist.engine.live import BATCH, SNAPSHOT_EVERY
from cambist.engine.recovery import Journaled, recover, snapshot_of

SINGLE = 2_000
REPLAYED = 100_000
WHOLE = 1_000_000


def rows(whole: int = WHOLE) -> list[dict[str, Any]]:
    """Return one row per figure: what was measured, and what came out."""
    with tempfile.TemporaryDirectory() as folder:
        single = _opened(Path(folder) / "single.db")
        appends = _append_singly(single, SINGLE)
        replayed = _opened(Path(folder) / "replayed.db")
        for batch in batched(BusyAccount().events(REPLAYED), BATCH):
            _append(replayed, batch)
        found = [
            _row("append of one event, p50", f"{1e3 * percentile(appends, 0.50):.2f} ms"),
            _row("append of one event, p99", f"{1e3 * percentile(appends, 0.99):.2f} ms"),
            *_replay(replayed),
        ]
        long = _opened(Path(folder) / "long.db")
        tail = _fill(long, whole)
        took, recovered = _best(lambda: recover(new_account(), long), 3)
        if recovered.differs or recovered.seq != whole + tail:
            raise RuntimeError(f"replayed otherwise than journaled: {recovered.seq}, {recovered.differs[:5]}")
        what = f"start after {recovered.seq:,} events, {tail:,} of them since the snapshot"
        return [*found, _row(what, f"{took:.2f} s", "seconds", took < 10)]


def _row(what: str, came: str, target: str = "", met: bool | None = None) -> dict[str, Any]:
    return {"what": what, "came": came, "target": target, "met": met}


def _opened(file: Path) -> SqlJournal:
    url = f"sqlite:///{file}"
    SqlRegister(url).add_account(SPEC)
    return SqlJournal(url)


def _append_singly(journal: SqlJournal, count: int) -> list[float]:
    took = []
    for taken in BusyAccount().events(count):
        start = time.perf_counter()
        journal.append([taken.entry], [(SPEC.id, entry) for entry in taken.booked])
        took.append(time.perf_counter() - start)
    return took


def _append(journal: SqlJournal, batch: Sequence[Taken], seq: int | None = None) -> None:
    """Journal ``batch``, with ``seq`` as the last number before it instead of its own."""
    entries = [taken.entry for taken in batch]
    if seq is not None:
        entries = [replace(entry, seq=seq + number) for number, entry in enumerate(entries, 1)]
    journal.append(entries, [(SPEC.id, entry) for taken in batch for entry in taken.booked] if seq is None else ())


def _fill(journal: SqlJournal, count: int) -> int:
    """Write ``count`` events, a snapshot, and as many more as come before the next; return how many these are.

    The first thousands are written over and over, under new numbers: a start does not look at what is before the
    snapshot, but the database holds it.
    """
    busy = BusyAccount()
    begun = list(busy.events(SNAPSHOT_EVERY))
    for seq in range(0, count, BATCH):
        at = seq % (len(begun) - BATCH)
        _append(journal, begun[at : at + BATCH], seq)
    journal.snapshot(SPEC.id, count, snapshot_of(busy.account))
    for batch in batched(islice(busy.events(SNAPSHOT_EVERY), SNAPSHOT_EVERY - 1), BATCH):
        _append(journal, batch, batch[0].entry.seq - 1 - len(begun) + count)
    return SNAPSHOT_EVERY - 1


def batched(taken: Iterable[Taken], size: int) -> Iterator[list[Taken]]:
    """Yield ``taken`` in lists of ``size``; the last may be shorter."""
    waiting = iter(taken)
    while batch := list(islice(waiting, size)):
        yield batch


def _replay(journal: SqlJournal) -> list[dict[str, Any]]:
    def read() -> int:
        return sum(1 for _ in journal.read(SPEC.id))

    def decode() -> int:
        return sum(1 for entry in journal.read(SPEC.id) if from_text(Journaled, entry.body))

    events = [from_text(Journaled, entry.body).event for entry in journal.read(SPEC.id)]

    def take() -> int:
        account = new_account()
        for event in events:
            step(account, event)
        return len(events)

    def whole() -> int:
        return recover(new_account(), journal).seq

    named: dict[str, Callable[[], int]] = {
        "read": read,
        "read and decoded": decode,
        "taken by the desk alone": take,
        "recovered: read, decoded, taken by the desk, commands compared": whole,
    }
    found = []
    for what, work in named.items():
        took, count = _best(work, 5)
        row = _row(f"events {what}", f"{count / took:,.0f} a second")
        if work is whole:
            row |= {"target": "at least 100,000 a second", "met": count / took >= 100_000}
        found.append(row)
    return found


def _best(work: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """Return the shortest of several runs and what came of it: what is longer is the neighbours'."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        came = work()
        taken.append((time.perf_counter() - start, came))
    return min(taken, key=lambda one: one[0])


if __name__ == "__main__":
    for row in rows():
        print(f"{row['what']:75} {row['came']}")
