"""Proof against looking ahead and against too short a warm-up: what was used must be what was to be had.

At some candles the strategy is computed anew on history that ends there and is as long as its warm-up, which is all
that it would have live. Its values at that candle must be those that the backtest used. Where they are not, it is
computed once more on all history up to there: if that gives the backtest's values, at every candle, the warm-up is too
short; if not, the backtest has used what came later. One such long history is looked at in any case.

The candles are chosen where the strategy wished something (where its signals turn), and evenly in between.
"""

from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cambist.domain.candles import Candles
from cambist.domain.errors import CambistError
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.proof import Difference, Proof, Verdict
from cambist.domain.wish import Enter, Wish
from cambist.engine.runners import Given, Runner, instance_of, plain_columns
from cambist.strategies._base import Strategy
from cambist.strategies._signals import FLAGS, SignalStrategy
from cambist.strategies._template import TemplateStrategy

Values = dict[str, float]
Columns = dict[str, npt.NDArray[Any]]

SAME = 1e-8
"""Values differ when they do by more than this share of their column's size: ten times what indicators promise."""
CHECKS = 48
CHECKS_ON_LONG_HISTORY = 8
LONG_HISTORY = 100_000
FAILED = "error"
"""The column that tells of a strategy which raised on a shorter history."""
WHOLE = 10_000
"""Candles of the history that is looked at whole; less if there are less."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How to see what a strategy computes: at a candle of the whole history, and at the end of a shorter one."""

    used: Callable[[int], Values]
    """Takes a candle's position, gives the values that the backtest used there."""
    last: Callable[[Candles], Values]
    """Takes candles, gives the values at the last of them."""
    columns: Columns
    """Everything that the backtest used, over all history."""
    over: Callable[[Candles], Columns]
    """Takes candles from the first on, gives the same columns over these."""


def prove(
    strategy: Given, candles: Candles, instrument: Instrument, runner: Runner, events: Sequence[int], cash: float
) -> Proof:
    """Return the proof for ``strategy`` on ``candles``; ``events`` are the candles at which it wished something."""
    probe = _probe(strategy, candles, instrument, runner, cash)
    warmup = runner.warmup
    look_ahead = short = None
    if set(FLAGS) <= set(runner.columns):
        events = _turns(runner.columns, len(candles))
    cuts = _cuts(len(candles), max(runner.first, 1), warmup, events)
    whole = candles[: min(WHOLE, 3 * len(candles) // 4)]
    anywhere = _earliest(candles, probe, whole) if cuts and len(whole) > 1 else None
    for t in cuts:
        used = probe.used(t)
        window = _differs(probe, t, used, _last(probe, candles[max(0, t + 1 - warmup) : t + 1]))
        if window is None and anywhere is None:
            continue
        known = _differs(probe, t, used, _last(probe, candles[: t + 1])) if t + 1 > warmup else window
        if known is not None and known[0] == FAILED:
            known = None  # it cannot be computed on so little: that is a matter of warm-up
        if known is not None:
            look_ahead = _difference(candles, t, known)
            break
        anywhere = anywhere or _earliest(candles, probe, candles[: t + 1])
        if anywhere is None and window is not None:
            short = short or _difference(candles, t, window)
    look_ahead = look_ahead or anywhere
    deep = any(t + 1 >= warmup for t in cuts)
    return Proof(
        look_ahead=Verdict.FAIL if look_ahead else Verdict.PASS if cuts else Verdict.SKIPPED,
        warm_up=Verdict.FAIL if short else Verdict.PASS if deep and not look_ahead else Verdict.SKIPPED,
        checks=len(cuts),
        warm_up_candles=warmup,
        look_ahead_difference=look_ahead,
        warm_up_difference=short,
    )


def _last(probe: Probe, part: Candles) -> Values:
    """Return the values at the last of ``part``; of a strategy that cannot be computed on it, that it failed."""
    try:
        return probe.last(part)
    except CambistError:
        return {FAILED: 1.0}


def skipped(warmup: int = 0) -> Proof:
    """Return the stamp of a backtest that was not proved."""
    return Proof(look_ahead=Verdict.SKIPPED, warm_up=Verdict.SKIPPED, warm_up_candles=warmup)


def _turns(columns: Columns, count: int) -> Sequence[int]:
    """Return the candles at which a signal begins or ends, and those just before: there a look ahead shows."""
    changes = np.zeros(count - 1, dtype=np.bool_)
    for name in FLAGS:
        if columns[name].size > 1:
            changes |= columns[name][1:] != columns[name][:-1]
    before = _spread(np.flatnonzero(changes), CHECKS)
    return sorted({*before, *(t + 1 for t in before)})


def _spread(positions: npt.NDArray[np.int64], most: int) -> list[int]:
    """Return at most ``most`` of ``positions``, evenly spread."""
    if positions.size > most:
        positions = positions[np.linspace(0, positions.size - 1, most).astype(np.int64)]
    chosen: list[int] = positions.tolist()
    return chosen


def _cuts(count: int, first: int, warmup: int, events: Sequence[int]) -> list[int]:
    """Choose the candles to look at: two thirds where something was wished, after the warm-up where there are such."""
    checks = CHECKS_ON_LONG_HISTORY if count >= LONG_HISTORY else CHECKS
    start = warmup if warmup + checks < count else first
    # the last candle has no future to look into
    if count - 2 < start:
        return []
    known = np.asarray(events, dtype=np.int64)
    eventful = _spread(known[(known >= start) & (known < count - 1)], 2 * checks // 3)
    even = np.linspace(start, count - 2, checks - len(eventful)).astype(np.int64)
    return sorted({*eventful, *even.tolist()})


def _earliest(candles: Candles, probe: Probe, part: Candles) -> Difference | None:
    """Return the first candle at which a column computed on ``part`` differs from the one used, if any does."""
    try:
        used, seen, count = probe.columns, probe.over(part), len(part)
    except CambistError:
        return None
    found: tuple[int, str] | None = None
    for name in used.keys() & seen.keys():
        one, other = used[name], seen[name]
        if one.size > 1 and other.size == count:
            one = one[:count]
            apart = one != other
            if one.dtype.kind != "b":
                size = float(np.nanmax(np.abs(one), initial=0.0, where=np.isfinite(one)))
                apart &= ~np.isclose(one, other, rtol=SAME, atol=SAME * size, equal_nan=True)
            if apart.any() and (found is None or int(apart.argmax()) < found[0]):
                found = (int(apart.argmax()), name)
    if found is None:
        return None
    row, name = found
    return _difference(candles, row, (name, float(used[name][row]), float(seen[name][row])))


def _differs(probe: Probe, t: int, used: Values, seen: Values) -> tuple[str, float, float] | None:
    """Return the first column whose value seen differs from the value used, with both."""
    if FAILED in seen:
        return FAILED, 0.0, 1.0
    for column in {**used, **seen}:
        one, other = used.get(column, 0.0), seen.get(column, 0.0)
        if one == other or (one != one and other != other):
            continue
        if not abs(one - other) <= SAME * max(abs(one), abs(other), _size(probe.columns, column, t)):
            return column, one, other
    return None


def _difference(candles: Candles, t: int, found: tuple[str, float, float]) -> Difference:
    column, used, truncated = found
    return Difference(ts=int(candles.ts[t]), symbol=candles.symbol, column=column, used=used, truncated=truncated)


# -- the three shapes -------------------------------------------------------------------------------------------------


def _probe(strategy: Given, candles: Candles, instrument: Instrument, runner: Runner, cash: float) -> Probe:
    ready = instance_of(strategy)
    if isinstance(ready, SignalStrategy):
        return _signals_probe(ready, runner)
    if isinstance(ready, Strategy):
        return _strategy_probe(ready, candles, runner, cash)
    return _template_probe(ready, candles, instrument, runner, cash)


def _signals_probe(strategy: SignalStrategy, runner: Runner) -> Probe:
    columns = runner.columns
    return Probe(
        used=lambda t: {name: float(column[t if column.size > 1 else 0]) for name, column in columns.items()},
        last=lambda part: {name: float(column[-1]) for name, column in strategy._columns(part).items()},
        columns=columns,
        over=lambda part: dict(strategy._columns(part)),
    )


class _Untouched:
    """The account as it was before the first trade."""

    def __init__(self, cash: float) -> None:
        self._cash = cash

    def equity(self, price: float) -> float:
        del price
        return self._cash

    def cash(self) -> float:
        return self._cash


def _strategy_probe(strategy: Strategy, candles: Candles, runner: Runner, cash: float) -> Probe:
    whole: Strategy = instance_of(strategy)  # type: ignore[assignment]
    whole._bind(candles, _Untouched(cash))
    fresh = dict(vars(whole))

    def used(t: int) -> Values:
        # what next() keeps for itself from one candle to the next is no part of the question
        kept = vars(whole)
        kept.clear()
        kept.update({name: copy(value) if _mutable(name, value) else value for name, value in fresh.items()})
        return values(whole, t, len(candles))

    def values(bound: Strategy, i: int, count: int) -> Values:
        found: Values = {}
        for name, line in bound._lines().items():
            # a line whose level is relative is known by how it moves
            found[name] = float(line.whole[i] - line.whole[i - 1] if line.relative else line.whole[i])
        for name, column in plain_columns(bound, count).items():
            found[name] = float(column[i if column.size > 1 else 0])
        return found | _wished(bound, i)

    def last(part: Candles) -> Values:
        short: Strategy = instance_of(strategy)  # type: ignore[assignment]
        short._bind(part, _Untouched(cash))
        return values(short, len(part) - 1, len(part))

    def over(part: Candles) -> Columns:
        short: Strategy = instance_of(strategy)  # type: ignore[assignment]
        short._bind(part, _Untouched(cash))
        return {name: line.whole for name, line in short._lines().items()} | plain_columns(short, len(part))

    return Probe(used=used, last=last, columns=runner.columns, over=over)


def _mutable(name: str, value: object) -> bool:
    return not name.startswith("_") and isinstance(value, list | dict | set | deque)


def _wished(strategy: Strategy, i: int) -> Values:
    """Return what a flat strategy wishes at candle ``i``; looking beyond the end of history shows as NaN."""
    try:
        return _encoded(strategy._decider()(i))
    except Exception:  # noqa: BLE001 - on the whole history it did not raise, or the backtest would have stopped
        return {"next()": float("nan")}


def _encoded(wishes: tuple[Wish, ...]) -> Values:
    found: Values = {}
    for wish in wishes:
        if isinstance(wish, Enter):
            found[str(wish.side)] = float(next(iter(asdict(wish.size).values())))
            for part in ("limit", "stop", "stop_loss", "take_profit", "trailing_stop"):
                found[f"{wish.side} {part}"] = float(getattr(wish, part) or 0.0)
        else:
            found[type(wish).__name__.lower()] = 1.0
    return found


def _template_probe(
    strategy: type[TemplateStrategy], candles: Candles, instrument: Instrument, runner: Runner, cash: float
) -> Probe:
    from cambist.strategies._template_run import TemplateRun, columns_of

    may_short = instrument.kind is Kind.PERPETUAL
    whole = TemplateRun(strategy, candles, cash=cash, may_short=may_short, account=None)

    def used(t: int) -> Values:
        found = {name: float(column[t]) for name, column in whole.columns.items()} if not whole.rebuilds else {}
        return found | _encoded(whole.decide(t))

    def last(part: Candles) -> Values:
        t = int(candles.ts.searchsorted(part.ts[-1]))
        instance = whole.built(t, len(part))
        found = {name: float(column[-1]) for name, column in columns_of(instance, len(part)).items()}
        return ({} if whole.rebuilds else found) | _encoded(whole.ask(instance))

    def over(part: Candles) -> Columns:
        return {} if whole.rebuilds else columns_of(whole.built(len(part) - 1, len(part)), len(part))

    return Probe(used=used, last=last, columns=runner.columns, over=over)


def _size(columns: Columns, name: str, t: int) -> float:
    """Return the size of a column's values in the hundred candles before ``t``."""
    column = columns.get(name)
    if column is None or column.dtype.kind == "b":
        return 0.0
    near = np.abs(column[max(0, t - 100) : t + 1])
    near = near[np.isfinite(near)]
    return float(near.max()) if near.size else 0.0
