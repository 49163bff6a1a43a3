"""The report of a search as one HTML file: no server, no network, no second file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.backtest.optimise.report import sections, verdict
from cambist.backtest.optimise.report.payload import mapped, payload
from cambist.backtest.report.columns import Columns
from cambist.backtest.report.document import joined, render
from cambist.backtest.report.sections import headline, stamp
from cambist.domain.metrics import number
from cambist.domain.text import say

if TYPE_CHECKING:
    from cambist.backtest.optimise.result import Searched

HOME = "cambist.backtest.optimise.report"
SHARED_SCRIPTS = (
    "vendor/uPlot.iife.min.js",
    "format.js",
    "data.js",
    "view.js",
    "chart.js",
    "shell.js",
)
OWN_SCRIPTS = ("plane.js", "trials.js", "search.js")
_STYLES = ("vendor/uPlot.min.css", "page.css")


def page(searched: Searched) -> str:
    """Return the report of a search as one HTML document in the language in use."""
    columns = Columns()
    data = payload(searched, columns)
    proof = stamp(searched.chosen.proof, searched.strategy)
    colour, word = verdict.light(searched.judgement)
    goal = searched.goals[0]
    return render(
        "search.html.j2",
        home=HOME,
        templates=("search.html.j2", "trials.html.j2"),
        scripts=joined(SHARED_SCRIPTS, ";\n") + ";\n" + joined(OWN_SCRIPTS, ";\n", HOME),
        styles=joined(_STYLES, "\n") + "\n" + joined(("search.css",), "\n", HOME),
        data=data,
        blobs=columns.blobs,
        kind=say("search_report.title"),
        heading=" · ".join([searched.strategy, *searched.symbols[:3], *(["…"] if len(searched.symbols) > 3 else [])]),
        stamps=[proof],
        state=proof.state,
        searched=searched,
        data_of=data,
        light=colour,
        word=word,
        facts=verdict.facts(searched.judgement),
        span=sections.days(searched.whole),
        method=say(f"search_report.method.{searched.method}"),
        counted=number(searched.counted, 0),
        headline=headline(searched.chosen),
        choice=[(name, sections.text_of(value)) for name, value in searched.best.params.items()],
        command_line=sections.command_line(searched),
        python=sections.python(searched),
        beside=sections.beside(searched),
        split_day="" if searched.split_ts is None else sections.day(searched.split_ts),
        goal=sections.goal_name(goal),
        unmapped=[axis.name for axis in searched.axes if axis not in mapped(searched)],
        beyond=number(data["spread"]["beyond"], 0) if data["spread"] else "",
        steps=sections.steps(searched.walk, goal) if searched.walk is not None else [],
        out=sections.goal_name(goal) if sections.out_key(goal) == goal.text else say("metric.sharpe"),
        walk_figures=sections.walk_figures(searched.walk) if searched.walk is not None else [],
        paths=0 if searched.paths is None else int(searched.paths.sharpes.size),
        importance=sections.importance(searched.plateau),
        neighbours=sections.neighbours(searched),
        top=sections.top(searched),
        all_trials=number(len(searched.table), 0),
        search_rows=sections.search_rows(searched),
        axis_rows=sections.axis_rows(searched.axes),
        settings=sections.settings(searched),
        notes=list(dict.fromkeys((*searched.notes, *searched.chosen.notes))),
    )
