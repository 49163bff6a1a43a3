"""Jobs as durable workflows of DBOS: many workers, one queue; whatever is killed goes on where it was.

The table of jobs says what is to be done, DBOS which steps of it are. A worker hands queued jobs to DBOS under their
own ids, so that it does not matter how many workers do, nor how often.

A worker that dies is missed by its lease, which the operating system or the database server then frees: whichever
worker takes it returns the dead one's workflows to the queue. Leases are numbered and used again.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOS, Queue, SetWorkflowID

from cambist.domain.job import ACTIVE, JobStatus
from cambist.ports.book import Lease
from cambist.ports.jobs import JobSteps, JobStore

_log = logging.getLogger(__name__)

SCHEMA = "cambist_jobs"
_VERSION = "1"
"""Of what the workflows below do, step by step: another one would not go on with what this one has begun."""
_QUEUE = "jobs"
_LOOK_S = 0.12
"""Between two looks at what is queued: a job that finds a free worker starts within two of them."""
_SWEEP, _CLEANING = 8, 8 * 3_600
"""Looks between two at who is still there (a second), and between two clearings of what has long ended (an hour)."""
_REMEMBERED_S = 86_400.0
"""How long DBOS remembers a workflow that has ended: nobody asks it."""
_RECOVERIES = 2
"""After which a job is given up that has cost so many workers, and one more: it may be what kills them."""
_OVER = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


def workflow_url(database_url: str) -> str:
    """Return where the workflows are kept: in a file beside a SQLite database, in a schema of their own elsewhere.

    In a file of its own, because what looks at a queue ten times a second must not be in the way of the journal.
    """
    address = sa.make_url(database_url)
    if address.get_backend_name() == "sqlite":
        file = Path(address.database or "")
        return f"sqlite:///{file.with_name(f'{file.stem}-jobs.db')}"
    return address.set(drivername="postgresql").render_as_string(hide_password=False)


class DurableWorker:
    """Runs jobs in this process, one at a time. A process has one of these, and no other user of DBOS."""

    def __init__(self, database_url: str, store: JobStore, steps: JobSteps, lease: Lease) -> None:
        self._url = workflow_url(database_url)
        self._store = store
        self._steps = steps
        self._lease = lease
        self._name = ""
        self._workflows: dict[str, Callable[[str], None]] = {}
        self._handed: set[str] = set()

    def run(self, stop: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Run jobs until ``stop``, or until the lease is lost; what is under way then, another worker goes on with.

        The caller must end the process after that: a job's thread does not know that it is over.
        """
        self._name = self._first_free()
        queue = self._launch()
        ready()
        for look in count():
            if stop.wait(_LOOK_S):
                return
            self._hand_over(queue)
            if look % _SWEEP:
                continue
            if not self._lease.held(self._name):
                _log.error("%s has lost its lease: another worker goes on with its job", self._name)
                return
            self._recover()
            self._give_up()
            if look % _CLEANING == 0:
                _forget()

    def _first_free(self) -> str:
        number = 1
        while not self._lease.take(_name(number)):
            number += 1
        return _name(number)

    def _launch(self) -> Queue:
        """Start DBOS, which at once returns to the queue what an earlier worker of our name left."""
        logger = logging.getLogger("dbos")
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())  # or it would make one of its own; ours hear it by propagation
        DBOS(
            config={
                "name": "cambist",
                "system_database_url": self._url,
                "dbos_system_schema": SCHEMA,
                "application_version": _VERSION,
                "executor_id": self._name,
                "enable_otlp": False,
                "log_level": "WARNING",
                "scheduler_polling_interval_sec": 3_600.0,  # nothing is scheduled
            }
        )
        self._workflows = {kind: self._workflow(kind) for kind in self._steps.kinds}
        DBOS.launch()
        return DBOS.register_queue(
            _QUEUE, worker_concurrency=1, polling_interval_sec=_LOOK_S, on_conflict="always_update"
        )

    def _workflow(self, kind: str) -> Callable[[str], None]:
        steps = self._steps

        def job(job_id: str) -> None:
            names = DBOS.run_step({"name": "begin"}, steps.begin, job_id)
            for name in names or ():
                if not DBOS.run_step({"name": name}, steps.do, job_id, name):
                    return

        return DBOS.workflow(name=kind, max_recovery_attempts=_RECOVERIES)(job)

    def _hand_over(self, queue: Queue) -> None:
        """Give DBOS what has been queued and it does not know of."""
        queued = [job for job in self._store.active() if job.status is JobStatus.QUEUED]
        for job in queued:
            if job.id not in self._handed and job.kind in self._workflows:
                with SetWorkflowID(job.id):
                    queue.enqueue(self._workflows[job.kind], job.id)
        self._handed = {job.id for job in queued}

    def _recover(self) -> None:
        """Return to the queue what workers that are no more have left."""
        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        for name in sorted({str(one.executor_id) for one in pending} - {self._name}):
            if self._lease.take(name):  # free: its holder has died
                try:
                    DBOS._recover_pending_workflows([name])
                finally:
                    self._lease.give_back([name])

    def _give_up(self) -> None:
        """Mark jobs as failed whose workflow has ended without ending them."""
        jobs = [job.id for job in self._store.active()]
        if not jobs:
            return
        over = DBOS.list_workflows(workflow_ids=jobs, status=list(_OVER), load_input=False, load_output=False)
        for one in over:
            if self._store.job(one.workflow_id).status in ACTIVE:  # it may have ended between the two looks
                self._steps.give_up(one.workflow_id)


def _forget() -> None:
    """Let DBOS forget what has ended a day ago: the table of jobs remembers it."""
    before = datetime.fromtimestamp(time.time() - _REMEMBERED_S, UTC).isoformat()
    old = DBOS.list_workflows(
        status=list(_OVER), completed_before=before, limit=1_000, load_input=False, load_output=False
    )
    if old:
        DBOS.delete_workflows([one.workflow_id for one in old])


def _name(number: int) -> str:
    return f"worker-{number}"
