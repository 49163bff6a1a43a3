"""``cambist alerts``: what a person should have been told."""

import click

from cambist.apps import bootstrap
from cambist.domain.moment import show_moment
from cambist.domain.text import say


@click.command(help=say("alerts.help"))
@click.option("--last", type=click.IntRange(1, 10_000), default=20, show_default=True, help=say("alerts.option.last"))
def command(last: int) -> None:
    """Print the newest alerts, the last one at the bottom."""
    from cambist.apps.cli.tables import NONE, console, plain_table

    found = bootstrap.register().alerts(last)
    out = console()
    if not found:
        out.print(say("alerts.none"))
        return
    table = plain_table()
    for name in ("when", "level", "account", "what"):
        table.add_column(say(f"alerts.column.{name}"), overflow="fold")
    styles = {"critical": "bold red", "warning": "yellow"}
    for alert in reversed(found):
        moment = show_moment(alert.ts - alert.ts % 60_000)
        level = say(f"alerts.level.{alert.level}")
        table.add_row(moment, level, alert.account or NONE, str(alert), style=styles.get(alert.level))
    out.print(table)
