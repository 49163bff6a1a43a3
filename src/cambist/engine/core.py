"""The decision: ``process(state, event) -> commands``. Live, paper and backtest are loops around it.

Pure and synchronous: the same events from the same state give the same commands and the same state. No clock, no
randomness, no I/O, no ``await``. Events come in, orders to send come out; only events change the state.

A wish becomes an order in three steps: sizing (`cambist.portfolio.sizing`), risk (`cambist.execution.risk`), and the
order itself, whose id is a pure function of bot, cause and leg. An entry that fills is protected at once, by orders
sized to what has filled.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from cambist.domain.command import AmendOrder, CancelOrder, Command, SubmitOrder
from cambist.domain.event import (
    CandleClosed,
    Decided,
    Event,
    FundingPaid,
    GuardTouched,
    OrderExpired,
    OrderFilled,
    Released,
)
from cambist.domain.order import Fill, Order, OrderType, Role, Side
from cambist.domain.position import FLAT, ZERO
from cambist.domain.refusal import Reason, Refused
from cambist.domain.trade import ExitReason
from cambist.domain.wish import Enter, Exit
from cambist.engine.state import Bot, ClosedTrade, State
from cambist.execution.risk import may_enter, may_send
from cambist.market.costs import level_steps, steps_down, steps_up
from cambist.portfolio.sizing import quantity


def process(state: State, event: Event) -> list[Command]:
    """Apply ``event`` to ``state`` and return what is to be done."""
    return _HANDLERS[type(event)](state, event)


# -- wishes -----------------------------------------------------------------------------------------------------------


def _decided(state: State, event: Decided) -> list[Command]:
    bot = state.bots[event.bot]
    bot.mark = event.close
    commands: list[Command] = []
    sides = {wish.side for wish in event.wishes if type(wish) is Enter} if len(event.wishes) > 1 else ()
    for leg, wish in enumerate(event.wishes):
        if type(wish) is Enter:
            if len(sides) > 1:
                _refuse(state, event, Reason.CONTRADICTION)
            else:
                commands += _enter(state, bot, event, wish, leg)
        elif type(wish) is Exit:
            commands += _exit(bot, event.ts)
        else:
            commands += _cancel(bot, list(bot.entries))
    return commands


def _enter(state: State, bot: Bot, event: Decided, wish: Enter, leg: int) -> list[Command]:
    against = [key for key, (order, _) in bot.entries.items() if order.side is not wish.side] if bot.entries else []
    waiting = len(bot.entries) - len(against)
    reason = may_enter(bot.instrument, wish.side, bot.position, waiting, bot.pyramiding)
    reverses = bot.position.quantity * wish.side.sign < 0
    if reason is None and bot.exiting is not None:
        now = bot.exiting.id == _id(bot, event.ts, "exit")
        if not now:
            reason = Reason.EXIT_PENDING
        elif not reverses:
            reason = Reason.CONTRADICTION  # in and out at once: out
    if reason is not None:
        _refuse(state, event, reason)
        return []
    commands = _exit(bot, event.ts) if reverses else []
    draft = _draft(state, bot, event, wish, leg)
    if not isinstance(draft, Order):
        _refuse(state, event, draft)
        return commands
    if against:
        commands += _cancel(bot, [key for key in against if key in bot.entries])
    bot.entries[draft.id] = (draft, wish)
    commands.append(SubmitOrder(draft))
    return commands


def _draft(state: State, bot: Bot, event: Decided, wish: Enter, leg: int) -> Order | Reason:
    """Return the entry order that ``wish`` means, or why there can be none."""
    price = wish.limit or wish.stop or event.close
    amount = quantity(wish.size, equity=float(state.equity()), price=price, stop_loss=wish.stop_loss, steps=bot.steps)
    if isinstance(amount, Reason):
        return amount
    cash = state.free_cash()
    if bot.position.quantity * wish.side.sign < 0:  # a reversal: what is held comes free first
        cash += abs(bot.position.quantity) * bot.position.entry_price
    reason = may_send(bot.instrument, amount, price, cash)
    if reason is not None:
        return reason
    level = None
    if wish.limit or wish.stop:
        ticks = steps_down if wish.side is Side.BUY else steps_up  # never dearer than was wished
        level = bot.steps.tick * ticks(price, bot.steps.tick_mul, bot.steps.tick_scale)
    return Order(
        id=_id(bot, event.ts, f"entry{leg}"),
        bot=bot.id,
        side=wish.side,
        type=OrderType.LIMIT if wish.limit else OrderType.STOP if wish.stop else OrderType.MARKET,
        quantity=amount,
        role=Role.ENTRY,
        price=level if wish.limit else None,
        trigger=level if wish.stop else None,
        time_in_force=wish.time_in_force,
    )


def _exit(bot: Bot, ts: int) -> list[Command]:
    commands = _cancel(bot, list(bot.entries)) if bot.entries else []
    if not bot.position or bot.exiting is not None:
        return commands
    bot.exiting = Order(
        id=_id(bot, ts, "exit"),
        bot=bot.id,
        side=Side.SELL if bot.position.quantity > 0 else Side.BUY,
        type=OrderType.MARKET,
        quantity=abs(bot.position.quantity),
        role=Role.EXIT,
    )
    commands.append(SubmitOrder(bot.exiting))
    return commands


def _cancel(bot: Bot, entries: list[str]) -> list[Command]:
    """Take back the entry orders with these ids."""
    return [CancelOrder(bot.entries.pop(key)[0]) for key in entries]


def _refuse(state: State, event: Decided, reason: Reason) -> None:
    state.refused.append(Refused(event.bot, event.ts, reason))


# -- what came of orders ----------------------------------------------------------------------------------------------


def _filled(state: State, event: OrderFilled) -> list[Command]:
    order, fill = event.order, event.fill
    bot = state.bots[order.bot]
    state.cash -= order.side.sign * fill.quantity * fill.price
    bot.mark = float(fill.price)
    if not fill.fee_asset or fill.fee_asset == bot.instrument.quote:
        state.cash -= fill.fee
        bot.fees += fill.fee
    elif fill.fee_asset == bot.instrument.base:
        bot.fees += fill.fee * fill.price  # what it is worth; what is held is less by it
    bot.slippage += fill.slippage
    return _exited(state, bot, event) if order.reduces else _entered(state, bot, event)


def _kept_back(bot: Bot, fill: Fill) -> Decimal:
    """Return what the venue took of the base currency itself, as a fee on a fill."""
    return fill.fee if fill.fee and fill.fee_asset == bot.instrument.base else ZERO


def _entered(state: State, bot: Bot, event: OrderFilled) -> list[Command]:
    order, fill = event.order, event.fill
    if bot.position.quantity * order.side.sign < 0:
        return _opposed(state, bot, event)
    if not bot.position:
        bot.entry_ts = fill.ts
    _, bot.plan = bot.entries[order.id]
    bot.trails = bool(bot.plan.trailing_stop)
    first = order.id not in bot.filled_in
    bot.filled_in.add(order.id)
    # a fee in the base currency is as if less had been bought, and paid for apart
    quantity = fill.quantity - order.side.sign * _kept_back(bot, fill)
    bot.bought += quantity
    bot.spent += quantity * fill.price
    bot.position = bot.position.grown(order.side.sign * quantity, fill.price, new_entry=first)
    if event.done:
        del bot.entries[order.id]
    trailed = bot.trailing if bot.protections else None
    commands = _unprotect(bot)
    commands += _protect(bot, order.id, None if trailed is None else trailed.trigger)
    return commands


def _opposed(state: State, bot: Bot, event: OrderFilled) -> list[Command]:
    """Take an entry that filled against the position for what it is: less of it, and only then an entry."""
    order, fill = event.order, event.fill
    sign = 1 if bot.position.quantity > 0 else -1
    quantity = min(fill.quantity, abs(bot.position.quantity))
    bot.left += quantity
    bot.proceeds += quantity * fill.price
    bot.position = bot.position.reduced(-sign * quantity)
    rest = fill.quantity - quantity
    commands: list[Command] = []
    if not bot.position:
        commands += _unprotect(bot)
        if bot.exiting is not None:
            commands.append(CancelOrder(bot.exiting))
        commands += _cancel(bot, [key for key in bot.entries if key in bot.filled_in and key != order.id])
        state.trades.append(_closed(bot, sign, fill.ts, ExitReason.SIGNAL))
        _forget_trade(bot)
    if rest:
        return commands + _entered(state, bot, replace(event, fill=replace(fill, quantity=rest)))
    if event.done:
        bot.entries.pop(order.id, None)
    return commands


def _exited(state: State, bot: Bot, event: OrderFilled) -> list[Command]:
    order, fill = event.order, event.fill
    sign = 1 if bot.position.quantity > 0 else -1
    quantity = fill.quantity
    if kept := _kept_back(bot, fill):
        quantity = min(quantity + sign * kept, abs(bot.position.quantity))
    bot.left += quantity
    bot.proceeds += quantity * fill.price
    bot.position = bot.position.reduced(order.side.sign * quantity)
    if abs(bot.position.quantity) < bot.instrument.lot_step:
        bot.position = FLAT  # dust that fees in base currency left: no order could sell it
    bot.protections.pop(order.id, None)
    commands = _unprotect(bot)
    if bot.position:
        bot.exiting = order  # the book carries the rest to the next open
        return commands
    if bot.exiting is not None and bot.exiting.id != order.id:
        commands.append(CancelOrder(bot.exiting))  # a stop was quicker than the exit that the strategy wished
    if bot.entries:
        commands += _cancel(bot, [key for key in bot.entries if key in bot.filled_in])
    state.trades.append(_closed(bot, sign, fill.ts, _WHY[order.role]))
    _forget_trade(bot)
    return commands


def _closed(bot: Bot, sign: int, ts: int, reason: ExitReason) -> ClosedTrade:
    return ClosedTrade(
        bot=bot.id,
        sign=sign,
        entry_ts=bot.entry_ts,
        entry_price=bot.spent / bot.bought,
        exit_ts=ts,
        exit_price=bot.proceeds / bot.left,
        quantity=bot.bought,
        pnl=sign * (bot.proceeds - bot.spent) - bot.fees - bot.funding,
        fees=bot.fees,
        slippage=bot.slippage,
        reason=reason,
    )


def _forget_trade(bot: Bot) -> None:
    bot.exiting = bot.plan = None
    bot.trails = False
    bot.filled_in.clear()
    bot.bought = bot.left = bot.spent = bot.proceeds = bot.fees = bot.slippage = bot.funding = ZERO


def _released(state: State, event: Released) -> list[Command]:
    """Let go of the position, which is no trade: nothing was sold, so nothing was won or lost."""
    bot = state.bots[event.bot]
    commands = [*_cancel(bot, list(bot.entries)), *_unprotect(bot)]
    bot.position = FLAT
    _forget_trade(bot)
    return commands


def _expired(state: State, event: OrderExpired) -> list[Command]:
    bot = state.bots[event.order.bot]
    bot.entries.pop(event.order.id, None)
    state.refused.append(Refused(bot.id, event.ts, Reason.EXPIRED))
    return []


# -- protections ------------------------------------------------------------------------------------------------------


def _protect(bot: Bot, cause: str, trailed: Decimal | None) -> list[Command]:
    """Guard the whole position by what its plan asks for, at fractions of its average entry price.

    ``cause`` is the entry order that filled; ``trailed`` is how far a trailing stop has come already: a position that
    grows does not send it back.
    """
    plan = bot.plan
    if plan is None:
        return []
    commands: list[Command] = []
    for role, kind, fraction in (
        (Role.STOP_LOSS, OrderType.STOP, plan.stop_loss),
        (Role.TRAILING_STOP, OrderType.STOP, plan.trailing_stop),
        (Role.TAKE_PROFIT, OrderType.TAKE_PROFIT, plan.take_profit),
    ):
        if fraction is None or not fraction > 0:
            continue
        order = _guard(bot, cause, role, kind, fraction)
        if role is Role.TRAILING_STOP and trailed is not None and order.trigger is not None:
            tighter = max(trailed, order.trigger) if order.falling else min(trailed, order.trigger)
            order = replace(order, trigger=tighter)
        bot.protections[order.id] = order
        commands.append(SubmitOrder(order))
    return commands


def _guard(bot: Bot, cause: str, role: Role, kind: OrderType, fraction: float) -> Order:
    held = bot.position.quantity
    sign = 1 if held > 0 else -1
    away = fraction if kind is OrderType.TAKE_PROFIT else -fraction
    return Order(
        id=f"{cause}|{role}|{bot.bought}",  # another fill of the same entry is another cause
        bot=bot.id,
        side=Side.SELL if sign > 0 else Side.BUY,
        type=kind,
        quantity=abs(held),
        role=role,
        trigger=_level(bot, float(bot.position.entry_price), sign, away),
    )


def _level(bot: Bot, price: float, sign: int, fraction: float) -> Decimal:
    steps = bot.steps
    return steps.tick * level_steps(price, sign, fraction, steps.tick_mul, steps.tick_scale)


def _unprotect(bot: Bot) -> list[Command]:
    if not bot.protections:
        return []
    commands: list[Command] = [CancelOrder(order) for order in bot.protections.values()]
    bot.protections.clear()
    return commands


def _candle_closed(state: State, event: CandleClosed) -> list[Command]:
    """Move the mark and draw the trailing stop after the best price since entry."""
    bot = state.bots[event.bot]
    bot.mark = event.close
    order = bot.trailing
    if order is None or bot.plan is None or bot.plan.trailing_stop is None or order.trigger is None:
        return []
    sign = 1 if bot.position.quantity > 0 else -1
    # of the candle in which the position was entered only the close is surely after the entry
    best = event.close if event.ts == bot.entry_ts else (event.high if sign > 0 else event.low)
    trigger = _level(bot, best, sign, -bot.plan.trailing_stop)
    if (trigger - order.trigger) * sign <= 0:
        return []
    bot.protections[order.id] = replace(order, trigger=trigger)
    return [AmendOrder(order, trigger)]


def _guard_touched(state: State, event: GuardTouched) -> list[Command]:
    """Close at market what a guard protects that nobody else watches: its price has been reached."""
    bot = state.bots[event.bot]
    guard = bot.protections.get(event.order)
    if guard is None or bot.exiting is not None or not bot.position:
        return []
    commands = _cancel(bot, list(bot.entries)) if bot.entries else []
    commands += _unprotect(bot)
    bot.exiting = replace(guard, type=OrderType.MARKET, trigger=None, quantity=abs(bot.position.quantity))
    return [*commands, SubmitOrder(bot.exiting)]


def _funding_paid(state: State, event: FundingPaid) -> list[Command]:
    state.cash -= event.amount
    state.bots[event.bot].funding += event.amount
    return []


def _id(bot: Bot, ts: int, leg: str) -> str:
    """Return a client order id: a pure function of bot, cause and leg."""
    return f"{bot.id}|{ts}|{leg}"


_WHY: dict[Role, ExitReason] = {role: ExitReason(role) for role in Role if role is not Role.ENTRY}

_HANDLERS: dict[type, Callable[[State, Any], list[Command]]] = {
    Decided: _decided,
    OrderFilled: _filled,
    OrderExpired: _expired,
    CandleClosed: _candle_closed,
    FundingPaid: _funding_paid,
    GuardTouched: _guard_touched,
    Released: _released,
}
