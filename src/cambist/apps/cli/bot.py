"""``cambist bot``: make bots, start and stop them, see what they do."""

import click

from cambist.apps import bootstrap
from cambist.apps.cli.asking import now_ms, put, say_if_none_runs, standings_told, sure
from cambist.apps.cli.options import (
    named_values,
    need_span,
    since_option,
    symbol_option,
    timeframe_option,
    until_option,
)
from cambist.domain.standing import AccountStanding, BotStanding
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe
from cambist.ports.book import Register

_LOOKED_THROUGH = 500
"""Alerts in which a bot's may be."""


@click.group(help=say("bot.help"))
def command() -> None:
    """Hold the commands on bots together."""


@command.command("create", help=say("bot.create.help"))
@click.argument("name", metavar="NAME")
@click.argument("strategy", metavar="STRATEGY")
@click.argument("more", nargs=-1, metavar="")
@symbol_option(required=True)
@timeframe_option(required=True)
@click.option("--account", default="paper", show_default=True, help=say("bot.option.account"))
@click.option("--budget", required=True, help=say("bot.option.budget"))
@click.option("--set", "chosen", multiple=True, metavar="NAME=VALUE", help=say("backtest.option.set"))
@since_option(help=say("bot.option.since"))
@until_option(help=say("bot.option.until"))
@click.option(
    "--pyramiding", type=click.IntRange(1), default=1, show_default=True, help=say("backtest.option.pyramiding")
)
@click.option("--start", is_flag=True, help=say("bot.option.start"))
def create(
    name: str,
    strategy: str,
    more: tuple[str, ...],
    symbol: str,
    timeframe: Timeframe,
    account: str,
    budget: str,
    chosen: tuple[str, ...],
    since: int | None,
    until: int | None,
    pyramiding: int,
    start: bool,
) -> None:
    """Make a bot, and start it if asked."""
    from cambist.usecases.bots import add_bot, tell_bot

    need_span(since, until)
    params = named_values(chosen + more)
    register = bootstrap.register()
    add_bot(
        register,
        name,
        account=account,
        strategy=strategy,
        symbol=symbol,
        timeframe=timeframe,
        budget=budget,
        params=params,
        since_ms=since,
        until_ms=until,
        pyramiding=pyramiding,
    )
    click.echo(say("bot.created" if not start else "bot.created_starting", bot=name))
    if start:
        put(register, tell_bot(register, name, "start", now_ms()))


@command.command("list", help=say("bot.list.help"))
def list_() -> None:
    """List the bots as they stand."""
    from cambist.apps.cli.standings import bots_of, bots_table
    from cambist.apps.cli.tables import console

    register = bootstrap.register()
    found, left_out = standings_told(register)
    out = console()
    out.print(bots_table(found, out) if any(map(bots_of, found)) else say("bot.none"))
    seated = {bot.id for one in found for bot in one.bots}
    for spec in register.bots():
        if spec.id not in seated and spec.account not in left_out:
            click.echo(_not_started(register, spec.id))
    say_if_none_runs(bot for one in found for bot in bots_of(one))


@command.command("show", help=say("bot.show.help"))
@click.argument("name", metavar="NAME")
def show(name: str) -> None:
    """Show one bot: what it holds, who guards that, its orders and results."""
    from cambist.apps.cli.standings import bot_details
    from cambist.apps.cli.tables import console

    found = _standing(name)
    if found is None:
        click.echo(_not_started(bootstrap.register(), name))
    else:
        console().print(bot_details(*found))
        say_if_none_runs(found[1:])


@command.command("start", help=say("bot.start.help"))
@click.argument("name", metavar="NAME")
def start(name: str) -> None:
    """Let a bot trade."""
    _tell(name, "start")


@command.command("stop", help=say("bot.stop.help"))
@click.argument("name", metavar="NAME")
@click.option("--sell", is_flag=True, help=say("bot.option.sell"))
@click.option("--yes", is_flag=True, help=say("bot.option.yes"))
def stop(name: str, sell: bool, yes: bool) -> None:
    """Stop a bot; if it holds something, say so and ask first."""
    found = _standing(name)
    if found is not None and found[1].quantity and not sell and not yes:
        bot = found[1]
        click.echo(say("bot.stop.open", bot=name, quantity=f"{bot.quantity:f}", symbol=bot.symbol))
        if not sure(say("bot.stop.sure")):
            return
    _tell(name, "stop", sell=sell)


@command.command("suspend", help=say("bot.suspend.help"))
@click.argument("name", metavar="NAME")
def suspend(name: str) -> None:
    """Let a bot enter nothing; what it holds stays protected."""
    _tell(name, "suspend")


@command.command("resume", help=say("bot.resume.help"))
@click.argument("name", metavar="NAME")
def resume(name: str) -> None:
    """Let a suspended bot go on."""
    _tell(name, "resume")


@command.command("sell", help=say("bot.sell.help"))
@click.argument("name", metavar="NAME")
def sell(name: str) -> None:
    """Close what a bot holds, now, at market."""
    _tell(name, "sell")


@command.command("release", help=say("bot.release.help"))
@click.argument("name", metavar="NAME")
@click.option("--yes", is_flag=True, help=say("bot.option.yes"))
def release(name: str, yes: bool) -> None:
    """Take a bot's position out of its hands, after asking."""
    if yes or sure(say("bot.release.sure", bot=name)):
        _tell(name, "release")


@command.command("delete", help=say("bot.delete.help"))
@click.argument("name", metavar="NAME")
@click.option("--yes", is_flag=True, help=say("bot.option.yes"))
def delete(name: str, yes: bool) -> None:
    """Delete a bot, after asking; one that no engine has seen goes at once."""
    found = _standing(name)
    if not yes and not sure(say("bot.delete.sure", bot=name)):
        return
    if found is None:
        bootstrap.register().forget_bot(name)
        click.echo(say("bot.deleted", bot=name))
    else:
        _tell(name, "delete")


def _tell(name: str, action: str, *, sell: bool = False) -> None:
    from cambist.usecases.bots import tell_bot

    register = bootstrap.register()
    put(register, tell_bot(register, name, action, now_ms(), sell=sell))


def _not_started(register: Register, name: str) -> str:
    """Return that a bot has not started, and why it could not when an engine tried."""
    said = (str(one) for one in register.alerts(_LOOKED_THROUGH) if one.bot == name and one.key == "running.no_bot")
    return next(said, say("bot.not_started", bot=name))


def _standing(name: str) -> tuple[AccountStanding, BotStanding] | None:
    from cambist.usecases.accounts import standings
    from cambist.usecases.bots import bot_of

    register = bootstrap.register()
    spec = bot_of(register, name)
    (account,) = standings(register, bootstrap.journal(), bootstrap.traits_of, spec.account)
    return next(((account, bot) for bot in account.bots if bot.id == name), None)
