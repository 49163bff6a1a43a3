"""One session of a run: what has come back, what of it is not yet in the log, and how fast it goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import islice
from math import nan
from typing import TYPE_CHECKING

from cambist.backtest.optimise.plan import Batch, Evaluates, Plan, Progress, Seen, work
from cambist.backtest.optimise.ranking import reason
from cambist.backtest.optimise.space import COUNTED, combinations, possible
from cambist.domain.axis import size
from cambist.domain.errors import BadInput
from cambist.domain.search import Method, Params, Span, State, Trial, Value

if TYPE_CHECKING:
    from cambist.ports.crew import Crew
    from cambist.ports.trials import TrialLog

TRIALS = 100
"""How many a search makes that is not a grid, where nobody says."""
_HOPELESS = 20
"""If so many fail from the start of a run, the rest would too."""
_FLUSH_S, _FLUSH_TRIALS = 1.0, 2_000
"""How often what has ended goes to the log, which costs as much for a thousand trials as for one."""
_SHOWN_S, _MARKS = 0.1, 50
"""How often progress is told, and over how many tellings its rate is taken: the first trials wait for compilers."""
_QUICK_S, _SLOW_S, _LARGEST = 0.1, 0.4, 1_024
"""Batches that come back sooner are doubled, those that come later halved, to so many trials at most."""
_OTHERS_S = 2.0
"""How often to look whether other processes work on this run."""


class Session:
    """One session of a run: what has come back, what of it is not yet in the log, and how fast it goes."""

    def __init__(
        self,
        evaluator: Evaluates,
        plan: Plan,
        crew: Crew,
        log: TrialLog,
        progress: Progress | None,
        seconds: Callable[[], float],
        broken: Callable[[Params], int],
    ) -> None:
        self.evaluator, self.plan, self.crew, self.broken = evaluator, plan, crew, broken
        self.log, self.progress, self.seconds = log, progress, seconds
        self.there = log.numbers()
        """What the log had when this session began."""
        self.done = len(self.there)
        self.best: Trial | None = None
        self.size = 1
        """Trials in the next batch."""
        self.total = total_of(plan, broken)
        self._fresh: list[Trial] = []
        self._ended = 0
        self._failed: Trial | None = None
        """The first of this session that failed, while all have."""
        self._flushed_s = self._looked_s = seconds()
        self._marks: deque[tuple[float, int]] = deque(maxlen=_MARKS)
        self._shown_s = -_SHOWN_S
        if self.there and progress is not None:
            for trial in log.read():
                self._rank(trial)
        self.show()

    def results(self, source: Iterator[tuple[int, dict[str, Value]]], span: Span | None) -> Generator[list[Trial]]:
        """Yield the trials of all of ``source``, batch by batch, as they come back."""
        handed: dict[int, float] = {}

        def batches() -> Iterator[Batch]:
            while chunk := tuple(islice(source, self.size)):
                handed[chunk[0][0]] = self.seconds()
                yield Batch(chunk, self.plan.goals, span)

        def pace(took: float, done: int) -> None:
            if took < _QUICK_S:
                self.size = max(self.size, min(2 * done, _LARGEST))
            elif took > _SLOW_S:
                self.size = max(1, done // 2)

        with closing(self.crew.work(work, self.evaluator, batches())) as back:
            for batch, trials in back:
                pace(self.seconds() - handed.pop(batch.combinations[0][0]), len(trials))
                yield trials

    def take(self, trials: Sequence[Trial]) -> None:
        """Keep ``trials``; they go to the log about once a second."""
        for trial in trials:
            self._rank(trial)
            if _raised(trial) and (self._failed is not None or not self._ended):
                self._failed = self._failed or trial
            else:
                self._failed = None
            self._ended += 1
        self.done += len(trials)
        self._fresh += trials
        now = self.seconds()
        if now - self._flushed_s >= _FLUSH_S or len(self._fresh) >= _FLUSH_TRIALS:
            self.flush()
        self.show()
        if self._failed is not None and self._ended >= _HOPELESS and not self.there:
            raise BadInput(
                "strategy",
                self.evaluator.strategy_name,
                "search.hopeless",
                count=self._ended,
                why=reason(self._failed),
            )

    def flush(self) -> None:
        """Put what has ended into the log."""
        if self._fresh:
            self.log.append(self._fresh)
            self._fresh = []  # only now: what Ctrl-C breaks off is appended again, and counts once
        self._flushed_s = self.seconds()

    def look_around(self) -> None:
        """Take note of what other processes have done on the same run."""
        if self.seconds() - self._looked_s >= _OTHERS_S:
            self.flush()
            self.done = len(self.log.numbers())
            self._looked_s = self.seconds()

    def show(self, *, last: bool = False) -> None:
        """Say how far it has come, at most ten times a second."""
        now = self.seconds()
        if self.progress is None or (now - self._shown_s < _SHOWN_S and not last):
            return
        self._shown_s = now
        self._marks.append((now, self._ended))
        (since, ended), done = self._marks[0], self.done
        rate = (self._ended - ended) / (now - since) if self._ended > ended and now > since else nan
        total = done if last else max(self.total, done)
        self.progress(Seen(done, total, rate, 0.0 if last else (total - done) / rate, self.best))

    def _rank(self, trial: Trial) -> None:
        if trial.state is not State.DONE:
            return
        better = self.plan.goals[0].better
        key = (better * trial.values[0], -trial.number)  # of equals the first, whoever came back first
        if self.best is None or key > (better * self.best.values[0], -self.best.number):
            self.best = trial


def total_of(plan: Plan, broken: Callable[[Params], int]) -> int:
    """Return how many trials the run will have; of a vast grid with conditions, about how many."""
    wanted = plan.trials
    if plan.method is not Method.GRID:
        wanted = wanted or TRIALS
        if any(size(axis) is None for axis in plan.axes) or combinations(plan.axes) > COUNTED:
            return wanted
    there = possible(plan.axes, broken if plan.where else None) or 0
    return there if wanted is None else min(wanted, there)


def _raised(trial: Trial) -> bool:
    """Tell whether a trial failed because something raised, not because its figures are undefined."""
    return trial.state is State.FAILED and not trial.metrics
