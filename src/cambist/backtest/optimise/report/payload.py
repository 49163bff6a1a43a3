"""What the scripts of a search's page are given to draw: little, however many trials there were."""

from __future__ import annotations

from itertools import combinations
from math import floor, isfinite, log10
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.backtest.optimise.plateau import heat_map
from cambist.backtest.optimise.report.sections import (
    day,
    goal_name,
    text_of,
    texts_of,
    unit_of,
)
from cambist.backtest.optimise.result import Table
from cambist.backtest.report.document import texts
from cambist.domain.axis import size
from cambist.domain.search import Axis, Goal, Method, Value
from cambist.domain.text import language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.backtest.optimise.result import Paths, Searched, Walk
    from cambist.backtest.report.columns import Columns
    from cambist.domain.candles import Floats, Ints

_SHARED = ("light", "dark", "theme_", "broken", "equity", "hold", "chart.keys", "unit.", "months.names")
_OWN = (
    "chart.", "chosen.trial", "copied", "front.front", "front.points", "map.chosen", "map.none", "paths.", "plane.",
    "selected", "spread.luck", "spread.trials", "walk.equity",
)  # fmt: skip
_MOST_AXES = 8
"""Of more, those that matter most are mapped."""
_LEAST_CELLS, _MOST_CELLS = 12, 60
"""Along one side of a map; of more, neighbours are put together."""
_BUCKETS = 1_000
"""Of an equity line: of each, its extremes are kept, finer than a screen shows."""
_BARS = 48
_TAIL = 0.005
"""The share of trials at the worse end that may lie beyond the picture: one ruin must not squeeze all the others."""
_POINTS = 3_000
_FAN = (5, 25, 50, 75, 95)
_LINES = 24


def payload(searched: Searched, columns: Columns) -> dict[str, Any]:
    """Return the data of the page, ready for JSON; long columns go into ``columns``."""
    table, goals = searched.table, searched.goals
    return {
        "language": language(),
        "text": texts("report.", _SHARED) | texts("search_report.", _OWN),
        "goals": [{"name": goal_name(goal), "unit": str(unit_of(goal.text)), "better": goal.better} for goal in goals],
        "equity": _equity(searched, columns),
        "maps": maps(searched, columns),
        "line": _line(searched),
        "spread": spread(table, goals[0], searched.best.values[0], luck(searched)),
        "front": _front(searched) if len(goals) > 1 else None,
        "walk": _walk(searched.walk, columns) if searched.walk is not None and searched.walk.ts.size > 1 else None,
        "paths": _paths(searched.paths) if searched.paths is not None and searched.paths.equities.size else None,
    }


# -- lines over time --------------------------------------------------------------------------------------------------


def _equity(searched: Searched, columns: Columns) -> dict[str, Any] | None:
    chosen = searched.chosen
    if chosen.ts.size < 2:
        return None
    kept = thinned(chosen.equity, chosen.buy_and_hold)
    split = searched.split_ts
    return {
        "cash": chosen.settings.cash,
        "ts": columns.integers(chosen.ts[kept], order=2),
        "equity": columns.decimals(chosen.equity[kept], least=2),
        "hold": columns.decimals(chosen.buy_and_hold[kept], least=2),
        "split": split,
        "day": "" if split is None else day(split),
    }


def _walk(walk: Walk, columns: Columns) -> dict[str, Any]:
    size = walk.ts.size
    equity = walk.equity[-size:]  # the cash that it starts from may stand before the first close
    kept = thinned(equity)
    return {
        "ts": columns.integers(walk.ts[kept], order=2),
        "equity": columns.decimals(equity[kept], least=2),
        "cash": float(walk.equity[0]),
        "windows": [{"from": window.test.start_ts, "params": texts_of(window.params)} for window in walk.windows],
    }


def thinned(*lines: Floats) -> Ints:
    """Return which values of lines of one length to keep: of each stretch, the extremes of each, and both ends."""
    size = lines[0].size
    if size <= 4 * _BUCKETS:
        return np.arange(size)
    edges = np.linspace(0, size, _BUCKETS + 1).astype(np.int64)
    kept = {0, size - 1}
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        for line in lines:
            part = line[start:stop]
            kept |= {start + int(part.argmin()), start + int(part.argmax())}
    return np.array(sorted(kept))


# -- maps -------------------------------------------------------------------------------------------------------------


def maps(searched: Searched, columns: Columns) -> list[dict[str, Any]]:
    """Return the first goal by each two axes of those that matter most; nothing of a single axis."""
    drawn, most = [], _most_cells(searched)
    for x, y in combinations(mapped(searched), 2):
        made = heat_map(searched.table, searched.axes, x.name, y.name)
        rows, columns_ = _groups(len(made.ys), most), _groups(len(made.xs), most)
        values = _gathered(made.values, rows, columns_)
        drawn.append(
            {
                "x": {"name": x.name, "labels": _labels(x, made.xs, columns_)},
                "y": {"name": y.name, "labels": _labels(y, made.ys, rows)},
                "values": columns.decimals(values.ravel(), digits=_digits(values)),
                "chosen": _cell(searched, x, y, rows, columns_),
            }
        )
    return drawn


def mapped(searched: Searched) -> list[Axis]:
    """Return the axes that are mapped, those that decide most first."""
    matter = searched.plateau.importance
    return sorted(searched.axes, key=lambda axis: -_finite(matter.get(axis.name, 0.0)))[:_MOST_AXES]


def _line(searched: Searched) -> dict[str, Any] | None:
    """Return the first goal by the only axis."""
    if len(searched.axes) != 1:
        return None
    axis = searched.axes[0]
    made = heat_map(searched.table, searched.axes, axis.name, axis.name)
    groups = _groups(len(made.xs), _MOST_CELLS)
    return {
        "name": axis.name,
        "labels": _labels(axis, made.xs, groups),
        "values": _numbers(np.diagonal(_gathered(made.values, groups, groups))),
        "chosen": _cell(searched, axis, axis, groups, groups)[0],
    }


def _cell(searched: Searched, x: Axis, y: Axis, rows: Sequence[Ints], columns: Sequence[Ints]) -> list[int]:
    """Return the place of the chosen combination: where a map of it alone has something; -1 if nowhere."""
    best = searched.best
    alone = Table(
        number=np.array([best.number]),
        done=np.array([True]),
        params={axis.name: np.array([best.params[axis.name]], dtype=object) for axis in (x, y)},
        values=np.ones((1, 1)),
        metrics={},
    )
    here = np.argwhere(np.isfinite(_gathered(heat_map(alone, (x, y), x.name, y.name).values, rows, columns)))
    return here[0, ::-1].tolist() if here.size else [-1, -1]


def _most_cells(searched: Searched) -> int:
    """Return how many cells a side of a map may have: few enough for trials that are scattered to fill them."""
    if searched.method is Method.GRID:
        return _MOST_CELLS
    return int(np.clip(len(searched.table) ** 0.5, _LEAST_CELLS, _MOST_CELLS))


def _groups(count: int, most: int) -> list[Ints]:
    """Return positions from 0 to ``count``, in at most so many groups of neighbours, all of one size but the last."""
    each = -(-count // most)
    return np.split(np.arange(count), np.arange(each, count, each))


def _gathered(values: Floats, rows: Sequence[Ints], columns: Sequence[Ints]) -> Floats:
    """Return the means over groups of rows and columns; NaN where a group holds nothing."""
    known = np.isfinite(values)
    by_rows = [group[0] for group in rows]
    by_columns = [group[0] for group in columns]
    sums = np.add.reduceat(np.add.reduceat(np.where(known, values, 0.0), by_rows, 0), by_columns, 1)
    counts = np.add.reduceat(np.add.reduceat(known.astype(np.float64), by_rows, 0), by_columns, 1)
    means = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0.0)
    return means


def _labels(axis: Axis, values: Sequence[Value], groups: Sequence[Ints]) -> list[str]:
    write = text_of if size(axis) == len(values) else _near
    ends = [(write(values[int(group[0])]), write(values[int(group[-1])])) for group in groups]
    return [first if first == last else f"{first}\u2013{last}" for first, last in ends]


def _near(value: Value) -> str:
    """Return the middle of a part of an axis: three figures tell it from its neighbours."""
    return f"\u2248 {value:.3g}" if isinstance(value, float) else f"\u2248 {value}"


def _digits(values: Floats) -> int:
    """Return how many decimals tell a thousand steps between the least and the greatest."""
    known = values[np.isfinite(values)]
    reach = float(known.max() - known.min()) if known.size else 0.0
    size = reach or (abs(float(known[0])) if known.size else 0.0)
    return int(np.clip(3 - floor(log10(size)), 0, 12)) if size > 0.0 else 0


# -- all trials -------------------------------------------------------------------------------------------------------


def spread(table: Table, goal: Goal, chosen: float, lucky: float) -> dict[str, Any] | None:
    """Return how the trials' values of ``goal`` are spread; nothing of fewer than two."""
    values = table.values[:, 0]
    values = values[table.done & np.isfinite(values)]
    if values.size < 2:
        return None
    marks = [mark for mark in (chosen, lucky) if isfinite(mark)]
    low, high = _reach(values, goal)
    room = 0.02 * (max(high, *marks) - min(low, *marks)) or 0.5  # a mark on the frame would not be seen
    low, high = min(low, *(mark - room for mark in marks)), max(high, *(mark + room for mark in marks))
    counts, edges = np.histogram(
        np.clip(values, low, high), bins=min(_BARS, max(8, values.size // 4)), range=(low, high)
    )
    return {
        "edges": _numbers(edges),
        "counts": counts.tolist(),
        "chosen": _number(chosen),
        "luck": _number(lucky),
        "beyond": int(np.count_nonzero((values < low) | (values > high))),
    }


def _reach(values: Floats, goal: Goal) -> tuple[float, float]:
    """Return from where to where trials are shown: all but the few that lie far off at the worse end."""
    low, high = float(values.min()), float(values.max())
    body = np.quantile(values, (_TAIL, 1.0 - _TAIL)).tolist()
    far = 0.5 * (body[1] - body[0])
    if goal.better > 0:
        return max(low, body[0] - far), high
    return low, min(high, body[1] + far)


def luck(searched: Searched) -> float:
    """Return the best value of the first goal that the search would have found in noise; NaN where it is unknown."""
    if searched.goals[0].text != "sharpe":
        return float("nan")
    return searched.judgement.figures.get("expected_max_sharpe", float("nan"))


def _front(searched: Searched) -> dict[str, Any] | None:
    """Return the trials by their goals, the front and the chosen one; as many trials as a picture has room for."""
    table, goals = searched.table, searched.goals
    known = np.flatnonzero(table.done & np.isfinite(table.values).all(axis=1))
    if not known.size:
        return None
    shown = known[:: -(-known.size // _POINTS)]
    names = list(table.params)
    front = sorted(searched.front, key=lambda trial: trial.values[0])
    return {
        "points": [_numbers(table.values[shown, place]) for place in range(len(goals))],
        "numbers": table.number[shown].tolist(),
        "params": [
            " · ".join(f"{name} {text_of(table.params[name][row])}" for name in names) for row in shown.tolist()
        ],
        "reach": [[_number(end) for end in _reach(table.values[known, at], goal)] for at, goal in enumerate(goals)],
        "front": [
            {"number": trial.number, "values": [_number(v) for v in trial.values], "params": texts_of(trial.params)}
            for trial in front
        ],
        "chosen": {
            "number": searched.best.number,
            "values": [_number(value) for value in searched.best.values],
            "params": texts_of(searched.best.params),
        },
    }


# -- cross-validation -------------------------------------------------------------------------------------------------


def _paths(paths: Paths) -> dict[str, Any]:
    """Return the fan of the paths and how their Sharpe ratios are spread."""
    final = np.argsort(paths.equities[:, -1], kind="stable")
    drawn = final[np.unique(np.linspace(0, final.size - 1, min(_LINES, final.size)).astype(np.int64))]
    sharpes = paths.sharpes[np.isfinite(paths.sharpes)]
    spread_of = None
    if sharpes.size > 1:
        low, high = min(0.0, float(sharpes.min())), max(0.0, float(sharpes.max()))
        counts, edges = np.histogram(
            sharpes, bins=min(24, max(6, sharpes.size // 2)), range=(low, high if high > low else low + 1.0)
        )
        spread_of = {"edges": _numbers(edges), "counts": counts.tolist(), "median": _number(float(np.median(sharpes)))}
    return {
        "bands": [_numbers(band) for band in np.percentile(paths.equities, _FAN, axis=0)],
        "lines": [_numbers(paths.equities[row]) for row in drawn.tolist()],
        "sharpes": spread_of,
    }


# -- numbers in JSON --------------------------------------------------------------------------------------------------


def _number(value: float) -> float | None:
    """Return a number to six figures, which is finer than a screen; None if it is none."""
    return float(f"{value:.6g}") if isfinite(value) else None


def _numbers(values: Floats) -> list[float | None]:
    return [_number(value) for value in np.asarray(values, dtype=np.float64).tolist()]


def _finite(value: float) -> float:
    return value if isfinite(value) else 0.0
