from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cambist as cb
from cambist.backtest.optimise.space import (
    Between,
    axes_of,
    between,
    combinations,
    conditions,
    drawn,
    kept,
    nth,
    possible,
    shuffled,
)
from cambist.domain.errors import BadInput
from cambist.domain.search import Axis, Method
from cambist.strategies.ema_cross import EmaCross


class Cross(cb.SignalStrategy):
    fast = cb.param(5, low=2, high=50)
    slow = cb.param(20, low=5, high=200)
    stop_loss = cb.param(0.02, low=0.0, high=0.5)
    side = cb.param("both", choices=("long", "short", "both"))
    calm = cb.param(True)
    tries = cb.param(3, choices=(1, 2, 3, 5, 8))
    free = cb.param(1.0)


class Classic(cb.TemplateStrategy):
    period = cb.param(14, low=2, high=30)


def values(*texts, strategy=Cross, **how):
    return {axis.name: axis.values for axis in axes_of(strategy, how.pop("grid", None), texts, **how)}


# -- axes -------------------------------------------------------------------------------------------------------------


def test_python_gives_sequences_stretches_and_single_values():
    grid = {
        "fast": range(5, 50, 15),
        "slow": np.array([100, 20]),
        "stop_loss": between(0.01, 0.05, step=0.02),
        "side": ["short", "long"],
        "tries": 3,
        "calm": (True, False),
    }
    assert values(grid=grid) == {
        "fast": (5, 20, 35),
        "slow": (20, 100),
        "stop_loss": (0.01, 0.03, 0.05),
        "side": ("short", "long"),
        "tries": (3,),
        "calm": (False, True),
    }
    assert {type(value) for value in values(grid=grid)["slow"]} == {int}


def test_the_command_line_gives_the_same():
    assert values("fast=5:50:15", "slow=100, 20", "stop_loss=0.01:0.05:0.02", "side=short,long", "calm=no,yes") == {
        "fast": (5, 20, 35, 50),  # people include the end
        "slow": (20, 100),
        "stop_loss": (0.01, 0.03, 0.05),
        "side": ("short", "long"),
        "calm": (False, True),
    }
    assert values(grid={"fast": "5:50:15"}) == values("fast=5:50:15")


def test_a_stretch_without_a_step_is_ten_values_of_a_grid():
    assert values("fast=5:50") == {"fast": (5, 10, 15, 20, 25, 30, 35, 40, 45, 50)}
    assert values("fast=5:8") == {"fast": (5, 6, 7, 8)}
    steps = values("stop_loss=0.01:0.1:log")["stop_loss"]
    assert len(steps) == 10
    assert (steps[0], steps[-1]) == (0.01, 0.1)
    ratios = np.array(steps[1:]) / np.array(steps[:-1])
    np.testing.assert_allclose(ratios, 10 ** (1 / 9), rtol=1e-4)


def test_of_a_parameter_with_choices_a_stretch_takes_those_between():
    assert values("tries=2:5") == {"tries": (2, 3, 5)}


def test_a_grid_that_nobody_describes_varies_the_numbers_with_bounds():
    axes = axes_of(Cross)
    assert [axis.name for axis in axes] == ["fast", "slow", "stop_loss", "tries"]
    assert axes[0].values[0] == 2
    assert axes[0].values[-1] == 50
    assert 500 < combinations(axes) <= 1_500
    assert 500 < combinations(axes_of(EmaCross)) <= 1_500
    assert axes_of(Classic) == (Axis(name="period", values=(2, 5, 8, 11, 14, 18, 21, 24, 27, 30)),)
    assert "fast" not in values(fixed=("fast",))


def test_other_methods_search_all_that_has_bounds_without_steps():
    axes = {axis.name: axis for axis in axes_of(Cross, {"fast": range(5, 20, 5)}, method=Method.TPE, fixed=("calm",))}
    assert axes == {
        "fast": Axis(name="fast", values=(5, 10, 15)),
        "slow": Axis(name="slow", low=5.0, high=200.0, whole=True),
        "stop_loss": Axis(name="stop_loss", low=0.0, high=0.5),
        "side": Axis(name="side", values=("long", "short", "both")),
        "tries": Axis(name="tries", values=(1, 2, 3, 5, 8)),
    }
    numbers = axes_of(Cross, method=Method.CMAES)
    assert [axis.name for axis in numbers] == ["fast", "slow", "stop_loss", "tries"]
    (first, *_) = axes_of(Cross, {}, ["slow=10:100:log"], method=Method.RANDOM)
    assert first == Axis(name="slow", low=10.0, high=100.0, whole=True, log=True)


def test_the_timeframe_is_an_axis_and_comes_first():
    frames = ("4h", "1h")
    assert list(values("fast=5,6", timeframes=frames)) == ["timeframe", "fast"]
    assert values("fast=5,6", "timeframe=1h", timeframes=frames)["timeframe"] == ("1h",)
    assert values(grid={"timeframe": ["4h", "1h"]}, timeframes=frames) == {"timeframe": ("1h", "4h")}
    assert list(values("timeframe=1h,4h", timeframes=frames)) == ["timeframe"]
    assert list(values(timeframes=frames)) == ["timeframe", "fast", "slow", "stop_loss", "tries"]
    assert "timeframe" not in values("fast=5,6", timeframes=("1h",))


@pytest.mark.parametrize(
    ("text", "field", "remedy"),
    [
        ("fast", "grid", "NAME=LOW:HIGH"),
        ("fast=", "grid", "NAME=LOW:HIGH"),
        ("fast=5:x", "fast", "NAME=LOW:HIGH"),
        ("fast=5:6:7:8", "fast", "NAME=LOW:HIGH"),
        ("fast=50:5", "fast", "below the high end"),
        ("fast=5:50:0", "fast", "above zero"),
        ("fast=5:50:nan", "fast", "above zero"),
        ("fast=5:50:2.5", "fast", "of type int"),
        ("fast=1:50", "fast", "from 2 to 50"),
        ("fast=5,99", "fast", "from 2 to 50"),
        ("fast=5.5,6", "fast", "of type int"),
        ("fast=,", "fast", "at least one"),
        ("fats=5,6", "fats", "fast"),
        ("stop_loss=0:0.5:log", "stop_loss", "above zero"),
        ("stop_loss=0:0.5:0.00001", "stop_loss", "more than 10000"),
        ("side=up", "side", "long, short, both"),
        ("calm=maybe", "calm", "of type bool"),
        ("timeframe=7h", "timeframe", "1h 2h"),
        ("timeframe=2h", "timeframe", "1h, 4h"),
    ],
)
def test_what_will_not_do_names_the_axis(text, field, remedy):
    with pytest.raises(BadInput) as caught:
        axes_of(Cross, None, [text], timeframes=("1h", "4h"))
    assert caught.value.field == field
    assert remedy in str(caught.value)


def test_an_axis_is_given_once_and_words_have_no_stretch():
    with pytest.raises(BadInput, match="given twice"):
        axes_of(Cross, {"fast": [5]}, ["fast=6"])
    with pytest.raises(BadInput, match="list its values"):
        axes_of(Cross, {"side": Between(1, 2)})
    with pytest.raises(BadInput, match="None of this strategy's parameters has bounds"):
        axes_of(type("Bare", (cb.Strategy,), {"size": cb.param(1.0)}))


# -- combinations -----------------------------------------------------------------------------------------------------


def test_neighbouring_numbers_differ_in_the_last_axis():
    axes = axes_of(Cross, {"fast": [5, 6], "slow": [20, 30, 40]})
    assert combinations(axes) == 6
    assert [tuple(nth(axes, number).values()) for number in range(6)] == [
        (5, 20), (5, 30), (5, 40), (6, 20), (6, 30), (6, 40),
    ]  # fmt: skip
    assert list(nth(axes, 0)) == ["fast", "slow"]


def test_a_vast_grid_is_counted_without_being_walked():
    axes = [Axis(name=f"a{i}", low=1, high=1_000_000, whole=True) for i in range(10)]
    assert combinations(axes) == 10**60
    assert nth(axes, 10**60 - 1) == {f"a{i}": 1_000_000 for i in range(10)}


def test_what_has_no_steps_cannot_be_counted():
    with pytest.raises(BadInput, match="cannot be counted"):
        combinations([Axis(name="stop", low=0.0, high=1.0)])


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 2**40))
def test_a_random_search_is_a_shuffle(sizes, seed):
    axes = [Axis(name=f"a{i}", values=tuple(range(count))) for i, count in enumerate(sizes)]
    count = combinations(axes)
    met = [tuple((drawn(axes, seed, number) or {}).values()) for number in range(count)]
    assert len(set(met)) == count
    assert drawn(axes, seed, count) is None


def test_draws_are_pure_functions_of_the_seed_and_spread_evenly():
    axes = [Axis(name="fast", low=1, high=1_000_000, whole=True), Axis(name="slow", low=1, high=1_000, whole=True)]
    assert shuffled(axes)
    draws: list[Any] = [drawn(axes, 7, number) for number in range(2_000)]
    assert draws == [drawn(axes, 7, number) for number in range(2_000)]
    assert draws != [drawn(axes, 8, number) for number in range(2_000)]
    shares = np.array([draw["fast"] for draw in draws]) / 1e6
    assert abs(shares.mean() - 0.5) < 0.03
    assert abs(shares.std() - 12**-0.5) < 0.02


def test_draws_from_stretches_and_logarithms():
    axes = [
        Axis(name="stop", low=0.001, high=1.0, log=True),
        Axis(name="period", low=2, high=5, whole=True, log=True),
        Axis(name="side", values=("long", "short")),
        Axis(name="free", low=-1.0, high=1.0),
    ]
    assert not shuffled(axes)
    draws: list[Any] = [drawn(axes, 1, number) for number in range(3_000)]
    stops = np.log10([draw["stop"] for draw in draws])
    assert stops.min() >= -3
    assert stops.max() <= 0
    assert abs(np.mean(stops) + 1.5) < 0.05
    periods = np.bincount([draw["period"] for draw in draws])
    assert list(np.flatnonzero(periods)) == [2, 3, 4, 5]
    assert periods[2] > periods[5] > 0.5 * periods[2] * 2 / 5  # as often as they are wide, in logarithms
    assert {draw["side"] for draw in draws} == {"long", "short"}
    assert -1 <= min(draw["free"] for draw in draws) < -0.9


# -- conditions -------------------------------------------------------------------------------------------------------


def test_conditions_name_axes_and_what_is_kept():
    axes = axes_of(Cross, {"fast": [5, 30]})
    base = kept(Cross, {"slow": "25"})
    assert base["slow"] == 25
    assert base["calm"] is True
    broken = conditions(["fast < slow", "fast > 1", lambda params: params["side"] == "both"], axes, base)
    assert broken({"fast": 5}) == 0
    assert broken({"fast": 30}) == 1
    with pytest.raises(BadInput, match="Perhaps: slow"):
        conditions(["fast < slw"], axes, base)
    with pytest.raises(BadInput, match="'side'"):
        conditions(["side == 1"], axes, base)


def test_a_condition_without_a_value_is_not_met():
    axes = axes_of(Cross, {"fast": [5]})
    assert conditions(["1 / (fast - 5) or 1"], axes)({"fast": 5}) == 1


def test_a_condition_that_raises_is_named():
    def odd(params):
        return params["none"]

    with pytest.raises(BadInput, match=r"odd.*KeyError"):
        conditions([odd], axes_of(Cross, {"fast": [5]}))({"fast": 5})


def test_what_is_possible_is_counted():
    axes = axes_of(Cross, {"fast": range(5, 15), "slow": range(5, 15)})
    assert possible(axes) == 100
    assert possible(axes, conditions(["fast < slow"], axes)) == 45
    assert possible([Axis(name="stop", low=0.0, high=1.0)]) is None


def test_of_a_vast_grid_it_is_about_what_is_possible():
    axes = [Axis(name="fast", low=1, high=50_000, whole=True), Axis(name="slow", values=(1, 2, 3, 4))]
    assert possible(axes, lambda params: int(params["slow"] == 4)) == pytest.approx(150_000, rel=0.02)
