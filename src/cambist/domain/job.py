"""Jobs: long work that a person has asked for, and how far it has come."""

from enum import StrEnum
from typing import Any

from cambist.domain.errors import BadInput, CambistError
from cambist.domain.record import record
from cambist.domain.text import say


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self not in ACTIVE


ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


@record(kw_only=True)
class Said:
    """A sentence that is put into words when somebody reads it, in their language."""

    key: str
    params: dict[str, Any]

    def __str__(self) -> str:
        return say(self.key, **self.params)


@record(kw_only=True)
class Failure:
    """Why a job failed. ``field`` and ``value`` name what was wrong, if that was something that a person gave."""

    key: str
    params: dict[str, Any]
    field: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        sentence = say(self.key, **self.params)
        if self.field is None:
            return sentence
        return say("error.bad_input", field=self.field, value=self.value, remedy=sentence)


@record(kw_only=True)
class Job:
    """One job."""

    id: str
    user_id: int
    kind: str
    """``backtest`` or ``download``."""
    params: dict[str, Any]
    """All that it needs to run, as JSON; it never changes."""
    asked_ms: int
    status: JobStatus = JobStatus.QUEUED
    step: Said | None = None
    """What it is doing."""
    percent: int = 0
    """How far it has come, from 0 to 100."""
    cancelling: bool = False
    """Whether somebody asked that it end."""
    started_ms: int | None = None
    ended_ms: int | None = None
    result: dict[str, Any] | None = None
    """What came of it, as JSON: ``{"backtest": id}``, ``{"search": id}``, or of a download what was fetched."""
    failure: Failure | None = None
    cpu_ms: int = 0
    """Time that it computed: what it waited for, and loaded, does not count."""


def failure_of(error: CambistError) -> Failure:
    """Return ``error`` as it is kept with a job."""
    params = {name: _plain(value) for name, value in error.params.items()}
    if isinstance(error, BadInput):
        return Failure(key=error.key, params=params, field=error.field, value=str(error.value))
    return Failure(key=error.key, params=params)


def _plain(value: object) -> object:
    """Return ``value`` if JSON knows it, else its text."""
    return value if value is None or type(value) in (bool, int, float, str) else str(value)
