"""``cambist demo``: from nothing to a first comparison of backtests, offline."""

from pathlib import Path

import click

from cambist.apps import bootstrap
from cambist.apps.cli.options import ReportFile
from cambist.domain.errors import Stopped
from cambist.domain.text import say


@click.command(help=say("demo.help"))
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help=say("demo.option.seed"))
@click.option(
    "--report",
    type=ReportFile(),
    default=Path("cambist-demo.html"),
    show_default=True,
    metavar="FILE",
    help=say("demo.option.report"),
)
def command(seed: int, report: Path) -> None:
    """Backtest the sample strategies on a synthetic market, print them side by side, write the report."""
    from rich.console import Console
    from rich.progress import Progress

    from cambist.apps.cli.tables import NONE, console, metrics_table, proof_line
    from cambist.backtest.report.page import page
    from cambist.usecases.demo import demo
    from cambist.usecases.results import proved, to_keep

    store = bootstrap.results()
    errors = Console(stderr=True)
    ids: list[int] = []
    try:
        with Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar:
            task = bar.add_task(say("demo.market"), total=None)

            def step(name: str, number: int, count: int) -> None:
                bar.update(task, description=name or say("demo.report"), completed=number, total=count)

            results = demo(bootstrap.lake(), seed, step)
            kept = [to_keep(result) for result in results]
            ids.extend(store.keep(one) for one in kept)
            report.write_text(page(results), encoding="utf-8")
    except KeyboardInterrupt:
        raise Stopped("demo.stopped", ids=" ".join(map(str, ids)) or NONE) from None
    out = console()
    currency = results[0].legs[0].instrument.quote
    out.print(say("demo.about", symbols=", ".join(kept[0].symbols), count=kept[0].candles))
    out.print(metrics_table([(one.strategy, one.metrics) for one in kept], currency=currency))
    out.print(proof_line(min(kept, key=proved).proof))  # one that is not proved speaks for all
    out.print(say("demo.done", path=report.resolve(), ids=" ".join(map(str, ids))), highlight=False)
