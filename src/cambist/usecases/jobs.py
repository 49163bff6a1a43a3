"""Jobs: running one step by step, and telling the world how far each has come."""

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from math import inf
from typing import Any

from cambist.domain.errors import BadInput, BusFailed, CambistError, Stopped, TooMany
from cambist.domain.job import ACTIVE, Failure, Job, JobStatus, Said, failure_of
from cambist.domain.strategy_text import parse_stored_name
from cambist.domain.text import speak
from cambist.domain.timeframe import DAY_MS
from cambist.ports.bus import JOBS, Bus
from cambist.ports.clock import Clock
from cambist.ports.jobs import JobStore, Kind, ReportFiles, Step
from cambist.ports.results import StoredResult
from cambist.ports.searches import StoredSearch

_log = logging.getLogger(__name__)

_APART_S = 0.2
"""Seconds between two looks at whether a job is to end, and two writings of how far it has come."""
_WATCH_S, _IDLE_S = 0.25, 1.0
"""Seconds between two looks at the jobs: while one is active, and while none is."""
_LOOK_BACK_MS = 5_000
"""How far back jobs that have ended are looked at: more than lies between two looks, whatever the clocks."""


class Cancelled(Stopped):
    """Somebody asked that the job end."""


@contextmanager
def in_the_words_of_a_request(job: Job) -> Iterator[None]:
    """Let an error about too few candles name the field of the request, not the option of the command line."""
    try:
        yield
    except BadInput as error:
        if error.key == "backtest.too_few":
            raise BadInput("since", job.params["since"], error.key) from error
        raise


def keep(
    store: JobStore, job: Job, result: StoredResult | StoredSearch, now_ms: int, reports: ReportFiles, page: str
) -> None:
    """Keep what came of ``job``, under the name that its strategy was asked for by, with its report.

    Raises `Cancelled` if the job has ended meanwhile.
    """
    if parse_stored_name(job.params["strategy"]) is not None:
        result = replace(result, strategy=job.params["strategy"])
    if store.keep_result(job.id, result, now_ms, lambda number: reports.keep(number, page)) is None:
        raise Cancelled("jobs.cancelled")


class Running:
    """The port `JobSteps`: jobs of ``kinds`` out of ``store``.

    ``seconds`` gives a time that only goes on.
    """

    def __init__(
        self,
        store: JobStore,
        kinds: Mapping[str, Kind],
        clock: Clock,
        *,
        seconds: Callable[[], float],
    ) -> None:
        self.kinds: Sequence[str] = tuple(kinds)
        self._store = store
        self._steps = kinds
        self._clock = clock
        self._seconds = seconds

    def begin(self, job_id: str) -> list[str] | None:
        """Mark a job as running and return its steps' names; None if there is nothing to do any more."""
        job = self._store.begin(job_id, self._clock.now_ms())
        return None if job is None else [step.name for step in self._steps[job.kind](job)]

    def do(self, job_id: str, step: str) -> bool:
        """Do one step; False if the job has ended (failed, or been cancelled) and no step is to follow.

        Raises `StorageFailed` if not even that can be kept.
        """
        job = self._store.job(job_id)
        if job.status.ended:
            return False
        speak(job.params.get("language", "en"))
        steps = self._steps[job.kind](job)
        todo = next(one for one in steps if one.name == step)
        try:
            result = todo.do(self._telling(job, todo))
        except Cancelled:
            self._end(job_id, JobStatus.CANCELLED)
            return False
        except CambistError as error:
            self._end(job_id, JobStatus.FAILED, failure=failure_of(error))
            return False
        except Exception as error:  # noqa: BLE001 - a worker lives on, whatever a job does
            _log.exception("job %s failed in its step %s", job_id, step)
            why = Failure(key="jobs.broken", params={"why": type(error).__name__})
            self._end(job_id, JobStatus.FAILED, failure=why)
            return False
        if todo is steps[-1]:
            self._end(job_id, JobStatus.DONE, result=result)
        return True

    def give_up(self, job_id: str) -> None:
        """Mark a job as failed that has been tried too often."""
        self._end(job_id, JobStatus.FAILED, failure=Failure(key="jobs.given_up", params={}))

    def _end(
        self,
        job_id: str,
        status: JobStatus,
        *,
        failure: Failure | None = None,
        result: dict[str, Any] | None = None,
    ) -> None:
        self._store.end(job_id, status, self._clock.now_ms(), failure=failure, result=result)

    def _telling(self, job: Job, step: Step) -> "_Telling":
        return _Telling(self._store, job, step, self._clock, self._seconds)


class _Telling:
    """The port `Tell` for one step: writes at most five times a second, and at once what begins."""

    def __init__(self, store: JobStore, job: Job, step: Step, clock: Clock, seconds: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._job = job
        self._step = step
        self._seconds = seconds
        self._begun_s = seconds()
        self._said: Said | None = None
        self._told_s = -inf

    def __call__(self, step: Said, share: float) -> None:
        now_s = self._seconds()
        if step == self._said and now_s - self._told_s < _APART_S and share < 1.0:
            return
        self._said, self._told_s = step, now_s
        spent_ms = self._job.cpu_ms + (int((now_s - self._begun_s) * 1_000) if self._step.computes else 0)
        low, high = self._step.low, self._step.high
        percent = min(99, low + int((high - low) * min(1.0, max(0.0, share))))
        if not self._store.tell(self._job.id, step, percent, spent_ms):
            raise Cancelled("jobs.cancelled")
        allowed_ms = self._job.params.get("allowed_per_day_ms")  # for all of a person's jobs, those beside this one too
        if allowed_ms is not None and self._step.computes and max(spent_ms, self._spent_ms()) > allowed_ms:
            raise TooMany("jobs.out_of_time")

    def _spent_ms(self) -> int:
        return self._store.spent_ms(self._job.user_id, self._clock.now_ms() - DAY_MS)


def message_of(job: Job, now_ms: int) -> dict[str, Any]:
    """Return how a change of ``job`` is told on the bus: keys and figures, which whoever reads it puts into words."""
    step, failure = job.step, job.failure
    return {
        "id": f"job:{job.id}:{now_ms}",
        "ts": now_ms,
        "user_id": job.user_id,
        "job": job.id,
        "kind": job.kind,
        "status": job.status.value,
        "step": None if step is None else {"key": step.key, "params": step.params},
        "percent": job.percent,
        "cancelling": job.cancelling,
        "result": job.result,
        "error": None if failure is None else asdict(failure),
    }


async def tell_progress(store: JobStore, bus: Bus, clock: Clock, read: Callable[..., Awaitable[Sequence[Job]]]) -> None:
    """Publish each change of each job on the bus, until cancelled.

    Workers are other processes, and an embedded bus does not reach them: this watches the table instead. ``store`` is
    that of all users; ``read`` awaits a blocking call, as `asyncio.to_thread` does.
    """
    told: dict[str, tuple[object, ...]] = {}
    first = True
    while True:
        jobs = await read(store.changing, clock.now_ms() - _LOOK_BACK_MS)
        seen = {job.id: (job.status, job.percent, job.step, job.cancelling) for job in jobs}
        for job in jobs:
            if first and job.status.ended:  # somebody told it before we were here
                told[job.id] = seen[job.id]
            if told.get(job.id) != seen[job.id]:
                with suppress(BusFailed):  # the next look tells it
                    await bus.publish(JOBS, message_of(job, clock.now_ms()))
                    told[job.id] = seen[job.id]
        told = {job_id: last for job_id, last in told.items() if job_id in seen}
        first = False
        await clock.sleep(_WATCH_S if any(job.status in ACTIVE for job in jobs) else _IDLE_S)
