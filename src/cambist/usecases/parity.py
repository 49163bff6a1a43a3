"""Parity: what a bot traded against what its backtest would have traded on what the bot saw.

What it traded is read out of the journal, what it saw out of the heartbeat's record; the candles before that, on which
its strategy warmed up, are in the lake. The backtest decides where the bot was asked, and nowhere else.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

import numpy as np

from cambist.backtest.engines import Place, Retraced, retrace, still_open
from cambist.backtest.result import Settings
from cambist.domain.account import BotSpec, BotStatus, Mode
from cambist.domain.candles import Candles
from cambist.domain.errors import NotFound
from cambist.domain.instrument import Instrument
from cambist.domain.record import record
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.engine.account import Account
from cambist.engine.chronicle import Chronicle, Deal, Why, read, why
from cambist.engine.ready import Ready
from cambist.market.series import build
from cambist.ports.book import Journal
from cambist.ports.heartbeat_log import HeartbeatLog, SignalRow
from cambist.ports.history import CandleLake
from cambist.usecases.differences import Cause, Difference, Known, Matched, compare, moment

_ASKED = (BotStatus.RUNNING, BotStatus.SUSPENDED)  # one that is suspended still closes what it holds
_MADE_UP = "simulated"
_END = 2**62


@record(kw_only=True)
class ParityReport:
    """What a bot traded in a period, beside what its backtest would have traded. Money is in ``currency``."""

    bot: str
    account: str
    strategy: str
    venue: str
    symbol: str
    timeframe: Timeframe
    currency: str
    since_ms: int
    until_ms: int
    """Itself not included."""
    candles: int
    """On which the bot was asked."""
    missing: int
    """Candles of that time that the bot never saw."""
    repaired: int
    """Candles that came by back-filling."""
    late: int
    """Candles that came when the next had closed already: seen, not decided on."""
    trades: int
    """Trades that either side had."""
    live_trades: int
    tested_trades: int
    matched: int
    """Trades that are the same on both sides, to the last digit."""
    live_pnl: Decimal
    """After fees; what is still held is valued at the last close."""
    tested_pnl: Decimal
    by_cause: dict[Cause, Decimal]
    """What each cause made of the difference between the two."""
    differences: tuple[Difference, ...]
    notes: tuple[Why, ...] = ()
    """What to know of the comparison itself."""


@dataclass(slots=True)
class _Saw:
    """What a bot saw: candles, those that it learnt from included, and on which it was asked."""

    candles: Candles
    asked: list[bool]
    rows: list[SignalRow]
    """The signals from the first on which it was asked."""
    late: list[int]
    """Open times of candles that came when it was too late to decide."""
    warm_up: int
    """Candles before that first one."""
    needed: int
    """How many the strategy needs there."""


def parity(
    account: Account,
    bot: str,
    *,
    journal: Journal,
    heartbeat: HeartbeatLog,
    lake: CandleLake,
    open_strategy: Callable[[BotSpec], Ready],
    costs: Settings | None = None,
    day: int | None = None,
) -> ParityReport:
    """Return what ``bot`` traded beside what its backtest would have traded on what it saw.

    ``account`` is new, as for `recover`: its settings are those that its journal tells of. ``costs`` default to
    those of the paper venue; a live bot's fees to those of its venue, where the instrument tells them. ``day`` (ms,
    its midnight UTC) keeps what was entered or has ended on that day.

    ``open_strategy`` gives the bot's strategy, wherever it decides.

    Raises `NotFound` if the bot has never run or seen anything (that day), `StrategyFailed` if its strategy cannot
    even be bound to the candles, and what ``open_strategy`` raises.
    """
    told = read(account, bot, journal)
    spec, instrument = told.spec, told.instrument
    started = [ts for ts, status in told.statuses if status is BotStatus.RUNNING]
    if spec is None or instrument is None or not started:
        raise NotFound("parity.never_ran", bot=bot)
    with closing(open_strategy(spec)) as strategy:
        needed = strategy.warm_up(spec.timeframe)
        saw = _what_it_saw(spec, account.spec.venue, told, heartbeat, lake, needed, started[0])
        later = next((seq for ts, seq in told.fills if ts >= saw.rows[-1].close_ms), None)
        if later is not None:  # within the candle that has not closed yet, of which a backtest knows nothing
            told = read(account, bot, journal, before=later)
        place = Place(
            id=bot,
            name=spec.strategy,
            candles=saw.candles,
            instrument=instrument,
            funding=(np.empty(0, np.int64), np.empty(0)),
            detail=_detail(spec, account.spec.venue, heartbeat, saw.rows),
        )
        bound = partial(strategy.over, saw.candles, instrument)
        settings = _settings(costs, account.spec.mode, instrument, spec)
        tested = retrace(place, bound, settings, spec.budget, saw.asked)
    return _report(spec, instrument, told, saw, tested, day)


def _settings(costs: Settings | None, mode: Mode, instrument: Instrument, spec: BotSpec) -> Settings:
    fees = (instrument.taker_fee_bps, instrument.maker_fee_bps)
    if costs is None and mode is not Mode.PAPER and fees[0] is not None:
        costs = Settings(fee_bps=float(fees[0]), maker_fee_bps=None if fees[1] is None else float(fees[1]))
    return replace(costs or Settings(), pyramiding=spec.pyramiding)


# -- what it saw ------------------------------------------------------------------------------------------------------


def _what_it_saw(
    spec: BotSpec, venue: str, told: Chronicle, heartbeat: HeartbeatLog, lake: CandleLake, needed: int, started: int
) -> _Saw:
    frame = spec.timeframe
    since = frame.floor(started - (needed + 1) * frame.ms)
    rows = heartbeat.seen(venue, spec.symbol, frame, since, _END)
    asked = {row.candle_ms for row in rows if _was_asked(spec, told, row)}
    if not asked:
        raise NotFound("parity.nothing_seen", bot=spec.id, symbol=spec.symbol, timeframe=frame)
    first = min(asked)
    table = {row.candle_ms: _numbers(row) for row in rows}
    table = {ts: numbers for ts, numbers in _in_lake(lake, venue, spec, since) if ts not in table} | table
    before = sorted(ts for ts in table if ts < first)[-needed:]
    times = [*before, *sorted(ts for ts in table if ts >= first and ts <= rows[-1].candle_ms)]
    columns = np.array([table[ts] for ts in times]).T
    watched = [row for row in rows if row.candle_ms >= first]
    late = [row.candle_ms for row in watched if _awake(spec, told, row) and row.candle_ms not in asked]
    candles = build(venue, spec.symbol, frame, times, *columns)
    return _Saw(candles, [ts in asked for ts in times], watched, late, len(before), needed)


def _was_asked(spec: BotSpec, told: Chronicle, row: SignalRow) -> bool:
    """Tell whether the bot was to decide on a candle that the heartbeat told of."""
    if row.candle_ms in told.wishes:
        return True
    # one that comes when the next has closed is only taken in; on a made-up market no candle comes late
    in_time = row.venue == _MADE_UP or row.received_ms - row.close_ms < row.timeframe.ms
    return in_time and _awake(spec, told, row)


def _awake(spec: BotSpec, told: Chronicle, row: SignalRow) -> bool:
    close = row.close_ms
    within = (spec.since_ms is None or close >= spec.since_ms) and (spec.until_ms is None or close <= spec.until_ms)
    return within and told.status(close) in _ASKED


def _in_lake(lake: CandleLake, venue: str, spec: BotSpec, since: int) -> list[tuple[int, tuple[float, ...]]]:
    try:
        held = lake.read(venue, spec.symbol, spec.timeframe, since, None)
    except NotFound:
        return []
    return [(one.ts, (one.open, one.high, one.low, one.close, one.volume)) for one in held]


def _numbers(row: SignalRow) -> tuple[float, ...]:
    return float(row.open), float(row.high), float(row.low), float(row.close), float(row.volume)


def _detail(spec: BotSpec, venue: str, heartbeat: HeartbeatLog, rows: Sequence[SignalRow]) -> Candles | None:
    """Return the minutes within the candles: where there are any, they say what acted first."""
    if spec.timeframe is Timeframe.M1:
        return None
    minutes = heartbeat.seen(venue, spec.symbol, Timeframe.M1, rows[0].candle_ms, rows[-1].close_ms)
    if not minutes:
        return None
    columns = np.array([_numbers(row) for row in minutes]).T
    return build(venue, spec.symbol, Timeframe.M1, [row.candle_ms for row in minutes], *columns)


def _absent(saw: _Saw, told: Chronicle, frame: Timeframe) -> list[int]:
    """Return the open times of the candles that the bot should have seen and did not."""
    seen = {row.candle_ms for row in saw.rows}
    ts, last, found = saw.rows[0].candle_ms, saw.rows[-1].candle_ms, []
    while ts < last:
        close = frame.close_of(ts)
        if ts not in seen and told.status(close) in _ASKED:
            found.append(ts)
        ts = close
    return found


# -- the two beside each other ----------------------------------------------------------------------------------------


def _report(
    spec: BotSpec, instrument: Instrument, told: Chronicle, saw: _Saw, tested: Retraced, day: int | None
) -> ParityReport:
    frame = spec.timeframe
    last_ts, last_close = int(saw.candles.ts[-1]), float(saw.candles.close[-1])
    deals = list(told.deals)
    if told.bot is not None and told.bot.position:
        deals.append(Deal(still_open(told.bot, last_ts, last_close), told.course))
    absent = _absent(saw, told, frame)
    compared = compare(deals, tested.trades, Known(told, tested, frame, absent, saw.candles.ts.tolist()))
    first, until = saw.rows[0].candle_ms, saw.rows[-1].close_ms
    since, end = (first, until) if day is None else (max(first, day), min(until, day + DAY_MS))
    if since >= end:
        raise NotFound("parity.not_that_day", bot=spec.id, first=moment(first), last=moment(until))
    kept = compared if day is None else [one for one in compared if one.within(since, end)]
    rows = [row for row in saw.rows if since <= row.candle_ms < end]
    return ParityReport(
        bot=spec.id,
        account=spec.account,
        strategy=spec.strategy,
        venue=saw.candles.venue,
        symbol=spec.symbol,
        timeframe=frame,
        currency=instrument.quote,
        since_ms=since,
        until_ms=end,
        candles=sum(
            1 for ts, asked in zip(saw.candles.ts.tolist(), saw.asked, strict=True) if asked and since <= ts < end
        ),
        missing=sum(1 for ts in absent if since <= ts < end),
        repaired=sum(row.repaired for row in rows),
        late=sum(1 for ts in saw.late if since <= ts < end),
        trades=len(kept),
        live_trades=sum(1 for one in kept if one.live is not None),
        tested_trades=sum(1 for one in kept if one.tested is not None),
        matched=sum(1 for one in kept if not one.differences),
        live_pnl=sum((one.live.pnl for one in kept if one.live is not None), Decimal(0)),
        tested_pnl=sum((one.tested.pnl for one in kept if one.tested is not None), Decimal(0)),
        by_cause=_by_cause(kept),
        differences=tuple(difference for one in kept for difference in one.differences),
        notes=_notes(told, saw, tested),
    )


def _by_cause(kept: Sequence[Matched]) -> dict[Cause, Decimal]:
    found: dict[Cause, Decimal] = {}
    for one in kept:
        for difference in one.differences:
            found[difference.cause] = found.get(difference.cause, Decimal(0)) + difference.money
    return found


def _notes(told: Chronicle, saw: _Saw, tested: Retraced) -> tuple[Why, ...]:
    notes = []
    if told.differs:
        notes.append(why("parity.note.journal", seq=told.differs))
    if saw.warm_up < saw.needed:
        notes.append(why("parity.note.warm_up", count=saw.warm_up, needed=saw.needed))
    if tested.failed is not None:
        notes.append(why("parity.note.failed", error=tested.failed))
    return tuple(notes)
