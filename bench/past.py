"""What it costs to know what has become of orders: reading a journal to its end, and statistics over many trades.

``python -m bench.past`` prints it. The journal is a busy account's (`bench.busy`), on SQLite; every trade happened.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.busy import SPEC, TRAITS, BusyAccount
from bench.journals import batched
from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.past import SqlPast
from cambist.adapters.storage.register import SqlRegister
from cambist.domain.past import PastTrade, Wanted
from cambist.engine.live import BATCH
from cambist.ports.past import Piece
from cambist.usecases.past import History
from cambist.usecases.prices import Prices
from cambist.usecases.statistics import Statistics

EVENTS = 50_000
TRADES = 10_000


def rows(events: int = EVENTS, trades: int = TRADES) -> list[dict[str, Any]]:
    """Return one row per figure: what was measured, and what came out."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'cambist.db'}"
        register, journal = SqlRegister(url), SqlJournal(url)
        register.add_account(SPEC)
        busy = BusyAccount()
        for batch in batched(busy.events(events), BATCH):
            journal.append([taken.entry for taken in batch], [(SPEC.id, one) for t in batch for one in t.booked])
        before = _peak_mb()
        history = History(SqlPast(url, SPEC.user_id), journal, lambda _: TRAITS)
        whole, kept = _timed(history.read_on)
        grown = _peak_mb() - before
        (count,) = [mark.seq for mark in kept.marks()]
        idle = min(_timed(history.read_on)[0] for _ in range(20))
        single = []
        for taken in busy.events(20):
            journal.append([taken.entry], [(SPEC.id, one) for one in taken.booked])
            single.append(_timed(history.read_on)[0])
        _multiply(kept, trades)
        statistics = Statistics(register, history, Prices(history))
        summary = _best(lambda: statistics.summary(Wanted()))
        groups = _best(lambda: statistics.by("strategy", Wanted()))
        orders = _best(lambda: kept.orders(Wanted(), 100))
        journal.close()
        return [
            _row(f"reading a journal of {count:,} events", f"{whole:.2f} s, {count / whole:,.0f} events a second"),
            _row("memory that this took", f"{grown:.0f} MB", "at most 50 MB", grown <= 50),
            _row("reading on where nothing is new", f"{1e3 * idle:.1f} ms"),
            _row("reading on by one event, median", f"{1e3 * sorted(single)[len(single) // 2]:.1f} ms"),
            _row(f"summary over {trades:,} trades", f"{1e3 * summary:.0f} ms", "under 100 ms", summary < 0.1),
            _row(f"by strategy over {trades:,} trades", f"{1e3 * groups:.0f} ms", "under 100 ms", groups < 0.1),
            _row("the last 100 orders", f"{1e3 * orders:.1f} ms"),
        ]


def _row(what: str, came: str, target: str = "", met: bool | None = None) -> dict[str, Any]:
    return {"what": what, "came": came, "target": target, "met": met}


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    came = work()
    return time.perf_counter() - start, came


def _best(work: Callable[[], Any]) -> float:
    """Return the shortest of several runs, the first apart: it loads what is loaded once."""
    work()
    return min(_timed(work)[0] for _ in range(7))


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _multiply(kept: Any, count: int) -> None:
    """Keep the account's trades over and over, each time later, until there are so many."""
    seq, state = kept.mark(SPEC.id)
    known = kept.trades(Wanted(), None)[::-1]
    span = known[-1].exit_ts - known[0].entry_ts
    more = [_later(known[number % len(known)], number // len(known), span) for number in range(count - len(known))]
    if not kept.keep(Piece(account=SPEC.id, user_id=SPEC.user_id, after_seq=seq, seq=seq, state=state, trades=more)):
        raise RuntimeError("somebody else reads this journal")


def _later(trade: PastTrade, turn: int, span: int) -> PastTrade:
    later = (turn + 1) * span
    return replace(trade, number=turn + 1, entry_ts=trade.entry_ts + later, exit_ts=trade.exit_ts + later)


if __name__ == "__main__":
    for row in rows():
        print(f"{row['what']:75} {row['came']:45} {row['target']}")
