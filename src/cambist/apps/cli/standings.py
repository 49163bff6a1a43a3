"""How accounts, bots and orders stand, in a terminal: tables for one-shot commands, and the cells of the live view."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cambist.apps.cli import tables
from cambist.domain.account import BotStatus, Mode
from cambist.domain.metrics import Unit, money_digits, number, show
from cambist.domain.order import Side
from cambist.domain.standing import AccountStanding, BotStanding, OrderStanding
from cambist.domain.text import say
from cambist.domain.trading import BreakerStage, TradingState

WARN = "yellow"
BAD = "bold red"

_STATUS = {BotStatus.RUNNING: tables.GAIN, BotStatus.PAUSED: BAD, BotStatus.SUSPENDED: WARN}
_PROTECTION = {"native": tables.GAIN, "emulated": WARN, "none_wanted": BAD, "closing": ""}


def accounts_table(accounts: Sequence[AccountStanding]) -> RenderableType:
    """Return one line per account: where it trades, how it stands, and what of it somebody should look at."""
    if not accounts:
        return Text(say("standing.no_accounts"))
    table = _table(("account", "venue", "mode", "trading"), ("in_bots", "gain", "free", "bots", "orders"), ("needs",))
    for account in accounts:
        table.add_row(
            Text(account.id, style="bold"),
            Text(account.venue),
            mode_cell(account.mode),
            trading_cell(account),
            money(account.equity, account.quote),
            gain_cell(account.equity - budget_of(account) + account.won, budget_of(account)),
            money(account.free, account.quote),
            number(len(account.bots), 0),
            number(sum(len(bot.orders) for bot in account.bots), 0),
            needs_cell(account) or Text(tables.NONE, style=tables.FAINT),
        )
    return table


def bots_table(accounts: Sequence[AccountStanding]) -> RenderableType:
    """Return one line per bot of ``accounts``; the account is named if there are several."""
    bots = [(account, bot) for account in accounts for bot in account.bots]
    if not bots:
        return Text(say("standing.no_bots"))
    several = ("account",) if len(accounts) > 1 else ()
    table = _table(
        (*several, "bot", "strategy", "market", "status"),
        ("position", "entry", "unrealised"),
        ("protection",),
        ("stop", "target", "trades", "realised", "equity"),
    )
    for account, bot in bots:
        table.add_row(
            *([Text(account.id)] if several else []),
            Text(bot.id, style="bold"),
            Text(bot.strategy),
            Text(market_text(bot)),
            status_cell(bot.status),
            position_cell(bot),
            Text(price_text(bot.entry_price if bot.quantity else None)),
            unrealised_cell(bot),
            protection_cell(bot),
            Text(price_text(bot.stop_loss)),
            Text(price_text(bot.take_profit)),
            number(bot.trades, 0),
            gain_cell(bot.realised, beside=bot.budget),
            money(bot.equity, account.quote),
        )
    return table


def orders_table(accounts: Sequence[AccountStanding]) -> RenderableType:
    """Return one line per order under way, those first of which nobody knows what has become."""
    orders = [(bot, order) for account in accounts for bot in account.bots for order in bot.orders]
    if not orders:
        return Text(say("standing.no_orders"), style=tables.FAINT)
    table = _table(("bot", "market", "order"), ("quantity", "price"), ("state", "since", "id"))
    for bot, order in sorted(orders, key=lambda pair: (pair[1].life != "unknown", pair[1].since_ms)):
        table.add_row(
            Text(bot.id, style="bold"),
            Text(order.symbol),
            order_cell(order),
            Text(quantity_text(order)),
            Text(level_text(order)),
            life_cell(order.life),
            Text(clock_text(order.since_ms, date=True), style=tables.FAINT),
            Text(order.client_id, style=tables.FAINT),
        )
    return table


def bot_details(account: AccountStanding, bot: BotStanding) -> RenderableType:
    """Return all that is known of one bot of ``account``, line by line, and its orders."""
    facts = tables.plain_table()
    facts.show_header = False
    facts.add_column(style=tables.FAINT, no_wrap=True)
    facts.add_column(overflow="fold")
    rows: list[tuple[str, Text]] = [
        ("account", Text.assemble(account.id, f" · {account.venue} · ", mode_cell(account.mode))),
        ("strategy", Text(bot.strategy)),
        ("market", Text(market_text(bot))),
        ("status", status_cell(bot.status)),
        ("price", Text(price_text(bot.price))),
        ("position", position_cell(bot, words=True)),
    ]
    if bot.quantity:
        rows += [
            ("entry", Text(price_text(bot.entry_price))),
            ("unrealised", unrealised_cell(bot, account.quote)),
            ("protection", protection_cell(bot)),
            ("stop", Text(price_text(bot.stop_loss))),
            ("target", Text(price_text(bot.take_profit))),
        ]
    rows += [
        ("trades", Text(number(bot.trades, 0))),
        ("realised", gain_cell(bot.realised, quote=account.quote, beside=bot.budget)),
        ("budget", Text(money(bot.budget, account.quote))),
        (
            "equity",
            Text.assemble(money(bot.equity, account.quote), "  ", gain_cell(bot.equity - bot.budget, bot.budget)),
        ),
    ]
    if needs(account):
        rows.append(("needs", needs_cell(account)))
    for key, cell in rows:
        facts.add_row(say(f"standing.{key}"), cell)
    orders = orders_table([replace(account, bots=(bot,))])
    return Group(Text(bot.id, style="bold"), facts, Text(), Text(say("standing.orders"), style="bold"), orders)


# -- cells ------------------------------------------------------------------------------------------------------------


def budget_of(account: AccountStanding) -> Decimal:
    """Return what the account's bots were given."""
    return sum((bot.budget for bot in account.bots), Decimal(0))


def money(amount: Decimal, quote: str = "") -> str:
    """Return an amount as people read it."""
    return show(Unit.MONEY, float(amount), quote)


def gain_cell(amount: Decimal, of: Decimal | None = None, quote: str = "", *, beside: Decimal | None = None) -> Text:
    """Return a gain with its sign, and coloured; with its share of ``of`` if that is given.

    It has the decimals of the amount that it is seen ``beside`` (``of`` if not given): a column of gains stays still.
    """
    scale = next((float(one) for one in (beside, of, amount) if one), 1.0)
    text = signed(amount, number(float(amount), money_digits(scale)) + (f"\u00a0{quote}" if quote else ""))
    if of:
        text += f" ({signed(amount, show(Unit.PERCENT, float(amount / of)))})"
    return Text(text, style=tables.gain_style(float(amount)), no_wrap=True)


def signed(amount: Decimal | float, text: str) -> str:
    """Return ``text``, which shows ``amount``, with a plus if it is a gain; a loss has its minus, nothing has none."""
    return f"+{text}" if amount > 0 and any(digit in text for digit in "123456789") else text


def price_text(price: Decimal | None) -> str:
    """Return a price to six digits, at least two decimals."""
    return tables.NONE if price is None else number(float(price), tables.digits([float(price)]))


def amount_text(quantity: Decimal) -> str:
    """Return a quantity with the decimals that it has, eight at most."""
    decimals = -int(quantity.normalize().as_tuple().exponent) if quantity else 0
    return number(float(quantity), min(8, max(0, decimals)))


def market_text(bot: BotStanding) -> str:
    """Return what the bot trades, and on which candles."""
    return f"{bot.symbol} {bot.timeframe}"


def mode_cell(mode: Mode) -> Text:
    """Return where orders go; real money stands out."""
    return Text(say(f"mode.{mode}"), style=BAD if mode is Mode.LIVE else "")


def trading_cell(account: AccountStanding) -> Text:
    """Return whether the account may trade."""
    return Text(say(f"trading.{account.trading}"), style=tables.GAIN if account.trading is TradingState.ACTIVE else BAD)


def status_cell(status: BotStatus) -> Text:
    """Return what a bot is doing."""
    return Text(say(f"bot_status.{status}"), style=_STATUS.get(status, tables.FAINT), no_wrap=True)


def position_cell(bot: BotStanding, *, words: bool = False) -> Text:
    """Return what the bot holds: long or short in words too, or by its sign alone."""
    if not bot.quantity:
        return Text(say("standing.flat") if words else tables.NONE, style=tables.FAINT)
    text = signed(bot.quantity, amount_text(bot.quantity))
    way = say("standing.long" if bot.quantity > 0 else "standing.short")
    return Text(f"{text} ({way})" if words else text, no_wrap=True)


def unrealised_cell(bot: BotStanding, quote: str = "") -> Text:
    """Return what the position has gained."""
    if not bot.quantity:
        return Text(tables.NONE, style=tables.FAINT)
    return gain_cell(bot.unrealised, abs(bot.quantity) * bot.entry_price, quote)


def protection_cell(bot: BotStanding, *, short: bool = False) -> Text:
    """Return who guards the bot's position, in words; nothing if there is none."""
    if not bot.quantity:
        return Text(tables.NONE, style=tables.FAINT)
    who = "closing" if bot.closing else bot.protection
    return Text(
        say(f"protection.short.{who}" if short else f"protection.{who}"), style=_PROTECTION.get(who, BAD), no_wrap=True
    )


def order_cell(order: OrderStanding) -> Text:
    """Return what an order is for, and which way it goes."""
    side = say(f"side.{order.side}")
    return Text.assemble(
        (side, tables.GAIN if order.side is Side.BUY else tables.LOSS), f" {say(f'role.{order.role}')}"
    )


def quantity_text(order: OrderStanding) -> str:
    """Return how much is ordered, and how much of it has filled."""
    quantity = amount_text(order.quantity)
    if not order.filled:
        return quantity
    return say("standing.filled_of", filled=amount_text(order.filled), quantity=quantity)


def level_text(order: OrderStanding) -> str:
    """Return the price at which an order acts."""
    level = order.trigger if order.trigger is not None else order.price
    return say("standing.at_market") if level is None else price_text(level)


def life_cell(life: str) -> Text:
    """Return where an order stands."""
    style = BAD if life == "unknown" else tables.FAINT if life in ("submitting", "cancelling") else ""
    return Text(say(f"life.{life}"), style=style, no_wrap=True)


def needs_cell(account: AccountStanding) -> Text:
    """Return what of an account is not as it should be, empty if all is."""
    return Text(" · ").join(needs(account))


def needs(account: AccountStanding) -> list[Text]:
    """Return what of an account is not as it should be, one by one."""
    found: list[tuple[str, str]] = []
    if account.ready is False:
        found.append((say("standing.not_ready"), WARN))
    if account.trading is not TradingState.ACTIVE:
        found.append((say("standing.state_is", state=say(f"trading.{account.trading}")), BAD))
    if account.breaker is not BreakerStage.CLEAR:
        stage = say(f"breaker.{account.breaker.name.lower()}")
        found.append((say("standing.breaker_is", stage=stage), BAD))
    found += [(say("standing.frozen_is", symbol=symbol, why=why), BAD) for symbol, why in account.frozen]
    if account.unknown:
        found.append((say("standing.unknown_is", count=len(account.unknown)), BAD))
    if account.foreign:
        found.append((say("standing.foreign_is", count=len(account.foreign)), WARN))
    return [Text(text, style=style) for text, style in found]


def clock_text(ts: int, *, date: bool = False) -> str:
    """Return the time of ``ts`` (ms) to the second, UTC."""
    moment = datetime.fromtimestamp(ts / 1_000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S")


def _table(*columns: Sequence[str]) -> Table:
    """Return a table of named columns: groups of them, every second group flush right."""
    table = tables.plain_table()
    for position, group in enumerate(columns):
        for name in group:
            table.add_column(say(f"standing.{name}"), justify="right" if position % 2 else "left", no_wrap=True)
    return table
