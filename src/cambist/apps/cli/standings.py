"""How accounts, bots and orders stand, in a terminal: tables for one-shot commands, and the cells of the live view."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from cambist.apps.cli import tables
from cambist.domain.account import HAND, BotStatus, Mode
from cambist.domain.metrics import Unit, money_digits, number, show
from cambist.domain.order import Side
from cambist.domain.standing import AccountStanding, BotStanding, OrderStanding
from cambist.domain.text import say
from cambist.domain.trading import BreakerStage, TradingState

WARN = "yellow"
BAD = "bold red"

_FIGURES = (
    *("position", "entry", "unrealised", "stop", "target", "trades", "realised", "equity"),
    *("in_bots", "gain", "free", "bots", "orders", "quantity", "price"),
)
_GOES_FIRST = (
    *("entry", "target", "stop", "realised", "trades", "since", "strategy", "bots", "orders", "unrealised", "venue"),
    *("gain", "equity", "state"),
)
"""What a narrow terminal does without, in this order: who holds what, who guards that, and ids stay."""
_STATUS = {BotStatus.RUNNING: tables.GAIN, BotStatus.PAUSED: BAD, BotStatus.SUSPENDED: WARN}
_PROTECTION = {"native": tables.GAIN, "emulated": WARN, "none_wanted": BAD, "closing": ""}


def bots_of(account: AccountStanding) -> list[BotStanding]:
    """Return the bots of an account, without those that stand for orders by hand."""
    return [bot for bot in account.bots if bot.strategy != HAND]


def bot_name(bot: BotStanding) -> str:
    """Return the name of a bot; what was ordered by hand has none."""
    return say("standing.by_hand") if bot.strategy == HAND else bot.id


def accounts_table(accounts: Sequence[AccountStanding], terminal: Console | None = None) -> RenderableType:
    """Return one line per account: where it trades, how it stands, and what of it somebody should look at."""
    if not accounts:
        return Text(say("standing.no_accounts"))
    needed = {
        "account": [Text(one.id, style="bold") for one in accounts],
        "venue": [Text(one.venue) for one in accounts],
        "mode": [mode_cell(one.mode) for one in accounts],
        "trading": [trading_cell(one) for one in accounts],
        "in_bots": [Text(money(one.equity, one.quote)) for one in accounts],
        "gain": [gain_cell(one.equity - budget_of(one) + one.won, budget_of(one)) for one in accounts],
        "free": [Text(money(one.free, one.quote) if one.seq else tables.NONE) for one in accounts],  # 0: not yet begun
        "bots": [Text(number(len(bots_of(one)), 0)) for one in accounts],
        "orders": [Text(number(sum(len(bot.orders) for bot in one.bots), 0)) for one in accounts],
        "needs": [needs_cell(one) or Text(tables.NONE, style=tables.FAINT) for one in accounts],
    }
    return _table(needed, terminal)


def bots_table(accounts: Sequence[AccountStanding], terminal: Console | None = None) -> RenderableType:
    """Return one line per bot of ``accounts``; the account is named if there are several."""
    bots = [(account, bot) for account in accounts for bot in bots_of(account)]
    if not bots:
        return Text(say("standing.no_bots"))
    columns = {
        "bot": [Text(bot.id, style="bold") for _, bot in bots],
        "strategy": [Text(Path(bot.strategy).name) for _, bot in bots],
        "market": [Text(market_text(bot)) for _, bot in bots],
        "status": [status_cell(bot.status) for _, bot in bots],
        "position": [position_cell(bot) for _, bot in bots],
        "entry": [Text(price_text(bot.entry_price if bot.quantity else None)) for _, bot in bots],
        "unrealised": [unrealised_cell(bot) for _, bot in bots],
        "protection": [protection_cell(bot) for _, bot in bots],
        "stop": [Text(price_text(bot.stop_loss)) for _, bot in bots],
        "target": [Text(price_text(bot.take_profit)) for _, bot in bots],
        "trades": [Text(number(bot.trades, 0)) for _, bot in bots],
        "realised": [gain_cell(bot.realised, beside=bot.budget) for _, bot in bots],
        "equity": [Text(money(bot.equity, account.quote)) for account, bot in bots],
    }
    if len(accounts) > 1:
        columns = {"account": [Text(account.id) for account, _ in bots]} | columns
    return _table(columns, terminal)


def orders_table(
    accounts: Sequence[AccountStanding], terminal: Console | None = None, *, by_hand: bool = False
) -> RenderableType:
    """Return one line per order under way, those first of which nobody knows what has become.

    The account is named if there are several. Of orders ``by_hand`` the id comes first, by which they are changed.
    """
    orders = [(account, bot, order) for account in accounts for bot in account.bots for order in bot.orders]
    if not orders:
        return Text(say("standing.no_orders"), style=tables.FAINT)
    orders.sort(key=lambda one: (one[2].life != "unknown", one[2].since_ms))
    columns = {
        "bot": [Text(bot_name(bot), style="bold") for _, bot, _ in orders],
        "market": [Text(order.symbol) for _, _, order in orders],
        "order": [order_cell(order) for _, _, order in orders],
        "quantity": [Text(quantity_text(order)) for _, _, order in orders],
        "price": [Text(level_text(order)) for _, _, order in orders],
        "state": [life_cell(order.life) for _, _, order in orders],
        "since": [Text(clock_text(order.since_ms, date=True), style=tables.FAINT) for _, _, order in orders],
        "id": [Text(order.client_id, style=tables.FAINT) for _, _, order in orders],
    }
    if len(accounts) > 1:
        columns = {"account": [Text(account.id) for account, _, _ in orders]} | columns
    if by_hand:
        columns = {"id": [Text(order.client_id, style="bold") for _, _, order in orders]} | columns
        del columns["bot"]
    return _table(columns, terminal)


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


def _table(columns: dict[str, list[Text]], terminal: Console | None) -> Table:
    return tables.fitted(
        columns, terminal, headings="standing", figures=_FIGURES, goes_first=_GOES_FIRST, folds=("needs",)
    )
