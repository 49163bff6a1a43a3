"""``cambist account``: accounts, their limits, and the switches of whoever watches over them."""

from typing import Any

import click

from cambist.apps import bootstrap
from cambist.apps.cli.asking import now_ms, put, standings_told
from cambist.domain.account import Mode
from cambist.domain.errors import BadInput
from cambist.domain.text import say


@click.group(help=say("account.help"))
def command() -> None:
    """Hold the commands on accounts together."""


@command.command("add", help=say("account.add.help"))
@click.argument("name", metavar="NAME")
@click.option("--venue", default="simulated", show_default=True, help=say("account.option.venue"))
@click.option(
    "--mode",
    type=click.Choice([str(mode) for mode in Mode]),
    default="paper",
    show_default=True,
    help=say("account.option.mode"),
)
@click.option("--quote", default="USDT", show_default=True, help=say("account.option.quote"))
@click.option("--deposit", default="10000", show_default=True, help=say("account.option.deposit"))
def add(name: str, venue: str, mode: str, quote: str, deposit: str) -> None:
    """Add an account, and say what to do next."""
    from cambist.apps.house import MARKETS
    from cambist.apps.settings import credentials_name
    from cambist.usecases.accounts import add_account

    if Mode(mode) is Mode.PAPER and venue.lower() not in MARKETS:  # no floor could ever play it
        raise BadInput("--venue", venue, "running.markets", known=" ".join(MARKETS))
    spec = add_account(
        bootstrap.register(),
        name,
        venue=venue,
        mode=Mode(mode),
        quote=quote,
        deposit=deposit,
        traits_of=bootstrap.traits_of,  # an exchange that nobody knows is told now, and nothing is kept of it
    )
    click.echo(say("account.added", account=spec.id))
    if spec.mode is not Mode.PAPER:
        click.echo(say("running.no_keys", name=credentials_name(spec.id)))


@command.command("list", help=say("account.list.help"))
def list_() -> None:
    """List the accounts as they stand."""
    from cambist.apps.cli.standings import accounts_table
    from cambist.apps.cli.tables import console

    found, left_out = standings_told(bootstrap.register())
    if found or not left_out:
        console().print(accounts_table(found) if found else say("account.none"))


@command.command("show", help=say("account.show.help"))
@click.argument("name", metavar="NAME")
def show(name: str) -> None:
    """Show one account with its bots, orders, limits and last alerts."""
    from cambist.apps.cli.standings import accounts_table, bots_table, orders_table
    from cambist.apps.cli.tables import console
    from cambist.usecases.accounts import account_of, standings

    register, out = bootstrap.register(), console()
    found = standings(register, bootstrap.journal(), bootstrap.traits_of, name)
    for table in (accounts_table(found), bots_table(found), orders_table(found)):
        out.print(table)
    for title, value in (account_of(register, name).settings or {}).items():
        out.print(f"{title}: {value}")


@command.command("set", help=say("account.set.help"))
@click.argument("name", metavar="NAME")
@click.argument("changes", nargs=-1, required=True, metavar="NAME=VALUE...")
def set_(name: str, changes: tuple[str, ...]) -> None:
    """Set limits and the falls that trip the equity breaker."""
    from cambist.usecases.accounts import set_settings

    found = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise BadInput("setting", change, "account.set.form")
        found[key] = value
    try:
        set_settings(bootstrap.register(), name, found, now_ms())
    except BadInput as error:
        raise BadInput(error.field, str(error.value), error.key, **error.params) from None  # as it was written
    click.echo(say("account.set.done", account=name))


def _switch(action: str, **options: Any) -> None:
    """Add the command that asks a running engine for ``action`` on an account."""

    @command.command(action.replace("_", "-"), help=say(f"account.{action}.help"))
    @click.argument("name", metavar="NAME")
    def switch(name: str, **params: Any) -> None:
        from cambist.usecases.accounts import account_of, ask

        register = bootstrap.register()
        spec = account_of(register, name)
        put(register, ask(register, spec.user_id, name, action, now_ms(), **params))

    for option in options.values():
        option(switch)


_SYMBOL = click.option("--symbol", required=True, help=say("account.option.symbol"))
_switch("halt", flatten=click.option("--flatten", is_flag=True, help=say("account.option.flatten")))
_switch("reduce_only")
_switch("activate")
_switch("rearm")
_switch("thaw", symbol=_SYMBOL)
_switch("adopt", symbol=_SYMBOL)
_switch("foreign")
_switch(
    "cancel_foreign", symbol=_SYMBOL, order=click.option("--order", required=True, help=say("account.option.order"))
)
