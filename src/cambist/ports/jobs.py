"""Jobs: where they are kept, who runs them, and what running one consists of."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from cambist.domain.job import Failure, Job, JobStatus, Said
from cambist.domain.record import record
from cambist.ports.results import StoredResult
from cambist.ports.searches import StoredSearch


class JobStore(Protocol):
    """The jobs of one user, or of all. Blocking calls, durable on return; all raise `StorageFailed`.

    A job that is added is as good as submitted: workers look for what is queued.
    """

    def add(self, job: Job, most_active: int | None = None) -> None:
        """Add a job; raise `TooMany` if its user has ``most_active`` that are queued or running already."""
        ...

    def job(self, job_id: str) -> Job:
        """Return one job; raise `NotFound`."""
        ...

    def latest(
        self,
        limit: int = 50,
        *,
        kind: str | None = None,
        status: JobStatus | None = None,
        before: tuple[int, str] | None = None,
    ) -> list[Job]:
        """Return the newest jobs first; with ``before`` (when asked, id) those older than that one."""
        ...

    def cancel(self, job_id: str, now_ms: int) -> Job:
        """Ask that a job end and return it; one that is queued has ended at once, for one that has it does nothing.

        Raises `NotFound`.
        """
        ...

    def spent_ms(self, user_id: int, since_ms: int) -> int:
        """Return the computing time of all jobs of a person that were asked for at or after ``since_ms``."""
        ...

    # -- what workers and watchers ask

    def active(self) -> list[Job]:
        """Return what is queued or running, in the order in which it was asked for."""
        ...

    def changing(self, since_ms: int) -> list[Job]:
        """Return what is queued or running, or has ended at or after ``since_ms``."""
        ...

    def begin(self, job_id: str, now_ms: int) -> Job | None:
        """Mark a job as running and return it; None if it has ended, is to end, or is not there any more."""
        ...

    def tell(self, job_id: str, step: Said, percent: int, cpu_ms: int) -> bool:
        """Keep how far a running job has come; False if it is to end, has ended or is not there any more."""
        ...

    def end(
        self,
        job_id: str,
        status: JobStatus,
        now_ms: int,
        *,
        failure: Failure | None = None,
        result: dict[str, Any] | None = None,
    ) -> bool:
        """Mark a queued or running job as ended; False if it has ended already, which stays as it is."""
        ...

    def keep_result(
        self,
        job_id: str,
        result: StoredResult | StoredSearch,
        now_ms: int,
        beside: Callable[[int], None] = lambda _: None,
    ) -> int | None:
        """Keep the ``result`` of a backtest or a search for the job's user and mark the job as done, both or neither.

        ``beside`` is called with the result's id before that is final. Returns the id; None if the job has ended.
        """
        ...


class Tell(Protocol):
    """How a step says how far it has come."""

    def __call__(self, step: Said, share: float) -> None:
        """Say what is being done and which ``share`` of this step is (0 to 1); often is fine.

        Raises `Cancelled` if somebody asked that the job end, `TooMany` if its computing time is used up.
        """
        ...


@record(kw_only=True)
class Step:
    """A part of a job that is not done again once it is done: after a crash the job goes on with the next one.

    A crash may have it run twice; what it keeps must be the same then.
    """

    name: str
    low: int
    """Percent of the job that are done when it begins."""
    high: int
    do: Callable[[Tell], dict[str, Any] | None]
    """Returns the job's result if the step is the last one and has not kept it by itself."""
    computes: bool = False
    """Whether its time counts as computing time."""


Kind = Callable[[Job], Sequence[Step]]
"""A kind of job: gives its steps, by the job's parameters alone."""


class JobSteps(Protocol):
    """Runs jobs step by step, for whoever remembers which steps are done."""

    kinds: Sequence[str]

    def begin(self, job_id: str) -> list[str] | None:
        """Mark a job as running and return its steps' names; None if there is nothing to do any more."""
        ...

    def do(self, job_id: str, step: str) -> bool:
        """Do one step; False if the job has ended (failed, or been cancelled) and no step is to follow."""
        ...

    def give_up(self, job_id: str) -> None:
        """Mark a job as failed that has been tried too often."""
        ...


class ReportFiles(Protocol):
    """The report pages of kept backtests, or of searches, confined to one user."""

    def keep(self, result_id: int, page: str) -> None:
        """Keep the page (HTML) of a result."""
        ...

    def page(self, result_id: int) -> str:
        """Return the page; raise `NotFound` if there is none."""
        ...

    def has(self, result_id: int) -> bool:
        """Tell whether there is one."""
        ...

    def forget(self, result_id: int) -> None:
        """Delete the page, if there is one."""
        ...
