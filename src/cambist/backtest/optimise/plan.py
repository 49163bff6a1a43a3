"""What a search is told, what it says of itself, and what one worker does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

from cambist.backtest.optimise import goals as aims
from cambist.backtest.optimise.space import Condition
from cambist.domain.errors import BadInput, CambistError, StrategyFailed
from cambist.domain.search import Axis, Goal, Method, Params, Span, State, Trial, Value

if TYPE_CHECKING:
    from cambist.backtest.optimise.stretches import Evaluated


class Evaluates(Protocol):
    """What the search needs of an evaluator."""

    @property
    def fused(self) -> bool:
        """Whether all of it is compiled."""
        ...

    @property
    def whole(self) -> Span:
        """What all series have."""
        ...

    @property
    def strategy_name(self) -> str:
        """The strategy's name."""
        ...

    def evaluate(self, params: Params, spans: Sequence[Span] | None = None) -> list[Evaluated]:
        """Return what a combination gives over each of ``spans``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to search, how, and how far."""

    method: Method = Method.GRID
    axes: tuple[Axis, ...]
    goals: tuple[Goal, ...]
    where: tuple[Condition, ...] = ()
    """Combinations that break one of these are not tried, and are no trials."""
    trials: int | None = None
    """Counted over all sessions of the run; None: the whole grid, 100 of other methods."""
    seed: int = 0
    span: Span | None = None
    """Part of the history to search on; None: all of it."""
    prune: bool | None = None
    """Whether to give trials up early; None: with tpe and one goal, if the strategy is not compiled."""
    base: Mapping[str, Value] = field(default_factory=dict)
    """What combinations have where no axis says otherwise (`space.kept`): conditions may name it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a search has come."""

    done: int
    """Trials in the log or about to be, those of earlier sessions among them."""
    total: int
    rate_per_s: float
    """Trials per second in this session; NaN before the first."""
    left_s: float
    """NaN if nothing can be said."""
    best: Trial | None
    """By the first goal."""


Progress = Callable[[Seen], None]


@dataclass(frozen=True, slots=True)
class Batch:
    """Combinations for one worker."""

    combinations: tuple[tuple[int, dict[str, Value]], ...]
    """Each with its number."""
    goals: tuple[Goal, ...]
    span: Span | None = None


def work(evaluator: Evaluates, batch: Batch) -> list[Trial]:
    """Evaluate a batch: a trial for each of its combinations, in their order. Runs wherever a crew's workers are."""
    return [_trial(evaluator, number, params, batch) for number, params in batch.combinations]


def _trial(evaluator: Evaluates, number: int, params: dict[str, Value], batch: Batch) -> Trial:
    from cambist.analytics.overfitting import moments

    try:
        found = evaluator.evaluate(params, None if batch.span is None else [batch.span])[0]
    except (StrategyFailed, BadInput) as error:
        return Trial(number=number, params=params, state=State.FAILED, why=_why(error))
    metrics = {key: float(value) for key, value in found.metrics.items()}
    values = tuple(aims.value(goal, metrics) for goal in batch.goals)
    for goal, value in zip(batch.goals, values, strict=True):
        if not isfinite(value):
            why = aims.why_undefined(goal, metrics)
            return Trial(number=number, params=params, state=State.FAILED, metrics=metrics, why=why)
    return Trial(number=number, params=params, values=values, metrics=metrics, moments=moments(found.returns))


def _why(error: CambistError) -> dict[str, Any]:
    """Return what an error says, in what every log can keep."""
    plain = {key: one if isinstance(one, bool | int | float | str) else str(one) for key, one in error.params.items()}
    why: dict[str, Any] = {"key": error.key, "params": plain}
    return {**why, "field": error.field} if isinstance(error, BadInput) else why
