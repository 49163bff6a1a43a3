"""Searches for parameters: what is searched, how, and what each try gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cambist.domain.errors import BadInput

if TYPE_CHECKING:
    from cambist.domain.candles import Floats

Value = bool | int | float | str
Params = Mapping[str, Value]
"""One combination: a value for each axis. A timeframe that is searched is the axis ``timeframe``."""

TIMEFRAME = "timeframe"
"""The axis that is no parameter of the strategy."""
BLOCKS = 16
"""Stretches of equal length into which each trial's returns are cut: what cross-validation takes and leaves."""
EXACT, TRIMMED = 0, 1
"""The two sets of moments of a block: of all its returns, and of those that are not within reach of its ends."""
MOMENTS = 3
"""Of each: how many returns there are, their sum, and the sum of their squares."""


class Method(StrEnum):
    """How the next combination is found."""

    GRID = "grid"
    """All of them."""
    RANDOM = "random"
    TPE = "tpe"
    """Tree-structured Parzen estimator (J. Bergstra and others, Algorithms for Hyper-Parameter Optimization, 2011)."""
    CMAES = "cmaes"
    """Covariance matrix adaptation (N. Hansen, The CMA Evolution Strategy, 2016)."""
    NSGA2 = "nsga2"
    """Several objectives at once (K. Deb and others, A Fast and Elitist Multiobjective Genetic Algorithm, 2002)."""

    @classmethod
    def parse(cls, text: str) -> Method:
        """Return the method written as ``text`` (a `Method` is its own text); raise `BadInput` naming them."""
        try:
            return cls(text)
        except ValueError:
            raise BadInput("method", text, "param.choices", choices=", ".join(cls)) from None


class State(StrEnum):
    """How a trial ended."""

    DONE = "done"
    PRUNED = "pruned"
    """Given up early: the first part of the history was worse than that of most before it."""
    FAILED = "failed"
    """The strategy raised, or the objective is undefined (a ratio to nothing, no trade at all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One dimension of a search."""

    name: str
    values: tuple[Value, ...] = ()
    """What may be taken, in order. A grid's axes always have them; for other methods a stretch of numbers will do."""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    """None: any number between; whole ones for ``whole``."""
    whole: bool = False
    log: bool = False
    """Whether to look as closely between 1 and 10 as between 10 and 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a search is after: a metric's key or an expression of several, and which way is better."""

    text: str
    better: int = +1
    """+1: the more the better; -1: the less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Part of a history: decisions and fills within ``[start_ts, stop_ts)`` (ms); history before it is known."""

    start_ts: int
    stop_ts: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """One combination that was tried."""

    number: int
    params: dict[str, Value]
    state: State = State.DONE
    values: tuple[float, ...] = ()
    """One per goal; of one that is not done, none."""
    metrics: dict[str, float] = field(default_factory=dict)
    """As `cambist.analytics.performance.measure` gives them."""
    moments: Floats | None = None
    """Of its returns: shape (2, BLOCKS, MOMENTS), float64; sets, blocks, moments as above."""
    why: dict[str, Any] = field(default_factory=dict)
    """Of one that failed: the text's ``key`` and its ``params``."""
