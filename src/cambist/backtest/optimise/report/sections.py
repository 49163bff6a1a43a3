"""What the page of a search says in words and figures: the choice, how it did, and what was searched."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from math import isfinite, isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.backtest.report.sections import minute, settings_rows
from cambist.backtest.result import Settings
from cambist.domain.metrics import METRICS, Unit, number, show
from cambist.domain.search import TIMEFRAME, Axis, Goal, Span
from cambist.domain.text import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.backtest.optimise.result import Plateau, Searched, Table, Walk

MOST_ROWS = 200
"""Of the best trials, how many are listed."""
_BESIDE = (
    "total_return",
    "annual_return",
    "sharpe",
    "sortino",
    "calmar",
    "volatility",
    "max_drawdown",
    "win_rate",
    "profit_factor",
    "trades",
    "exposure",
)
_OF_TRIALS = ("sharpe", "total_return", "max_drawdown", "trades")
_OF_WALK = ("total_return", "annual_return", "sharpe", "sortino", "calmar", "max_drawdown", "volatility")
_LISTED = 8  # values of an axis that are written out; of more, the ends and their number

# -- how values read --------------------------------------------------------------------------------------------------


def text_of(value: Any) -> str:
    """Return a parameter's value as people read it: whole numbers plain, others to six figures."""
    if isinstance(value, float | np.floating):
        return f"{float(value):.6g}"
    return str(value)


def texts_of(params: dict[str, Any]) -> str:
    """Return a combination in one line; a dash where nothing was chosen."""
    return " · ".join(f"{name} {text_of(value)}" for name, value in params.items()) or "\u2013"


def goal_name(goal: Goal) -> str:
    """Return what a goal is called: a metric's name, or the expression as it was written."""
    return METRICS[goal.text].name if goal.text in METRICS else goal.text


def unit_of(key: str) -> Unit:
    """Return in what a metric or an expression counts."""
    return METRICS[key].unit if key in METRICS else Unit.RATIO


def day(ts: int) -> str:
    """Return a day in UTC, with its time where it is not midnight."""
    return minute(ts).removesuffix(" 00:00")


def days(span: Span) -> str:
    """Return a stretch of time."""
    return f"{day(span.start_ts)} \u2192 {day(span.stop_ts)}"


# -- the choice -------------------------------------------------------------------------------------------------------


def command_line(searched: Searched) -> list[str]:
    """Return the command that runs the choice again over the same history, in the pieces that belong together."""
    pieces = [["cambist", "backtest", searched.called], ["--venue", searched.venue]]
    pieces += [["--symbol", symbol] for symbol in searched.symbols]
    pieces += [["--timeframe", _timeframe(searched)]]
    pieces += [["--since", day(searched.whole.start_ts)], ["--until", day(searched.whole.stop_ts)]]
    for name, value in _changed(searched.settings).items():
        option = "--" + name.replace("_", "-")
        pieces.append([option] if value is True else [option, "0" if value is None else _exact(value)])
    pieces += [["--set", f"{name}={_exact(value)}"] for name, value in _params(searched).items()]
    return [shlex.join(words) for words in pieces]


def _timeframe(searched: Searched) -> str:
    return str(searched.best.params.get(TIMEFRAME, searched.timeframes[0]))


def python(searched: Searched) -> str:
    """Return the same as Python."""
    timeframe = _timeframe(searched)
    span = f"{searched.whole.start_ts}, {searched.whole.stop_ts}"
    reads = [f"lake.read({searched.venue!r}, {symbol!r}, {timeframe!r}, {span})" for symbol in searched.symbols]
    candles = reads[0] if len(reads) == 1 else "[\n    " + ",\n    ".join(reads) + ",\n]"
    params = ", ".join(f"{name}={value!r}" for name, value in _params(searched).items())
    settings = "".join(f", {name}={value!r}" for name, value in _changed(searched.settings).items())
    return (
        "import cambist as cb\n\n"
        "lake = cb.lake()\n"
        f"candles = {candles}\n"
        f"strategy = cb.load_strategy({searched.called!r})\n"
        f"result = cb.backtest(strategy({params}), candles{settings})\n"
    )


def _params(searched: Searched) -> dict[str, Any]:
    """Return all parameters of the choice, searched or kept, as plain values."""
    merged = {**searched.chosen.params, **searched.best.params}
    return {name: _plain(value) for name, value in merged.items() if name != TIMEFRAME}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _exact(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _changed(settings: Settings) -> dict[str, Any]:
    """Return the settings that are not the usual ones."""
    usual = Settings()
    return {
        name: getattr(settings, name)
        for name in Settings.__dataclass_fields__
        if getattr(settings, name) != getattr(usual, name)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One measure before the split, after it, and over the whole history."""

    name: str
    inside: str
    outside: str
    whole: str


def beside(searched: Searched) -> list[Beside]:
    """Return the measures on both sides of the split; nothing where all was searched."""
    if searched.split_ts is None or searched.out_of_sample is None:
        return []
    sides = (searched.best.metrics, searched.out_of_sample, searched.chosen.metrics)
    rows = []
    for key in _BESIDE:
        if not any(key in side for side in sides):
            continue
        inside, outside, whole = (METRICS[key].show(side.get(key, nan)) for side in sides)
        rows.append(Beside(name=METRICS[key].name, inside=inside, outside=outside, whole=whole))
    return rows


# -- the best trials --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One trial: whether it is the chosen one, and its cells as (text, what it sorts by)."""

    chosen: bool
    cells: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """The best trials as a table; ``sorted_by`` is the column in whose order they come."""

    heads: list[str]
    words: list[bool]
    """By column, whether it holds words."""
    sorted_by: int
    falling: bool
    rows: list[Row]


def top(searched: Searched) -> Top:
    """Return the best trials by the first goal, at most `MOST_ROWS`, the chosen one among them."""
    table, goals = searched.table, searched.goals
    names = [axis.name for axis in searched.axes]
    metrics = [key for key in _OF_TRIALS if key in table.metrics and all(goal.text != key for goal in goals)]
    order = _best_first(table, goals[0])[:MOST_ROWS].tolist()
    best = table.number.tolist().index(searched.best.number)
    if best not in order:  # of several goals, it need not be good at the first
        order[MOST_ROWS - 1 :] = [best]
    rows = []
    for row in order:
        cells = [(number(int(table.number[row]), 0), str(int(table.number[row])))]
        cells += [(text_of(table.params[name][row]), _key(table.params[name][row])) for name in names]
        values = [(show(unit_of(goal.text), v), _key(v)) for goal, v in zip(goals, table.values[row], strict=True)]
        measured = [
            (METRICS[key].show(float(table.metrics[key][row])), _key(table.metrics[key][row])) for key in metrics
        ]
        rows.append(Row(chosen=int(table.number[row]) == searched.best.number, cells=cells + values + measured))
    return Top(
        heads=[
            say("search_report.top.number"),
            *names,
            *(goal_name(goal) for goal in goals),
            *(METRICS[key].name for key in metrics),
        ],
        words=[
            False,
            *(table.params[name].dtype == object for name in names),
            *([False] * (len(goals) + len(metrics))),
        ],
        sorted_by=1 + len(names),
        falling=goals[0].better > 0,
        rows=rows,
    )


def _best_first(table: Table, goal: Goal) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    known = np.flatnonzero(table.done & np.isfinite(table.values[:, 0]))
    return known[np.argsort(-goal.better * table.values[known, 0], kind="stable")]


def _key(value: Any) -> str:
    """Return what a cell sorts by: a number to the last digit, nothing for what is unknown, or the word."""
    value = _plain(value)
    if isinstance(value, float):
        return "" if isnan(value) else repr(value).replace("inf", "Infinity")  # as JavaScript writes it
    return str(value)


# -- walk forward, stability ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One window of a walk as a row."""

    train: str
    test: str
    params: str
    inside: str
    outside: str
    total: str
    trades: str


def steps(walk: Walk, goal: Goal) -> list[Step]:
    """Return the windows of a walk."""
    out = out_key(goal)
    return [
        Step(
            train=days(window.train),
            test=days(window.test),
            params=texts_of(window.params),
            inside=show(unit_of(goal.text), window.value),
            outside=show(unit_of(out), window.metrics.get(out, nan)),
            total=show(Unit.PERCENT, window.metrics.get("total_return", nan)),
            trades=show(Unit.COUNT, window.metrics.get("trades", nan)),
        )
        for window in walk.windows
    ]


def out_key(goal: Goal) -> str:
    """Return the metric by which a window's test is told: the goal's own, or the Sharpe ratio for an expression."""
    return goal.text if goal.text in METRICS else "sharpe"


def walk_figures(walk: Walk) -> list[tuple[str, str]]:
    """Return the measures of the stitched equity: name and text."""
    rows = [(METRICS[key].name, METRICS[key].show(walk.metrics[key])) for key in _OF_WALK if key in walk.metrics]
    return [*rows, (say("search_report.walk.efficiency"), show(Unit.PERCENT, walk.efficiency))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One axis and its share, as text and as hundredths of the bar's length."""

    name: str
    text: str
    length: float


def importance(plateau: Plateau) -> list[Bar]:
    """Return what each axis decides, the most important first."""
    known = [(name, share) for name, share in plateau.importance.items() if isfinite(share)]
    return [
        Bar(name=name, text=show(Unit.PERCENT, share), length=round(100 * min(1.0, max(0.0, share)), 2))
        for name, share in sorted(known, key=lambda each: -each[1])
    ]


def neighbours(searched: Searched) -> list[tuple[str, str]]:
    """Return how those one step away do: name and text; nothing where there are none."""
    plateau = searched.plateau
    if not plateau.neighbours:
        return []
    return [
        (say("search_report.stability.count"), number(plateau.neighbours, 0)),
        (say("search_report.stability.kept"), show(Unit.PERCENT, plateau.kept)),
        (say("search_report.stability.worst"), show(unit_of(searched.goals[0].text), plateau.worst)),
    ]


# -- what was searched ------------------------------------------------------------------------------------------------


def search_rows(searched: Searched) -> list[tuple[str, str]]:
    """Return what was searched and how: name and text."""
    table, split = searched.table, searched.split_ts
    ways = {+1: "more", -1: "less"}
    without = len(table) - int(np.count_nonzero(table.done))
    rows = [
        ("study", searched.study),
        ("strategy", searched.strategy),
        ("venue", searched.venue),
        ("markets", " · ".join(searched.symbols)),
        ("timeframes", " · ".join(searched.timeframes)),
        ("span", days(searched.whole)),
        ("split", day(split) if split is not None else say("search_report.what.no_split")),
        ("method", say(f"search_report.method.{searched.method}")),
        ("goals", " · ".join(say(f"search_report.what.{ways[g.better]}", goal=goal_name(g)) for g in searched.goals)),
        ("where", " · ".join(searched.where)),
        ("trials", number(len(table), 0)),
        ("without", number(without, 0) if without else ""),
        ("counted", number(searched.counted, 0)),
        ("seed", str(searched.seed)),
    ]
    return [(say(f"search_report.what.{key}"), text) for key, text in rows if text]


def axis_rows(axes: Sequence[Axis]) -> list[tuple[str, str]]:
    """Return the axes: name and what they may be."""
    return [(axis.name, _reach(axis)) for axis in axes]


def _reach(axis: Axis) -> str:
    if axis.values:
        if len(axis.values) <= _LISTED:
            return ", ".join(text_of(value) for value in axis.values)
        first, last = text_of(axis.values[0]), text_of(axis.values[-1])
        return say("search_report.what.values", first=first, last=last, count=number(len(axis.values), 0))
    low, high = (text_of(end) if end is not None else "\u2013" for end in (axis.low, axis.high))
    if axis.step is None:
        text = say("search_report.what.range", low=low, high=high)
    else:
        text = say("search_report.what.range_step", low=low, high=high, step=text_of(axis.step))
    return f"{text} ({say('search_report.what.log')})" if axis.log else text


def settings(searched: Searched) -> list[tuple[str, str]]:
    """Return the settings that all trials ran with."""
    return settings_rows(searched.chosen)
