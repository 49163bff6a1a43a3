"""What a search gives: all its trials, the one chosen, how that one does on what it was not chosen on, and the word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cambist.domain.judgement import Judgement
from cambist.domain.search import Axis, Goal, Method, Span, Trial

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cambist.backtest.result import Settings
    from cambist.backtest.run import Finished
    from cambist.domain.candles import Floats, Ints

KEPT = (
    "sharpe",
    "sortino",
    "calmar",
    "total_return",
    "annual_return",
    "max_drawdown",
    "profit_factor",
    "win_rate",
    "trades",
    "exposure",
)
"""The metrics of every trial that stay at hand; the log has all."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """All trials as columns of one length, in the order of their numbers: about a hundred bytes a trial."""

    number: Ints
    done: npt.NDArray[np.bool_]
    """Whether a trial has values: it was neither given up nor failed."""
    params: dict[str, npt.NDArray[Any]]
    """By axis: float64 for numbers, objects for words and truths."""
    values: Floats
    """Shape (trials, goals); NaN where not done."""
    metrics: dict[str, Floats]
    """By key, those of `KEPT`; NaN where not done."""

    def __len__(self) -> int:
        return int(self.number.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """One step of a walk forward: chosen on ``train``, tried on ``test``, which follows it."""

    train: Span
    test: Span
    params: dict[str, Any]
    value: float
    """Of the first goal, over ``train``."""
    metrics: dict[str, float]
    """Over ``test``."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """A walk forward: what would have come of searching anew from time to time, and trading what was found."""

    anchored: bool
    """Whether each training begins at the beginning; otherwise it rolls on."""
    windows: tuple[Window, ...]
    ts: Ints
    """Closes (ms), one per return."""
    equity: Floats
    """Stitched together out of the tests alone: the cash, then a value at each of ``ts``."""
    metrics: dict[str, float]
    """Of that equity: ``total_return annual_return sharpe sortino calmar max_drawdown volatility``."""
    efficiency: float
    """Mean Sharpe ratio over the tests / mean over the trainings; NaN where the latter is not positive."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paths:
    """Combinatorial purged cross-validation: many histories of choosing on some blocks and trading the others.

    M. Lopez de Prado, Advances in Financial Machine Learning, 2018, chapter 12.
    """

    groups: int
    tested: int
    """Groups that each split leaves out for its test."""
    splits: int
    sharpes: Floats
    """Per year, one per path."""
    equities: Floats
    """Shape (paths, returns + 1), from 1; at most some hundred points for the chart."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plateau:
    """How the chosen one's neighbours do: those one step away on one axis."""

    neighbours: int
    kept: float
    """Mean of the neighbours' first value / the chosen one's; 1 is a plateau, 0 a needle. NaN without neighbours."""
    worst: float
    importance: dict[str, float]
    """By axis: the share of the values' variance that the axis alone explains (first-order Sobol index, binned)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Searched:
    """A finished search."""

    study: str
    run: str
    strategy: str
    called: str
    """How the strategy is asked for: its name, or the file that it is in."""
    method: Method
    axes: tuple[Axis, ...]
    goals: tuple[Goal, ...]
    where: tuple[str, ...]
    seed: int
    settings: Settings
    venue: str
    symbols: tuple[str, ...]
    timeframes: tuple[str, ...]
    whole: Span
    split_ts: int | None
    """Where choosing ended and the rest of the history begins; None: chosen on all of it."""
    table: Table
    counted: int
    """Trials over the study's whole life, those of earlier runs among them."""
    best: Trial
    """By the first goal; of several goals, the one of the front that lies nearest to the best of each."""
    front: tuple[Trial, ...]
    """Those that no other beats in every goal; of a single goal, the best alone."""
    chosen: Finished
    """The best over the whole history, as a backtest."""
    out_of_sample: dict[str, float] | None
    """Metrics of the best after ``split_ts``."""
    walk: Walk | None
    paths: Paths | None
    plateau: Plateau
    judgement: Judgement
    notes: tuple[str, ...] = ()
