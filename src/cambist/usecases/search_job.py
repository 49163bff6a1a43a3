"""Searches as a job: fetch the candles that are missing, search, keep what was found with its report.

A search that is cut short, by a crash or by whoever asked, has its trials: asked for again, it goes on with them.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol

from cambist.backtest.optimise.plan import Seen
from cambist.backtest.optimise.report.page import page
from cambist.backtest.optimise.run import Search
from cambist.domain.errors import CambistError, Stopped
from cambist.domain.job import Job, Said
from cambist.domain.search import Method
from cambist.domain.strategy_text import parse_stored_name
from cambist.domain.timeframe import Timeframe
from cambist.ports.clock import Clock
from cambist.ports.history import CandleLake
from cambist.ports.jobs import JobStore, ReportFiles, Step, Tell
from cambist.ports.sandbox import Sandbox
from cambist.ports.strategies import Shelf
from cambist.usecases.download_job import Loads
from cambist.usecases.jobs import in_the_words_of_a_request, keep
from cambist.usecases.optimise import How, Stored, Tools, Wanted, evaluator_of, hunt_of, pursue, trials_of
from cambist.usecases.searches import check_trials, to_keep

_LOADED = 20
"""Percent of the job that loading takes."""
_TRIED, _JUDGED = 0.8, 0.95
"""Shares of the last step at which all trials are there, and the word on them."""


class MakesTools(Protocol):
    """Makes what the search of a user works with; ``threads``: whether threads will do."""

    def __call__(self, user_id: int, threads: bool) -> AbstractContextManager[Tools]:
        """Give them as long as the context lasts."""
        ...


class SearchJob:
    """The kind ``search``; params as `cambist.usecases.searches.submit` writes them.

    ``reports``, ``shelf`` and ``tools`` give a user's own.
    """

    def __init__(
        self,
        lake: CandleLake,
        loads: Loads,
        store: JobStore,
        *,
        reports: Callable[[int], ReportFiles],
        shelf: Callable[[int], Shelf],
        tools: MakesTools,
        sandbox: Callable[[], Sandbox],
        clock: Clock,
    ) -> None:
        self._lake = lake
        self._loads = loads
        self._store = store
        self._reports = reports
        self._shelf = shelf
        self._tools = tools
        self._sandbox = sandbox
        self._clock = clock

    def __call__(self, job: Job) -> Sequence[Step]:
        """Return a step for each series of candles, and one for the search."""
        wanted = wanted_of(job)
        timeframes = [*wanted.timeframes, *([] if wanted.detail is None else [wanted.detail])]
        search = Step(name="search", low=_LOADED, high=100, do=partial(self._run, job), computes=True)
        return [*self._loads(job, timeframes, _LOADED), search]

    def _run(self, job: Job, tell: Tell) -> None:
        tell(Said(key="jobs.step.reading", params={}), 0.0)
        with in_the_words_of_a_request(job):
            found = self._found(job, tell)
        tell(Said(key="jobs.step.keeping", params={}), _JUDGED)
        kept, reports = to_keep(found), self._reports(job.user_id)
        keep(self._store, job, kept, self._clock.now_ms(), reports, page(found))

    def _found(self, job: Job, tell: Tell) -> Search:
        wanted = wanted_of(job)
        stored = None
        if parse_stored_name(wanted.strategy) is not None:
            stored = Stored(sandbox=self._sandbox(), code=self._shelf(job.user_id).code)
        evaluator = evaluator_of(wanted, self._lake, stored)
        hunted = hunt_of(evaluator, wanted)
        check_trials(trials_of(hunted.plan))
        telling = _Telling(tell)
        try:
            with self._tools(job.user_id, evaluator.fused or stored is not None) as tools:
                return pursue(hunted, tools, progress=telling.progress, stage=telling.stage)
        except Stopped as stopped:
            raise (telling.why or stopped) from stopped


class _Telling:
    """Tells how far a search has come; remembers why it was told to stop."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._said = Said(key="search.stage.trials", params={})
        self._share = 0.0
        self.why: CambistError | None = None

    def progress(self, seen: Seen) -> None:
        self._share = _TRIED * seen.done / max(1, seen.total)
        self._say()

    def stage(self, key: str) -> None:
        self._said = Said(key=key, params={})
        self._say()

    def _say(self) -> None:
        try:
            self._tell(self._said, self._share)
        except CambistError as error:
            self.why = error
            raise


def wanted_of(job: Job) -> Wanted:
    """Return what a job asks for."""
    told: dict[str, Any] = job.params
    how: dict[str, Any] = told["how"]
    return Wanted(
        strategy=told["strategy"],
        symbols=tuple(told["symbols"]),
        timeframes=tuple(Timeframe(one) for one in told["timeframes"]),
        venue=told["venue"],
        since=told["since"],
        until=told["until"],
        detail=Timeframe(told["detail"]) if told["detail"] else None,
        space=tuple(told["space"]),
        base=told["params"],
        how=How(
            **how | {"method": Method(how["method"]), "goals": tuple(how["goals"]), "where": tuple(how["where"])},
        ),
        settings=told["settings"],
        study=told["study"],
    )
