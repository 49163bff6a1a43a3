"""How much memory a search will take, said before it begins; and what would fit where it would not.

What grows is few: the candles, the indicators that combinations share, what each worker holds for the combination that
it is at, the table of finished trials, and at the end what the word and the report on the chosen one rest on. The
number of combinations counts in the table, and up to `MOST_TRIALS` in what is cross-validated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cambist.backtest.optimise.paths import MOST_TRIALS
from cambist.domain.errors import BadInput
from cambist.domain.text import say

if TYPE_CHECKING:
    from cambist.backtest.optimise.evaluation import Evaluator, JailedEvaluator

MB = 1e6
PER_TRIAL = 300
"""Bytes of a finished trial at hand, measured while the table is made; the log has the rest."""
PER_JUDGED = 4_500
"""Of each that is cross-validated, on top: the trial with its metrics, and its moments several times over."""
PER_CANDLE = 48
"""Six columns."""
WORKED_OUT = 8
"""Close times, once for all combinations."""
SIGNALLED = 80
"""Per candle and worker, of a strategy that gives arrays: its signals, and some columns of its own."""
LOOPED = 400
"""Per candle and worker, of one that decides candle by candle: lines and columns as lists, equity."""
CHOSEN = 200
"""Per candle, when the search has ended: the chosen one's equity, lines and report, beside what was evaluated last."""
WORD = 30_000_000
"""Whatever was searched: what is drawn for the word, and the kernels that it loads."""
PROCESS = 150_000_000
"""A fresh process with all that evaluates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a search will take, in bytes."""

    candles: int
    """Of all series, once."""
    shared: int
    """At most, of indicators, once for each process."""
    worker: int
    """Of each worker, beside."""
    trials: int
    """All, and those that are cross-validated."""
    chosen: int
    """What is known of the chosen one in the end."""
    word: int = WORD
    workers: int
    processes: bool
    """Whether workers are processes, each with a copy of all but the trials."""

    @property
    def total(self) -> int:
        """Return all of it."""
        copies = self.workers if self.processes else 0
        own = self.worker * self.workers + copies * (PROCESS + self.candles + self.shared)
        return self.candles + self.shared + own + self.trials + self.chosen + self.word

    @property
    def lines(self) -> tuple[str, ...]:
        """Return it as a person reads it."""
        parts = {
            "candles": self.candles,
            "shared": self.shared,
            "trials": self.trials,
            "chosen": self.chosen + self.word,
        }
        parts["workers"] = self.total - sum(parts.values())
        return tuple(
            say(f"optimise.memory.{name}", mb=_mb(size), workers=self.workers) for name, size in parts.items() if size
        )


def estimate(evaluator: Evaluator | JailedEvaluator, combinations: int, workers: int) -> Estimate:
    """Return what trying ``combinations`` with ``workers`` will take: threads where all is compiled, else processes."""
    longest = max(len(one) for one in evaluator.series)
    count = sum(len(one) for one in evaluator.series)
    return Estimate(
        candles=count * (PER_CANDLE + (WORKED_OUT if evaluator.fused else 0)),
        shared=int(evaluator.memory_mb * MB),
        worker=longest * (SIGNALLED if evaluator.fused else LOOPED),
        trials=combinations * PER_TRIAL + min(combinations, MOST_TRIALS) * PER_JUDGED,
        chosen=count * CHOSEN,
        workers=workers,
        processes=evaluator.jailed or (not evaluator.fused and workers > 1),
    )


def check(estimate: Estimate, available_bytes: int) -> None:
    """Raise `BadInput`, saying what would fit, if ``estimate`` is more than there is."""
    if estimate.total <= available_bytes:
        return
    raise BadInput(
        "memory",
        f"{_mb(estimate.total)} MB",
        "optimise.memory.too_much",
        available=_mb(available_bytes),
        parts="; ".join(estimate.lines),
        fits=_remedy(estimate, available_bytes),
    )


def _remedy(estimate: Estimate, available: int) -> str:
    """Return the first of these that would fit: fewer workers, fewer trials, less to share, a shorter history."""
    each = replace(estimate, workers=1).total - replace(estimate, workers=0).total
    room = (available - replace(estimate, workers=0).total) // each
    for workers in (min(room, estimate.workers - 1), 1):
        fewer = replace(estimate, workers=workers, processes=estimate.processes and workers > 1)
        if 0 < workers < estimate.workers and fewer.total <= available:
            return say("optimise.memory.fewer_workers", workers=workers)
    without = replace(estimate, trials=0)
    if without.total <= available:
        return say("optimise.memory.fewer_trials", trials=_trials_in(available - without.total))
    alone = replace(estimate, workers=1, processes=False)
    unshared = replace(alone, shared=0)
    if unshared.total <= available:
        return say("optimise.memory.share_less", mb=(available - unshared.total) // int(MB))
    grows = unshared.candles + unshared.worker + unshared.chosen
    share = int(100 * (available - unshared.trials - unshared.word) / grows) if grows else 0
    if share > 0:
        return say("optimise.memory.shorter", percent=share)
    return say("optimise.memory.more")


def _trials_in(room: int) -> int:
    """Return how many trials ``room`` (bytes) is enough for."""
    few = room // (PER_TRIAL + PER_JUDGED)
    return few if few <= MOST_TRIALS else (room - MOST_TRIALS * PER_JUDGED) // PER_TRIAL


def _mb(size: int) -> str:
    return f"{size / MB:,.0f}"
