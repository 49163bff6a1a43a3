"""Combinatorial cross-validation: counts of the book, choices that can be checked by hand, and what purging is for."""

from collections.abc import Sequence
from dataclasses import replace
from math import isnan
from typing import Any

import numpy as np
import pytest

from cambist.adapters.crew.local import Threads
from cambist.analytics.overfitting import moments
from cambist.analytics.performance import sharpe
from cambist.backtest.optimise.paths import bounds, evenly, purged_paths
from cambist.backtest.optimise.splits import blocks_of, combinatorial
from cambist.backtest.optimise.stretches import Evaluated
from cambist.domain.errors import BadInput, Stopped
from cambist.domain.search import BLOCKS, Params, Span, State, Trial

CREW = Threads(1)
Array = np.ndarray[Any, Any]


class Rows:
    """An evaluator whose combinations are rows of returns."""

    def __init__(self, returns: Array) -> None:
        self.returns = returns
        self.asked: list[int] = []

    def evaluate(self, params: Params, spans: Sequence[Span] | None = None) -> list[Evaluated]:
        row = int(params["row"])
        self.asked.append(row)
        return [Evaluated(metrics={}, returns=self.returns[row], periods=365.0)]

    def trials(self) -> list[Trial]:
        return [
            Trial(number=row, params={"row": row}, values=(0.0,), moments=moments(returns))
            for row, returns in enumerate(self.returns)
        ]


def paths_of(rows: Rows, **how: Any) -> Any:
    evaluator: Any = rows
    return purged_paths(rows.trials(), evaluator, crew=CREW, **how)


def test_six_groups_of_which_two_are_tested_make_fifteen_splits_and_five_paths() -> None:
    # M. Lopez de Prado, Advances in Financial Machine Learning, 2018, figures 12.1 and 12.2
    plan = combinatorial(6, 2)
    assert (len(plan.splits), len(plan.paths)) == (15, 5)
    assert plan.paths[0] == (0, 0, 1, 2, 3, 4)  # groups 1 and 2 by the first split, 3 by the second, ...
    assert plan.paths[4] == (4, 8, 11, 13, 14, 14)
    rng = np.random.default_rng(1)
    found = paths_of(Rows(rng.normal(0.0, 0.01, (30, 500))), groups=6, tested=2)
    assert (found.groups, found.tested, found.splits) == (6, 2, 15)
    assert found.sharpes.shape == (5,)
    assert found.equities.shape[0] == 5


def test_one_that_is_best_everywhere_is_all_paths() -> None:
    rng = np.random.default_rng(2)
    returns = rng.normal(0.0, 0.01, (20, 160))
    returns[7] += 0.02
    rows = Rows(returns)
    found = paths_of(rows)
    assert rows.asked == [7]  # once, though every split chose it
    assert found.sharpes == pytest.approx([sharpe(returns[7])] * 7)
    np.testing.assert_allclose(found.equities, [np.append(1.0, np.cumprod(1.0 + returns[7]))] * 7)


def test_luck_does_not_last() -> None:
    # each trial earns in one group alone and loses in the others: whoever is best in training has not been tested
    rng = np.random.default_rng(3)
    returns = rng.normal(-0.001, 0.001, (8, 320))
    for group in range(8):
        returns[group, 40 * group : 40 * (group + 1)] += 0.02
    found = paths_of(Rows(returns))
    assert np.all(found.sharpes < -5.0)
    assert np.all(found.equities[:, -1] < 1.0)


def slow_paths(returns: Array, groups: int, tested: int) -> Array:
    """The paths by the book, returns put together one by one; next to a test the ends of a block are left out."""
    plan = combinatorial(groups, tested)
    edges = bounds(returns.shape[1])
    chosen = []
    for split in plan.splits:
        test = {block for group in split for block in blocks_of(group, groups)}
        kept: list[int] = []
        for block in set(range(BLOCKS)) - test:
            own = list(range(edges[block], edges[block + 1]))
            kept += own[1:-1] if {block - 1, block + 1} & test else own
        chosen.append(int(np.nanargmax([sharpe(row[kept]) for row in returns])))
    made = np.zeros((len(plan.paths), returns.shape[1]))
    for number, path in enumerate(plan.paths):
        for group, which in enumerate(path):
            for block in blocks_of(group, groups):
                made[number, edges[block] : edges[block + 1]] = returns[chosen[which], edges[block] : edges[block + 1]]
    return made


@pytest.mark.parametrize(("groups", "tested", "days"), [(6, 2, 200), (16, 2, 161), (8, 4, 333), (2, 1, 64)])
def test_paths_are_those_of_the_book(groups: int, tested: int, days: int) -> None:
    returns = np.random.default_rng(groups).normal(0.0005, 0.01, (25, days))
    found = paths_of(Rows(returns), groups=groups, tested=tested)
    made = slow_paths(returns, groups, tested)
    assert found.sharpes == pytest.approx([sharpe(row) for row in made])
    grown = np.concatenate((np.ones((len(made), 1)), np.cumprod(1.0 + made, axis=1)), axis=1)
    places = np.unique(np.linspace(0, days, found.equities.shape[1]).astype(int))
    np.testing.assert_allclose(found.equities, grown[:, places])
    assert found.equities.shape[1] == min(days + 1, 300)


def test_what_reaches_over_the_border_of_a_test_is_purged() -> None:
    # The cheat earns at the ends of blocks alone. Each split trains on one block, beside which all is tested.
    honest = np.tile((0.0011, -0.0009), 160)
    cheat = np.tile((-0.0006, -0.0004), 160)
    edges = np.array(bounds(320))
    cheat[edges[:-1]] = cheat[edges[1:] - 1] = 0.01
    assert sharpe(cheat) > sharpe(honest)
    assert sharpe(cheat[:20]) > sharpe(honest[:20]) > 0.0
    rows = Rows(np.stack((cheat, honest)))
    found = paths_of(rows, groups=BLOCKS, tested=BLOCKS - 1)
    assert rows.asked == [1]
    assert found.sharpes == pytest.approx([sharpe(honest)] * 15)


def test_without_a_ratio_a_split_stays_out_of_the_market() -> None:
    found = paths_of(Rows(np.zeros((3, 64))))
    assert all(map(isnan, found.sharpes))
    assert np.all(found.equities == 1.0)
    returns = np.zeros((2, 64))
    returns[1, :8] = np.linspace(-0.01, 0.02, 8)  # group 0 alone has returns that differ
    found = paths_of(Rows(returns), groups=8, tested=1)
    np.testing.assert_array_equal(found.equities[0][:9], np.ones(9))  # tested on it: chosen on nothing


def test_of_equals_the_first_is_chosen() -> None:
    rows = Rows(np.repeat(np.random.default_rng(5).normal(0.001, 0.01, (1, 64)), 3, axis=0))
    paths_of(rows)
    assert rows.asked == [0]


def test_trials_without_moments_do_not_count() -> None:
    rows = Rows(np.random.default_rng(6).normal(0.0, 0.01, (4, 64)))
    trials = [
        Trial(number=0, params={"row": 0}, state=State.FAILED),
        Trial(number=1, params={"row": 1}, state=State.PRUNED),
        Trial(number=2, params={"row": 2}, values=(1.0,)),
    ]
    evaluator: Any = rows
    assert purged_paths(trials, evaluator, crew=CREW) is None
    found = purged_paths([*trials, rows.trials()[3]], evaluator, crew=CREW)
    assert found is not None
    assert rows.asked == [3]


@pytest.mark.parametrize(("count", "most"), [(5, 8), (8, 8), (9, 8), (50, 8), (1_000, 7), (20, 1)])
def test_of_too_many_trials_evenly_spread_ones_are_taken(count: int, most: int) -> None:
    trials = (Trial(number=n, params={"row": n}, values=(0.0,), moments=np.zeros((2, BLOCKS, 3))) for n in range(count))
    rows = [trial.number for trial in evenly(trials, most)]
    assert len(rows) <= most
    assert len(rows) > min(count, most) // 2
    assert rows[0] == 0
    assert len(set(np.diff(rows).tolist())) <= 1
    assert count - rows[-1] <= (rows[1] if len(rows) > 1 else 2 * count)


@pytest.mark.parametrize(
    ("groups", "tested", "field"), [(1, 1, "groups"), (17, 2, "groups"), (6, 0, "tested"), (6, 6, "tested")]
)
def test_groups_that_will_not_do_are_refused(groups: int, tested: int, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        paths_of(Rows(np.zeros((2, 64))), groups=groups, tested=tested)
    assert refused.value.field == field


def test_ctrl_c_says_how_far_it_came() -> None:
    class Interrupted(Rows):
        def evaluate(self, params: Params, spans: Sequence[Span] | None = None) -> list[Evaluated]:
            raise KeyboardInterrupt

    with pytest.raises(Stopped) as stopped:
        paths_of(Interrupted(np.random.default_rng(7).normal(0.0, 0.01, (4, 64))))
    assert stopped.value.params["done"] == 0
    assert str(stopped.value).startswith("Stopped in cross-validation: 0 of ")


def test_trials_of_another_timeframe_with_other_days_are_left_out() -> None:
    rng = np.random.default_rng(8)

    class Uneven(Rows):
        def __init__(self) -> None:
            super().__init__(rng.normal(0.001, 0.01, (6, 70)))

        def trials(self) -> list[Trial]:
            made = super().trials()
            short = [replace(one, moments=moments(self.returns[one.number][:64] + 1.0)) for one in made[:3]]
            return short + made[3:]

    rows = Uneven()
    trials, evaluator = rows.trials(), rows
    paths = purged_paths(trials, evaluator, crew=CREW, like=trials[5])  # type: ignore[arg-type]
    assert paths is not None
    assert set(rows.asked) <= {3, 4, 5}
    assert [one.number for one in evenly(trials, like=trials[4])] == [3, 4, 5]
    assert [one.number for one in evenly(trials)] == [0, 1, 2]  # without a word: as the first
