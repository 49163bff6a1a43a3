"""``cambist show``: one finished backtest."""

from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cambist.apps import bootstrap
from cambist.apps.cli import tables
from cambist.apps.cli.results import ResultId, market, period, print_json, summary
from cambist.domain.metrics import Unit, number, show
from cambist.domain.moment import show_moment
from cambist.domain.text import say
from cambist.ports.results import StoredResult

_LINE_WIDTH = 72


@click.command(help=say("show.help"))
@click.argument("result_id", metavar="ID", type=ResultId())
@click.option("--trades", "with_trades", is_flag=True, help=say("show.option.trades"))
@click.option("--json", "as_json", is_flag=True, help=say("results.option.json"))
def command(result_id: int, with_trades: bool, as_json: bool) -> None:
    """Show one finished backtest: how it was run, its proof, its equity, its metrics and, if asked, its trades."""
    result = bootstrap.results().get(result_id)
    if as_json:
        print_json(_document(result, with_trades=with_trades))
    else:
        print_result(result, tables.console(), with_trades=with_trades)


def _document(result: StoredResult, *, with_trades: bool) -> dict[str, Any]:
    document = summary(result) | {"equity": result.equity}
    return document | ({"trades": [asdict(trade) for trade in result.trades]} if with_trades else {})


def print_result(result: StoredResult, console: Console, *, with_trades: bool = False) -> None:
    """Print ``result`` as people read it; one that is not kept (id 0) has no number."""
    currency = tables.currency_of(result.symbols)
    name = f"#{result.id} {result.strategy}" if result.id else result.strategy
    console.print(Text.assemble((name, "bold"), f"  {market(result)}  {period(result)}"))
    console.print(tables.proof_line(result.proof))
    for note in result.notes:
        console.print(Text(f"! {note}", style="yellow"))
    console.print()
    _print_equity(result, console, currency)
    console.print(
        tables.metrics_table([(f"#{result.id}" if result.id else result.strategy, result.metrics)], currency=currency)
    )
    console.print()
    console.print(_run(result))
    console.print()
    if with_trades:
        console.print(
            tables.trades_table(result.trades, terminal=console) if result.trades else say("report.trades.none")
        )
    elif result.trades and result.id:
        console.print(say("show.more", count=number(len(result.trades), 0), id=result.id), style=tables.FAINT)


def _print_equity(result: StoredResult, console: Console, currency: str) -> None:
    line = tables.sparkline([value for _, value in result.equity], min(_LINE_WIDTH, console.width))
    if not line:
        return
    low = min(result.equity, key=lambda point: point[1])
    high = max(result.equity, key=lambda point: point[1])
    (_, first), (_, last) = result.equity[0], result.equity[-1]
    console.print(Text(line, style=tables.gain_style(last - first)))
    extremes = (
        say(f"show.{name}", value=show(Unit.MONEY, value, currency), when=show_moment(ts))
        for name, (ts, value) in (("lowest", low), ("highest", high))
    )
    span = f"{show(Unit.MONEY, first)} → {show(Unit.MONEY, last, currency)}"
    console.print(Text(" · ".join((f"{say('report.equity')} {span}", *extremes)), style=tables.FAINT))
    console.print()


def _run(result: StoredResult) -> Table:
    table = tables.plain_table()
    table.show_header = False
    table.add_column(style=tables.FAINT, no_wrap=True)
    table.add_column(overflow="fold")
    params = ", ".join(f"{key} = {value}" for key, value in result.params.items())
    table.add_row(say("report.run.params"), Text(params or tables.NONE))
    for key, value in result.settings.items():
        table.add_row(Text(tables.setting_name(key)), Text(tables.show_setting(key, value)))
    table.add_row(say("report.run.engine"), Text(result.engine))
    table.add_row(say("report.run.candles"), number(result.candles, 0))
    table.add_row(say("show.data_hash"), Text(result.data_hash))
    table.add_row(say("show.code_hash"), Text(result.code_hash))
    if result.created_ms:  # not kept yet, or not to be
        table.add_row(say("results.kept"), show_moment(result.created_ms))
    return table
