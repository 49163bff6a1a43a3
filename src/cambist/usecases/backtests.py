"""What a person asks of backtests: submit one, look at its equity, compare several."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cambist.domain.errors import BadInput, NotFound, TooMany
from cambist.domain.job import Job
from cambist.domain.record import record
from cambist.domain.strategy_text import parse_stored_name, stored_name
from cambist.domain.text import language
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.ports.book import Register
from cambist.ports.history import CandleLake
from cambist.ports.jobs import JobStore
from cambist.ports.results import ResultStore, StoredResult
from cambist.ports.strategies import Shelf
from cambist.usecases.results import Comparison, compare, thin

if TYPE_CHECKING:
    from cambist.ports.history import Series

BACKTEST, DOWNLOAD, SEARCH = "backtest", "download", "search"
MOST_SYMBOLS, MOST_CANDLES, MOST_COMPARED = 20, 5_000_000, 10
MOST_ACTIVE = 20
"""Jobs that a person may have waiting or running."""
FEWEST_POINTS, MOST_POINTS = 10, 2_000
"""Of an equity curve."""

_SYMBOL = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}(:[A-Z0-9]{1,20})?")
_NEWEST = re.compile(r"stored:([1-9][0-9]{0,17})")
_MINUTE_MS = 60_000


@record(kw_only=True)
class Wanted:
    """A backtest as a person asks for it."""

    strategy: str
    """A sample's name, ``stored:<id>`` (its newest version) or ``stored:<id>@<version>``."""
    symbols: tuple[str, ...]
    timeframe: Timeframe
    venue: str | None = None
    account: str | None = None
    """One of the person's: its exchange is the venue."""
    since: int | None = None
    """Open time of the first candle (ms); None: where the candles that are here begin."""
    until: int | None = None
    """None: now."""
    detail: Timeframe | None = None
    params: Mapping[str, Any]
    settings: Mapping[str, Any]
    """Arguments of `cambist.backtest.run.checked`."""
    proof: bool = True


@record(kw_only=True)
class Surroundings:
    """What is needed to check and keep what a person asks, all of it the person's own or everybody's."""

    jobs: JobStore
    register: Register
    shelf: Shelf
    lake: CandleLake
    exchanges: Callable[[str], bool]
    """Whether candles can be fetched from a venue of this name."""


def submit(
    wanted: Wanted, around: Surroundings, *, job_id: str, user_id: int, limits: Mapping[str, Any], now_ms: int
) -> Job:
    """Check ``wanted`` and put it into the queue; ``limits`` are those of `Person`.

    Raises `BadInput` naming the field, `NotFound` for a strategy or account that the person does not have, `TooMany`.
    """
    params = order_of(wanted, around, user_id, limits, now_ms) | {"proof": wanted.proof}
    job = Job(id=job_id, user_id=user_id, kind=BACKTEST, params=params, asked_ms=now_ms)
    around.jobs.add(job, MOST_ACTIVE)
    return job


def order_of(
    wanted: Wanted, around: Surroundings, user_id: int, limits: Mapping[str, Any], now_ms: int
) -> dict[str, Any]:
    """Return what a job over candles is told of strategy, market and costs, as JSON; raises as `submit` does."""
    from cambist.backtest.run import checked

    checked(**wanted.settings)
    venue = _venue(wanted, around)
    held = [one for one in around.lake.series() if one.venue == venue]
    _check_symbols(wanted.symbols, held)
    if not around.exchanges(venue):
        here = sorted({one.symbol for one in held})
        for symbol in wanted.symbols:
            if symbol not in here:
                raise BadInput("symbols", symbol, "jobs.no_candles", venue=venue, known=", ".join(here) or "-")
    if wanted.detail is not None and (wanted.detail is wanted.timeframe or not wanted.timeframe.holds(wanted.detail)):
        raise BadInput("detail", str(wanted.detail), "backtest.detail", own=wanted.timeframe)
    since, until = _span(wanted, held, now_ms)
    return {
        "strategy": _strategy(wanted, around.shelf),
        "venue": venue,
        "symbols": list(wanted.symbols),
        "timeframe": str(wanted.timeframe),
        "since": since,
        "until": until,
        "detail": None if wanted.detail is None else str(wanted.detail),
        "params": dict(wanted.params),
        "settings": dict(wanted.settings),
        "language": language(),
        "allowed_per_day_ms": _allowed_ms(around.jobs, user_id, limits, now_ms),
    }


def submit_download(
    around: Surroundings,
    *,
    venue: str,
    symbol: str,
    timeframe: Timeframe,
    since: int,
    until: int | None,
    job_id: str,
    user_id: int,
    now_ms: int,
) -> Job:
    """Check what is asked and put a download into the queue; raise `BadInput` naming the field, or `TooMany`."""
    if not around.exchanges(venue):
        raise _no_venue(venue, around.lake)
    _check_symbols((symbol,), ())
    end = _end(until, timeframe, now_ms)
    _check_span(since, end, timeframe, 1)
    job = Job(
        id=job_id,
        user_id=user_id,
        kind=DOWNLOAD,
        params={
            "venue": venue,
            "symbol": symbol,
            "timeframe": str(timeframe),
            "since": since,
            "until": end,
            "language": language(),
        },
        asked_ms=now_ms,
    )
    around.jobs.add(job, MOST_ACTIVE)
    return job


def equity(result: StoredResult, points: int) -> tuple[tuple[int, float], ...]:
    """Return (close time ms, equity) of ``result`` in at most ``points``; each stretch keeps its lowest and highest."""
    import numpy as np

    if not FEWEST_POINTS <= points <= MOST_POINTS:
        raise BadInput("points", points, "jobs.points", low=FEWEST_POINTS, high=MOST_POINTS)
    ts = np.array([at for at, _ in result.equity], dtype=np.int64)
    return thin(ts, np.array([value for _, value in result.equity], dtype=np.float64), points)


def compared(results: ResultStore, ids: Sequence[int]) -> Comparison:
    """Return several results side by side; raise `BadInput` for too few or too many, `NotFound`."""
    if not 2 <= len(ids) <= MOST_COMPARED or len(set(ids)) < len(ids):
        raise BadInput("ids", list(ids), "jobs.compare", most=MOST_COMPARED)
    return compare([results.get(one) for one in ids])


# -- checks -----------------------------------------------------------------------------------------------------------


def _strategy(wanted: Wanted, shelf: Shelf) -> str:
    """Return the strategy's name with its version; check its parameters if it is one of ours."""
    newest = _NEWEST.fullmatch(wanted.strategy)
    stored = parse_stored_name(wanted.strategy)
    if newest:
        strategy = int(newest[1])
        return stored_name(strategy, shelf.get(strategy).version)
    if stored:
        shelf.version(*stored)
        return wanted.strategy
    from cambist.engine.runners import configured
    from cambist.strategies._load import samples

    if wanted.strategy not in {*samples(), *(each.__name__ for each in samples().values())}:
        raise BadInput("strategy", wanted.strategy, "jobs.strategy", known=", ".join(samples()))
    configured(wanted.strategy, wanted.params)
    return wanted.strategy


def _venue(wanted: Wanted, around: Surroundings) -> str:
    if (wanted.venue is None) == (wanted.account is None):
        raise BadInput("venue", wanted.venue or "", "jobs.where")
    venue = wanted.venue
    if venue is None:
        own = {spec.id: spec.venue for spec in around.register.accounts()}
        if wanted.account not in own:
            raise NotFound("book.no_account", account=wanted.account, near="-")
        venue = own[wanted.account]
    if not around.exchanges(venue) and venue not in {one.venue for one in around.lake.series()}:
        raise _no_venue(venue, around.lake)
    return venue


def _no_venue(venue: str, lake: CandleLake) -> BadInput:
    known = ", ".join(sorted({one.venue for one in lake.series()})) or "-"
    return BadInput("venue", venue, "jobs.venue", known=known)


def _check_symbols(symbols: Sequence[str], held: "Sequence[Series]") -> None:
    if not 1 <= len(symbols) <= MOST_SYMBOLS or len(set(symbols)) < len(symbols):
        raise BadInput("symbols", ", ".join(symbols), "jobs.symbols", most=MOST_SYMBOLS)
    here = {one.symbol for one in held}
    for symbol in symbols:
        if symbol not in here and not _SYMBOL.fullmatch(symbol):
            raise BadInput("symbols", symbol, "jobs.symbol")


def _span(wanted: Wanted, held: "Sequence[Series]", now_ms: int) -> tuple[int, int]:
    until = _end(wanted.until, wanted.timeframe, now_ms)
    since = wanted.since
    if since is None:
        begins = [
            one.first_ts for one in held if one.symbol in wanted.symbols and wanted.timeframe.holds(one.timeframe)
        ]
        if not begins:
            raise BadInput("since", "", "jobs.since")
        since = min(begins)
    finest = wanted.detail or wanted.timeframe
    _check_span(since, until, wanted.timeframe, 2)
    _check_span(since, until, finest, 2, len(wanted.symbols))
    return since, until


def _end(until: int | None, timeframe: Timeframe, now_ms: int) -> int:
    """Return where to end: not in a candle that is still under way."""
    now = timeframe.floor(now_ms)
    return now if until is None else min(until, now)


def _check_span(since: int, until: int, timeframe: Timeframe, fewest: int, times: int = 1) -> None:
    if until - since < fewest * timeframe.ms:
        raise BadInput("since", since, "jobs.span", until=until)
    count = (until - since) // timeframe.ms * times
    if count > MOST_CANDLES:
        raise BadInput("since", since, "jobs.too_long", count=count, most=MOST_CANDLES)


def _allowed_ms(jobs: JobStore, user_id: int, limits: Mapping[str, Any], now_ms: int) -> int | None:
    """Return the computing time that a person has in 24 hours, None: no limit; raise `TooMany` if it is used up."""
    minutes = limits.get("backtest_minutes_per_day")
    if minutes is None:
        return None
    allowed_ms = int(minutes * _MINUTE_MS)
    if jobs.spent_ms(user_id, now_ms - DAY_MS) >= allowed_ms:
        raise TooMany("jobs.out_of_time")
    return allowed_ms
