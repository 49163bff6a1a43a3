"""``cambist account``: accounts, their limits, and the switches of whoever watches over them."""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from cambist.apps import bootstrap
from cambist.apps.cli.asking import answered, now_ms, put, standings_told, sure
from cambist.apps.settings import Settings, load
from cambist.domain.account import AccountSpec, Mode
from cambist.domain.errors import BadInput, CambistError, NotFound
from cambist.domain.text import say
from cambist.ports.book import Register

if TYPE_CHECKING:
    from rich.table import Table

    from cambist.domain.broker import KeyTest
    from cambist.domain.credentials import Credentials
    from cambist.domain.request import Traits
    from cambist.ports.exchanges import Exchanges


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
        traits_of=_traits_of,  # an exchange that nobody knows is told now, and nothing is kept of it
    )
    click.echo(say("account.added", account=spec.id))
    if spec.mode is not Mode.PAPER:
        click.echo(say("account.needs_key", account=spec.id, name=credentials_name(spec.id)))


def _traits_of(spec: AccountSpec) -> "Traits":
    if spec.mode is Mode.TESTNET:
        bootstrap.gateway(load()).place(spec.venue, testnet=True)  # raises where there is none
    return bootstrap.traits_of(spec)


@command.command("list", help=say("account.list.help"))
def list_() -> None:
    """List the accounts as they stand."""
    from cambist.apps.cli.standings import accounts_table
    from cambist.apps.cli.tables import console

    found, left_out = standings_told(bootstrap.register())
    if found or not left_out:
        out = console()
        out.print(accounts_table(found, out) if found else say("account.none"))


@command.command("show", help=say("account.show.help"))
@click.argument("name", metavar="NAME")
def show(name: str) -> None:
    """Show one account with its bots, orders, limits and last alerts."""
    from cambist.apps.cli.standings import accounts_table, amount_text, bots_table, orders_table
    from cambist.apps.cli.tables import NONE, console
    from cambist.usecases.accounts import account_of, standings

    register, out = bootstrap.register(), console()
    found = standings(register, bootstrap.journal(), bootstrap.traits_of, name)
    for table in (accounts_table(found, out), bots_table(found, out), orders_table(found, out)):
        out.print(table)
    spec = account_of(register, name)
    held = _outside_bots(spec)
    if held:
        out.print(
            say("account.outside_bots", held=", ".join(f"{amount_text(one)} {asset}" for asset, one in held.items()))
        )
    settings = spec.settings or {}
    if "deposit" in settings:
        out.print(say("account.begins", deposit=settings["deposit"], quote=spec.quote))
    written = [f"{key}={value}" for key, value in settings.get("limits", {}).items()]
    for basis, falls in settings.get("breaker", {}).items():
        written += [f"{basis}.{stage}={value}" for stage, value in falls.items()]
    out.print(say("account.limits", limits=" ".join(written) or NONE))


def _outside_bots(spec: AccountSpec) -> dict[str, Decimal]:
    """Return what an account holds besides money, and besides what its bots hold: bought by hand, or adopted."""
    from cambist.engine.account import Account
    from cambist.engine.recovery import recover
    from cambist.portfolio.ledger import FREE

    ledger = recover(Account(spec, bootstrap.traits_of(spec)), bootstrap.journal()).account.ledger
    free = {asset: amount for (place, asset), amount in ledger.balances.items() if place == FREE}
    return {asset: amount for asset, amount in free.items() if amount and asset != spec.quote}


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


@command.command("key", help=say("account.key.help"))
@click.argument("name", metavar="NAME")
@click.option("--force", is_flag=True, help=say("account.key.option.force"))
def key(name: str, force: bool) -> None:
    """Ask for a key, try it at the account's exchange, and keep it in the vault."""
    from cambist.apps.cli.tables import console
    from cambist.domain.credentials import Credentials
    from cambist.usecases.accounts import account_of

    register = bootstrap.register()
    spec = account_of(register, name)
    if spec.mode is Mode.PAPER:
        raise BadInput("NAME", name, "account.key.paper")
    settings = load()
    exchanges = bootstrap.exchanges(settings, bootstrap.gateway(settings))
    needs = next((card.needs for card in exchanges.cards() if card.id == spec.venue), ("api_key", "secret"))
    given = {part: click.prompt(say(f"account.key.{part}"), hide_input=part != "api_key") for part in needs}
    credentials = Credentials(**{"api_key": "", "secret": ""} | given)
    test, number = asyncio.run(_change_key(settings, register, spec, exchanges, credentials, force=force))
    console().print(_opened(test))
    click.echo(say("account.key.kept", account=name))
    put(register, number)


async def _change_key(
    settings: Settings,
    register: Register,
    spec: AccountSpec,
    exchanges: "Exchanges",
    credentials: "Credentials",
    *,
    force: bool,
) -> "tuple[KeyTest, int]":
    """Try a key, and keep it; return what it opens, and the number of the request to trade with it."""
    from cambist.usecases.brokers import Brokers

    brokers = Brokers(
        user_id=spec.user_id,
        register=register,
        keys=bootstrap.account_keys(settings, spec.user_id),
        vault=bootstrap.vault(settings),
        exchanges=exchanges,
        now_ms=now_ms,
    )
    try:
        return await brokers.change_key(spec.id, credentials, force=force)
    finally:
        await exchanges.close()


def _opened(test: "KeyTest") -> "Table":
    """Return what a key may do, and what it opens."""
    from cambist.apps.cli import tables
    from cambist.apps.cli.standings import amount_text, money

    table = tables.plain_table()
    table.show_header = False
    table.add_column(style=tables.FAINT, no_wrap=True)
    table.add_column()
    for right in ("read", "trade", "withdraw"):
        table.add_row(say(f"account.key.may.{right}"), say(f"account.key.{getattr(test.rights, right)}"))
    held = [f"{amount_text(balance.total)} {asset}" for asset, balance in test.balances.items()]
    table.add_row(say("account.key.holds"), ", ".join(held) or tables.NONE)
    table.add_row(say("account.key.worth"), money(test.worth, test.quote))
    return table


@command.command("delete", help=say("account.delete.help"))
@click.argument("name", metavar="NAME")
@click.option("--force", is_flag=True, help=say("account.delete.option.force"))
@click.option("--yes", is_flag=True, help=say("bot.option.yes"))
def delete(name: str, force: bool, yes: bool) -> None:
    """Delete an account with all that is kept of it, after asking."""
    from cambist.engine.account import Account
    from cambist.engine.floor import LEASE
    from cambist.engine.recovery import recover
    from cambist.usecases.accounts import account_of
    from cambist.usecases.brokers import EngineLease, remove_account

    register = bootstrap.register()
    spec = account_of(register, name)
    if not yes and not sure(say("account.delete.sure", account=name, bots=len(register.bots(name)))):
        return

    def idle(spec: AccountSpec) -> bool:
        return recover(Account(spec, bootstrap.traits_of(spec)), bootstrap.journal()).account.idle

    engine = EngineLease(lease=bootstrap.lease(), name=LEASE)
    number = remove_account(register, spec, engine, now_ms(), idle=idle, force=force)
    try:
        if number is not None and answered(register, number) is None:
            click.echo(say("asking.later"))
            return
    except NotFound:  # what was asked of an account goes with it
        pass
    click.echo(say("running.done.leave", account=name))


@command.command("halt", help=say("account.halt.help"))
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--all", "everywhere", is_flag=True, help=say("account.halt.option.all"))
@click.option("--flatten", is_flag=True, help=say("account.option.flatten"))
@click.pass_context
def halt(ctx: click.Context, name: str | None, everywhere: bool, flatten: bool) -> None:
    """Let one account, or all, enter nothing more."""
    from cambist.usecases.accounts import account_of, ask

    if (name is not None) is everywhere:
        raise BadInput("NAME", name or "", "account.halt.which")
    register, now = bootstrap.register(), now_ms()
    specs = [account_of(register, name)] if name is not None else register.accounts()
    asked = [ask(register, spec.user_id, spec.id, "halt", now, flatten=flatten) for spec in specs]
    refused = False
    for number in asked:
        try:
            put(register, number)
        except CambistError as error:
            refused = True
            click.echo(f"cambist: {error}", err=True)  # the others are halted all the same
    if refused:
        ctx.exit(1)
    if not asked:
        click.echo(say("account.none"))


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
_switch("reduce_only")
_switch("activate")
_switch("rearm")
_switch("thaw", symbol=_SYMBOL)
_switch("adopt", symbol=_SYMBOL)
_switch("foreign")
_switch(
    "cancel_foreign", symbol=_SYMBOL, order=click.option("--order", required=True, help=say("account.option.order"))
)
