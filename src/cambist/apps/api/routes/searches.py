"""Searches for parameters: asked for here, run by workers, kept with the word on what they found."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import Path, Response
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.caller import Trader, Viewer
from cambist.apps.api.paging import Cursor, Limit, Page, number, page
from cambist.apps.api.routes.backtests import (
    REPORT,
    Download,
    MarketBody,
    StrategyName,
    report_page,
    without_nan,
)
from cambist.apps.api.routes.jobs import JobAnswer, accepted, around, new_id
from cambist.apps.api.services import Own, Server
from cambist.apps.api.words import NO_NUL, Answer, Exact, Ms
from cambist.domain.search import Method
from cambist.domain.timeframe import Timeframe
from cambist.ports.searches import StoredSearch
from cambist.usecases import searches

router = Area("/searches", tags=["searches"])

SearchId = Annotated[int, Path(ge=1, le=2_147_483_647, examples=[3])]
_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]


class SearchBody(MarketBody):
    """A search to run. Several symbols trade equal parts of the cash; ``params`` are what every combination has. What
    is left out is as on the command line."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "strategy": "ema_cross",
                    "venue": "binance",
                    "symbols": ["BTC/USDT"],
                    "timeframes": ["1h"],
                    "since": 1_704_067_200_000,
                    "until": 1_735_689_600_000,
                    "space": ["fast=5:50:5", "slow=20,50,100"],
                    "where": ["fast < slow"],
                    "objective": ["sharpe"],
                }
            ]
        },
    )

    timeframes: list[Timeframe] = Field(min_length=1, max_length=searches.MOST_TIMEFRAMES)
    """Several are searched like a parameter."""
    space: list[_Text] = Field(default=[], max_length=20)
    """``fast=5:50:5``, ``fast=5:50`` or ``slow=20,50,100``; none: a few values of each parameter."""
    method: Method = Method.GRID
    trials: int | None = Field(default=None, ge=1, le=searches.MOST_TRIALS)
    objective: list[_Text] = Field(default=["sharpe"], min_length=1, max_length=5)
    where: list[_Text] = Field(default=[], max_length=20)
    """Only combinations for which these hold."""
    split: Exact = Decimal("0.7")
    """Share of the history to choose on; 1: all of it."""
    walk_forward: _Text | None = None
    """``90d/30d`` (training/test), ``anchored:90d/30d``, or a number of windows."""
    purge: _Text = "0"
    embargo: _Text = "0"
    seed: int = Field(default=0, ge=0, le=2**53)
    prune: bool | None = None
    study: _Text | None = None
    """Trials of one study are counted together. Null: the strategy on its market."""


class SearchSummary(Answer):
    """A finished search in a list. Its figures are estimates, and numbers; null where there is none."""

    id: int
    created_ms: Ms
    study: str = Field(examples=["ema_cross binance BTC/USDT"])
    strategy: str = Field(examples=["ema_cross"])
    venue: str = Field(examples=["binance"])
    symbols: list[str] = Field(examples=[["BTC/USDT"]])
    timeframes: list[Timeframe]
    first_ts: Ms
    last_ts: Ms
    method: Method
    goals: list[dict[str, Any]]
    trials: int
    counted: int
    """Over the study's whole life."""
    params: dict[str, Any]
    """What was chosen."""
    values: list[float | None]
    """Of what was chosen, one per goal."""
    light: str = Field(examples=["amber"])
    """``green``, ``amber`` or ``red``."""
    word: str = Field(examples=["Too little to tell: it looks better than luck, but 9 trades in 90 days are no proof."])
    """One plain sentence: whether to believe it."""
    reasons: list[str] = Field(
        examples=[["Of 300 combinations tried, the best would look this good by luck alone in 12 cases of 100."]]
    )
    """The three that weighed most."""


class SearchAnswer(SearchSummary):
    """A finished search."""

    metrics: dict[str, float | None]
    """Of what was chosen, over what it was chosen on."""
    out_of_sample: dict[str, float | None] | None
    """Over what was held back."""
    figures: dict[str, float | None]
    """Behind the word."""
    axes: list[dict[str, Any]]
    where: list[str] = Field(examples=[["fast < slow"]])
    seed: int
    settings: dict[str, Any]
    split_ts: Ms | None
    data_hash: str = Field(examples=["9f2c4b1a7d3e"])
    code_hash: str = Field(examples=["51d08e6ac277"])
    notes: list[str] = Field(examples=[["The candles carry no volume: fills are not limited by it."]])
    front: list[dict[str, Any]]
    walk: dict[str, Any] | None
    paths: dict[str, Any] | None
    plateau: dict[str, Any]
    has_report: bool


class TrialAnswer(Answer):
    """One of the best combinations."""

    number: int
    params: dict[str, Any]
    values: list[float | None]
    metrics: dict[str, float | None]


@router.post("", status_code=202, summary="Search parameters")
def submit(body: SearchBody, caller: Trader, own: Own, server: Server, response: Response) -> JobAnswer:
    """Put a search into the queue; the job says how far it is and, once it is done, which search came of it."""
    from cambist.usecases.optimise import How

    sought = searches.Sought(
        market=body.market(min(body.timeframes, key=lambda one: one.ms)),
        timeframes=tuple(body.timeframes),
        space=tuple(body.space),
        how=How(
            method=body.method,
            trials=body.trials,
            goals=tuple(body.objective),
            where=tuple(body.where),
            split=float(body.split),
            walk=body.walk_forward,
            purge=body.purge,
            embargo=body.embargo,
            seed=body.seed,
            prune=body.prune,
        ),
        study=body.study,
    )
    job = searches.submit(
        sought,
        around(own, server),
        job_id=new_id(),
        user_id=caller.user_id,
        limits=caller.limits,
        now_ms=server.now_ms(),
    )
    return accepted(job, response)


@router.get("", summary="Finished searches, the newest first")
@quick
def listed(
    _: Viewer, own: Own, limit: Limit = 50, after: Cursor = None, strategy: StrategyName = None
) -> Page[SearchSummary]:
    """Return your searches."""
    found = own.searches.latest(limit + 1, strategy, before=number(after))
    return page(found, limit, lambda search: search.id, lambda search: SearchSummary(**_summary(search)))


@router.get("/{search_id}", summary="One search")
def shown(search_id: SearchId, _: Viewer, own: Own) -> SearchAnswer:
    """Return what was searched, what was chosen, how that did, and the word on it."""
    search = own.searches.get(search_id)
    detail = without_nan(search.detail)
    return SearchAnswer(
        **_summary(search),
        metrics=without_nan(search.metrics),
        out_of_sample=without_nan(search.out_of_sample),
        figures=without_nan(search.judgement["figures"]),
        axes=without_nan(search.axes),
        where=list(search.where),
        seed=search.seed,
        settings=without_nan(search.settings),
        split_ts=search.split_ts,
        data_hash=search.data_hash,
        code_hash=search.code_hash,
        notes=list(search.notes),
        front=detail["front"],
        walk=detail["walk"],
        paths=detail["paths"],
        plateau=detail["plateau"],
        has_report=own.search_reports.has(search_id),
    )


@router.delete("/{search_id}", status_code=204, summary="Delete a search")
def forget(search_id: SearchId, _: Trader, own: Own) -> None:
    """Delete a search with its report. Its trials go on counting in its study: they have been tried all the same."""
    own.searches.forget(search_id)
    own.search_reports.forget(search_id)


@router.get("/{search_id}/trials", summary="Its best trials")
def trials(search_id: SearchId, _: Viewer, own: Own) -> list[TrialAnswer]:
    """Return the best trials, the best first; at most two hundred are kept."""
    return [TrialAnswer(**without_nan(trial)) for trial in own.searches.get(search_id).detail["top"]]


@router.get("/{search_id}/report", **REPORT)
def report(search_id: SearchId, _: Viewer, own: Own, download: Download = False) -> HTMLResponse:
    """Return the page, which opens offline. It may run its own scripts, by their hash, and reach nothing."""
    own.searches.get(search_id)
    return report_page(own.search_reports.page(search_id), f"search-{search_id}", download=download)


def _summary(search: StoredSearch) -> dict[str, Any]:
    word = searches.judgement_of(search.judgement)
    return {
        "id": search.id,
        "created_ms": search.created_ms,
        "study": search.study,
        "strategy": search.strategy,
        "venue": search.venue,
        "symbols": list(search.symbols),
        "timeframes": list(search.timeframes),
        "first_ts": search.first_ts,
        "last_ts": search.last_ts,
        "method": search.method,
        "goals": without_nan(search.goals),
        "trials": search.trials,
        "counted": search.counted,
        "params": without_nan(search.params),
        "values": without_nan(search.values),
        "light": word.light,
        "word": word.text,
        "reasons": [reason.text for reason in word.reasons],
    }
