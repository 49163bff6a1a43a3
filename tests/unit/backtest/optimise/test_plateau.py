"""Stability of what was chosen: surfaces whose neighbours, importances and maps are known beforehand."""

from itertools import product
from math import isnan, nan, pi

import numpy as np
import pytest

from cambist.backtest.optimise.plateau import heat_map, importance, plateau
from cambist.backtest.optimise.ranking import table_of
from cambist.backtest.optimise.result import Table
from cambist.domain.search import Axis, Goal, State, Trial, Value

GOAL = (Goal(text="sharpe"),)
FIVE = (Axis(name="x", values=(10, 20, 30, 40, 50)), Axis(name="y", values=(0.1, 0.2, 0.3, 0.4, 0.5)))


def tried(axes: tuple[Axis, ...], rows: list[tuple[Value, ...]], values: list[float]) -> tuple[Table, list[Trial]]:
    """Trials of these combinations with these values; NaN: it failed."""
    trials = [
        Trial(
            number=number,
            params=dict(zip((axis.name for axis in axes), row, strict=True)),
            state=State.FAILED if isnan(value) else State.DONE,
            values=() if isnan(value) else (value,),
        )
        for number, (row, value) in enumerate(zip(rows, values, strict=True))
    ]
    return table_of(trials, axes, GOAL), trials


def surface(function) -> tuple[Table, list[Trial]]:
    """All of the five by five, with values of the places counted from the middle."""
    rows = list(product(*(axis.values for axis in FIVE)))
    return tried(FIVE, rows, [function(x, y) for x, y in product(range(-2, 3), repeat=2)])


def test_a_hill_keeps_nine_tenths_beside_its_top() -> None:
    table, trials = surface(lambda x, y: 10.0 - x * x - y * y)
    found = plateau(table, FIVE, trials[12])
    assert (found.neighbours, found.worst) == (4, 9.0)
    assert found.kept == pytest.approx(0.9)
    # each axis explains half of the variance; less what five bins of five would of noise: 4 * 0.5 / 20
    assert found.importance == pytest.approx({"x": 0.4, "y": 0.4})


def test_a_needle_keeps_nothing() -> None:
    table, trials = surface(lambda x, y: float(x == y == 0))
    assert plateau(table, FIVE, trials[12]).kept == 0.0


def test_a_plateau_keeps_all() -> None:
    table, trials = surface(lambda x, y: 1.5)
    found = plateau(table, FIVE, trials[0])
    assert (found.neighbours, found.kept, found.worst) == (2, 1.0, 1.5)
    assert found.importance == {"x": 0.0, "y": 0.0}


def test_neighbours_that_failed_are_none() -> None:
    table, trials = surface(lambda x, y: nan if (x, y) == (1, 0) else 10.0 - x - 2 * y * y)
    found = plateau(table, FIVE, trials[12])
    assert (found.neighbours, found.worst) == (3, 8.0)
    assert found.kept == pytest.approx((11.0 + 8.0 + 8.0) / 3 / 10.0)


@pytest.mark.parametrize(
    ("top", "beside", "better", "kept", "worst"),
    [
        (2.0, 1.0, +1, 0.5, 1.0),
        (0.1, 0.15, -1, 0.5, 0.15),  # a volatility: half as much again is half lost
        (-0.1, -0.15, +1, 0.5, -0.15),  # a drawdown: likewise
        (2.0, -1.0, +1, -0.5, -1.0),
        (0.0, -1.0, +1, nan, -1.0),
    ],
)
def test_what_is_kept_is_told_by_what_is_lost(
    top: float, beside: float, better: int, kept: float, worst: float
) -> None:
    table, trials = surface(lambda x, y: top if x == y == 0 else beside)
    found = plateau(table, FIVE, trials[12], better=better)
    assert found.kept == pytest.approx(kept, nan_ok=True)
    assert found.worst == worst


def test_steps_count_as_listed_values_do() -> None:
    axes = (Axis(name="x", low=1, high=9, step=2, whole=True), Axis(name="y", low=0.1, high=0.3, step=0.1))
    rows: list[tuple[Value, ...]] = list(product((1, 3, 5, 7, 9), (0.1, 0.2, 0.3)))
    table, trials = tried(axes, rows, [float(row[0]) for row in rows])
    found = plateau(table, axes, trials[7])
    assert (found.neighbours, found.kept, found.worst) == (4, pytest.approx(1.0), 3.0)
    assert found.importance == pytest.approx({"x": 1.0, "y": 0.0})


def test_words_are_neighbours_in_the_order_given() -> None:
    axes = (Axis(name="timeframe", values=("1h", "4h", "1d")),)
    table, trials = tried(axes, [("1h",), ("4h",), ("1d",)], [1.0, 2.0, 4.0])
    assert plateau(table, axes, trials[2]).kept == 0.5


def test_without_a_grid_the_nearest_are_the_neighbours() -> None:
    axes = (Axis(name="x", low=0.0, high=10.0), Axis(name="y", low=1.0, high=1000.0, log=True))
    rng = np.random.default_rng(5)
    xs, ys = rng.uniform(0.0, 10.0, 200), 10.0 ** rng.uniform(0.0, 3.0, 200)
    values = rng.normal(size=200)
    rows: list[tuple[Value, ...]] = list(zip(xs.tolist(), ys.tolist(), strict=True))
    table, trials = tried(axes, [*rows, rows[17]], [*values.tolist(), 5.0])  # the same again is no neighbour
    away = np.hypot((xs - xs[17]) / 10.0, np.log10(ys / ys[17]) / 3.0)
    near = values[np.argsort(away)[1:5]]
    found = plateau(table, axes, trials[200])
    assert found.neighbours == 4
    assert found.kept == pytest.approx(near.mean() / 5.0)
    assert found.worst == near.min()


def test_a_single_trial_has_no_neighbours() -> None:
    table, trials = tried(FIVE, [(10, 0.1)], [1.0])
    found = plateau(table, FIVE, trials[0])
    assert found.neighbours == 0
    assert isnan(found.kept)
    assert isnan(found.worst)


def test_importance_of_the_ishigami_function() -> None:
    # A. Saltelli and others, Global Sensitivity Analysis: The Primer, 2008: with a = 7 and b = 0.1 the first-order
    # indices are 0.3139, 0.4424 and 0.
    axes = tuple(Axis(name=name, low=-pi, high=pi) for name in "abc")
    points = np.random.default_rng(1).uniform(-pi, pi, (40_000, 3))
    a, b, c = points.T
    values = np.sin(a) + 7.0 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)
    table = Table(
        number=np.arange(a.size),
        done=np.ones(a.size, np.bool_),
        params={"a": a, "b": b, "c": c},
        values=values[:, None],
        metrics={},
    )
    found = importance(table, axes)
    assert found == pytest.approx({"a": 0.3139, "b": 0.4424, "c": 0.0}, abs=0.02)


def test_noise_makes_no_axis_important_and_shares_never_exceed_one() -> None:
    rng = np.random.default_rng(2)
    axes = tuple(Axis(name=name, low=0.0, high=1.0) for name in "ab")
    points = rng.uniform(size=(300, 2))
    noise = importance(tried(axes, list(map(tuple, points.tolist())), rng.normal(size=300).tolist())[0], axes)
    assert sum(noise.values()) < 0.1
    same = np.repeat(points[:, :1], 2, axis=1)  # axes that go together, as where a search has crowded
    found = importance(tried(axes, list(map(tuple, same.tolist())), same[:, 0].tolist())[0], axes)
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["a"] == pytest.approx(found["b"])


def test_a_map_is_the_mean_over_the_other_axes() -> None:
    axes = (*FIVE, Axis(name="z", values=(True, False)))
    rows: list[tuple[Value, ...]] = [(10, 0.1, True), (10, 0.1, False), (20, 0.1, True), (50, 0.5, True)]
    table, _ = tried(axes, rows, [1.0, 3.0, 7.0, nan])
    made = heat_map(table, axes, "x", "y")
    assert (made.xs, made.ys) == (FIVE[0].values, FIVE[1].values)
    expected = np.full((5, 5), nan)
    expected[0, :2] = 2.0, 7.0
    np.testing.assert_array_equal(made.values, expected)
    np.testing.assert_array_equal(heat_map(table, axes, "z", "x").values[:2], [[1.0, 3.0], [7.0, nan]])


def test_a_map_of_any_numbers_has_equal_parts() -> None:
    axes = (Axis(name="x", low=0.0, high=12.0), Axis(name="y", low=1.0, high=10.0**12, log=True))
    table, _ = tried(axes, [(0.0, 1.0), (0.9, 9.0), (12.0, 10.0**12), (6.5, 20.0)], [1.0, 2.0, 3.0, 4.0])
    made = heat_map(table, axes, "x", "y")
    assert made.xs == pytest.approx(np.arange(12) + 0.5)
    assert made.ys == pytest.approx(10.0 ** (np.arange(12) + 0.5))
    filled = {(int(y), int(x)): made.values[y, x] for y, x in np.argwhere(~np.isnan(made.values))}
    assert filled == {(0, 0): 1.5, (11, 11): 3.0, (1, 6): 4.0}


def test_a_map_of_very_many_steps_stays_small() -> None:
    axes = (Axis(name="x", values=tuple(range(1_200))), Axis(name="y", low=1, high=240, whole=True))
    table, _ = tried(axes, [(0, 1), (99, 20), (1_199, 240)], [1.0, 3.0, 5.0])
    made = heat_map(table, axes, "x", "y")
    assert made.values.shape == (12, 12)
    assert (made.values[0, 0], made.values[11, 11]) == (2.0, 5.0)
    assert made.xs[:2] == (50, 150)
    assert made.ys[:2] == (11, 31)
