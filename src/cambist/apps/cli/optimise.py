"""``cambist optimise``: search the parameters of a strategy over past candles."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from cambist.apps.settings import load
from cambist.domain.search import Method
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe

if TYPE_CHECKING:
    from cambist.backtest.optimise.plan import Seen
    from cambist.backtest.optimise.run import Search
    from cambist.usecases.optimise import Wanted

_METHODS = [str(method) for method in Method]


@click.command(help=say("optimise.help"))
@click.argument("strategy", metavar="STRATEGY")
@click.argument("space", nargs=-1, metavar="[NAME=VALUES]...")
@symbol_option(multiple=True, required=True, help=say("optimise.option.symbol"))
@timeframe_option(multiple=True, required=True, help=say("optimise.option.timeframe"))
@venue_option(help=say("backtest.option.venue"))
@since_option()
@until_option()
@click.option(
    "--method", type=click.Choice(_METHODS), default="grid", show_default=True, help=say("optimise.option.method")
)
@click.option("--trials", type=int, metavar="N", help=say("optimise.option.trials"))
@click.option(
    "--objective",
    multiple=True,
    default=("sharpe",),
    show_default=True,
    metavar="GOAL",
    help=say("optimise.option.objective"),
)
@click.option("--where", multiple=True, metavar="CONDITION", help=say("optimise.option.where"))
@click.option("--split", type=float, default=0.7, show_default=True, metavar="SHARE", help=say("optimise.option.split"))
@click.option("--walk-forward", "walk", metavar="SCHEME", help=say("optimise.option.walk"))
@click.option("--purge", default="0", show_default=True, metavar="TIME", help=say("optimise.option.purge"))
@click.option("--embargo", default="0", show_default=True, metavar="TIME", help=say("optimise.option.embargo"))
@click.option("--prune/--no-prune", default=None, help=say("optimise.option.prune"))
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help=say("optimise.option.seed"))
@click.option("--jobs", type=int, metavar="N", help=say("optimise.option.jobs"))
@click.option("--cluster", metavar="ADDRESS", help=say("optimise.option.cluster"))
@click.option("--study", metavar="NAME", help=say("optimise.option.study"))
@click.option("--set", "chosen", multiple=True, metavar="NAME=VALUE", help=say("optimise.option.set"))
@cost_options
@click.option("--detail", type=TimeframeType(), metavar="TIMEFRAME", help=say("backtest.option.detail"))
@click.option("--no-keep", is_flag=True, help=say("optimise.option.no_keep"))
@click.option("--report", type=ReportFile(), metavar="FILE", help=say("optimise.option.report"))
@click.option("--json", "as_json", is_flag=True, help=say("optimise.option.json"))
def command(
    strategy: str,
    space: tuple[str, ...],
    symbol: tuple[str, ...],
    timeframe: tuple[Timeframe, ...],
    venue: str | None,
    since: int | None,
    until: int | None,
    method: str,
    trials: int | None,
    objective: tuple[str, ...],
    where: tuple[str, ...],
    split: float,
    walk: str | None,
    purge: str,
    embargo: str,
    prune: bool | None,
    seed: int,
    jobs: int | None,
    cluster: str | None,
    study: str | None,
    chosen: tuple[str, ...],
    detail: Timeframe | None,
    no_keep: bool,
    report: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Search over the lake's candles, say whether to believe the best, keep the search, write the report if asked."""
    from cambist.usecases.optimise import How, Wanted
    from cambist.usecases.searches import to_keep

    need_span(since, until)
    wanted = Wanted(
        strategy=strategy,
        symbols=symbol,
        timeframes=timeframe,
        venue=venue,
        since=since,
        until=until,
        detail=detail,
        space=space,
        base=named_values(chosen),
        how=How(
            method=Method(method),
            trials=trials,
            goals=objective,
            where=where,
            split=split,
            walk=walk,
            purge=purge,
            embargo=embargo,
            seed=seed,
            prune=prune,
        ),
        settings=costs(given),
        study=study,
    )
    found = _search(wanted, jobs, cluster)
    kept = to_keep(found)
    number = 0 if no_keep else bootstrap.searches().keep(kept)
    if report is not None:
        found.report(report)
    if as_json:
        from cambist.apps.cli.results import print_json
        from cambist.apps.cli.searches import document

        print_json(document(kept) | {"id": number or None})
    else:
        _print(number, kept, report)


def _search(wanted: "Wanted", jobs: int | None, cluster: str | None) -> "Search":
    from cambist.domain.strategy_text import parse_stored_name
    from cambist.usecases.optimise import Stored, evaluator_of, hunt_of, pursue

    settings = load()
    stored = None
    if parse_stored_name(wanted.strategy) is not None:
        shelf = bootstrap.strategies(settings, None)
        stored = Stored(sandbox=bootstrap.sandbox(settings), code=shelf.code)
    evaluator = evaluator_of(wanted, bootstrap.lake(settings), stored)
    hunted = hunt_of(evaluator, wanted)
    tools = bootstrap.search_tools(
        bootstrap.studies(settings), jobs=jobs, cluster=cluster, threads=evaluator.fused or stored is not None
    )
    with tools as with_tools, _bar() as (progress, stage):
        return pursue(hunted, with_tools, progress=progress, stage=stage, available_bytes=bootstrap.available_bytes())


def _print(number: int, kept: Any, report: Path | None) -> None:
    from dataclasses import replace

    from cambist.apps.cli.searches import print_search
    from cambist.apps.cli.tables import console

    print_search(replace(kept, id=number), console())
    if report is not None:
        click.echo(say("backtest.report_written", path=report.resolve()))
    if number:
        click.echo(say("optimise.kept", id=number))


@contextmanager
def _bar() -> Iterator[tuple[Any, Any]]:
    """Show on standard error, if somebody is looking: how far it is, how fast, the best so far, and the time left."""
    import sys

    if not sys.stderr.isatty():
        yield None, None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[more]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(say("search.stage.trials"), total=None, more="")

        def progress(seen: "Seen") -> None:
            bar.update(task, completed=seen.done, total=seen.total, more=_more(seen))

        yield progress, lambda key: bar.update(task, description=say(key))


def _more(seen: "Seen") -> str:
    from math import isfinite

    from cambist.apps.cli.searches import written
    from cambist.domain.metrics import number

    parts = []
    if isfinite(seen.rate_per_s):
        parts.append(say("optimise.rate", rate=number(seen.rate_per_s, 0 if seen.rate_per_s >= 10 else 2)))
    if isfinite(seen.left_s) and seen.left_s > 0.0:
        minutes, seconds = divmod(round(seen.left_s), 60)
        hours, minutes = divmod(minutes, 60)
        parts.append(say("optimise.left", time=f"{hours}:{minutes:02}:{seconds:02}"))
    if seen.best is not None:
        parts.append(say("optimise.best", value=number(seen.best.values[0], 3), params=written(seen.best.params)))
    return " · ".join(parts)
