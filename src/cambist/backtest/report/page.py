"""The report as one HTML file: no server, no network, no second file."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from cambist.backtest.report import sections
from cambist.backtest.report.columns import Columns
from cambist.backtest.report.payload import payload, text_of_result, titles_of
from cambist.domain.proof import Verdict
from cambist.domain.text import language, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

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
    "page.js",
)
_STYLES = ("vendor/uPlot.min.css", "page.css")
# Before the first paint: a page must not flash in the other theme.
_EARLY = 'try{const t=localStorage.getItem("cambist-theme");if(t)document.documentElement.dataset.theme=t}catch{}'
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
    script, style = _joined(_SCRIPTS, ";\n"), _joined(_STYLES, "\n")
    heading = text_of_result(results[0]) if len(results) == 1 else say("report.title_many")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            say=say,
            language=language(),
            heading=heading,
            csp=_policy(scripts=(_EARLY, script), style=style),
            early=_EARLY,
            script=script,
            style=style,
            license=_read("vendor/LICENSE").strip(),
            data=_json(data),
            blobs=columns.blobs,
            stamps=sorted(stamps, key=lambda each: _WORST_FIRST.index(each.state)),
            state=min((each.state for each in stamps), key=_WORST_FIRST.index),
            comparison=sections.comparison(results) if len(results) > 1 else [],
            results=[
                _section(result, title, each) for result, title, each in zip(results, titles, stamps, strict=True)
            ],
            month_names=say("report.months.names").split(),
            spans=_SPANS,
            version=_version(),
        )
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


def _policy(*, scripts: Sequence[str], style: str) -> str:
    """Return the content security policy: our own scripts and style by their hash, and nothing else from anywhere."""
    script_hashes = " ".join(_hash(text) for text in scripts)
    return (
        f"default-src 'none'; script-src {script_hashes}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: dict[str, Any]) -> str:
    """Return JSON that cannot end the script element that holds it, whatever users called their strategies."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _environment() -> Environment:
    from jinja2 import DictLoader, Environment, StrictUndefined  # only those who write reports wait for it

    sources = {name: _read(name) for name in ("page.html.j2", "result.html.j2")}
    return Environment(
        loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def _joined(names: tuple[str, ...], between: str) -> str:
    return between.join(_read(name).strip() for name in names)


@cache
def _read(name: str) -> str:
    return files("cambist.backtest.report").joinpath(name).read_text(encoding="utf-8")


def _version() -> str:
    try:
        return version("cambist")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return ""
