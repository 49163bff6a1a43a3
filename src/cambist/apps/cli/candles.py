"""``cambist candles``: list what the lake holds."""

import json
from dataclasses import asdict

import click

from cambist.apps import bootstrap
from cambist.apps.cli.tables import console, plain_table
from cambist.domain.metrics import number
from cambist.domain.moment import show_moment
from cambist.domain.text import say

_TEXT = ("venue", "symbol", "timeframe", "first", "last")
_NUMBERS = ("count", "missing", "gaps")


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
    table = plain_table()
    for name in _TEXT:
        table.add_column(say(f"candles.list.{name}"), no_wrap=True)
    for name in _NUMBERS:
        table.add_column(say(f"candles.list.{name}"), justify="right", no_wrap=True)
    for series in held:
        span = (show_moment(series.first_ts), show_moment(series.last_ts))
        numbers = (number(count, 0) for count in (series.count, series.missing, series.gaps))
        table.add_row(series.venue, series.symbol, series.timeframe, *span, *numbers)
    console().print(table)
