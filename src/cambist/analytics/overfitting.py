"""How much of a good result is luck: Sharpe ratios held against their length, their shape, and how many were tried.

Sharpe ratios here are per period (mean / standard deviation of the returns, ddof 1), never per year; ``count`` is the
number of returns. Kurtosis is the plain fourth standardised moment: 3 for a normal distribution.

| Source | What is taken from it |
|---|---|
| [1] D. Bailey, M. Lopez de Prado, The Sharpe Ratio Efficient Frontier, Journal of Risk, 2012 | probabilistic Sharpe ratio, minimum track record length |
| [2] D. Bailey, M. Lopez de Prado, The Deflated Sharpe Ratio, Journal of Portfolio Management, 2014 | expected maximum, deflated Sharpe ratio |
| [3] D. Bailey, J. Borwein, M. Lopez de Prado, Q. Zhu, The Probability of Backtest Overfitting, Journal of Computational Finance, 2017 (first 2015) | CSCV |
| [4] Z. Sidak, Rectangular Confidence Regions, Journal of the American Statistical Association, 1967; M. Lopez de Prado, Machine Learning for Asset Managers, 2020, chapter 8 | how often the best of many is that good by luck |
"""  # noqa: E501  (a table's row is one line)

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import e, erfc, expm1, inf, isfinite, log1p, nan, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from cambist.domain.search import BLOCKS, EXACT, MOMENTS, TRIMMED

if TYPE_CHECKING:
    import numpy.typing as npt

    from cambist.domain.candles import Floats

EULER_MASCHERONI = 0.5772156649015329
CONFIDENCE = 0.95
"""That of [1] and [2]: one in twenty."""
TRIM = 1
"""Returns left out at either end of a block: a position held over the border earns on both sides of it."""

_NORMAL = NormalDist()
_FLAT = 1e-12
"""A variance below this share of the mean square is the rounding of equal returns, not risk."""


def moments(returns: Floats, blocks: int = BLOCKS, trim: int = TRIM) -> Floats:
    """Return how many returns there are, their sum and the sum of their squares, block by block.

    Shape (2, blocks, MOMENTS): of all returns (`EXACT`), and of those at least ``trim`` from their block's ends
    (`TRIMMED`). Blocks follow each other and are of equal length to one return; with fewer returns than blocks some
    are empty. Sums of blocks give the Sharpe ratio of any union of them.
    """
    edges = np.arange(blocks + 1) * returns.size // blocks
    padded = np.concatenate((np.stack((returns, returns * returns)), np.zeros((2, 1))), axis=1)
    found = np.zeros((2, blocks, MOMENTS))
    for which, away in ((EXACT, 0), (TRIMMED, trim)):
        starts = np.minimum(edges[:-1] + away, edges[1:])
        stops = np.maximum(edges[1:] - away, starts)
        # sums from each start to its stop, and, left out, from there to the next start
        sums = np.add.reduceat(padded, np.stack((starts, stops), axis=1).ravel(), axis=1)[:, ::2]
        found[which, :, 0] = stops - starts
        found[which, :, 1:] = np.where(stops > starts, sums, 0.0).T
    return found


def skewness_kurtosis(returns: Floats) -> tuple[float, float]:
    """Return the third and the fourth standardised moment (population ones); NaN where all returns are the same."""
    if returns.size < 2:
        return nan, nan
    away = returns - returns.mean()
    square = away * away
    variance = float(square.mean())
    if variance <= _FLAT * float((returns * returns).mean()):
        return nan, nan
    return float((square * away).mean()) / variance**1.5, float((square * square).mean()) / variance**2


def probabilistic_sharpe(
    sharpe: float, benchmark: float, count: int, skewness: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Return the probability that the true Sharpe ratio is above ``benchmark`` ([1], equation 11)."""
    return 1.0 - _tail(_distance(sharpe, benchmark, count, skewness, kurtosis))


def minimum_track_record(
    sharpe: float,
    benchmark: float = 0.0,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
    confidence: float = CONFIDENCE,
) -> float:
    """Return how many returns it takes to say with ``confidence`` that the Sharpe ratio is above ``benchmark``.

    [1], equation 13. Infinite where it is not above it.
    """
    if not isfinite(sharpe + benchmark + skewness + kurtosis):
        return nan
    if sharpe <= benchmark or confidence >= 1.0:
        return inf
    return 1.0 + _spread(sharpe, skewness, kurtosis) * (_NORMAL.inv_cdf(confidence) / (sharpe - benchmark)) ** 2


def expected_max_sharpe(variance: float, trials: int) -> float:
    """Return the best Sharpe ratio to be expected of ``trials`` that have no skill ([2], equation 1).

    ``variance`` is that of the trials' Sharpe ratios. Zero for a single trial: nothing was chosen.
    """
    if trials <= 1:
        return 0.0
    if not variance >= 0.0:
        return nan
    best = (1.0 - EULER_MASCHERONI) * -_NORMAL.inv_cdf(1.0 / trials)
    return sqrt(variance) * (best + EULER_MASCHERONI * -_NORMAL.inv_cdf(1.0 / (trials * e)))


def luck_of_the_best(sharpe: float, count: int, skewness: float = 0.0, kurtosis: float = 3.0, trials: int = 1) -> float:
    """Return the probability that the best of ``trials`` without skill has this Sharpe ratio or a better one ([4]).

    Exact for independent trials, and never too small for those that resemble each other.
    """
    chance = _tail(_distance(sharpe, 0.0, count, skewness, kurtosis))
    return 1.0 if chance >= 1.0 else -expm1(trials * log1p(-chance))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfitting:
    """What combinatorially symmetric cross-validation ([3]) shows of choosing the best; NaN without two trials."""

    pbo: float
    """Probability of backtest overfitting: how often the best of one half is not above the middle of the other."""
    loss: float
    """How often the best of one half lost money on the other."""
    slope: float
    """Of the regression of the chosen ones' Sharpe ratios on the other half upon those on their own."""
    splits: int


def overfitting(trials: Floats) -> Overfitting:
    """Choose the best on every half of the blocks and see how it does on the other: C(16, 8) = 12,870 times.

    ``trials`` are one set of `moments` of each: shape (trials, blocks, MOMENTS), an even number of blocks; trials with
    NaN are passed over. The best is that of the greatest Sharpe ratio times the root of its count (the t-statistic):
    the same order for returns of equal length, and fair where they are sampled at different steps. A trial without
    risk in a half counts as zero there. Equal ranks are shared; where several are best, the mean of them counts.
    Memory does not grow with the number of splits; time grows with the number of trials: some seconds for 20,000.
    """
    known = trials[np.isfinite(trials).all(axis=(1, 2))]
    blocks = known.shape[1]
    rows, weights = np.unique(known.reshape(len(known), blocks * MOMENTS), axis=0, return_counts=True)
    if len(rows) < 2:
        return Overfitting(pbo=nan, loss=nan, slope=nan, splits=0)
    # Numba takes most of a second to load: whoever wants none of this does without.
    from cambist.analytics._splits import cross_validate

    columns = np.ascontiguousarray(rows.reshape(len(rows), blocks, MOMENTS).transpose(2, 1, 0))
    halves = _halves(blocks)
    seen, unseen, below, lost = cross_validate(columns, weights.astype(np.float64), halves)
    return Overfitting(pbo=float(below.mean()), loss=float(lost.mean()), slope=_slope(seen, unseen), splits=below.size)


@cache
def _halves(blocks: int) -> npt.NDArray[np.int64]:
    """Return the ways to part the blocks in two halves: first those of one half, then those of the other.

    The first block is always in the first: its halves are tried both ways round.
    """
    everything = frozenset(range(blocks))
    firsts = ((0, *rest) for rest in combinations(range(1, blocks), blocks // 2 - 1))
    return np.array([(*first, *sorted(everything.difference(first))) for first in firsts], dtype=np.int64)


def _slope(seen: Floats, unseen: Floats) -> float:
    away = seen - seen.mean()
    spread = float((away * away).sum())
    return float((away * unseen).sum()) / spread if spread > _FLAT * float((seen * seen).sum()) else nan


def _spread(sharpe: float, skewness: float, kurtosis: float) -> float:
    """Return the variance of an estimated Sharpe ratio, times the number of returns less one ([1], equation 8)."""
    # rounding alone can take it below zero: kurtosis is never below 1 + skewness^2
    return max(1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe, _FLAT)


def _distance(sharpe: float, benchmark: float, count: int, skewness: float, kurtosis: float) -> float:
    if count < 2:
        return nan
    return (sharpe - benchmark) * sqrt((count - 1.0) / _spread(sharpe, skewness, kurtosis))


def _tail(distance: float) -> float:
    """Return the chance of a normal deviate above ``distance``: exact where it is small."""
    return 0.5 * erfc(distance / sqrt(2.0))
