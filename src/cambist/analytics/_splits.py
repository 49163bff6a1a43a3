"""The compiled loop of combinatorially symmetric cross-validation."""

from math import inf, sqrt

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]

_FLAT = 1e-12
_TIED = 64
"""Of trials that are best together, so many are looked at: evenly spread, in the order of their moments."""


@njit(cache=True, nogil=True, error_model="numpy")
def cross_validate(
    columns: Floats, weights: Floats, halves: npt.NDArray[np.int64]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Choose on one half and look at the other, for each row of ``halves`` both ways round.

    ``columns`` has shape (MOMENTS, blocks, trials), ``weights`` how many trials have these moments. Returns, two for
    each row: the chosen one's figure on its half and on the other, how far its rank there is not above the middle
    (0 or 1, or between where several are best together), and how far it lost money there.
    """
    ways = halves.shape[0]
    half = halves.shape[1] // 2
    size = columns.shape[2]
    first, second = np.empty(size), np.empty(size)
    count, total, squares = np.empty(size), np.empty(size), np.empty(size)
    found = np.empty((4, 2 * ways))
    for way in range(ways):
        _figures(columns, halves[way, :half], count, total, squares, first)
        _figures(columns, halves[way, half:], count, total, squares, second)
        _choose(first, second, weights, found[:, 2 * way])
        _choose(second, first, weights, found[:, 2 * way + 1])
    return found[0], found[1], found[2], found[3]


@njit(cache=True, nogil=True, error_model="numpy")
def _figures(
    columns: Floats, blocks: npt.NDArray[np.int64], count: Floats, total: Floats, squares: Floats, out: Floats
) -> None:
    """Write each trial's Sharpe ratio over ``blocks``, times the root of its count, to ``out``."""
    for which, sums in enumerate((count, total, squares)):
        _add(columns[which], blocks, sums)
    for i in range(out.size):
        # what is never used may divide by nothing: without a branch it is several at once
        risk = squares[i] - total[i] * total[i] / count[i]
        figure = total[i] * sqrt((count[i] - 1.0) / (count[i] * risk))
        out[i] = figure if (risk > _FLAT * squares[i]) & (count[i] > 1.0) else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _add(rows: Floats, blocks: npt.NDArray[np.int64], sums: Floats) -> None:
    sums[:] = rows[blocks[0]]
    for block in blocks[1:]:
        row = rows[block]
        for i in range(sums.size):
            sums[i] += row[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _choose(seen: Floats, unseen: Floats, weights: Floats, out: Floats) -> None:
    """Write what became of the best of ``seen`` on ``unseen`` to ``out``."""
    best, tied, trials = -inf, 0, 0.0
    for i in range(seen.size):
        trials += weights[i]
        if seen[i] > best:
            best, tied = seen[i], 1
        elif seen[i] == best:
            tied += 1
    step = 1 + (tied - 1) // _TIED
    at, looked, mean, below, lost = 0, 0.0, 0.0, 0.0, 0.0
    for i in range(seen.size):
        if seen[i] != best:
            continue
        if at % step == 0:
            value, rank = unseen[i], 0.5
            for j in range(seen.size):
                if unseen[j] < value:
                    rank += weights[j]
                elif unseen[j] == value:
                    rank += 0.5 * weights[j]
            looked += weights[i]
            mean += weights[i] * value
            if rank <= 0.5 * (trials + 1.0):
                below += weights[i]
            if value < 0.0:
                lost += weights[i]
        at += 1
    out[0] = best
    out[1] = mean / looked
    out[2] = below / looked
    out[3] = lost / looked
