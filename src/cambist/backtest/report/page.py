"""The report as one HTML file: no server, no network, no second file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.backtest.report import sections
from cambist.backtest.report.columns import Columns
from cambist.backtest.report.document import HOME, joined, render
from cambist.backtest.report.payload import payload, text_of_result, titles_of
from cambist.domain.proof import Verdict
from cambist.domain.text import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.backtest.result import Result

_SCRIPTS = (
    "vendor/uPlot.iife.min.js",
    "format.js",
    "data.js",
    "view.js",
    "chart.js",
    "market.js",
    "navigator.js",
    "trades.js",
    "shell.js",
    "page.js",
)
_STYLES = ("vendor/uPlot.min.css", "page.css")
_SPANS = ("day", "week", "month", "quarter", "year", "all")
_ENGINES = {"compiled": "report.engine.compiled", "event loop": "report.engine.event_loop"}
_WORST_FIRST = (Verdict.FAIL, Verdict.SKIPPED, Verdict.PASS)


def page(results: Sequence[Result]) -> str:
    """Return the report of one result, or of several side by side, as one HTML document in the language in use.

    Raises `ValueError` if there is no result.
    """
    if not results:
        raise ValueError("a report needs at least one result")
    titles = titles_of(results)
    columns = Columns()
    data = payload(results, titles, columns)
    stamps = [sections.stamp(result.proof, title) for result, title in zip(results, titles, strict=True)]
    return render(
        "page.html.j2",
        home=HOME,
        templates=("page.html.j2", "result.html.j2"),
        scripts=joined(_SCRIPTS, ";\n"),
        styles=joined(_STYLES, "\n"),
        data=data,
        blobs=columns.blobs,
        kind=say("report.title"),
        heading=text_of_result(results[0]) if len(results) == 1 else say("report.title_many"),
        stamps=sorted(stamps, key=lambda each: _WORST_FIRST.index(each.state)),
        state=min((each.state for each in stamps), key=_WORST_FIRST.index),
        comparison=sections.comparison(results) if len(results) > 1 else [],
        results=[_section(result, title, each) for result, title, each in zip(results, titles, stamps, strict=True)],
        month_names=say("report.months.names").split(),
        spans=_SPANS,
    )


def _section(result: Result, title: str, stamp: sections.Stamp) -> dict[str, Any]:
    """Return what the template needs of one result."""
    first = result.legs[0] if result.legs else None
    return {
        "title": title,
        "strategy": result.strategy,
        "symbols": list(dict.fromkeys(leg.candles.symbol for leg in result.legs)),
        "market": f"{first.candles.venue} · {first.candles.timeframe}" if first else "",
        "span": sections.span_of(result),
        "stamp": stamp,
        "headline": sections.headline(result),
        "measures": sections.measures(result),
        "months": sections.months(result),
        "legs": [(i, _leg_name(result, i)) for i, leg in enumerate(result.legs) if len(leg.candles)],
        "data": [(_leg_name(result, i), sections.data_rows(leg)) for i, leg in enumerate(result.legs)],
        "params": sections.params_rows(result.params),
        "settings": sections.settings_rows(result),
        "engine": say(_ENGINES[result.engine]) if result.engine in _ENGINES else result.engine,
        "code_hash": result.code_hash,
        "data_hash": result.data_hash,
        "notes": result.notes,
        "trades": len(result.trades),
        "quote": sections.quote_of(result),
    }


def _leg_name(result: Result, i: int) -> str:
    leg = result.legs[i]
    several = len({each.strategy for each in result.legs}) > 1
    return f"{leg.candles.symbol} · {leg.strategy}" if several else leg.candles.symbol
