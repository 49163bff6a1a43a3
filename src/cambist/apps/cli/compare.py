"""``cambist compare``: finished backtests side by side."""

from dataclasses import asdict
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from cambist.apps import bootstrap
from cambist.apps.cli import tables
from cambist.apps.cli.results import ResultId, print_json, summary
from cambist.domain.errors import BadInput
from cambist.domain.metrics import number
from cambist.domain.moment import show_moment
from cambist.domain.text import say
from cambist.usecases import results as usecase

_HASH = 12
"""How much of a hash people compare by eye."""

_RUN_NAMES = {
    "strategy": "report.trade.strategy",
    "code_hash": "show.code_hash",
    "engine": "report.run.engine",
    "venue": "report.run.venue",
    "symbols": "report.trade.symbol",
    "timeframe": "report.run.timeframe",
    "first_ts": "report.run.first",
    "last_ts": "report.run.last",
    "candles": "report.run.candles",
    "data_hash": "show.data_hash",
}


@click.command(help=say("compare.help"))
@click.argument("ids", metavar="ID ID...", type=ResultId(), nargs=-1)
@click.option("--json", "as_json", is_flag=True, help=say("results.option.json"))
def command(ids: tuple[int, ...], as_json: bool) -> None:
    """Compare finished backtests: why they may not compare, in what they differ, and their metrics."""
    distinct = list(dict.fromkeys(ids))
    if len(distinct) < 2:
        raise BadInput("ID", " ".join(map(str, ids)), "compare.two_needed")
    store = bootstrap.results()
    comparison = usecase.compare([store.get(result_id) for result_id in distinct])
    if as_json:
        print_json(_document(comparison))
    else:
        _print(comparison)


def _document(comparison: usecase.Comparison) -> dict[str, Any]:
    ids = [result.id for result in comparison.results]
    return {
        "results": [summary(result) for result in comparison.results],
        "metrics": {row.key: row.values for row in comparison.metrics},
        "best": {row.key: [ids[i] for i in row.best] for row in comparison.metrics},
        "differences": [asdict(difference) for difference in comparison.differences],
        "warnings": comparison.warnings,
    }


def _print(comparison: usecase.Comparison) -> None:
    console = tables.console()
    for warning in comparison.warnings:
        console.print(Text(f"! {warning}", style="yellow"))
    if comparison.warnings:
        console.print()
    console.print(_runs(comparison))
    console.print()
    currencies = {tables.currency_of(result.symbols) for result in comparison.results}
    console.print(
        tables.metrics_table(
            [(f"#{result.id}", result.metrics) for result in comparison.results],
            best={row.key: row.best for row in comparison.metrics},
            currency=currencies.pop() if len(currencies) == 1 else "",
        )
    )


def _runs(comparison: usecase.Comparison) -> Table:
    """Return what the results are and in what they differ, one column each."""
    table = tables.plain_table()
    table.add_column()
    for result in comparison.results:
        table.add_column(Text(f"#{result.id} {result.strategy}"), justify="right", overflow="fold")
    table.add_row(say("report.compare.proof"), *(tables.proof_stamp(result.proof) for result in comparison.results))
    for difference in comparison.differences:
        if difference.key != "strategy":  # stands in the headings
            table.add_row(Text(_name(difference)), *(Text(_show(difference, value)) for value in difference.values))
    return table


def _name(difference: usecase.Difference) -> str:
    if difference.kind == "run":
        return say(_RUN_NAMES[difference.key])
    return tables.setting_name(difference.key) if difference.kind == "setting" else difference.key


def _show(difference: usecase.Difference, value: Any) -> str:
    key = difference.key
    if difference.kind == "setting":
        return tables.show_setting(key, value)
    if difference.kind == "param":
        return tables.NONE if value is None else str(value)
    if key in ("first_ts", "last_ts"):
        return show_moment(value)
    if key in ("code_hash", "data_hash"):
        return str(value)[:_HASH]
    if key == "symbols":
        return ", ".join(value)
    return number(value, 0) if key == "candles" else str(value)
