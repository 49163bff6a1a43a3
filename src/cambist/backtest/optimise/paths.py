"""Combinatorial purged cross-validation over the trials of a finished search.

What `walk` asks along the one history that was, this asks along many that are made of it: choose on some groups of
blocks, trade the others, in every way (M. Lopez de Prado, Advances in Financial Machine Learning, 2018, chapter 12).
"""

from __future__ import annotations

from contextlib import closing
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.analytics.performance import sharpe
from cambist.backtest.optimise.result import Paths
from cambist.backtest.optimise.splits import Combinatorial, blocks_of, combinatorial, trained
from cambist.domain.errors import Stopped
from cambist.domain.search import BLOCKS, EXACT, MOMENTS, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist.backtest.optimise.plan import Evaluates
    from cambist.domain.candles import Floats
    from cambist.domain.search import Params, Span, Trial
    from cambist.ports.crew import Crew

GROUPS, TESTED = 8, 2
"""28 splits, 7 paths."""
MOST_TRIALS = 20_000
"""Of more than these, evenly spread ones are taken."""
_POINTS = 300
"""Of each path's equity, kept for the chart."""
_NOISE = 1e-12
"""Squared deviations that are a smaller share of the squares are their rounding: equal returns have no ratio."""


def purged_paths(
    trials: Iterable[Trial],
    evaluator: Evaluates,
    *,
    crew: Crew,
    span: Span | None = None,
    like: Trial | None = None,
    groups: int = GROUPS,
    tested: int = TESTED,
) -> Paths | None:
    """Return the paths of choosing, in every way, on all but ``tested`` of ``groups`` and trading these.

    ``trials`` are those of a search over ``span`` (None: the whole history), in the order of their numbers; each split
    chooses the one of the best Sharpe ratio on its training blocks, the earliest of equals. Each that is chosen is
    evaluated once more by ``crew`` for its returns. A split in which no trial has a ratio stays out of the market.

    Blocks of two trials are of the same days only if both have as many returns, which on another timeframe they may
    not: those that have not as many as ``like`` (None: as the first) are left out.

    None if no trial has moments. Raises `BadInput` for groups that will not do, `Stopped` on Ctrl-C.
    """
    plan = combinatorial(groups, tested)
    taken = evenly(trials, like=like)
    if not taken:
        return None
    params = [trial.params for trial in taken]
    moments = np.array([trial.moments for trial in taken]).reshape(len(taken), 2 * BLOCKS, MOMENTS)
    chosen = [_best(moments, split, groups) for split in plan.splits]
    wanted = sorted({row for row in chosen if row >= 0})
    found: dict[int, tuple[Floats, float]] = {}
    try:
        with closing(crew.work(_returns, evaluator, [(row, params[row], span) for row in wanted])) as back:
            for (row, _, _), one in back:
                found[row] = one
    except KeyboardInterrupt:
        raise Stopped("paths.stopped", done=len(found), total=len(wanted)) from None
    return _assembled(plan, chosen, found)


def bounds(count: int) -> list[int]:
    """Return where the blocks of ``count`` returns begin and, last, where they end."""
    return [block * count // BLOCKS for block in range(BLOCKS + 1)]


def _returns(evaluator: Evaluates, batch: tuple[int, Params, Span | None]) -> tuple[Floats, float]:
    _, params, span = batch
    one = evaluator.evaluate(params, None if span is None else [span])[0]
    return one.returns, one.periods


def evenly(trials: Iterable[Trial], most: int = MOST_TRIALS, *, like: Trial | None = None) -> list[Trial]:
    """Return at most ``most`` of the trials that have moments, evenly spread over all; the others are not held.

    Only those with as many returns as ``like`` (None, or one without moments: as the first) are taken.
    """
    taken: list[Trial] = []
    stride, number = 1, 0
    wanted = None if like is None else _count(like)
    for trial in trials:
        count = _count(trial)
        if trial.state is not State.DONE or count is None:
            continue
        wanted = count if wanted is None else wanted
        if count != wanted:
            continue
        if number % stride == 0 and len(taken) == most:
            taken = taken[::2]
            stride *= 2
        if number % stride == 0:
            taken.append(trial)
        number += 1
    return taken


def _count(trial: Trial) -> int | None:
    """Return of how many returns the moments of ``trial`` are; None if it has none."""
    return None if trial.moments is None else round(float(np.asarray(trial.moments)[EXACT, :, 0].sum()))


def _best(moments: Floats, split: tuple[int, ...], groups: int) -> int:
    """Return the row of the best Sharpe ratio on the training blocks of ``split``; -1 if none has one."""
    taken = trained(split, groups).ravel()
    count, total, squares = moments[:, taken].sum(axis=1).T  # row by row alike, so that equals stay equal
    spread = squares - total**2 / np.maximum(count, 1.0)
    known = (count > 1.0) & (spread > _NOISE * squares)
    ratio = np.full(count.size, -np.inf)
    ratio[known] = total[known] / count[known] / np.sqrt(spread[known] / (count[known] - 1.0))
    row = int(np.argmax(ratio))
    return row if ratio[row] > -np.inf else -1


def _assembled(plan: Combinatorial, chosen: list[int], found: Mapping[int, tuple[Floats, float]]) -> Paths:
    """Return the paths: to each group, what the split that tests it on this path had chosen gave there."""
    length, periods = next(((one.size, periods) for one, periods in found.values()), (0, nan))
    edges = bounds(length)
    points = np.unique(np.linspace(0, length, min(length + 1, _POINTS)).astype(np.int64))
    sharpes = np.full(len(plan.paths), nan)
    equities = np.ones((len(plan.paths), points.size))
    for number, path in enumerate(plan.paths):
        returns = np.zeros(length)
        for group, split in enumerate(path):
            if chosen[split] >= 0:
                blocks = blocks_of(group, plan.groups)
                part = slice(edges[blocks.start], edges[blocks.stop])
                returns[part] = found[chosen[split]][0][part]
        sharpes[number] = sharpe(returns, periods)
        equities[number] = np.concatenate(([1.0], np.cumprod(1.0 + returns)))[points]
    return Paths(groups=plan.groups, tested=plan.tested, splits=len(plan.splits), sharpes=sharpes, equities=equities)
