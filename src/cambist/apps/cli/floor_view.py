"""The trading floor in a terminal, live: drawn from what comes over the bus, and from nothing else.

`ViewState` gathers, `render` draws, `show` does both a few times a second. A window of 80 columns and 24 rows shows
the essential; what does not fit is counted.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from decimal import Decimal
from functools import partial

from rich.console import Console, ConsoleDimensions, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cambist.apps.cli import standings, tables
from cambist.apps.cli.alert_lines import alert_lines
from cambist.apps.cli.floor_layout import GAP, Section, allot, draw_band
from cambist.apps.cli.floor_state import Market, ViewState
from cambist.domain import metrics
from cambist.domain.account import BotStatus, Mode
from cambist.domain.errors import BusFailed
from cambist.domain.metrics import Unit, number
from cambist.domain.standing import AccountStanding, BotStanding
from cambist.domain.text import say
from cambist.ports.bus import ALERTS, AUDIT, CANDLES, HEARTBEAT, Bus

_log = logging.getLogger(__name__)

__all__ = ["ViewState", "render", "show"]

FRAMES_S = 0.5
_RETRY_S = 1.0
_WIDE = 140
"""Columns from which sections stand side by side."""
_ROOMY = 96
_ONE_LINE = 152
"""Columns from which a bot needs one line instead of two."""
_TALL = 20
"""Lines from which there is room for notes."""
_ALERTS = 6
Bots = Sequence[tuple[AccountStanding, BotStanding]]


async def show(
    bus: Bus, *, title: str, console: Console | None = None, stop: asyncio.Event, notes: Sequence[str] = ()
) -> None:
    """Show the floor, ``notes`` below it, until ``stop`` is set, and leave the last picture standing.

    Where there is no terminal, that picture is all that is printed. What goes wrong here (a bus that is away, a
    picture that cannot be drawn) is shown or logged, and never raised: who trades in this process must go on.
    """
    console = console or Console(highlight=False)
    state = ViewState(title=title, now_s=_now_s(), notes=notes)
    fails: set[str] = set()
    listening = asyncio.create_task(_listen(bus, state))
    try:
        with _screen(console) as live:
            while not stop.is_set():
                state.now_s = _now_s()
                if live is not None:
                    await _in_thread(partial(_draw, live, state.still(), console, fails))
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), FRAMES_S)
        _draw(None, state, console, fails)
    finally:
        listening.cancel()
        await asyncio.wait((listening,))


async def _listen(bus: Bus, state: ViewState) -> None:
    group = f"view-{os.getpid()}"  # a group of its own: every view sees everything
    topics = (AUDIT, HEARTBEAT, CANDLES, ALERTS)
    while True:
        try:
            async for delivery in bus.subscribe(*topics, group=group, consumer="view", from_start=True):
                state.away = ""
                state.take(delivery)
                with suppress(BusFailed):  # it comes again then, and is known by its id
                    await bus.ack(group, delivery)
        except BusFailed as error:
            state.away = str(error)
        await asyncio.sleep(_RETRY_S)


def _screen(console: Console) -> AbstractContextManager[Live | None]:
    if not console.is_terminal:
        return nullcontext()
    return Live(console=console, screen=True, auto_refresh=False)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _draw(live: Live | None, state: ViewState, console: Console, fails: set[str]) -> None:
    """Draw a picture; how it ``fails`` is logged once."""
    try:
        picture = render(state, console.size)
        if live is None:
            console.print(picture)
        else:
            live.update(picture, refresh=True)
    except Exception as error:  # noqa: BLE001 - a picture that cannot be drawn must not stop who trades
        if repr(error) not in fails:
            fails.add(repr(error))
            _log.exception("%s", say("floor.no_picture"))


async def _in_thread(work: Callable[[], None]) -> None:
    """Do ``work`` beside the event loop, which trades: a picture takes longer to draw than an order to leave."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await working  # a picture must not come after the screen was given back
        raise


def render(state: ViewState, size: ConsoleDimensions) -> RenderableType:
    """Return the view of ``state`` in at most ``size.height`` lines of ``size.width`` columns."""
    width, height = size
    accounts = state.standings()
    market, equity = _market(state), _equity(state, accounts)
    bots, orders, alerts = _bots(accounts, width), _orders(accounts), _alerts(state, width)
    if width >= _WIDE:
        bands = [(market, equity), (bots,), (orders, alerts)]
        urgent, growing = [1, 2, 0], [1, 0, 2]
    else:
        bands = [(market,), (bots,), (orders,), (equity,), (alerts,)]
        urgent, growing = [1, 4, 3, 0, 2], [1, 0, 2, 3, 4]
    top, foot = _head(state, accounts), _foot(state)
    notes = [_cut(Text(note, style=tables.FAINT)) for note in state.notes] if height >= _TALL else []
    rows, spare = allot(bands, urgent, growing, height - 3 - len(notes))
    parts: list[RenderableType] = [top]
    for band, given in zip(bands, rows, strict=True):
        if given:
            parts += [Text()] * spare
            parts += draw_band(band, given, width)
    return Group(*parts, *[Text()] * spare, *notes, foot)


# -- head and foot ----------------------------------------------------------------------------------------------------


def _head(state: ViewState, accounts: Sequence[AccountStanding]) -> RenderableType:
    name = Text.assemble(("Cambist", "bold"), f"  {state.title}")
    for mode in sorted({account.mode for account in accounts}):
        name.append("  ").append_text(Text(say(f"mode.{mode}"), style=standings.BAD if mode is Mode.LIVE else "cyan"))
    beat = state.beat
    market_ms = max([beat.market_ms(state.now_s), *(account.ts for account in accounts)])
    clock = Text(say("floor.clock", time=_date(market_ms)) if market_ms else "")
    speed = beat.speed
    if speed is not None and abs(speed - 1) > 0.2:
        clock.append(f"  {say('floor.speed', speed=number(speed, 0 if speed >= 10 else 1))}", style="cyan")
    head = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    head.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    head.add_column(justify="right", no_wrap=True)
    head.add_row(name, clock)
    return Group(head, _heartbeat(state))


def _heartbeat(state: ViewState) -> Text:
    beat = state.beat
    name = say("floor.heartbeat")
    if not beat.signals:
        return Text(f"○ {name}: {say('floor.waiting')}", style=standings.WARN, no_wrap=True, overflow="ellipsis")
    silent = beat.silent(state.now_s)
    line = Text.assemble(
        ("○ " if silent else "● ", standings.BAD if silent else tables.GAIN),
        f"{name}: ",
        (say("floor.silent" if silent else "floor.beating"), standings.BAD if silent else ""),
        no_wrap=True,
        overflow="ellipsis",
    )
    age = number(max(0.0, state.now_s - beat.heard_s), 1)
    facts = [
        say("floor.last_signal", signal=f"{beat.signal_id} {beat.symbol}", age=age),
        say("floor.signals", count=number(beat.signals, 0)),
    ]
    if beat.repaired:
        facts.append(say("floor.repaired", count=number(beat.repaired, 0)))
    return line.append(" · " + " · ".join(facts), style=tables.FAINT)


def _foot(state: ViewState) -> Text:
    troubles = [state.away] if state.away else []
    if state.unread:
        troubles.append(say("floor.unread", count=number(state.unread, 0)))
    usual = Text(f"{say('floor.stop')} {say('floor.next')}", style=tables.FAINT)
    return _cut(Text("  ").join([*(Text(trouble, style=standings.WARN) for trouble in troubles), usual]))


# -- market and equity ------------------------------------------------------------------------------------------------


def _market(state: ViewState) -> Section:
    markets = [state.markets[key] for key in sorted(state.markets)]

    def draw(fitting: int, width: int) -> RenderableType:
        if not markets:
            return Text(say("floor.market_none"), style=tables.FAINT)
        table = _grid(("left", "right", "right", "left"))
        for market in markets[:fitting]:
            table.add_row(*_market_cells(market, width))
        return table

    return Section(title=say("floor.market"), count=len(markets), draw=draw)


def _market_cells(market: Market, width: int) -> tuple[Text, ...]:
    first, last = market.closes[0], market.closes[-1]
    change = last / first - 1 if first else 0.0
    style = tables.gain_style(change)
    price = standings.price_text(market.price)
    moved = standings.signed(change, metrics.show(Unit.PERCENT, change))
    line = tables.sparkline(list(market.closes), max(0, width - len(market.symbol) - len(price) - len(moved) - 12))
    return (
        Text.assemble((market.symbol, "bold"), (f" {market.timeframe}", tables.FAINT)),
        Text(price),
        Text(moved, style=style),
        Text(line, style=style),
    )


def _equity(state: ViewState, accounts: Sequence[AccountStanding]) -> Section:
    quotes = sorted({account.quote for account in accounts})
    needs = [
        Text.assemble((account.id, "bold"), "  ", need) for account in accounts for need in standings.needs(account)
    ]

    def draw(fitting: int, width: int) -> RenderableType:
        if not accounts:
            return Text(say("floor.equity_none"), style=tables.FAINT)
        lines = [_equity_line(state, accounts, quote, width) for quote in quotes]
        return Group(*map(_cut, [*lines, *needs][:fitting]))

    bots = sum(len(standings.bots_of(account)) for account in accounts)
    note = say("floor.counts", accounts=number(len(accounts), 0), bots=number(bots, 0)) if accounts else ""
    return Section(title=say("floor.equity"), count=len(quotes) + len(needs), draw=draw, note=note)


def _equity_line(state: ViewState, accounts: Sequence[AccountStanding], quote: str, width: int) -> Text:
    ours = [account for account in accounts if account.quote == quote]
    equity = sum((account.equity for account in ours), Decimal(0))
    budget = sum((standings.budget_of(account) for account in ours), Decimal(0))
    line = Text.assemble((standings.money(equity, quote), "bold"), "  ", standings.gain_cell(equity - budget, budget))
    room = width - line.cell_len - 2
    return line.append("  ").append(
        tables.sparkline(state.gains.get(quote, []), max(0, room)), style=tables.gain_style(float(equity - budget))
    )


# -- bots -------------------------------------------------------------------------------------------------------------


def _bots(accounts: Sequence[AccountStanding], width: int) -> Section:
    bots = [(account, bot) for account in accounts for bot in standings.bots_of(account)]
    each = 1 if width >= _ONE_LINE else 2

    def draw(fitting: int, _: int) -> RenderableType:
        if not bots:
            return Text(say("standing.no_bots"), style=tables.FAINT)
        shown = bots if fitting == len(bots) else sorted(bots, key=_concern)[:fitting]
        return _bots_in_one_line(shown) if each == 1 else _bots_in_two_lines(shown, roomy=width >= _ROOMY)

    return Section(title=say("floor.bots"), count=len(bots), draw=draw, each=each, first=min(2, len(bots)), above=1)


def _concern(pair: tuple[AccountStanding, BotStanding]) -> tuple[bool, bool, bool, str]:
    """Order bots by how much they deserve a look."""
    _, bot = pair
    bare = bool(bot.quantity) and bot.protection == "none_wanted" and not bot.closing
    return not bare, bot.status is not BotStatus.PAUSED, not bot.quantity, bot.id


def _bots_in_one_line(bots: Bots) -> Table:
    table = _grid((*["left"] * 4, *["right"] * 3, "left", *["right"] * 4), expand=True)
    names = ("bot", "strategy", "market", "status", "position", "entry", "unrealised")
    _headings(table, *names, "protection", "stop", "target", "trades", "equity")
    for account, bot in bots:
        table.add_row(
            _bot_name(account, bot, bots),
            Text(bot.strategy),
            Text(standings.market_text(bot)),
            standings.status_cell(bot.status),
            standings.position_cell(bot),
            _price(bot.entry_price if bot.quantity else None),
            standings.unrealised_cell(bot),
            standings.protection_cell(bot),
            _price(bot.stop_loss),
            _price(bot.take_profit),
            Text(number(bot.trades, 0)),
            Text(standings.money(bot.equity, account.quote)),
        )
    return table


def _bots_in_two_lines(bots: Bots, *, roomy: bool) -> Table:
    table = _grid(("left", "left", "right", "right", "left", "right"), gap=3 if roomy else 1, expand=True)
    _headings(table, "bot", "market", "position", "unrealised", "protection", "equity")
    for account, bot in bots:
        held = bool(bot.quantity)
        gain = standings.gain_cell(bot.unrealised, beside=bot.budget) if held else Text(tables.NONE, style=tables.FAINT)
        table.add_row(
            _two(_bot_name(account, bot, bots), _faint(bot.strategy)),
            _two(Text(standings.market_text(bot)), standings.status_cell(bot.status)),
            _two(
                standings.position_cell(bot), Text(standings.price_text(bot.entry_price) if held else "", tables.FAINT)
            ),
            _two(gain, _percent(bot)),
            _two(standings.protection_cell(bot, short=not roomy), _faint(_levels(bot) if held else "")),
            _two(Text(standings.money(bot.equity)), standings.gain_cell(bot.equity - bot.budget, beside=bot.budget)),
        )
    return table


def _levels(bot: BotStanding) -> str:
    """Return where the position is closed: below, and above."""
    return f"{standings.price_text(bot.stop_loss)} / {standings.price_text(bot.take_profit)}"


def _percent(bot: BotStanding) -> Text:
    if not bot.quantity:
        return Text()
    worth = abs(bot.quantity) * bot.entry_price
    share = float(bot.unrealised / worth) if worth else 0.0
    return Text(standings.signed(share, metrics.show(Unit.PERCENT, share)), style=tables.FAINT)


def _bot_name(account: AccountStanding, bot: BotStanding, bots: Bots) -> Text:
    several = any(other.id != account.id for other, _ in bots)
    return Text.assemble((bot.id, "bold"), (f" {account.id}" if several else "", tables.FAINT))


# -- orders and alerts ------------------------------------------------------------------------------------------------


def _orders(accounts: Sequence[AccountStanding]) -> Section:
    orders = [(bot, order) for account in accounts for bot in account.bots for order in bot.orders]
    orders.sort(key=lambda pair: (pair[1].life != "unknown", -pair[1].since_ms))

    def draw(fitting: int, _: int) -> RenderableType:
        if not orders:
            return Text(say("standing.no_orders"), style=tables.FAINT)
        table = _grid(("left", "left", "left", "right", "right", "left"))
        for bot, order in orders[:fitting]:
            table.add_row(
                Text(standings.bot_name(bot), style="bold"),
                Text(order.symbol),
                standings.order_cell(order),
                Text(standings.quantity_text(order)),
                Text(standings.level_text(order)),
                standings.life_cell(order.life),
            )
        return table

    return Section(title=say("floor.orders"), count=len(orders), draw=draw)


def _alerts(state: ViewState, width: int) -> Section:
    room = (width - GAP) // 2 if width >= _WIDE else width
    known = list(reversed(state.alerts))[:_ALERTS]
    lines = [line for message in known for line in alert_lines(message, room)]

    def draw(fitting: int, _: int) -> RenderableType:
        return Group(*lines[:fitting]) if lines else Text(say("floor.alerts_none"), style=tables.FAINT)

    return Section(title=say("floor.alerts"), count=len(lines), draw=draw, first=3, keeps=False)


# -- pieces -----------------------------------------------------------------------------------------------------------


def _grid(columns: Sequence[str], *, gap: int = 2, expand: bool = False) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, gap, 0, 0), expand=expand)
    for justify in columns:
        table.add_column(justify="right" if justify == "right" else "left", no_wrap=True, overflow="ellipsis")
    return table


def _headings(table: Table, *names: str) -> None:
    table.add_row(*(Text(say(f"standing.{name}"), style=tables.FAINT) for name in names))


def _two(above: Text, below: Text) -> Text:
    return Text("\n").join((above, below))


def _price(price: Decimal | None, style: str = "") -> Text:
    return Text(standings.price_text(price), style=tables.FAINT if price is None else style)


def _faint(text: str) -> Text:
    return Text(text, style=tables.FAINT)


def _cut(line: Text) -> Text:
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _date(ts: int) -> str:
    return standings.clock_text(ts, date=True)
