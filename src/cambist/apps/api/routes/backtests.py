"""Backtests: asked for here, run by workers, kept with their trades, equity, proof and report."""

import re
from decimal import Decimal
from html import unescape
from itertools import islice
from math import isfinite
from typing import Annotated, Any

from fastapi import Path, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.caller import Trader, Viewer
from cambist.apps.api.paging import Cursor, Limit, Page, number, page
from cambist.apps.api.routes.jobs import JobAnswer, accepted, around, new_id
from cambist.apps.api.services import Own, Server
from cambist.apps.api.words import NO_NUL, Answer, Body, Exact, Ms, ParamName
from cambist.domain.timeframe import Timeframe
from cambist.domain.trade import Trade
from cambist.ports.results import StoredResult
from cambist.usecases import backtests
from cambist.usecases.results import failed, proved

router = Area("/backtests", tags=["backtests"])

BacktestId = Annotated[int, Path(ge=1, le=2_147_483_647, examples=[12])]
ParamValue = Annotated[str, Field(max_length=200, pattern=NO_NUL)] | bool | int | float
StrategyName = Annotated[str | None, Query(max_length=80, pattern=NO_NUL)]
Download = Annotated[bool, Query(description="As a file to save.")]
REPORT: dict[str, Any] = {
    "summary": "Its report, one HTML page",
    "response_class": HTMLResponse,
    "responses": {200: {"content": {"text/html": {"schema": {"type": "string"}}}, "description": "The report."}},
}
"""How a route is declared that answers with a report."""
_POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]+)"')


class CostsBody(Body):
    """Money, costs and rules of a backtest, or of all backtests of a search."""

    cash: Exact = Decimal(10_000)
    fee_bps: Exact = Decimal(10)
    maker_fee_bps: Exact | None = None
    slippage_bps: Exact = Decimal(5)
    spread_bps: Exact = Decimal(0)
    volume_share: Exact | None = Decimal("0.1")
    limit_touch: bool = False
    pyramiding: int = Field(default=1, ge=1, le=1_000)

    def costs(self) -> dict[str, Any]:
        """Return them as `cambist.backtest` takes them: a backtest estimates, in floats."""
        given = {name: getattr(self, name) for name in CostsBody.model_fields}
        return {name: float(value) if isinstance(value, Decimal) else value for name, value in given.items()}


class MarketBody(CostsBody):
    """A strategy, and the market on which it is tried."""

    strategy: str = Field(max_length=80)
    """A sample's name, or ``stored:<id>`` or ``stored:<id>@<version>`` for one of yours."""
    venue: str | None = Field(default=None, max_length=40)
    """The exchange whose candles are taken; candles that are missing are fetched there, and nowhere else."""
    account: str | None = Field(default=None, max_length=80)
    """Instead of ``venue``: one of your accounts, whose exchange is taken."""
    symbols: list[Annotated[str, Field(max_length=60, pattern=NO_NUL)]] = Field(
        min_length=1, max_length=backtests.MOST_SYMBOLS
    )
    since: Ms | None = None
    """Open time of the first candle; null: where the candles that are here begin."""
    until: Ms | None = None
    """Null: now."""
    detail: Timeframe | None = None
    """A smaller timeframe whose candles decide what happens within one."""
    params: dict[ParamName, ParamValue] = Field(default={}, max_length=50)

    def market(self, timeframe: Timeframe, *, proof: bool = True) -> backtests.Wanted:
        """Return what is wanted, on candles of ``timeframe``."""
        return backtests.Wanted(
            strategy=self.strategy,
            symbols=tuple(self.symbols),
            timeframe=timeframe,
            venue=self.venue,
            account=self.account,
            since=self.since,
            until=self.until,
            detail=self.detail,
            params=self.params,
            settings=self.costs(),
            proof=proof,
        )


class BacktestBody(MarketBody):
    """A backtest to run. What is left out is as on the command line."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "strategy": "ema_cross",
                    "venue": "binance",
                    "symbols": ["BTC/USDT"],
                    "timeframe": "1h",
                    "since": 1_704_067_200_000,
                    "until": 1_735_689_600_000,
                    "params": {"fast": 10, "slow": 20},
                    "cash": "10000",
                }
            ]
        },
    )

    timeframe: Timeframe
    proof: bool = True
    """Whether it is checked that the strategy does not look ahead. A result without is marked so."""


class Summary(Answer):
    """A finished backtest in a list. Its figures are estimates, and numbers; null where there is none."""

    id: int
    created_ms: Ms
    strategy: str = Field(examples=["ema_cross"])
    params: dict[str, Any]
    venue: str = Field(examples=["binance"])
    symbols: list[str] = Field(examples=[["BTC/USDT"]])
    timeframe: str = Field(examples=["1h"])
    first_ts: Ms
    last_ts: Ms
    candles: int
    engine: str = Field(examples=["compiled"])
    metrics: dict[str, float | None]
    verdict: str = Field(examples=["passed"])
    """``passed``, ``failed`` (its figures cannot be trusted) or ``unproved``."""


class BacktestAnswer(Summary):
    """A finished backtest."""

    settings: dict[str, Any]
    data_hash: str = Field(examples=["9f2c4b1a7d3e"])
    code_hash: str = Field(examples=["51d08e6ac277"])
    proof: dict[str, Any]
    notes: list[str] = Field(examples=[["The candles carry no volume: fills are not limited by it."]])
    """What to know when reading it, one sentence each."""
    trades: int
    """How many there are."""
    has_report: bool


class BacktestTradeAnswer(Answer):
    """One trade."""

    number: int
    symbol: str = Field(examples=["BTC/USDT"])
    strategy: str = Field(examples=["ema_cross"])
    side: str = Field(examples=["long"])
    entry_ts: Ms
    entry_price: float
    exit_ts: Ms
    exit_price: float
    quantity: float
    pnl: float
    fees: float
    slippage: float
    exit_reason: str = Field(examples=["stop_loss"])


class EquityAnswer(Answer):
    """An equity curve: two lists of one length."""

    ts: list[int]
    """Close times (ms)."""
    equity: list[float]
    """Quote currency."""


class CompareBody(Body):
    """Backtests to lay side by side."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ids": [12, 13]}]})

    ids: list[int] = Field(min_length=2, max_length=backtests.MOST_COMPARED)


class MeasuredAnswer(Answer):
    """One metric of all of them."""

    key: str = Field(examples=["sharpe"])
    values: list[float | None]
    best: list[int]
    """Positions of the best."""


class RunDifferenceAnswer(Answer):
    """Something in which their runs differ."""

    kind: str = Field(examples=["param"])
    """``run``, ``param`` or ``setting``."""
    key: str = Field(examples=["fast"])
    values: list[Any]


class ComparisonAnswer(Answer):
    """Backtests side by side; each list of values has one per backtest, in the order asked for."""

    backtests: list[Summary]
    metrics: list[MeasuredAnswer]
    differences: list[RunDifferenceAnswer]
    warnings: list[str] = Field(examples=[["Not the same candles: other markets or periods reward other strategies."]])
    """Why they may not compare."""


@router.post("", status_code=202, summary="Run a backtest")
def submit(body: BacktestBody, caller: Trader, own: Own, server: Server, response: Response) -> JobAnswer:
    """Put a backtest into the queue; the job says how far it is and, once it is done, which backtest came of it."""
    job = backtests.submit(
        body.market(body.timeframe, proof=body.proof),
        around(own, server),
        job_id=new_id(),
        user_id=caller.user_id,
        limits=caller.limits,
        now_ms=server.now_ms(),
    )
    return accepted(job, response)


@router.get("", summary="Finished backtests, the newest first")
@quick
def listed(
    _: Viewer,
    own: Own,
    limit: Limit = 50,
    after: Cursor = None,
    strategy: StrategyName = None,
    venue: Annotated[str | None, Query(max_length=40, pattern=NO_NUL)] = None,
    timeframe: Timeframe | None = None,
) -> Page[Summary]:
    """Return your backtests."""
    found = own.results.latest(limit + 1, strategy, venue=venue, timeframe=timeframe, before=number(after))
    return page(found, limit, lambda result: result.id, _summary)


@router.post("/compare", summary="Lay backtests side by side")
def compare(body: CompareBody, _: Viewer, own: Own) -> ComparisonAnswer:
    """Return metrics, in what the runs differ, and why they may not compare."""
    found = backtests.compared(own.results, body.ids)
    return ComparisonAnswer(
        backtests=[_summary(result) for result in found.results],
        metrics=[
            MeasuredAnswer(key=one.key, values=[_figure(value) for value in one.values], best=list(one.best))
            for one in found.metrics
        ],
        differences=[
            RunDifferenceAnswer(kind=one.kind, key=one.key, values=without_nan(one.values)) for one in found.differences
        ],
        warnings=list(found.warnings),
    )


@router.get("/{backtest_id}", summary="One backtest")
def shown(backtest_id: BacktestId, _: Viewer, own: Own) -> BacktestAnswer:
    """Return metrics, proof, settings and notes."""
    result = own.results.get(backtest_id)
    return BacktestAnswer(
        **_summary(result).model_dump(),
        settings=without_nan(result.settings),
        data_hash=result.data_hash,
        code_hash=result.code_hash,
        proof=without_nan(result.proof),
        notes=list(result.notes),
        trades=len(result.trades),
        has_report=own.reports.has(backtest_id),
    )


@router.delete("/{backtest_id}", status_code=204, summary="Delete a backtest")
def forget(backtest_id: BacktestId, _: Trader, own: Own) -> None:
    """Delete a backtest with its trades and report."""
    own.results.forget(backtest_id)
    own.reports.forget(backtest_id)


@router.get("/{backtest_id}/trades", summary="Its trades")
def trades(
    backtest_id: BacktestId, _: Viewer, own: Own, limit: Limit = 100, after: Cursor = None
) -> Page[BacktestTradeAnswer]:
    """Return trades in the order in which they ended."""
    first = number(after) or 0
    found = own.results.get(backtest_id).trades
    rows = list(islice(enumerate(found, start=1), first, first + limit + 1))
    return page(rows, limit, lambda row: row[0], lambda row: _trade(*row))


@router.get("/{backtest_id}/equity", summary="Its equity curve")
def equity(
    backtest_id: BacktestId,
    _: Viewer,
    own: Own,
    points: Annotated[
        int,
        Query(
            ge=backtests.FEWEST_POINTS, le=backtests.MOST_POINTS, description="At most so many; highs and lows stay."
        ),
    ] = backtests.MOST_POINTS,
) -> EquityAnswer:
    """Return the curve, thinned so that its highs and lows stay."""
    found = backtests.equity(own.results.get(backtest_id), points)
    return EquityAnswer(ts=[ts for ts, _ in found], equity=[value for _, value in found])


@router.get("/{backtest_id}/report", **REPORT)
def report(backtest_id: BacktestId, _: Viewer, own: Own, download: Download = False) -> HTMLResponse:
    """Return the page, which opens offline. It may run its own scripts, by their hash, and reach nothing."""
    own.results.get(backtest_id)
    return report_page(own.reports.page(backtest_id), f"backtest-{backtest_id}", download=download)


def report_page(text: str, name: str, *, download: bool) -> HTMLResponse:
    """Return a report's page under its own policy, as a page to look at or as the file ``name`` to save."""
    allowed = _POLICY.search(text)
    own_policy = unescape(allowed[1]) if allowed else "default-src 'none'"
    how = "attachment" if download else "inline"
    return HTMLResponse(
        text,
        headers={
            "Content-Security-Policy": f"{own_policy}; frame-ancestors 'self'; sandbox allow-scripts allow-downloads",
            "Content-Disposition": f'{how}; filename="{name}.html"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _summary(result: StoredResult) -> Summary:
    verdict = "failed" if failed(result) else "passed" if proved(result) else "unproved"
    return Summary(
        id=result.id,
        created_ms=result.created_ms,
        strategy=result.strategy,
        params=without_nan(result.params),
        venue=result.venue,
        symbols=list(result.symbols),
        timeframe=result.timeframe,
        first_ts=result.first_ts,
        last_ts=result.last_ts,
        candles=result.candles,
        engine=result.engine,
        metrics={key: _figure(value) for key, value in result.metrics.items()},
        verdict=verdict,
    )


def _trade(place: int, trade: Trade) -> BacktestTradeAnswer:
    return BacktestTradeAnswer(
        number=place,
        symbol=trade.symbol,
        strategy=trade.strategy,
        side=trade.side,
        entry_ts=trade.entry_ts,
        entry_price=trade.entry_price,
        exit_ts=trade.exit_ts,
        exit_price=trade.exit_price,
        quantity=trade.quantity,
        pnl=trade.pnl,
        fees=trade.fees,
        slippage=trade.slippage,
        exit_reason=trade.exit_reason.value,
    )


def _figure(value: float) -> float | None:
    return value if isfinite(value) else None


def without_nan(value: Any) -> Any:
    """Return ``value`` as JSON has it, which knows neither NaN nor the infinities: null stands for them."""
    if isinstance(value, float):
        return _figure(value)
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(one) for one in value]
    return value
