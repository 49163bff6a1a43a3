"""Jobs: backtests, searches and downloads that run by themselves, whoever is looking."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import Path, Query, Response
from pydantic import ConfigDict, Field

from cambist.apps import bootstrap
from cambist.apps.api.area import Area, quick
from cambist.apps.api.caller import Trader, Viewer
from cambist.apps.api.paging import Cursor, Limit, Page, page, position
from cambist.apps.api.services import Own, Server, Services, Stores
from cambist.apps.api.words import Answer, Body, Ms
from cambist.domain.errors import BadInput
from cambist.domain.job import Job, JobStatus
from cambist.domain.timeframe import Timeframe
from cambist.usecases import backtests

router = Area("/jobs", tags=["jobs"])

JobId = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z_-]+$", examples=["6f9c2d0e5b3a4c1f9d8e7a6b5c4d3e2f"])]
_INNER = ("language", "allowed_per_day_ms")
"""Parameters that are no business of whoever asked."""


class JobError(Answer):
    """Why a job failed."""

    key: str = Field(examples=["venue.symbol_near"])
    """The sentence's name, the same in every language."""
    detail: str = Field(examples=["symbols 'BTCUSDT' is wrong: write it as BTC/USDT, or BTC/USDT:USDT."])
    field: str | None = Field(examples=["symbols"])
    value: str | None = Field(examples=["BTCUSDT"])


class JobAnswer(Answer):
    """One job."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "6f9c2d0e5b3a4c1f9d8e7a6b5c4d3e2f",
                    "kind": "backtest",
                    "status": "running",
                    "step": "Loading candles of BTC/USDT 1h from binance",
                    "percent": 12,
                    "cancelling": False,
                    "asked_ms": 1_795_000_000_000,
                    "started_ms": 1_795_000_000_150,
                    "ended_ms": None,
                    "params": {"strategy": "ema_cross", "venue": "binance", "symbols": ["BTC/USDT"], "timeframe": "1h"},
                    "result": None,
                    "error": None,
                    "cpu_ms": 320,
                }
            ]
        }
    )

    id: str
    kind: str
    """``backtest``, ``search`` or ``download``."""
    status: JobStatus
    step: str | None
    """What it is doing."""
    percent: int = Field(ge=0, le=100)
    cancelling: bool
    """Whether it was asked to end."""
    asked_ms: Ms
    started_ms: Ms | None
    ended_ms: Ms | None
    params: dict[str, Any]
    result: dict[str, Any] | None
    """Of a backtest ``{"backtest": <id>}``, of a search ``{"search": <id>}``, of a download what was fetched."""
    error: JobError | None
    cpu_ms: int
    """Computing time that it took."""


class DownloadBody(Body):
    """Candles to fetch."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"venue": "binance", "symbol": "BTC/USDT", "timeframe": "1h", "since": 1_704_067_200_000, "until": None}
            ]
        },
    )

    venue: str = Field(max_length=40)
    symbol: str = Field(max_length=60)
    timeframe: Timeframe
    since: Ms
    until: Ms | None = None


def around(own: Stores, server: Services) -> backtests.Surroundings:
    """Return what is needed to submit a job."""
    return backtests.Surroundings(
        jobs=own.jobs,
        register=own.register,
        shelf=own.strategies,
        lake=server.lake,
        exchanges=bootstrap.has_candles,
    )


def accepted(job: Job, response: Response) -> JobAnswer:
    """Return ``job`` as it was accepted, and say where it is found."""
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return answer_of(job)


def new_id() -> str:
    """Return an id that nobody guesses."""
    return uuid4().hex


def answer_of(job: Job) -> JobAnswer:
    """Return ``job`` as it is answered, in the language in use."""
    failure = job.failure
    return JobAnswer(
        id=job.id,
        kind=job.kind,
        status=job.status,
        step=None if job.step is None else str(job.step),
        percent=job.percent,
        cancelling=job.cancelling,
        asked_ms=job.asked_ms,
        started_ms=job.started_ms,
        ended_ms=job.ended_ms,
        params={name: value for name, value in job.params.items() if name not in _INNER},
        result=job.result,
        error=None
        if failure is None
        else JobError(key=failure.key, detail=str(failure), field=failure.field, value=failure.value),
        cpu_ms=job.cpu_ms,
    )


@router.get("", summary="Jobs, the newest first")
@quick
def listed(
    _: Viewer,
    own: Own,
    limit: Limit = 50,
    after: Cursor = None,
    kind: Annotated[str | None, Query(pattern=r"^[a-z]{1,40}$", examples=["backtest"])] = None,
    status: JobStatus | None = None,
) -> Page[JobAnswer]:
    """Return your jobs."""
    found = own.jobs.latest(limit + 1, kind=kind, status=status, before=_before(after))
    return page(found, limit, lambda job: f"{job.asked_ms}:{job.id}", answer_of)


@router.get("/{job_id}", summary="One job")
@quick
def shown(job_id: JobId, _: Viewer, own: Own) -> JobAnswer:
    """Return how far a job has come."""
    return answer_of(own.jobs.job(job_id))


@router.post("/{job_id}/cancel", summary="Ask that a job end")
def cancel(job_id: JobId, _: Trader, own: Own, server: Server) -> JobAnswer:
    """A queued job ends at once, a running one within moments, also while it loads; one that has ended stays so."""
    return answer_of(own.jobs.cancel(job_id, server.now_ms()))


@router.post("/downloads", status_code=202, summary="Fetch candles")
def download(body: DownloadBody, caller: Trader, own: Own, server: Server, response: Response) -> JobAnswer:
    """Bring candles that the server lacks from an exchange, as a job."""
    job = backtests.submit_download(
        around(own, server),
        venue=body.venue,
        symbol=body.symbol,
        timeframe=body.timeframe,
        since=body.since,
        until=body.until,
        job_id=new_id(),
        user_id=caller.user_id,
        now_ms=server.now_ms(),
    )
    return accepted(job, response)


def _before(after: str | None) -> tuple[int, str] | None:
    text = position(after)
    if text is None:
        return None
    asked_ms, colon, job_id = text.partition(":")
    if not colon or not asked_ms.isdecimal() or len(asked_ms) > 18 or not job_id.isalnum():
        raise BadInput("after", after, "api.cursor")
    return int(asked_ms), job_id
