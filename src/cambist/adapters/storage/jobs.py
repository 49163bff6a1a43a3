"""`SqlJobs`: jobs in the database."""

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

import sqlalchemy as sa

from cambist.adapters.storage.database import obeying, writing
from cambist.adapters.storage.owned import Owned, counted
from cambist.adapters.storage.results import row_of
from cambist.adapters.storage.searches import row_of as row_of_search
from cambist.adapters.storage.tables.book import backtest_results
from cambist.adapters.storage.tables.work import jobs as table
from cambist.adapters.storage.tables.work import searches
from cambist.domain.errors import NotFound, TooMany
from cambist.domain.job import ACTIVE, Failure, Job, JobStatus, Said
from cambist.ports.results import StoredResult
from cambist.ports.searches import StoredSearch

_ACTIVE = table.c.status.in_(ACTIVE)
# asked again and again, and to make a statement takes longer than to run it
_LATEST = sa.select(table).order_by(table.c.asked_ms.desc(), table.c.id.desc()).limit(sa.bindparam("limit"))
_CHANGING = (
    sa.select(table)
    .where(sa.or_(_ACTIVE, table.c.ended_ms >= sa.bindparam("since_ms")))
    .order_by(table.c.asked_ms, table.c.id)
)
_SPENT = sa.select(table.c.cpu_ms).where(
    table.c.user_id == sa.bindparam("whose"), table.c.asked_ms >= sa.bindparam("since_ms")
)


class SqlJobs(Owned):
    """The port `JobStore` over SQL."""

    def add(self, job: Job, most_active: int | None = None) -> None:
        """Add a job; raise `TooMany` if its user has ``most_active`` that are queued or running already."""
        self._only_ours(job.user_id)
        with obeying(), writing(self._engine).begin() as connection:
            if most_active is not None and counted(connection, table, job.user_id, _ACTIVE) >= most_active:
                raise TooMany("jobs.too_many", most=most_active)
            connection.execute(table.insert().values(_row(job)))

    def job(self, job_id: str) -> Job:
        """Return one job; raise `NotFound`."""
        for row in self._read(sa.select(table).where(table.c.id == job_id)):
            return _job(row)
        raise NotFound("jobs.not_found", id=job_id)

    def latest(
        self,
        limit: int = 50,
        *,
        kind: str | None = None,
        status: JobStatus | None = None,
        before: tuple[int, str] | None = None,
    ) -> list[Job]:
        """Return the newest jobs first; with ``before`` (when asked, id) those older than that one."""
        query = _LATEST
        if kind is not None:
            query = query.where(table.c.kind == kind)
        if status is not None:
            query = query.where(table.c.status == status)
        if before is not None:
            asked_ms, job_id = before
            older = sa.and_(table.c.asked_ms == asked_ms, table.c.id < job_id)
            query = query.where(sa.or_(table.c.asked_ms < asked_ms, older))
        return [_job(row) for row in self._read(query, limit=limit)]

    def cancel(self, job_id: str, now_ms: int) -> Job:
        """Ask that a job end and return it; one that is queued has ended at once, for one that has it does nothing.

        Raises `NotFound`.
        """
        waits = table.c.status == JobStatus.QUEUED
        self._change(
            sa.update(table)
            .where(table.c.id == job_id, _ACTIVE)
            .values(
                cancelling=True,
                status=sa.case((waits, JobStatus.CANCELLED), else_=table.c.status),
                ended_ms=sa.case((waits, now_ms), else_=table.c.ended_ms),
            )
        )
        return self.job(job_id)

    def spent_ms(self, user_id: int, since_ms: int) -> int:
        """Return the computing time of all jobs of a person that were asked for at or after ``since_ms``."""
        return sum(row["cpu_ms"] for row in self._read(_SPENT, whose=user_id, since_ms=since_ms))

    # -- what workers and watchers ask

    def active(self) -> list[Job]:
        """Return what is queued or running, in the order in which it was asked for."""
        query = sa.select(table).where(_ACTIVE).order_by(table.c.asked_ms, table.c.id)
        return [_job(row) for row in self._read(query)]

    def changing(self, since_ms: int) -> list[Job]:
        """Return what is queued or running, or has ended at or after ``since_ms``."""
        return [_job(row) for row in self._read(_CHANGING, since_ms=since_ms)]

    def begin(self, job_id: str, now_ms: int) -> Job | None:
        """Mark a job as running and return it; None if it has ended, is to end, or is not there any more."""
        update = sa.update(table).where(table.c.id == job_id, _ACTIVE)
        started = sa.func.coalesce(table.c.started_ms, now_ms)
        if not self._change(update.values(status=JobStatus.RUNNING, started_ms=started)):
            return None
        job = self.job(job_id)
        if job.cancelling:
            self.end(job_id, JobStatus.CANCELLED, now_ms)
            return None
        return job

    def tell(self, job_id: str, step: Said, percent: int, cpu_ms: int) -> bool:
        """Keep how far a running job has come; False if it is to end, has ended or is not there any more."""
        going_on = sa.and_(table.c.status == JobStatus.RUNNING, sa.not_(table.c.cancelling))
        update = sa.update(table).where(table.c.id == job_id, going_on)
        return bool(self._change(update.values(step=_written(step), percent=percent, cpu_ms=cpu_ms)))

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
        values: dict[str, Any] = {"status": status, "ended_ms": now_ms}
        values["error"] = {} if failure is None else asdict(failure)
        values["result"] = result or {}
        if status is JobStatus.DONE:
            values["percent"] = 100
        return bool(self._change(sa.update(table).where(table.c.id == job_id, _ACTIVE).values(values)))

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
        owner = self.job(job_id).user_id
        done = {"status": JobStatus.DONE, "ended_ms": now_ms, "percent": 100}
        with obeying(), writing(self._engine).begin() as connection:
            # first the job, which whoever else would end it waits for
            mine = sa.update(table).where(table.c.id == job_id, table.c.status == JobStatus.RUNNING)
            if not connection.execute(self._confine(mine).values(done)).rowcount:
                return None
            if isinstance(result, StoredSearch):
                kind, into, row = "search", searches, row_of_search(result, owner, now_ms)
            else:
                kind, into, row = "backtest", backtest_results, row_of(result, owner, now_ms)
            kept: int = connection.execute(into.insert().values(row).returning(into.c.id)).scalar_one()
            beside(kept)
            connection.execute(self._confine(sa.update(table).where(table.c.id == job_id)).values(result={kind: kept}))
            return kept

    def _only_ours(self, user_id: int) -> None:
        if self._user_id not in (None, user_id):
            raise NotFound("jobs.not_yours", user=user_id)


def _row(job: Job) -> dict[str, Any]:
    row = {field.name: getattr(job, field.name) for field in fields(job)}
    failure, step = row.pop("failure"), row.pop("step")
    row["error"] = {} if failure is None else asdict(failure)
    return row | {"result": job.result or {}, "step": "" if step is None else _written(step)}


def _job(row: dict[str, Any]) -> Job:
    error, step = row.pop("error"), row.pop("step")
    row["status"] = JobStatus(row["status"])
    row["result"] = row["result"] or None
    return Job(
        **row,
        step=Said(**json.loads(step)) if step else None,
        failure=Failure(**error) if error else None,
    )


def _written(step: Said) -> str:
    return json.dumps({"key": step.key, "params": step.params}, ensure_ascii=False)
