"""All trials of a run as a table, the best of them, and those that no other beats."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.backtest.optimise.result import KEPT, Table
from cambist.domain.errors import BadInput
from cambist.domain.search import Axis, Goal, State, Trial
from cambist.domain.text import say

if TYPE_CHECKING:
    import numpy.typing as npt

    from cambist.domain.candles import Floats, Ints
    from cambist.ports.trials import TrialLog


def table_of(trials: Iterable[Trial], axes: Sequence[Axis], goals: Sequence[Goal]) -> Table:
    """Return ``trials`` (in the order of their numbers, as a log reads them) as columns; they are not held."""
    number, done = array("q"), array("b")
    values, metrics = array("d"), {key: array("d") for key in KEPT}
    words = {axis.name for axis in axes if any(isinstance(value, bool | str) for value in axis.values)}
    params: dict[str, Any] = {axis.name: [] if axis.name in words else array("d") for axis in axes}
    nothing = (nan,) * len(goals)
    for trial in trials:
        ended = trial.state is State.DONE
        number.append(trial.number)
        done.append(ended)
        values.extend(trial.values if ended else nothing)
        for name, column in params.items():
            column.append(trial.params[name])
        for key, figures in metrics.items():
            figures.append(trial.metrics.get(key, nan) if ended else nan)
    return Table(
        number=np.array(number, dtype=np.int64),
        done=np.array(done, dtype=np.bool_),
        params={name: np.array(column, dtype=object if name in words else float) for name, column in params.items()},
        values=np.array(values, dtype=np.float64).reshape(len(number), len(goals)),
        metrics={key: np.array(column, dtype=np.float64) for key, column in metrics.items()},
    )


def best_row(table: Table, goals: Sequence[Goal]) -> int:
    """Return the row of the best trial: by the goal, or, of several, that of the front nearest to the ideal.

    The ideal has the best of each goal, and distances are in shares of the front's extent. Of equals the first.
    Raises `BadInput` if no trial is done.
    """
    front = front_rows(table, goals)
    if not front.size:
        raise BadInput("trials", len(table), "search.none_done", count=len(table), why="-")
    towards = _towards(table, goals)[front]
    best, extent = towards.max(axis=0), np.ptp(towards, axis=0)
    away = (best - towards) / np.where(extent > 0.0, extent, 1.0)
    return int(front[np.argmin((away * away).sum(axis=1))])


def front_rows(table: Table, goals: Sequence[Goal]) -> Ints:
    """Return the rows of the trials that no other beats: is as good in every goal, and better in one.

    Exact; of trials with the same values the first alone, so that of a single goal it is the best alone. In the order
    of the first goal, the best first.
    """
    rows = np.flatnonzero(table.done)
    towards = _towards(table, goals)[rows]
    order = np.lexsort((rows, *(-towards[:, goal] for goal in reversed(range(len(goals))))))
    rows, towards = rows[order], towards[order]
    front = []
    while rows.size:  # the first in this order is beaten by none that is left: what it beats goes
        front.append(int(rows[0]))
        left: npt.NDArray[np.bool_] = np.any(towards > towards[0], axis=1)
        rows, towards = rows[left], towards[left]
    return np.array(front, dtype=np.int64)


def standing(log: TrialLog, table: Table, goals: Sequence[Goal]) -> tuple[Trial, tuple[Trial, ...]]:
    """Return the best trial and the whole front, out of the log; raise `BadInput` if no trial is done."""
    if len(table) and not table.done.any():
        first = next(iter(log.read()))
        raise BadInput("trials", len(table), "search.none_done", count=len(table), why=reason(first) or "-")
    best, front = int(table.number[best_row(table, goals)]), table.number[front_rows(table, goals)].tolist()
    wanted = {best, *front}
    found = {trial.number: trial for trial in log.read() if trial.number in wanted}
    return found[best], tuple(found[number] for number in front)


def reason(trial: Trial) -> str:
    """Return why a trial failed, as a sentence in the language in use; nothing if it did not."""
    if not trial.why:
        return ""
    text = say(trial.why["key"], **trial.why.get("params", {}))
    return say("error.bad_field", field=trial.why["field"], remedy=text) if "field" in trial.why else text


def _towards(table: Table, goals: Sequence[Goal]) -> Floats:
    """Return the values such that more is better."""
    towards: Floats = table.values * np.array([float(goal.better) for goal in goals])
    return towards
