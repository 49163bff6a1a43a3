"""``cambist download``: candles from an exchange into the lake."""

import time

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from cambist.apps import bootstrap
from cambist.apps.cli.options import market_arguments, need_span, since_option, until_option
from cambist.domain.errors import Stopped, VenueError
from cambist.domain.moment import show_moment
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe
from cambist.usecases import download as usecase


@click.command(help=say("download.help"))
@market_arguments
@since_option(help=say("download.since_default", option=say("options.since")))
@until_option(help=say("download.until_default", option=say("options.until")))
@click.pass_context
def command(
    ctx: click.Context, venue: str, symbol: str, timeframe: Timeframe, since: int | None, until: int | None
) -> None:
    """Fetch what the lake lacks, show how far it is, and say what was kept."""
    need_span(since, until)
    venue = venue.lower()
    lake, market = bootstrap.lake(), bootstrap.public_market(venue)
    bar = _bar()
    task = bar.add_task(say("download.bar", symbol=symbol, timeframe=timeframe), total=None)
    arrived = 0

    def show(progress: usecase.Progress) -> None:
        nonlocal arrived
        arrived = progress.arrived
        bar.update(task, completed=progress.passed, total=progress.missing)

    try:
        with bar:
            done = usecase.download(
                market,
                lake,
                venue=venue,
                symbol=symbol,
                timeframe=timeframe,
                since=since,
                until=int(time.time() * 1000) if until is None else until,
                progress=show,
            )
    except Stopped as stopped:
        click.echo(str(stopped), err=True)
        ctx.exit(130)
    except VenueError:
        if arrived:
            click.echo(say("download.broken_off", arrived=arrived), err=True)
        raise
    _say_what_was_done(done)


def _say_what_was_done(done: usecase.Downloaded) -> None:
    click.echo(
        say(
            "download.done" if done.added else "download.nothing",
            venue=done.venue,
            symbol=done.symbol,
            timeframe=done.timeframe,
            since=show_moment(done.since),
            until=show_moment(done.until),
            added=done.added,
            held=done.held,
        )
    )
    if done.absent:
        click.echo(say("download.absent", absent=done.absent, venue=done.venue))


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(say("download.rate", rate=task.speed or 0.0), style="progress.data.speed")
