"""``cambist import``: bring candles from files into the lake."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from cambist.apps import bootstrap
from cambist.apps.cli.options import symbol_option, timeframe_option, venue_option
from cambist.domain.errors import BadCandles, NotFound
from cambist.domain.moment import show_moment
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe
from cambist.usecases.import_candles import Imported, Refused, import_candles

_SHOWN = 10
"""Bad rows shown of a refused file."""
_ENDINGS = (".parquet", ".pq", ".feather", ".arrow", ".ipc", ".csv", ".csv.gz", ".zip", ".json", ".json.gz")


@click.command(help=say("candles.import.help"))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar=say("candles.import.files"))
@venue_option(help=say("candles.import.venue"))
@symbol_option(help=say("candles.import.symbol"))
@timeframe_option(help=say("candles.import.timeframe"))
@click.option("--repair", is_flag=True, help=say("candles.import.repair"))
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[Path, ...],
    venue: str | None,
    symbol: str | None,
    timeframe: Timeframe | None,
    repair: bool,
) -> None:
    """Import each file, say what became of it, and exit with 1 if one was refused."""
    paths = list(_expanded(files))
    if not paths:
        raise NotFound("candles.import.none", where=", ".join(map(str, files)))
    outcomes = import_candles(
        bootstrap.candle_files(),
        bootstrap.lake(),
        paths,
        venue=venue,
        symbol=symbol,
        timeframe=timeframe,
        repair=repair,
    )
    done = refused = added = 0
    for outcome in _with_progress(outcomes, len(paths)):
        if isinstance(outcome, Imported):
            done, added = done + 1, added + outcome.appended.added
            _show(outcome)
        else:
            refused += 1
            _show_refusal(outcome)
    if len(paths) > 1:
        click.echo(say("candles.import.total", done=done, refused=refused, added=added))
    if refused:
        ctx.exit(1)


def _expanded(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files, and the files of known kinds in the folders."""
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.name.lower().endswith(_ENDINGS))
        else:
            yield path


def _with_progress(outcomes: Iterator[Imported | Refused], count: int) -> Iterator[Imported | Refused]:
    """Pass the outcomes on, with a bar on standard error while a person watches many of them."""
    from rich.console import Console
    from rich.progress import Progress

    watched = count > 1 and sys.stderr.isatty()
    with Progress(console=Console(stderr=True), transient=True, disable=not watched) as progress:
        yield from progress.track(outcomes, total=count, description=say("candles.import.progress"))


def _show(outcome: Imported) -> None:
    click.echo(
        say(
            "candles.import.done",
            path=outcome.path,
            venue=outcome.venue,
            symbol=outcome.symbol,
            timeframe=outcome.timeframe,
            first=show_moment(outcome.first_ts),
            last=show_moment(outcome.last_ts),
            count=outcome.count,
            added=outcome.appended.added,
            replaced=outcome.appended.replaced,
        )
    )
    for sentence in (*outcome.dropped, *outcome.notes):
        click.echo(f"  {sentence}")


def _show_refusal(outcome: Refused) -> None:
    error = outcome.error
    # the path stands at the head of the line: the remedy alone is what is left to say of bad candles
    why = say(error.key, **error.params) if isinstance(error, BadCandles) else str(error)
    click.echo(say("candles.import.refused", path=outcome.path, why=why), err=True)
    rows = error.rows if isinstance(error, BadCandles) else ()
    for row in rows[:_SHOWN]:
        click.echo(f"  {row}", err=True)
    if len(rows) > _SHOWN:
        click.echo(f"  {say('candles.import.more', count=len(rows) - _SHOWN)}", err=True)
