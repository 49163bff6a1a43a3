"""The report of a search: what its scripts are given to draw, which trials are listed, and how small it all is."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.unit.report import searches
from tests.unit.report.outline import blobs_of, data_of
from tests.unit.report.unpacking import unpack

from cambist.backtest.optimise.report.page import page
from cambist.backtest.optimise.report.payload import spread, thinned
from cambist.backtest.optimise.report.sections import MOST_ROWS, top
from cambist.domain.search import Goal, Method


def test_a_map_holds_the_means_of_its_trials_and_marks_the_choice():
    made = searches.searched()
    html = page(made)
    chart = next(m for m in data_of(html)["maps"] if {m["x"]["name"], m["y"]["name"]} == {"period", "width"})
    x, y = chart["x"], chart["y"]
    values = unpack(chart["values"], blobs_of(html)).reshape(len(y["labels"]), len(x["labels"]))
    for i, a in enumerate(x["labels"]):
        for j, b in enumerate(y["labels"]):
            here = (made.table.params[x["name"]] == float(a)) & (made.table.params[y["name"]] == float(b))
            own = made.table.values[here & made.table.done, 0]
            if own.size:
                assert values[j, i] == pytest.approx(own.mean(), abs=0.003)
            else:
                assert np.isnan(values[j, i])
    at = [x["labels"][chart["chosen"][0]], y["labels"][chart["chosen"][1]]]
    assert [float(text) for text in at] == [made.best.params[x["name"]], made.best.params[y["name"]]]


def test_a_map_of_many_values_puts_neighbours_together():
    axes, table = searches.wide(3_000, 4)
    made = searches.of_table(axes, table)
    for chart in data_of(page(made))["maps"]:
        for place, axis in zip(chart["chosen"], (chart["x"], chart["y"]), strict=True):
            assert 1 < len(axis["labels"]) <= 60
            label: str = axis["labels"][place]
            value: Any = made.best.params[axis["name"]]
            if axis["name"] == "length_0":
                low, _, high = label.partition("–")
                assert float(low) <= value <= float(high or low)
            elif axis["name"] == "kind":
                assert label == value
            else:  # the middles of equal parts, of the logarithm for one
                scale = np.log if axis["name"] == "stop" else np.asarray
                middles = scale([float(text.removeprefix("≈ ")) for text in axis["labels"]])
                assert abs(middles[place] - scale(value)) <= 0.51 * np.diff(middles).max()


def test_scattered_trials_have_fewer_and_larger_cells():
    axes, table = searches.wide(225, 4)
    for method, most in ((Method.GRID, 60), (Method.RANDOM, 15)):
        charts = data_of(page(searches.of_table(axes, table, method=method)))["maps"]
        sides = [chart["x"]["labels"] for chart in charts if chart["x"]["name"] == "length_0"]
        sides += [chart["y"]["labels"] for chart in charts if chart["y"]["name"] == "length_0"]
        assert len(sides) == 3
        for labels in sides:
            assert most / 2 < len(labels) <= most
            assert (labels[0].split("–")[0], labels[-1].split("–")[-1]) == ("5", "154")


def test_every_trial_is_counted_in_the_spread():
    axes, table = searches.wide(5_000)
    for better in (+1, -1):
        goal = Goal(text="sharpe", better=better)
        turned = replace(table, values=better * table.values)
        made = spread(turned, goal, better * 3.0, float("nan"))
        assert made is not None
        assert sum(made["counts"]) == np.count_nonzero(table.done)
        assert made["beyond"] == 1  # the ruin
        assert made["luck"] is None
        edges = made["edges"]
        assert edges[-1] - edges[0] < 30.0
        assert edges[0] < made["chosen"] < edges[-1]
    assert axes


def test_luck_is_marked_only_where_it_is_that_of_the_goal():
    made = searches.searched()
    assert data_of(page(made))["spread"]["luck"] == pytest.approx(
        made.judgement.figures["expected_max_sharpe"], rel=1e-5
    )
    other = searches.searched(goals=(searches.DRAWDOWN,))
    assert data_of(page(other))["spread"]["luck"] is None


def test_thinning_keeps_ends_and_extremes():
    rng = np.random.default_rng(1)
    line, other = rng.normal(0, 1, (2, 100_000)).cumsum(axis=1)
    kept = thinned(line, other)
    assert kept.size < 4_100
    assert np.all(np.diff(kept) > 0)
    assert (kept[0], kept[-1]) == (0, line.size - 1)
    for each in (line, other):
        assert {each[kept].min(), each[kept].max()} == {each.min(), each.max()}
    assert thinned(line[:50]).size == 50


def test_trials_without_a_value_are_not_among_the_best():
    made = searches.searched()
    html = page(made)
    rows = re.findall(r'<tr(?: class="chosen")?><td data-key="(\d+)">', html)
    done = made.table.number[made.table.done]
    assert len(done) < len(made.table)
    assert sorted(int(row) for row in rows) == sorted(done.tolist())
    assert int(rows[0]) == made.best.number


def test_the_chosen_one_is_listed_wherever_it_stands():
    axes, table = searches.wide(1_000)
    made = searches.of_table(axes, table)
    rows = top(made).rows
    assert len(rows) == MOST_ROWS
    assert [row.chosen for row in rows] == [True, *([False] * (MOST_ROWS - 1))]
    behind = int(np.where(table.done, table.values[:, 0], np.inf).argmin())
    made = replace(made, best=replace(made.best, number=behind))
    rows = top(made).rows
    assert len(rows) == MOST_ROWS
    assert rows[-1].chosen
    assert rows[-1].cells[0][1] == str(behind)


def test_paths_that_all_lose_reach_to_zero():
    made = searches.paths(9)
    made = replace(made, sharpes=-1.0 - np.arange(9) / 10)
    shown = data_of(page(searches.searched(paths=made)))["paths"]["sharpes"]
    assert shown["edges"][-1] == 0.0
    assert shown["edges"][0] == -1.8
    assert sum(shown["counts"]) == 9


def test_a_hundred_thousand_trials_stay_small():
    axes, table = searches.wide(100_000, 8, goals=(searches.SHARPE, searches.DRAWDOWN))
    html = page(searches.of_table(axes, table, (searches.SHARPE, searches.DRAWDOWN)))
    assert len(html.encode()) < 2_500_000
    assert html.count("<tr><td data-key=") + html.count('<tr class="chosen"><td data-key=') == 200


def test_a_long_chosen_history_stays_small():
    made = searches.searched()
    size = 525_600
    rng = np.random.default_rng(2)
    line = 10_000 * np.exp(rng.normal(0, 0.0005, size).cumsum())
    ts = searches.START + 60_000 * np.arange(1, size + 1)
    long = replace(made.chosen, ts=ts, equity=line, buy_and_hold=line[::-1].copy())
    assert len(page(replace(made, chosen=long)).encode()) < len(page(made).encode()) + 60_000
