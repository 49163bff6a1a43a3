import math

import pytest

from cambist.backtest.optimise.goals import parse, value, why_undefined
from cambist.domain.errors import BadInput
from cambist.domain.metrics import METRICS
from cambist.domain.search import Goal
from cambist.domain.text import say

FIGURES = dict.fromkeys(METRICS, 1.0) | {
    "total_return": 0.5,
    "max_drawdown": -0.2,
    "sharpe": 2.0,
    "trades": 16.0,
    "open_trades": 0.0,
    "profit_factor": math.inf,
    "calmar": math.nan,
}


@pytest.mark.parametrize(
    ("text", "kept", "better", "expected"),
    [
        ("sharpe", "sharpe", +1, 2.0),
        ("max_drawdown", "max_drawdown", +1, -0.2),
        ("volatility", "volatility", -1, 1.0),
        ("-total_return", "total_return", -1, 0.5),
        ("- volatility", "volatility", -1, 1.0),
        ("max:trades", "trades", +1, 16.0),
        ("min: exposure", "exposure", -1, 1.0),
        ("return/drawdown", "return/drawdown", +1, 2.5),
        (" return / drawdown ", "return/drawdown", +1, 2.5),
        ("-return/drawdown", "return/drawdown", -1, 2.5),
        ("sharpe * sqrt(trades)", "sharpe * sqrt(trades)", +1, 8.0),
        ("-sharpe + trades", "-sharpe + trades", +1, 14.0),
        ("min:sharpe - trades", "sharpe - trades", -1, -14.0),
        ("sharpe if trades > 10 else -1", "sharpe if trades > 10 else -1", +1, 2.0),
    ],
)
def test_an_objective_and_its_direction(text, kept, better, expected):
    (goal,) = parse([text])
    assert goal == Goal(text=kept, better=better)
    assert value(goal, FIGURES) == pytest.approx(expected)


def test_several_objectives():
    assert [goal.text for goal in parse(["sharpe", "max_drawdown"])] == ["sharpe", "max_drawdown"]
    with pytest.raises(BadInput, match="given twice"):
        parse(["sharpe", "-sharpe"])


@pytest.mark.parametrize("text", ["", "  ", "min:", "max: "])
def test_an_objective_is_needed(text):
    with pytest.raises(BadInput, match="Name an objective"):
        parse([text] if text else [])


def test_what_is_neither_better_nor_worse_asks_for_a_direction():
    with pytest.raises(BadInput, match="max:trades or min:trades"):
        parse(["trades"])


def test_a_typing_error_is_told_with_what_was_perhaps_meant():
    with pytest.raises(BadInput, match="Perhaps: sharpe"):
        parse(["sharp"])


@pytest.mark.parametrize("text", ["profit_factor", "calmar", "sharpe / (trades - 16)"])
def test_what_is_not_finite_is_undefined(text):
    (goal,) = parse([text])
    assert math.isnan(value(goal, FIGURES))


def test_without_a_drawdown_its_ratio_is_undefined():
    (goal,) = parse(["return/drawdown"])
    assert math.isnan(value(goal, {**FIGURES, "max_drawdown": 0.0}))


def test_it_is_said_why_there_is_no_value():
    goal = Goal(text="calmar")
    why = why_undefined(goal, FIGURES)
    assert say(why["key"], **why["params"]) == "calmar has no finite value here."
    why = why_undefined(goal, {**FIGURES, "trades": 0.0})
    assert say(why["key"], **why["params"]) == "No trade at all: calmar has no value."
