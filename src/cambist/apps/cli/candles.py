"""``cambist candles``: list what the lake holds."""

import json
from dataclasses import asdict

import click

from cambist.apps import bootstrap
from cambist.domain.metrics import number
from cambist.domain.moment import show_moment
from cambist.domain.text import say


@click.command(help=say("candles.list.help"))
@click.option("--json", "as_json", is_flag=True, help=say("candles.list.json"))
def command(as_json: bool) -> None:
    """Show each series with its range, its candles and its gaps."""
    held = bootstrap.lake().series()
    if as_json:
        click.echo(json.dumps([asdict(series) for series in held], indent=2, ensure_ascii=False))
        return
    if not held:
        click.echo(say("candles.list.empty"))
        return
    from rich.text import Text

    from cambist.apps.cli.tables import console, fitted

    columns = {
        "venue": [Text(one.venue) for one in held],
        "symbol": [Text(one.symbol) for one in held],
        "timeframe": [Text(one.timeframe) for one in held],
        "first": [Text(show_moment(one.first_ts)) for one in held],
        "last": [Text(show_moment(one.last_ts)) for one in held],
        "count": [Text(number(one.count, 0)) for one in held],
        "missing": [Text(number(one.missing, 0)) for one in held],
        "gaps": [Text(number(one.gaps, 0)) for one in held],
    }
    terminal = console()
    figures, goes_first = ("count", "missing", "gaps"), ("gaps", "missing", "first")
    terminal.print(fitted(columns, terminal, headings="candles.list", figures=figures, goes_first=goes_first))
