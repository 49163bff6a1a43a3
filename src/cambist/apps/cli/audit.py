"""``cambist audit``: what people did, and whether the log of it is whole."""

import click

from cambist.apps import bootstrap
from cambist.apps.settings import load
from cambist.domain.errors import CambistError
from cambist.domain.moment import show_moment
from cambist.domain.text import say


@click.group(help=say("audit.help"))
def command() -> None:
    """Hold the commands on the audit log together."""


@command.command("show", help=say("audit.show.help"))
@click.option("--last", type=click.IntRange(1, 10_000), default=20, show_default=True, help=say("audit.option.last"))
@click.option("--user", "name", metavar="NAME", help=say("audit.option.user"))
def show(last: int, name: str | None) -> None:
    """Print the newest rows, the last one at the bottom."""
    from cambist.apps.cli.tables import NONE, console, plain_table
    from cambist.usecases.people import person_called

    settings = load()
    user_id = None if name is None else person_called(bootstrap.office(settings), name).id
    rows = bootstrap.audit_log(settings).latest(last, user_id=user_id)
    out = console()
    if not rows:
        out.print(say("audit.empty"))
        return
    table = plain_table()
    for column in ("seq", "when", "actor", "action", "target", "address", "details"):
        table.add_column(say(f"audit.column.{column}"), overflow="fold")
    for row in reversed(rows):
        plain = (row.actor or NONE, row.action, row.target or NONE, row.address or NONE, row.details)
        table.add_row(str(row.seq), show_moment(row.ts - row.ts % 60_000), *plain)
    out.print(table)


@command.command("verify", help=say("audit.verify.help"))
def verify() -> None:
    """Check the whole chain."""
    from cambist.usecases.auditing import verify as look

    found = look(bootstrap.audit_log(load()).chain())
    if found.broken is not None:
        raise CambistError(found.why, seq=found.broken, expected=found.count + 1)
    if found.last is None:
        click.echo(say("audit.empty"))
    else:
        click.echo(say("audit.whole", count=found.count, hash=found.last.hash))
