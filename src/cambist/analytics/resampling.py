"""What else could have come of the same days, of the same trades, and of entering at random.

Every function draws from a numpy Generator that is passed in: the same seed gives the same numbers.

| Source | What is taken from it |
|---|---|
| D. Politis, J. Romano, The Stationary Bootstrap, Journal of the American Statistical Association, 1994 | days drawn anew in blocks of random length |
| D. Politis, H. White, Automatic Block-Length Selection for the Dependent Bootstrap, Econometric Reviews, 2004, with the correction of A. Patton, D. Politis, H. White, 2009 | how long the blocks are |
| D. Aronson, Evidence-Based Technical Analysis, 2006, chapter 6 | trades entered at random as what to compare with |
"""  # noqa: E501  (a table's row is one line)

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, inf, log10, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from cambist.domain.candles import Floats, Ints
    from cambist.domain.trade import Trades

DRAWS = 1000
"""Enough for quantiles of 5 and 95 %: their own error is then below one part in a hundred of rank."""
LEVEL = 0.9
"""Share of the draws within a band: one in twenty lies below it, one in twenty above."""
POINTS = 200
"""At which a band of equity is given."""

_LEVELS = ((1.0 - LEVEL) / 2.0, 0.5, (1.0 + LEVEL) / 2.0)
_AT_ONCE = 1 << 16
"""Numbers drawn in one go: half a megabyte an array, which the processor keeps at hand."""
_RUIN = -30.0
"""The logarithm that stands for having lost everything."""
_FLAT = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bands:
    """Low, middle and high of what the same days give when drawn anew: quantiles 0.05, 0.5 and 0.95.

    They show the spread of the estimate, not its bias: of returns that were chosen for being the best, the middle is
    as much too good as the choice was lucky.
    """

    annual_return: tuple[float, float, float]
    sharpe: tuple[float, float, float]
    """Per year."""
    at: Ints
    """Returns after which ``equity`` is given: at most `POINTS`, the first 0."""
    equity: Floats
    """Shape (3, at.size), from 1."""


def block_length(returns: Floats) -> float:
    """Return the mean length of blocks that keeps what returns have to do with those before: Politis and White.

    At least 1, which is drawing each return by itself; at most a third of the returns, or 3 * their root.
    """
    size = returns.size
    away = returns - returns.mean() if size else returns
    if size < 8 or float((away * away).sum()) <= _FLAT * float((returns * returns).sum()):
        return 1.0
    reach = max(5, ceil(sqrt(log10(size))))
    most = min(ceil(sqrt(size)) + reach, size - 1)
    # not by `@`, whose last digits hang on the number of threads
    covariance = np.array([(away[lag:] * away[: size - lag]).sum() for lag in range(most + 1)]) / size
    small = np.abs(covariance[1:]) < 2.0 * sqrt(log10(size) / size) * covariance[0]
    # the lag after which `reach` in a row are small; failing that, the last that is not
    quiet = [lag for lag in range(most - reach + 1) if small[lag : lag + reach].all()]
    large = np.flatnonzero(~small)
    last = quiet[0] if quiet else int(large[-1]) + 1
    lags = np.arange(-min(2 * max(last, 1), most), min(2 * max(last, 1), most) + 1)
    weights = np.clip(2.0 * (1.0 - np.abs(lags) / lags[-1]), 0.0, 1.0)  # flat, then falling to zero
    seen = weights * covariance[np.abs(lags)]
    spectrum = float(seen.sum())
    if abs(spectrum) <= _FLAT * float(covariance[0]):
        return 1.0
    best = ((float((np.abs(lags) * seen).sum()) / spectrum) ** 2 * size) ** (1.0 / 3.0)
    return float(min(max(best, 1.0), ceil(min(3.0 * sqrt(size), size / 3.0))))


def bands(
    returns: Floats, periods: float, rng: np.random.Generator, *, draws: int = DRAWS, length: float | None = None
) -> Bands:
    """Draw the returns anew, ``draws`` times, in blocks of random length (mean ``length``; None: `block_length`).

    ``periods`` is how many returns make a year. All NaN for less than two returns.
    """
    if returns.size < 2:
        nothing = (nan, nan, nan)
        return Bands(annual_return=nothing, sharpe=nothing, at=np.zeros(1, np.int64), equity=np.ones((3, 1)))
    at = np.unique(np.linspace(0, returns.size, min(POINTS, returns.size + 1)).astype(np.int64))
    paths = np.zeros((draws, at.size))
    ratios = np.empty(draws)
    logs = np.log1p(np.maximum(returns, -1.0), where=returns > -1.0, out=np.full(returns.size, _RUIN))
    done = 0
    for drawn in _stationary(returns.size, rng, draws, block_length(returns) if length is None else length):
        rows = slice(done, done + len(drawn))
        done = rows.stop
        paths[rows, 1:] = np.cumsum(logs[drawn], axis=1)[:, at[1:] - 1]
        chosen = returns[drawn]
        deviation = chosen.std(axis=1, ddof=1)
        ratios[rows] = chosen.mean(axis=1) / np.where(deviation > _FLAT, deviation, inf)
    yearly = np.expm1(np.minimum(paths[:, -1] * (periods / returns.size), -2.0 * _RUIN))
    return Bands(
        annual_return=_quantiles(yearly), sharpe=_quantiles(ratios * sqrt(periods)), at=at,
        equity=np.exp(np.quantile(paths, _LEVELS, axis=0)),
    )  # fmt: skip


def _quantiles(values: Floats) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, _LEVELS).tolist()
    return low, middle, high


def _stationary(size: int, rng: np.random.Generator, draws: int, length: float) -> Iterator[Ints]:
    """Yield positions drawn by the stationary bootstrap, some rows of ``size`` at a time, ``draws`` rows in all.

    A block begins anywhere, ends after each position with the chance 1 / length, and goes on at the start when it
    runs over the end.
    """
    steps = np.arange(size)
    most = max(1, _AT_ONCE // size)
    for done in range(0, draws, most):
        shape = (min(most, draws - done), size)
        begins = rng.random(shape) < 1.0 / length
        begins[:, 0] = True
        begun = np.maximum.accumulate(np.where(begins, steps, 0), axis=1)
        starts = rng.integers(0, size, shape)
        yield (np.take_along_axis(starts, begun, axis=1) + steps - begun) % size


# -- trades -----------------------------------------------------------------------------------------------------------


def trade_returns(pnl: Floats, cash: float) -> Floats:
    """Return what each trade made of the equity before it: profits in the order of their ends, from ``cash``.

    They compound to the total. Returns end with the trade that takes all.
    """
    after = cash + np.cumsum(pnl)
    ruined = np.flatnonzero(after <= 0.0)
    last = int(ruined[0]) + 1 if ruined.size else pnl.size
    before = np.concatenate(([cash], after))[:last]
    return np.maximum(pnl[:last] / before, -1.0)


def shuffled_drawdowns(returns: Floats, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
    """Return the deepest fall from a peak (0 to -1) of the same trades in ``draws`` other orders.

    ``returns`` are those of `trade_returns`; falls within a trade are not seen. Empty without trades.
    """
    if not returns.size:
        return np.empty(0)
    logs = np.log1p(returns, where=returns > -1.0, out=np.full(returns.size, _RUIN))
    found = np.empty(draws)
    most = max(1, _AT_ONCE // returns.size)
    for done in range(0, draws, most):
        rows = min(most, draws - done)
        path = np.cumsum(rng.permuted(np.broadcast_to(logs, (rows, logs.size)), axis=1), axis=1)
        peaks = np.maximum(np.maximum.accumulate(path, axis=1), 0.0)
        found[done : done + rows] = np.expm1((path - peaks).min(axis=1))
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomEntries:
    """What as many trades as long, as large and in the same directions make when they are entered at random."""

    results: Floats
    """Total return of each draw."""
    actual: float
    """Total return of the true trades, those that have ended."""

    @property
    def share(self) -> float:
        """Return the share of the random ones that did at least as well; NaN where nothing was drawn."""
        return float((self.results >= self.actual - _FLAT).mean()) if self.results.size else nan


def random_entries(
    candles: Mapping[str, tuple[Ints, Floats]],
    trades: Trades,
    *,
    cash: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> RandomEntries:
    """Enter the same trades at random times of the same candles, ``draws`` times.

    ``candles`` has open times and open prices by symbol; each symbol trades an equal part of ``cash``. A random trade
    has one true trade's length in candles, direction, share of equity, and costs as a fraction of what it bought; it
    is bought and sold at opens. Trades keep apart as the true ones did; only where those overlapped, random ones may.
    Funding is left out. Trades still open are left out.
    """
    closed = trades.closed
    if not closed.any():
        return RandomEntries(results=np.empty(0), actual=0.0)
    grown = np.zeros(draws)
    for symbol, (ts, opens) in candles.items():
        mine = closed & (trades.symbol == _position(trades.symbols, symbol))
        leg = _Leg.of(ts, opens.size, trades, mine, cash / len(candles))
        for draw in range(draws):
            grown[draw] += leg.entered_at_random(opens, rng)
    actual = max(float(trades.pnl[closed].sum()) / cash, -1.0)
    return RandomEntries(results=grown / len(candles) - 1.0, actual=actual)


def _position(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Leg:
    """The trades of one symbol, as what is kept of them when they are entered at random."""

    lengths: Ints
    sides: Floats
    sizes: Floats
    """Fractions of the equity before."""
    costs: Floats
    """Fractions of what was bought."""

    @staticmethod
    def of(ts: Ints, size: int, trades: Trades, mine: npt.NDArray[np.bool_], cash: float) -> _Leg:
        pnl = trades.pnl[mine]
        bought = trades.quantity[mine] * trades.entry_price[mine]
        before = np.maximum(cash + np.cumsum(pnl) - pnl, cash * 1e-3)  # whoever has lost nearly all is let off the rest
        lasted = np.searchsorted(ts, trades.exit_ts[mine]) - np.searchsorted(ts, trades.entry_ts[mine])
        return _Leg(
            lengths=np.clip(lasted, 1, max(size - 1, 1)),
            sides=trades.side[mine].astype(np.float64),
            sizes=bought / before,
            costs=(trades.fees[mine] + trades.slippage[mine]) / bought,
        )

    def entered_at_random(self, opens: Floats, rng: np.random.Generator) -> float:
        """Return what 1 becomes."""
        if opens.size < 2:
            return 1.0
        order = rng.permutation(self.lengths.size)
        lengths = self.lengths[order]
        free = opens.size - 1 - int(lengths.sum())
        if free >= 0:
            # sums of exponentials over their total are uniform numbers in order: no need to sort
            gaps = np.cumsum(rng.standard_exponential(lengths.size + 1))
            starts = (gaps[:-1] / gaps[-1] * (free + 1)).astype(np.int64) + np.cumsum(lengths) - lengths
        else:
            starts = (rng.random(lengths.size) * (opens.size - lengths)).astype(np.int64)
        moved = opens[starts + lengths] / opens[starts] - 1.0
        made = self.sizes[order] * (self.sides[order] * moved - self.costs[order])
        return float(np.exp(np.log1p(np.maximum(made, np.expm1(_RUIN))).sum()))
