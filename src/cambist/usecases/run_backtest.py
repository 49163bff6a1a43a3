"""Backtests on the lake's candles: find them, run, keep the result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cambist.backtest.loop import Progress
from cambist.backtest.run import Finished, backtest
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, NotFound
from cambist.domain.instrument import Instrument
from cambist.domain.moment import show_moment
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe
from cambist.engine.runners import configured
from cambist.market.resample import resample
from cambist.ports.history import CandleLake, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person asks to be backtested."""

    strategy: str
    """A registered name, or ``path/to/file.py[:Class]``."""
    symbols: tuple[str, ...]
    timeframe: Timeframe
    venue: str | None = None
    """None: the only venue of which the lake has the symbol."""
    since: int | None = None
    until: int | None = None
    detail: Timeframe | None = None
    """A smaller timeframe that decides what happens within a candle."""
    params: Mapping[str, str]
    settings: Mapping[str, Any]
    """Keyword arguments of `cambist.backtest.run.backtest`: cash, costs, proof."""


def run_backtest(order: Order, lake: CandleLake, progress: Progress | None = None) -> Finished:
    """Run ``order`` on the lake's candles; raise `BadInput`, `NotFound` or what `backtest` raises."""
    strategy = configured(order.strategy, order.params)
    candles, detail, instruments = gathered(order, lake)
    return backtest(strategy, candles, detail=detail, instrument=instruments, progress=progress, **order.settings)


def gathered(order: Order, lake: CandleLake) -> tuple[list[Candles], list[Candles], dict[str, Instrument]]:
    """Return what ``order`` runs on: candles, finer candles if it wants them, and the rules that are known by symbol.

    Raises `BadInput` for too few candles or no clear venue, `NotFound`.
    """
    held = lake.series()
    candles, detail, instruments = [], [], {}
    for symbol in order.symbols:
        venue = order.venue or _only_venue(symbol, held)
        candles.append(_read(lake, held, venue, symbol, order.timeframe, order.since, order.until))
        if order.detail is not None:
            detail.append(_read(lake, held, venue, symbol, order.detail, order.since, order.until))
        instrument = lake.instrument(venue, symbol)
        if instrument is not None:
            instruments[symbol] = instrument
    return candles, detail, instruments


def _only_venue(symbol: str, held: Sequence[Series]) -> str:
    venues = sorted({series.venue for series in held if series.symbol == symbol})
    if not venues:
        known = ", ".join(sorted({series.symbol for series in held})) or "-"
        raise NotFound("backtest.no_candles", symbol=symbol, known=known)
    if len(venues) > 1:
        raise BadInput("--venue", "", "backtest.which_venue", symbol=symbol, known=", ".join(venues))
    return venues[0]


def _read(
    lake: CandleLake,
    held: Sequence[Series],
    venue: str,
    symbol: str,
    timeframe: Timeframe,
    since: int | None,
    until: int | None,
) -> Candles:
    """Return candles of ``timeframe``: the lake's own, or gathered from the largest smaller one that it has."""
    have = {one.timeframe: one for one in held if one.venue == venue and one.symbol == symbol}
    smaller = [own for own in have if timeframe.holds(own)]
    source = max(smaller, key=lambda own: own.ms) if smaller and timeframe not in have else timeframe
    found = lake.read(venue, symbol, source, since, until)
    candles = found if source is timeframe else resample(found, timeframe)
    if len(candles) < 2:
        bounds = ("" if bound is None else show_moment(bound) for bound in (since, until))
        span = {"first": show_moment(have[source].first_ts), "last": show_moment(have[source].last_ts)}
        raise BadInput("--since/--until", "..".join(bounds), "backtest.too_few_there", symbol=symbol, **span)
    return candles


def progress_text(order: Order) -> str:
    """Return what a progress bar says while ``order`` runs."""
    return say("backtest.running", strategy=order.strategy, symbols=", ".join(order.symbols), timeframe=order.timeframe)
