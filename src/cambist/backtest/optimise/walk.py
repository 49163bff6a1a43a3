"""Walk forward: search a stretch of history, trade what was found on the next, move on, and chain what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from math import inf, isfinite, nan
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from cambist.analytics.performance import (
    YEAR_MS,
    annual_return,
    calmar,
    max_drawdown,
    relative_changes,
    samples,
    sharpe,
    sortino,
    start_of,
    volatility,
)
from cambist.backtest.optimise import driver
from cambist.backtest.optimise import goals as aims
from cambist.backtest.optimise.plan import Plan, Progress, Seen
from cambist.backtest.optimise.result import Walk, Window
from cambist.backtest.optimise.space import combinations, conditions, nth
from cambist.domain.errors import BadInput, Stopped, StrategyFailed
from cambist.domain.metrics import METRICS
from cambist.domain.search import Goal, Method, Params, Span, State, Trial, Value

if TYPE_CHECKING:
    from cambist.backtest.optimise.evaluation import AnyEvaluator
    from cambist.backtest.optimise.plan import Evaluates
    from cambist.backtest.optimise.splits import Cut
    from cambist.domain.candles import Floats, Ints
    from cambist.ports.crew import Crew
    from cambist.ports.proposals import Proposers

STUDY = "walk"
"""The study under which proposers are opened: a run for each window, by its number."""
_LARGEST = 64
"""Combinations of a grid in one batch, at most."""
_SHOWN_S = 0.1


@dataclass(frozen=True, slots=True)
class _Choice:
    """The best of a training so far."""

    number: int
    params: dict[str, Value]
    value: float
    sharpe: float


@dataclass(frozen=True, slots=True)
class _Batch:
    combinations: tuple[tuple[int, dict[str, Value]], ...]
    goal: Goal
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Tested:
    """A test's closes (ms), equity at them as a multiple of the cash, and metrics."""

    ts: Ints
    growth: Floats
    metrics: dict[str, float]


def walk_forward(
    evaluator: AnyEvaluator,
    plan: Plan,
    windows: Sequence[Cut],
    *,
    anchored: bool = False,
    crew: Crew,
    proposers: Proposers,
    progress: Progress | None = None,
    seconds: Callable[[], float] = perf_counter,
) -> Walk:
    """Choose on each training of ``windows`` by the plan's method and first goal, and trade the choice over its test.

    A grid is gone through once: each combination trades all trainings, and the best of each stays. Other methods
    search each training anew, with the plan's number of trials and a seed of the window's own; ``proposers`` must not
    remember earlier walks. Of equals the first. A test starts flat, from the equity that the tests before it left:
    their returns are chained. Where no combination has a value, the cash stays in hand over the test.

    ``ts`` and ``equity`` of what is returned are at the last close of each day (of each candle, in short runs), the
    deepest drawdown is over all candles' closes. The efficiency counts a stretch without a Sharpe ratio, for want of a
    trade, as zero.

    The same, whatever the crew. ``progress`` hears of trials (`Seen` without a best). Raises `Stopped` on Ctrl-C.
    """
    pace = _Pace(progress, seconds)
    try:
        if plan.method is Method.GRID:
            choices = _on_grid(evaluator, plan, [train for train, _ in windows], crew, pace)
        else:
            choices = _anew(evaluator, plan, [train for train, _ in windows], crew, proposers, pace)
        tests = _traded(evaluator, choices, [test for _, test in windows], crew)
    except (KeyboardInterrupt, Stopped):
        raise Stopped("walk.stopped", done=pace.done, total=pace.total) from None
    return _stitched(windows, choices, tests, anchored=anchored, cash=evaluator.settings.cash)


class _Pace:
    """How far the walk has come."""

    def __init__(self, progress: Progress | None, seconds: Callable[[], float]) -> None:
        self.done = self.total = 0
        self._progress, self.seconds = progress, seconds
        self._began_s = seconds()
        self._shown_s = -inf

    def show(self, done: int) -> None:
        """Say so, ten times a second at most."""
        self.done, now = done, self.seconds()
        last = done >= self.total
        if self._progress is None or (now - self._shown_s < _SHOWN_S and not last):
            return
        self._shown_s = now
        rate = done / (now - self._began_s) if done and now > self._began_s else nan
        self._progress(Seen(done, self.total, rate, 0.0 if last else (self.total - done) / rate, None))


# -- choosing ---------------------------------------------------------------------------------------------------------


def _on_grid(
    evaluator: AnyEvaluator, plan: Plan, spans: Sequence[Span], crew: Crew, pace: _Pace
) -> list[_Choice | None]:
    """Return the choice of each training out of one pass over the grid; only the best of each are ever held."""
    broken = conditions(plan.where, plan.axes, plan.base)
    numbered = ((number, nth(plan.axes, number)) for number in range(combinations(plan.axes)))
    source = islice(((number, params) for number, params in numbered if not broken(params)), plan.trials)
    pace.total = min(combinations(plan.axes), plan.trials or combinations(plan.axes))
    size = min(_LARGEST, max(1, pace.total // (8 * crew.workers)))
    best: list[_Choice | None] = [None] * len(spans)
    with closing(crew.work(_tried, evaluator, _batches(source, size, plan.goals[0], tuple(spans)))) as back:
        for batch, found in back:
            best = [_better(plan.goals[0], *pair) for pair in zip(best, found, strict=True)]
            pace.show(pace.done + len(batch.combinations))
    pace.total = pace.done  # what breaks the conditions was not tried
    pace.show(pace.done)
    return best


def _batches(
    source: Iterator[tuple[int, dict[str, Value]]], size: int, goal: Goal, spans: tuple[Span, ...]
) -> Iterator[_Batch]:
    while chunk := tuple(islice(source, size)):
        yield _Batch(chunk, goal, spans)


def _tried(evaluator: Evaluates, batch: _Batch) -> list[_Choice | None]:
    """Return the best of a batch for each training. Runs wherever a crew's workers are."""
    best: list[_Choice | None] = [None] * len(batch.spans)
    for number, params in batch.combinations:
        try:
            found = evaluator.evaluate(params, batch.spans)
        except (StrategyFailed, BadInput):
            continue  # a trial that failed, as it does in the search itself
        for place, one in enumerate(found):
            value = aims.value(batch.goal, one.metrics)
            if isfinite(value):
                choice = _Choice(number, params, value, one.metrics["sharpe"])
                best[place] = _better(batch.goal, best[place], choice)
    return best


def _better(goal: Goal, one: _Choice | None, other: _Choice | None) -> _Choice | None:
    """Return the better of two; of equals the one of the lower number, so that the order of arrival does not matter."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda choice: (goal.better * choice.value, -choice.number))


class _Best:
    """The log of a search of which nothing but its best is wanted (`cambist.ports.trials.TrialLog`)."""

    def __init__(self, goal: Goal) -> None:
        self.choice: _Choice | None = None
        self._goal = goal
        self._kept: dict[int, Trial] = {}
        self._numbers: set[int] = set()

    def append(self, trials: Sequence[Trial]) -> None:
        """Keep the best so far, and the numbers of all."""
        for trial in trials:
            self._numbers.add(trial.number)
            if trial.state is State.DONE:
                choice = _Choice(trial.number, trial.params, trial.values[0], trial.metrics["sharpe"])
                self.choice = _better(self._goal, self.choice, choice)
                if self.choice is choice:
                    self._kept = {trial.number: trial}

    def numbers(self) -> set[int]:
        """Return the numbers of all trials, by which a search knows when it is done."""
        return set(self._numbers)

    def read(self) -> Iterator[Trial]:
        """Yield the best one."""
        yield from self._kept.values()


def _anew(
    evaluator: AnyEvaluator, plan: Plan, spans: Sequence[Span], crew: Crew, proposers: Proposers, pace: _Pace
) -> list[_Choice | None]:
    """Return the choice of each training, each searched by itself."""
    choices = []
    each = plan.trials or driver.TRIALS
    pace.total = each * len(spans)
    for place, span in enumerate(spans):
        seed = int(np.random.SeedSequence([plan.seed, place]).generate_state(1)[0]) >> 1
        proposer = None
        if plan.method is not Method.RANDOM:
            proposer = proposers.open(
                STUDY, str(place), method=plan.method, axes=plan.axes, goals=plan.goals, seed=seed
            )
        log = _Best(plan.goals[0])

        def show(seen: Seen, before: int = each * place) -> None:
            pace.show(before + seen.done)

        driver.run(
            evaluator,
            replace(plan, span=span, seed=seed),
            crew=crew,
            log=log,
            proposer=proposer,
            progress=show,
            seconds=pace.seconds,
        )
        choices.append(log.choice)
    return choices


# -- trading what was chosen ------------------------------------------------------------------------------------------


def _traded(
    evaluator: AnyEvaluator, choices: Sequence[_Choice | None], spans: Sequence[Span], crew: Crew
) -> list[_Tested]:
    """Return what each choice gave over its test; where there is none, the cash at each close."""
    nothing = {**dict.fromkeys(METRICS, nan), "total_return": 0.0, "trades": 0.0, "exposure": 0.0}
    tests: dict[int, _Tested] = {}
    wanted = []
    for place, (choice, span) in enumerate(zip(choices, spans, strict=True)):
        if choice is None:
            ts = evaluator.closes(span)
            tests[place] = _Tested(ts, np.ones(ts.size), dict(nothing))
        else:
            wanted.append((place, choice.params, span))
    with closing(crew.work(_test, evaluator, wanted)) as back:
        for (place, _, _), tested in back:
            tests[place] = tested
    return [tests[place] for place in range(len(spans))]


def _test(evaluator: AnyEvaluator, batch: tuple[int, Params, Span]) -> _Tested:
    _, params, span = batch
    result = evaluator.finished(params, span, proof=False)
    return _Tested(result.ts, result.equity / result.settings.cash, result.metrics)


def _stitched(
    windows: Sequence[Cut],
    choices: Sequence[_Choice | None],
    tests: Sequence[_Tested],
    *,
    anchored: bool,
    cash: float,
) -> Walk:
    pieces, so_far = [], cash
    for tested in tests:
        pieces.append(so_far * tested.growth)
        so_far = max(0.0, float(pieces[-1][-1]))  # nothing grows out of ruin
    ts, equity = np.concatenate([tested.ts for tested in tests]), np.concatenate(pieces)
    rows = np.unique(samples(ts)[0])
    return Walk(
        anchored=anchored,
        windows=tuple(
            Window(
                train=train,
                test=test,
                params={} if choice is None else dict(choice.params),
                value=nan if choice is None else choice.value,
                metrics=tested.metrics,
            )
            for (train, test), choice, tested in zip(windows, choices, tests, strict=True)
        ),
        ts=ts[rows],
        equity=np.concatenate(([cash], equity[rows])),
        metrics=_figures(ts, equity, cash),
        efficiency=_efficiency([nan if choice is None else choice.sharpe for choice in choices], tests),
    )


def _figures(ts: Ints, equity: Floats, cash: float) -> dict[str, float]:
    rows, periods = samples(ts)
    returns = relative_changes(equity[rows], cash)
    total = float(equity[-1]) / cash - 1.0
    annual = annual_return(total, (int(ts[-1]) - start_of(ts)) / YEAR_MS)
    drawdown = max_drawdown(equity, cash)
    return {
        "total_return": total,
        "annual_return": annual,
        "sharpe": sharpe(returns, periods),
        "sortino": sortino(returns, periods),
        "calmar": calmar(annual, drawdown),
        "max_drawdown": drawdown,
        "volatility": volatility(returns, periods),
    }


def _efficiency(trained: Iterable[float], tests: Iterable[_Tested]) -> float:
    """Return the mean Sharpe ratio over the tests by that over the trainings (R. Pardo, 2008); NaN if not positive."""
    there = float(np.mean(np.nan_to_num(list(trained))))
    then = float(np.mean(np.nan_to_num([tested.metrics["sharpe"] for tested in tests])))
    return then / there if there > 0.0 else nan
