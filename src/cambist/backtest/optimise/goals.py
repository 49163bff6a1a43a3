"""What a search is after: ``sharpe``, ``return/drawdown``, any metric, or an expression of several."""

from collections.abc import Mapping, Sequence
from functools import cache
from math import isfinite, nan
from typing import Any

from cambist.domain import expression
from cambist.domain.errors import BadInput
from cambist.domain.metrics import METRICS
from cambist.domain.search import Goal

RETURN_TO_DRAWDOWN = "return/drawdown"
"""Total return / size of the deepest drawdown."""
_WAYS = {"max": +1, "min": -1}
_FIELD = "objective"


def parse(texts: Sequence[str]) -> tuple[Goal, ...]:
    """Return the goals that ``texts`` name.

    Each is a metric's key, ``return/drawdown``, or an expression of metrics. More is better, but for the metrics of
    which less is; ``-volatility``, ``min:...`` and ``max:...`` say so themselves. Raises `BadInput`.
    """
    goals = tuple(map(_goal, texts))
    if not goals:
        raise BadInput(_FIELD, "", "goal.none")
    seen: set[str] = set()
    for goal in goals:
        if goal.text in seen:
            raise BadInput(_FIELD, goal.text, "goal.twice")
        seen.add(goal.text)
    return goals


def value(goal: Goal, metrics: Mapping[str, float]) -> float:
    """Return what ``metrics`` (those of `cambist.analytics.performance.measure`) come to; NaN if undefined."""
    if goal.text == RETURN_TO_DRAWDOWN:
        size = -metrics["max_drawdown"]
        found = metrics["total_return"] / size if size > 0.0 else nan
    elif goal.text in METRICS:
        found = metrics[goal.text]
    else:
        found = _compiled(goal.text)(metrics)
    return float(found) if isfinite(found) else nan


def why_undefined(goal: Goal, metrics: Mapping[str, float]) -> dict[str, Any]:
    """Return, as a text's key and its parameters, why ``goal`` has no value."""
    traded = metrics.get("trades", 0.0) + metrics.get("open_trades", 0.0)
    return {"key": "goal.undefined" if traded else "goal.no_trades", "params": {"goal": goal.text}}


def _goal(given: str) -> Goal:
    text = given.strip()
    if not text:
        raise BadInput(_FIELD, given, "goal.none")
    before, colon, after = text.partition(":")
    if colon and before.strip() in _WAYS:
        return Goal(text=_checked(after, given), better=_WAYS[before.strip()])
    if text.startswith("-") and _plain(text[1:]):  # otherwise the sign is of the expression
        return Goal(text=_checked(text[1:], given), better=-1)
    checked = _checked(text, given)
    better = METRICS[checked].better if checked in METRICS else +1
    if better == 0:
        raise BadInput(_FIELD, given, "goal.way", name=checked)
    return Goal(text=checked, better=better)


def _plain(text: str) -> bool:
    return text.strip() in METRICS or "".join(text.split()) == RETURN_TO_DRAWDOWN


def _checked(text: str, given: str) -> str:
    """Return ``text`` as it is kept; raise `BadInput` if it is nothing that can be computed."""
    if "".join(text.split()) == RETURN_TO_DRAWDOWN:
        return RETURN_TO_DRAWDOWN
    if not text.strip():
        raise BadInput(_FIELD, given, "goal.none")
    return _compiled(text.strip()).text


@cache
def _compiled(text: str) -> expression.Expression:
    return expression.read(text, METRICS, field=_FIELD)
