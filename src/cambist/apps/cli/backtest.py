"""``cambist backtest``: run a strategy over past candles."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from cambist.apps import bootstrap
from cambist.apps.cli.options import (
    ReportFile,
    TimeframeType,
    cost_options,
    costs,
    named_values,
    need_span,
    since_option,
    symbol_option,
    timeframe_option,
    until_option,
    venue_option,
)
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe


@click.command(help=say("backtest.help"))
@click.argument("strategy", metavar="STRATEGY")
@click.argument("more", nargs=-1, metavar="")
@symbol_option(multiple=True, required=True, help=say("backtest.option.symbol"))
@timeframe_option(required=True)
@venue_option(help=say("backtest.option.venue"))
@since_option()
@until_option()
@cost_options
@click.option("--detail", type=TimeframeType(), metavar="TIMEFRAME", help=say("backtest.option.detail"))
@click.option("--set", "chosen", multiple=True, metavar="NAME=VALUE", help=say("backtest.option.set"))
@click.option("--no-proof", is_flag=True, help=say("backtest.option.no_proof"))
@click.option("--no-keep", is_flag=True, help=say("backtest.option.no_keep"))
@click.option("--report", type=ReportFile(), metavar="FILE", help=say("backtest.option.report"))
@click.option("--json", "as_json", is_flag=True, help=say("backtest.option.json"))
def command(
    strategy: str,
    more: tuple[str, ...],
    symbol: tuple[str, ...],
    timeframe: Timeframe,
    detail: Timeframe | None,
    chosen: tuple[str, ...],
    report: Path | None,
    no_proof: bool,
    no_keep: bool,
    as_json: bool,
    venue: str | None,
    since: int | None,
    until: int | None,
    **given: Any,
) -> None:
    """Run a strategy over the lake's candles, print what came of it, keep it, and write the report if asked."""
    from cambist.usecases.results import to_keep
    from cambist.usecases.run_backtest import Order, progress_text, run_backtest

    need_span(since, until)
    order = Order(
        strategy=strategy,
        symbols=symbol,
        timeframe=timeframe,
        venue=venue,
        since=since,
        until=until,
        detail=detail,
        params=named_values(chosen + more),
        settings={**costs(given), "proof": not no_proof},
    )
    with _bar(progress_text(order)) as progress:
        result = run_backtest(order, bootstrap.lake(), progress)
    kept = to_keep(result)
    number = 0 if no_keep else bootstrap.results().keep(kept)
    if report is not None:
        result.report(report)
    if as_json:
        _print_json(number, kept.metrics, result.trades.rows(), kept.proof, result.engine, result.notes)
    else:
        _print(number, kept, report)


def _print_json(number: int, *parts: Any) -> None:
    from cambist.apps.cli.results import print_json

    metrics, trades, proof, engine, notes = parts
    print_json(
        {"id": number or None, "metrics": metrics, "trades": trades, "proof": proof, "engine": engine, "notes": notes}
    )


def _print(number: int, kept: Any, report: Path | None) -> None:
    from dataclasses import replace

    from cambist.apps.cli.show import print_result
    from cambist.apps.cli.tables import console

    print_result(replace(kept, id=number), console())
    if report is not None:
        click.echo(say("backtest.report_written", path=report.resolve()))
    if number:
        click.echo(say("backtest.kept", id=number))


@contextmanager
def _bar(text: str) -> Iterator[Any]:
    """Show a progress bar on standard error if somebody is looking; give what moves it."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=1.0)
        yield lambda share: bar.update(task, completed=share)
