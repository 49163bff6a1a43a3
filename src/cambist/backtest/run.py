"""`backtest`: one or several strategies over past candles, from one cash account."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from cambist.analytics.performance import measure
from cambist.backtest.engines import Floats, Funding, Ints, Outcome, Seat, compiled, looped, share_of
from cambist.backtest.loop import Progress
from cambist.backtest.proof import prove, skipped
from cambist.backtest.result import Leg, Line, Result, Settings
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.proof import Proof, Verdict
from cambist.domain.text import say
from cambist.engine.runners import Given, instance_of, name_of, params_of
from cambist.market.grid import close_times
from cambist.strategies._load import load
from cambist.strategies._signals import SignalStrategy

Engine = Literal["auto", "compiled", "event loop"]


class Finished(Result):
    """A finished backtest, which can write its report."""

    __slots__ = ()

    def report(self, path: str | Path) -> Path:
        """Write the report, one HTML file that opens offline, to ``path`` and return that path."""
        from cambist.backtest.report.page import page

        target = Path(path)
        target.write_text(page([self]), encoding="utf-8")
        return target


def backtest(
    strategy: Given | str | Sequence[Given | str],
    candles: Candles | Sequence[Candles],
    *,
    cash: float = 10_000.0,
    fee_bps: float = 10.0,
    maker_fee_bps: float | None = None,
    slippage_bps: float = 5.0,
    spread_bps: float = 0.0,
    volume_share: float | None = 0.1,
    limit_touch: bool = False,
    pyramiding: int = 1,
    instrument: Instrument | Mapping[str, Instrument] | None = None,
    funding: Funding | Mapping[str, Funding] | None = None,
    detail: Candles | Sequence[Candles] = (),
    proof: bool = True,
    engine: Engine = "auto",
    since: int | None = None,
    progress: Progress | None = None,
) -> Finished:
    """Run ``strategy`` over ``candles`` and return trades, equity, metrics and proof.

    A strategy is an instance, a class, or a name as on the command line. Several strategies or several symbols trade
    from one cash account; their order does not matter. ``instrument`` and ``funding`` are given per symbol where there
    are several; without an instrument no venue's rules bind. ``detail`` are candles of a smaller timeframe that decide
    what happens within one. A `SignalStrategy` on one symbol runs in the compiled simulator, everything else in the
    event loop; both obey one law. ``proof=False`` brands the report. Candles that open before ``since`` (ms) are known
    to the strategy but not traded.

    Raises `BadInput` for values that will not do, `StrategyFailed` when a strategy's own code raises, and `Stopped` on
    Ctrl-C.
    """
    settings = checked(
        cash=cash,
        fee_bps=fee_bps,
        maker_fee_bps=maker_fee_bps,
        slippage_bps=slippage_bps,
        spread_bps=spread_bps,
        volume_share=volume_share,
        limit_touch=limit_touch,
        pyramiding=pyramiding,
    )
    if engine not in get_args(Engine):
        raise BadInput("engine", engine, "param.choices", choices=", ".join(get_args(Engine)))
    seats = seats_of(strategy, candles, instrument, funding, detail, settings.cash)
    settings, notes = fitted(settings, seats)
    if engine == "event loop" or not can_compile(seats, settings):
        if engine == "compiled":
            raise BadInput("engine", engine, "backtest.cannot_compile")
        outcome = looped(seats, settings, progress, since=since)
    else:
        outcome = compiled(seats[0], settings, since=since)
    stamp = stamp_of(seats, outcome, settings) if proof else skipped()
    return finished([traded(seat, since) for seat in seats], settings, outcome, stamp, notes)


def fitted(settings: Settings, seats: Sequence[Seat]) -> tuple[Settings, list[str]]:
    """Return ``settings`` as far as the data allow, and what is to be said of them."""
    notes = []
    shares = [share_of(seat.candles, settings) for seat in seats]
    if settings.volume_share is not None and None in shares:
        notes.append(say("note.no_volume"))
    if any(seat.instrument.assumed for seat in seats):
        notes.append(say("note.assumed_rules"))
    if any(seat.instrument.kind is Kind.PERPETUAL and not seat.funding[0].size for seat in seats):
        notes.append(say("note.no_funding"))
    return replace(settings, volume_share=max((one for one in shares if one is not None), default=None)), notes


def checked(
    *,
    cash: float,
    fee_bps: float,
    maker_fee_bps: float | None,
    slippage_bps: float,
    spread_bps: float,
    volume_share: float | None,
    limit_touch: bool,
    pyramiding: int,
) -> Settings:
    """Return the settings of a backtest; raise `BadInput` for a value that will not do."""
    return Settings(
        cash=_checked("cash", cash, 1e-9, 1e15),
        fee_bps=_checked("fee_bps", fee_bps, -100.0, 1_000.0),
        maker_fee_bps=None if maker_fee_bps is None else _checked("maker_fee_bps", maker_fee_bps, -100.0, 1_000.0),
        slippage_bps=_checked("slippage_bps", slippage_bps, 0.0, 1_000.0),
        spread_bps=_checked("spread_bps", spread_bps, 0.0, 1_000.0),
        volume_share=None if volume_share is None else _checked("volume_share", volume_share, 1e-9, 1.0),
        limit_touch=limit_touch,
        pyramiding=int(_checked("pyramiding", pyramiding, 1, 1_000)),
    )


def _checked(field: str, value: float, low: float, high: float) -> float:
    if not isinstance(value, int | float | np.integer) or not low <= value <= high:
        raise BadInput(field, value, "number.between", low=f"{low:g}", high=f"{high:g}")
    return float(value)


def can_compile(seats: Sequence[Seat], settings: Settings) -> bool:
    """Tell whether the compiled simulator can do it."""
    return (
        len(seats) == 1
        and isinstance(instance_of(seats[0].strategy), SignalStrategy)
        and seats[0].detail is None
        and settings.pyramiding == 1
    )


def seats_of(
    strategy: Given | str | Sequence[Given | str],
    candles: Candles | Sequence[Candles],
    instrument: Instrument | Mapping[str, Instrument] | None,
    funding: Funding | Mapping[str, Funding] | None,
    detail: Candles | Sequence[Candles],
    cash: float,
) -> list[Seat]:
    """Return each strategy on each series, in an order that does not depend on the order in which they were given."""
    given: list[Any] = list(strategy) if isinstance(strategy, list | tuple) else [strategy]
    strategies: list[Given] = [load(one) if isinstance(one, str) else one for one in given]
    series = list(candles) if isinstance(candles, Iterable) and not isinstance(candles, Candles | str) else [candles]
    details = [detail] if isinstance(detail, Candles) else list(detail)
    if not strategies or not series:
        raise BadInput("strategy" if not strategies else "candles", "[]", "backtest.nothing")
    for own in series:
        if not isinstance(own, Candles):
            raise BadInput("candles", type(own).__name__, "backtest.candles_type")
    seats = []
    for one, own in product(strategies, series):
        instance_of(one)  # or it is no strategy
        elsewhere = {one.venue for one in series if one.symbol == own.symbol and one.venue != own.venue}
        fine = next((fine for fine in details if fine.symbol == own.symbol and fine.venue not in elsewhere), None)
        if fine is not None and (fine.timeframe is own.timeframe or not own.timeframe.holds(fine.timeframe)):
            raise BadInput("detail", str(fine.timeframe), "backtest.detail", own=own.timeframe)
        if len(own) < 2:
            raise BadInput("candles", repr(own), "backtest.too_few")
        name, params = name_of(one), params_of(one)
        rules = instrument.get(own.symbol) if isinstance(instrument, Mapping) else instrument
        if rules is not None:  # one may be given for several symbols: they have its rules, not its name
            rules = replace(rules, venue=own.venue, symbol=own.symbol)
        paid = funding.get(own.symbol) if isinstance(funding, Mapping) else funding
        label = f"{name}({', '.join(f'{key}={value}' for key, value in params.items())})" if params else name
        seats.append(
            Seat(
                id=f"{label}@{own.venue}:{own.symbol}:{own.timeframe}",
                name=label if sum(name_of(other) == name for other in strategies) > 1 else name,
                strategy=one,
                candles=own,
                instrument=rules or Instrument.assume(own.venue, own.symbol, float(own.high.max()), cash),
                funding=_funding(paid),
                detail=fine,
            )
        )
    seats.sort(key=lambda seat: seat.id)
    for seat, following in pairwise(seats):
        if seat.id == following.id:
            raise BadInput("strategy", seat.id, "backtest.twice")
        if seat.instrument.quote != following.instrument.quote:
            symbols = f"{seat.instrument.symbol}, {following.instrument.symbol}"
            raise BadInput("candles", symbols, "backtest.one_currency")
    return seats


def _funding(paid: Funding | None) -> Funding:
    if paid is None:
        return np.empty(0, np.int64), np.empty(0)
    ts, rate = np.asarray(paid[0], np.int64), np.asarray(paid[1], np.float64)
    if ts.shape != rate.shape or np.any(np.diff(ts) < 0) or not np.all(np.isfinite(rate)):
        raise BadInput("funding", f"{ts.size} / {rate.size}", "backtest.funding")
    return ts, rate


def stamp_of(seats: Sequence[Seat], outcome: Outcome, settings: Settings) -> Proof:
    """Return the proof of all seats: the first that fails speaks for all."""
    proofs = [
        prove(seat.strategy, seat.candles, seat.instrument, runner, events, settings.cash)
        for seat, runner, events in zip(seats, outcome.runners, outcome.events, strict=True)
    ]
    return replace(
        max(proofs, key=severity),
        checks=sum(proof.checks for proof in proofs),
        warm_up_candles=max(proof.warm_up_candles for proof in proofs),
    )


def severity(proof: Proof) -> list[tuple[bool, bool]]:
    """Return what sorts proofs, the worst last."""
    return [(verdict is Verdict.FAIL, verdict is Verdict.SKIPPED) for verdict in (proof.look_ahead, proof.warm_up)]


def traded(seat: Seat, since: int | None) -> Seat:
    """Return ``seat`` with the candles that it trades: those that open at ``since`` (ms) or later."""
    return seat if since is None else replace(seat, candles=seat.candles.between(since))


def finished(
    seats: Sequence[Seat], settings: Settings, outcome: Outcome, stamp: Proof, notes: Sequence[str]
) -> Finished:
    """Return the result of ``outcome``; the candles of ``seats`` are those that were traded."""
    hold = buy_and_hold(seats, outcome.ts, settings.cash)
    metrics = measure(
        outcome.ts,
        outcome.equity,
        outcome.trades,
        cash=settings.cash,
        buy_and_hold=hold,
        exposure=outcome.exposure,
        volume_traded=outcome.traded,
    )
    names = dict.fromkeys(seat.name for seat in seats)
    given = {seat.name: params_of(seat.strategy) for seat in seats}
    return Finished(
        strategy=" + ".join(names),
        params=next(iter(given.values())) if len(given) == 1 else dict(given),
        settings=settings,
        engine=outcome.engine,
        legs=tuple(
            Leg(
                strategy=seat.name,
                candles=seat.candles,
                instrument=seat.instrument,
                lines=tuple(
                    Line(name=name, values=runner.columns[name][-len(seat.candles) :], overlay=unit == "price")
                    for name, unit in runner.units.items()
                ),
            )
            for seat, runner in zip(seats, outcome.runners, strict=True)
        ),
        ts=outcome.ts,
        equity=outcome.equity,
        buy_and_hold=hold,
        trades=outcome.trades,
        metrics=metrics,
        proof=stamp,
        sources=tuple(dict.fromkeys(_source(seat) for seat in seats)),
        notes=(
            *notes,
            *(
                say("note.refused", count=count, why=say(f"refused.{reason}"))
                for reason, count in sorted(outcome.refused.items())
            ),
        ),
    )


def _source(seat: Seat) -> Any:
    return seat.strategy if isinstance(seat.strategy, type) else type(seat.strategy)


def buy_and_hold(seats: Sequence[Seat], ts: Ints, cash: float) -> Floats:
    """Return what ``cash`` would be worth, put in equal parts into each symbol at its first open, without costs.

    The candles of ``seats`` are those that were traded, ``ts`` their closes (ms).
    """
    symbols = {(seat.candles.venue, seat.candles.symbol): seat for seat in seats}
    share = cash / len(symbols)
    if len(symbols) == 1 and len(seats) == 1:
        candles = seats[0].candles
        scaled: Floats = candles.close * (share / candles.open[0])
        return scaled
    total = np.zeros(ts.size)
    for seat in symbols.values():
        rows = np.searchsorted(close_times(seat.candles), ts, side="right") - 1
        worth = share * seat.candles.close[np.maximum(rows, 0)] / seat.candles.open[0]
        total += np.where(rows >= 0, worth, share)
    return total
