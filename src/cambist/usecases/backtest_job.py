"""Backtests as a job: fetch the candles that are missing, run, keep the result with its report."""

from collections.abc import Callable, Sequence
from functools import partial

from cambist.backtest.jailed import backtest_stored
from cambist.backtest.report.page import page
from cambist.backtest.run import Finished
from cambist.domain.job import Job, Said
from cambist.domain.strategy_text import parse_stored_name
from cambist.domain.timeframe import Timeframe
from cambist.ports.clock import Clock
from cambist.ports.history import CandleLake
from cambist.ports.jobs import JobStore, ReportFiles, Step, Tell
from cambist.ports.sandbox import Sandbox
from cambist.ports.strategies import Shelf
from cambist.usecases.download_job import Loads
from cambist.usecases.jobs import in_the_words_of_a_request, keep
from cambist.usecases.results import to_keep
from cambist.usecases.run_backtest import Order, gathered, run_backtest

_LOADED = 40
"""Percent of the job that loading takes."""
_RUN = 0.9
"""Share of the last step that the run takes; the proof of a strategy is part of it and tells nothing."""

_LONGEST_S = 3_600.0
"""Of a jailed run."""


class BacktestJob:
    """The kind ``backtest``; params as `cambist.usecases.backtests.submit` writes them.

    ``reports`` and ``shelf`` give a user's own.
    """

    def __init__(
        self,
        lake: CandleLake,
        loads: Loads,
        store: JobStore,
        *,
        reports: Callable[[int], ReportFiles],
        shelf: Callable[[int], Shelf],
        sandbox: Callable[[], Sandbox],
        clock: Clock,
    ) -> None:
        self._lake = lake
        self._loads = loads
        self._store = store
        self._reports = reports
        self._shelf = shelf
        self._sandbox = sandbox
        self._clock = clock

    def __call__(self, job: Job) -> Sequence[Step]:
        """Return a step for each series of candles, and one for the run."""
        timeframes = [job.params["timeframe"], *([job.params["detail"]] if job.params["detail"] else [])]
        loads = self._loads(job, [Timeframe(one) for one in timeframes], _LOADED)
        return [*loads, Step(name="run", low=_LOADED, high=100, do=partial(self._run, job), computes=True)]

    def _run(self, job: Job, tell: Tell) -> None:
        tell(Said(key="jobs.step.reading", params={}), 0.0)
        with in_the_words_of_a_request(job):
            finished = self._finished(job, tell)
        tell(Said(key="jobs.step.keeping", params={}), _RUN)
        kept, reports = to_keep(finished), self._reports(job.user_id)
        keep(self._store, job, kept, self._clock.now_ms(), reports, page([finished]))

    def _finished(self, job: Job, tell: Tell) -> Finished:
        order, running, reached = _order(job), Said(key="jobs.step.running", params={}), 0.0

        def progress(share: float) -> None:
            nonlocal reached
            reached = _RUN * share
            tell(running, reached)

        def cancelled() -> bool:
            tell(running, reached)  # raises if it is
            return False

        stored = parse_stored_name(order.strategy)
        if stored is None:
            return run_backtest(order, self._lake, progress)
        code = self._shelf(job.user_id).code(*stored)
        candles, detail, instruments = gathered(order, self._lake)
        return backtest_stored(
            self._sandbox(),
            code,
            candles,
            name=order.strategy,
            params=order.params,
            detail=detail,
            instrument=instruments,
            settings=order.settings,
            progress=progress,
            cancelled=cancelled,
            limit_s=_LONGEST_S,
        )


def _order(job: Job) -> Order:
    wanted = job.params
    return Order(
        strategy=wanted["strategy"],
        symbols=tuple(wanted["symbols"]),
        timeframe=Timeframe(wanted["timeframe"]),
        venue=wanted["venue"],
        since=wanted["since"],
        until=wanted["until"],
        detail=Timeframe(wanted["detail"]) if wanted["detail"] else None,
        params=wanted["params"],
        settings={**wanted["settings"], "proof": wanted["proof"]},
    )
