"""``cambist order``: orders by hand, beside the bots."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from cambist.apps import bootstrap
from cambist.apps.cli.asking import answered, now_ms, put, standings_told, sure
from cambist.domain.account import HAND
from cambist.domain.errors import BadInput, CambistError, NotFound
from cambist.domain.exact import amount
from cambist.domain.order import OrderType, Side, TimeInForce
from cambist.domain.text import say

if TYPE_CHECKING:
    from rich.table import Table

    from cambist.usecases.trading import Summary

_ID = click.argument("order", metavar="ID")
_QUANTITY = click.option("--quantity", metavar="NUMBER", help=say("order.option.quantity"))
_LIMIT = click.option("--limit", metavar="PRICE", help=say("order.option.limit"))
_STOP = click.option("--stop", metavar="PRICE", help=say("order.option.stop"))


@click.group(help=say("order.help"))
def command() -> None:
    """Hold the commands on orders together."""


def _order(side: Side) -> None:
    """Add the command that buys or sells."""

    @command.command(str(side), help=say(f"order.{side}.help"))
    @click.argument("symbol", metavar="SYMBOL")
    @click.option("--account", default="paper", show_default=True, help=say("order.option.account"))
    @_QUANTITY
    @click.option("--amount", metavar="NUMBER", help=say("order.option.amount"))
    @_LIMIT
    @_STOP
    @click.option(
        "--time-in-force",
        type=click.Choice([str(one) for one in TimeInForce]),
        default="gtc",
        show_default=True,
        help=say("order.option.time_in_force"),
    )
    @click.option("--reduce-only", is_flag=True, help=say("order.option.reduce_only"))
    @click.option("--yes", is_flag=True, help=say("bot.option.yes"))
    def order(symbol: str, account: str, yes: bool, time_in_force: str, reduce_only: bool, **given: str | None) -> None:
        from cambist.apps.cli.tables import console
        from cambist.usecases.accounts import account_of, ask
        from cambist.usecases.trading import HOLDS_MS, Wanted, offer_in, order_params, summary

        register = bootstrap.register()
        spec = account_of(register, account)
        kind, level = _kind(given)
        wanted = Wanted(
            account=account,
            symbol=symbol.upper(),
            side=side,
            type=kind,
            quantity=_number("quantity", given),
            amount=_number("amount", given),
            price=None if level is None else _number(level, given),
            time_in_force=TimeInForce(time_in_force),
            reduce_only=reduce_only,
        )
        answer = answered(register, ask(register, spec.user_id, account, "offer", now_ms(), symbol=wanted.symbol))
        if answer is None:
            raise CambistError("order.no_engine")
        with _as_written(given, level):
            made = summary(wanted, offer_in(answer))
        console().print(_figures(made))
        shown_ms = now_ms()
        if not yes and not sure(say(f"order.{side}.sure", account=account)):
            return
        if now_ms() - shown_ms > HOLDS_MS:  # prices move on
            raise CambistError("trading.ticket_over", seconds=HOLDS_MS // 1_000)
        params = order_params(wanted, made.ticket)
        put(register, ask(register, spec.user_id, account, "order", now_ms(), **params), later="order.later")


_order(Side.BUY)
_order(Side.SELL)


@command.command("list", help=say("order.list.help"))
def list_() -> None:
    """List the orders by hand that are under way."""
    from cambist.apps.cli.standings import orders_table
    from cambist.apps.cli.tables import console

    found, _ = standings_told(bootstrap.register())
    by_hand = [replace(one, bots=tuple(bot for bot in one.bots if bot.strategy == HAND)) for one in found]
    out = console()
    out.print(orders_table(by_hand, out, by_hand=True))


@command.command("cancel", help=say("order.cancel.help"))
@_ID
def cancel(order: str) -> None:
    """Take an order by hand back."""
    _ask(order, "cancel")


@command.command("amend", help=say("order.amend.help"))
@_ID
@_QUANTITY
@_LIMIT
@_STOP
def amend(order: str, **given: str | None) -> None:
    """Change an order by hand."""
    changes = {name: _number(name, given) for name in ("quantity", "limit", "stop") if given[name] is not None}
    if not changes:
        raise BadInput("--limit", "", "trading.no_change")
    names = {"limit": "price", "stop": "trigger"}
    _ask(order, "amend", **{names.get(name, name): f"{value:f}" for name, value in changes.items()})


def _ask(order: str, action: str, **changes: str) -> None:
    """Ask the engine for ``action`` on an open order by hand, whichever account it is of."""
    from cambist.usecases.accounts import ask

    register = bootstrap.register()
    for account in standings_told(register)[0]:
        for bot in account.bots:
            if bot.strategy == HAND and any(one.client_id == order for one in bot.orders):
                number = ask(register, account.user_id, account.id, action, now_ms(), order=order, **changes)
                put(register, number, later="order.later" if changes else "asking.later")
                return
    raise NotFound("order.none", order=order)


def _kind(given: dict[str, str | None]) -> tuple[OrderType, str | None]:
    """Return how the order waits, and the option that says at which price."""
    if given["limit"] is not None and given["stop"] is not None:
        raise BadInput("--stop", given["stop"], "order.one_price")
    if given["limit"] is not None:
        return OrderType.LIMIT, "limit"
    return (OrderType.MARKET, None) if given["stop"] is None else (OrderType.STOP, "stop")


def _number(name: str, given: dict[str, str | None]) -> Decimal | None:
    text = given[name]
    return None if text is None else amount(f"--{name}", text)


@contextmanager
def _as_written(given: dict[str, str | None], level: str | None) -> Iterator[None]:
    """Let what is refused bear the name of the option, and the value, that it was given with."""
    try:
        yield
    except BadInput as error:
        name = level if error.field == "price" and level is not None else error.field
        other = {"quantity": "amount", "amount": "quantity"}.get(name, name)
        name = other if given.get(name) is None and given.get(other) is not None else name
        raise BadInput(f"--{name}", given.get(name) or error.value, error.key, **error.params) from None


def _figures(made: "Summary") -> "Table":
    """Return what would be ordered, what it costs, and what there is for it."""
    from rich.text import Text

    from cambist.apps.cli import tables
    from cambist.apps.cli.standings import amount_text, money, price_text

    ticket = made.ticket
    quote = ticket.symbol.partition("/")[2].partition(":")[0]
    level = ticket.limit if ticket.limit is not None else ticket.trigger
    rows: list[tuple[str, Any]] = [
        ("quantity", f"{amount_text(ticket.quantity)} {ticket.symbol.partition('/')[0]}"),
        (
            "price",
            say("standing.at_market") if level is None else f"{price_text(level)} ({say(f'order.{ticket.type}')})",
        ),
        ("last", price_text(made.last)),
        ("amount", money(ticket.amount, quote)),
        ("fee", money(ticket.fee, quote)),
        ("total", money(ticket.total, quote)),
        ("free", Text(f"{amount_text(made.free)} {made.asset}", style="" if made.enough else tables.LOSS)),
    ]
    if not made.enough:
        rows.append(("not_enough", Text(say("order.not_enough"), style=tables.LOSS)))
    table = tables.plain_table()
    table.show_header = False
    table.add_column(style=tables.FAINT, no_wrap=True)
    table.add_column()
    for name, cell in rows:
        table.add_row("" if name == "not_enough" else say(f"order.figure.{name}"), cell)
    return table
