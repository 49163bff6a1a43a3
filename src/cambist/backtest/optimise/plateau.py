"""How stable the chosen parameters are: their neighbours, the axes that matter, and maps of two axes at a time."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.backtest.optimise.result import Plateau, Table
from cambist.domain.axis import size, value_at
from cambist.domain.search import Axis, Trial, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.domain.candles import Floats, Ints

_BINS = 12
"""Into how many parts an axis without steps is cut, and the map of one with more of them than `_CELLS`."""
_CELLS = 200
_TRIALS_A_BIN, _MOST_BINS = 8, 40
"""For the importance of an axis without steps: trials in a bin at least, and bins at most."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeatMap:
    """A goal's values by two axes."""

    xs: tuple[Value, ...]
    """The first axis' values; of one without steps, or with very many, the middles of equal parts."""
    ys: tuple[Value, ...]
    values: Floats
    """Shape (ys, xs): the mean over all trials there; NaN where nothing was tried."""


def plateau(table: Table, axes: Sequence[Axis], best: Trial, *, better: int = +1) -> Plateau:
    """Return how the neighbours of ``best`` do by the first goal, and how much each axis matters.

    Neighbours are the trials one step away on one axis. Where fewer of them were tried than there are axes, as by
    methods that do not walk a grid, they are the trials nearest to it, two for each axis, distances being measured
    in shares of each axis. Trials without a value are no neighbours.

    ``kept`` is the mean of theirs over the chosen one's; for values that are negative, or the better the smaller
    (``better`` -1), it is one less what is lost to the chosen one's size, which for others is the same. NaN if the
    chosen one's is zero.
    """
    chosen = float(best.values[0]) if best.values else nan
    scores = table.values[:, 0]
    near = _neighbours(table, axes, best)
    kept = worst = nan
    if near.size:
        worst = float(better * np.min(better * scores[near]))
        if isfinite(chosen) and chosen != 0.0:
            kept = 1.0 - better * (chosen - float(scores[near].mean())) / abs(chosen)
    return Plateau(neighbours=int(near.size), kept=kept, worst=worst, importance=importance(table, axes))


def importance(table: Table, axes: Sequence[Axis]) -> dict[str, float]:
    """Return by axis the share of the first goal's variance that the axis alone explains.

    The first-order Sobol index Var(E[Y | x]) / Var(Y) (I. M. Sobol, Mathematics and Computers in Simulation 55, 2001),
    the mean being taken over each value or bin of x, less what bins of noise would explain (T. L. Kelley's epsilon
    squared, PNAS 21, 1935). Shares sum to at most 1: where trials are crowded and axes go together, they are scaled.
    All zero where nothing varies.
    """
    known = np.flatnonzero(table.done & np.isfinite(table.values[:, 0]))
    scores = table.values[known, 0]
    shares = {axis.name: _explained(_bins(axis, table.params[axis.name][known]), scores) for axis in axes}
    total = sum(shares.values())
    return {name: share / max(1.0, total) for name, share in shares.items()}


def heat_map(table: Table, axes: Sequence[Axis], x: str, y: str, goal: int = 0) -> HeatMap:
    """Return the values of goal number ``goal`` by the axes ``x`` and ``y``.

    Of trials that differ in other axes only the mean is shown, not the best: the best of many is the luckiest as
    well, and paints plateaus where there are needles.
    """
    by_name = {axis.name: axis for axis in axes}
    known = np.flatnonzero(table.done & np.isfinite(table.values[:, goal]))
    columns, xs = _cells(by_name[x], table.params[x][known])
    rows, ys = _cells(by_name[y], table.params[y][known])
    inside = (columns >= 0) & (rows >= 0)
    cell = rows[inside] * len(xs) + columns[inside]
    counts = np.bincount(cell, minlength=len(xs) * len(ys)).astype(np.float64)
    sums = np.bincount(cell, table.values[known[inside], goal], len(xs) * len(ys))
    values = np.full(counts.size, nan)
    np.divide(sums, counts, out=values, where=counts > 0.0)
    return HeatMap(xs=xs, ys=ys, values=values.reshape(len(ys), len(xs)))


def _neighbours(table: Table, axes: Sequence[Axis], best: Trial) -> Ints:
    """Return the rows of the best one's neighbours."""
    known = np.flatnonzero(table.done & np.isfinite(table.values[:, 0]))
    if not axes or not known.size:
        return known[:0]
    apart = np.empty((known.size, len(axes)))
    step = np.empty((known.size, len(axes)))
    for number, axis in enumerate(axes):
        count = size(axis)
        here = _places(axis, np.array([best.params[axis.name]], dtype=object))[0]
        there = np.abs(_places(axis, table.params[axis.name][known]) - here)
        apart[:, number] = there if count is None else there / max(1, count - 1)
        step[:, number] = np.where(there > 0.0, 2.0, 0.0) if count is None else there  # no step is one too small to see
    exact = np.flatnonzero(step.sum(axis=1) == 1.0)
    if exact.size >= len(axes):
        return known[exact]
    distance = np.sqrt((apart**2).sum(axis=1))
    others = np.flatnonzero(np.isfinite(distance) & (distance > 0.0))
    return known[others[np.argsort(distance[others], kind="stable")[: 2 * len(axes)]]]


def _places(axis: Axis, values: np.ndarray[tuple[int], np.dtype[np.generic]]) -> Floats:
    """Return how many steps from the axis' first value each lies, NaN if it is none of them.

    On an axis without steps, where it lies between low (0) and high (1).
    """
    if axis.values:
        place = {value: float(number) for number, value in enumerate(axis.values)}
        return np.array([place.get(value, nan) for value in values.tolist()])
    numbers, count = values.astype(np.float64), size(axis)
    low, high = float(axis.low or 0.0), float(axis.high or 0.0)
    if count is not None:
        return np.rint((numbers - low) / (float(value_at(axis, 1)) - low))
    if axis.log:
        low, high, numbers = float(np.log(low)), float(np.log(high)), np.log(numbers)
    return (numbers - low) / (high - low) if high > low else np.zeros(numbers.size)


def _cells(axis: Axis, values: np.ndarray[tuple[int], np.dtype[np.generic]]) -> tuple[Ints, tuple[Value, ...]]:
    """Return the cell of each value on an axis of a map (-1: none), and the cells' names."""
    places, count = _places(axis, values), size(axis)
    if count is not None and count <= _CELLS:
        return np.where(np.isnan(places), -1, places).astype(np.int64), tuple(value_at(axis, i) for i in range(count))
    if count is not None:
        names = [value_at(axis, (2 * part + 1) * count // (2 * _BINS)) for part in range(_BINS)]
        return np.where(np.isnan(places), -1, places * _BINS // count).astype(np.int64), tuple(names)
    low, high = float(axis.low or 0.0), float(axis.high or 0.0)
    middles = (np.arange(_BINS) + 0.5) / _BINS
    spread = low * (high / low) ** middles if axis.log else low + (high - low) * middles
    return np.clip((places * _BINS).astype(np.int64), 0, _BINS - 1), tuple(spread.tolist())


def _bins(axis: Axis, values: np.ndarray[tuple[int], np.dtype[np.generic]]) -> Ints:
    """Return the bin of each value, numbered from 0: of each step, or as equally filled as can be.

    A bin holds two trials or more in the mean.
    """
    _, ranks, counts = np.unique(_places(axis, values), return_inverse=True, return_counts=True)
    most = values.size // 2 if size(axis) is not None else min(_MOST_BINS, values.size // _TRIALS_A_BIN)
    most = max(1, most)
    if counts.size <= most:
        return ranks.astype(np.int64)
    before = np.cumsum(counts) - counts
    filled = (before * most // max(1, values.size))[ranks]
    bins: Ints = np.unique(filled, return_inverse=True)[1].astype(np.int64)
    return bins


def _explained(bins: Ints, scores: Floats) -> float:
    """Return epsilon squared: how much of the variance of ``scores`` lies between bins, beyond what noise would."""
    count, groups = scores.size, int(bins.max()) + 1 if bins.size else 0
    if groups < 2 or count <= groups:
        return 0.0
    centred = scores - scores.mean()
    total = float(centred @ centred)
    if not total > 1e-24 * max(1.0, float(scores @ scores)):
        return 0.0
    sums = np.bincount(bins, centred)
    between = float((sums**2 / np.bincount(bins)).sum())
    return max(0.0, (between - (groups - 1) * (total - between) / (count - groups)) / total)
