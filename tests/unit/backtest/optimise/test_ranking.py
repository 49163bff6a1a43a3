from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.backtest.optimise.searches import Memory

from cambist.backtest.optimise.ranking import best_row, front_rows, reason, standing, table_of
from cambist.backtest.optimise.result import KEPT
from cambist.domain.errors import BadInput
from cambist.domain.search import Axis, Goal, State, Trial

AXES = (Axis(name="fast", values=(1, 2, 3)), Axis(name="side", values=("long", "short")))
ONE = (Goal(text="sharpe"),)
TWO = (Goal(text="sharpe"), Goal(text="volatility", better=-1))


def trials(*values, goals=TWO):
    return [
        Trial(number=i, params={"fast": 1, "side": "long"}, values=tuple(map(float, value)), metrics={"sharpe": i})
        for i, value in enumerate(values)
    ]


def test_a_table_has_a_row_per_trial():
    table = table_of(
        [
            Trial(number=3, params={"fast": 2, "side": "short"}, values=(1.5, 0.2), metrics={"sharpe": 1.5, "sqn": 9}),
            Trial(number=7, params={"fast": 3, "side": "long"}, state=State.FAILED, metrics={"sharpe": 8.0}),
            Trial(number=8, params={"fast": 1, "side": "long"}, state=State.PRUNED),
        ],
        AXES,
        TWO,
    )
    assert len(table) == 3
    assert table.number.tolist() == [3, 7, 8]
    assert table.done.tolist() == [True, False, False]
    assert table.params["fast"].dtype == np.float64
    assert table.params["fast"].tolist() == [2, 3, 1]
    assert table.params["side"].tolist() == ["short", "long", "long"]
    assert table.values.shape == (3, 2)
    assert table.values[0].tolist() == [1.5, 0.2]
    assert np.isnan(table.values[1:]).all()
    assert set(table.metrics) == set(KEPT)
    assert table.metrics["sharpe"][0] == 1.5
    assert np.isnan(table.metrics["sharpe"][1:]).all()
    assert np.isnan(table.metrics["calmar"]).all()


def test_an_empty_table():
    table = table_of([], AXES, TWO)
    assert table.values.shape == (0, 2)
    assert front_rows(table, TWO).size == 0


def test_of_one_goal_the_best_alone_and_of_equals_the_first():
    table = table_of(trials([1], [3], [2], [3]), AXES, ONE)
    assert front_rows(table, ONE).tolist() == [1]
    assert best_row(table, ONE) == 1
    assert best_row(table, (Goal(text="x", better=-1),)) == 0


def test_the_front_and_the_one_nearest_to_the_best_of_each():
    table = table_of(trials([1, 1], [2, 2], [2.9, 2.1], [3, 9], [2, 3], [3, 9]), AXES, TWO)
    assert front_rows(table, TWO).tolist() == [3, 2, 1, 0]  # more of the first, less of the second; 4 is beaten by 1
    assert best_row(table, TWO) == 2


@given(
    st.integers(1, 4).flatmap(
        lambda goals: st.lists(st.lists(st.integers(0, 4), min_size=goals, max_size=goals), min_size=1, max_size=25)
    )
)
def test_the_front_is_what_no_other_beats(rows):
    goals = tuple(Goal(text=f"g{i}", better=(-1) ** i) for i in range(len(rows[0])))
    table = table_of(trials(*rows), AXES, goals)
    signs = np.array([goal.better for goal in goals])
    points = [tuple(np.array(row) * signs) for row in rows]

    def beats(one, other):
        return all(a >= b for a, b in zip(one, other, strict=True)) and one != other

    unbeaten = {point for point in points if not any(beats(other, point) for other in points)}
    front = front_rows(table, goals).tolist()
    assert {points[row] for row in front} == unbeaten
    assert front == sorted(front, key=lambda row: points[row], reverse=True)
    assert all(row == points.index(points[row]) for row in front)  # of equals the first
    assert best_row(table, goals) in front


def test_a_large_front_is_found():
    angle = np.linspace(0, np.pi / 2, 2_000)
    inside = np.random.default_rng(1).uniform(0, 0.7, (20_000, 2))
    rows = np.concatenate([inside, np.stack([np.cos(angle), np.sin(angle)], axis=1)])
    goals = (Goal(text="a"), Goal(text="b"))
    table = table_of(trials(*rows.tolist()), AXES, goals)
    assert sorted(front_rows(table, goals).tolist()) == list(range(20_000, 22_000))
    assert abs(best_row(table, goals) - 21_000) <= 1


def test_the_best_and_the_front_come_whole_out_of_the_log():
    log: Any = Memory()
    log.append(trials([1, 1], [3, 2], [2, 2], [4, 9]))
    table = table_of(log.read(), AXES, TWO)
    best, front = standing(log, table, TWO)
    assert best.metrics == {"sharpe": best.number}
    assert best.number == 1
    assert [trial.number for trial in front] == [3, 1, 0]


def test_where_none_is_done_the_first_reason_is_told():
    log: Any = Memory()
    why = {"key": "number.between", "params": {"low": 1, "high": 2}, "field": "fast"}
    log.append([Trial(number=0, params={"fast": 9, "side": "long"}, state=State.FAILED, why=why)])
    table = table_of(log.read(), AXES, TWO)
    with pytest.raises(BadInput, match=r"None of the 1 trials has a value.*fast: Give a number from 1 to 2"):
        standing(log, table, TWO)
    assert reason(Trial(number=1, params={})) == ""
