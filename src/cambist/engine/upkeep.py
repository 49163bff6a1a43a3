"""Bringing what stands at the venue nearer to what each bot's position wants, after every event."""

from dataclasses import replace
from decimal import Decimal

from cambist.domain.alert import Level
from cambist.domain.command import MoveStop, Place, PlacePair
from cambist.domain.event import (
    OrderExpired,
)
from cambist.domain.order import Order, OrderType, Role
from cambist.domain.trading import TradingState
from cambist.engine.account import KEPT, Account, Outcome, Seat
from cambist.engine.core import process
from cambist.engine.sending import alert, cancel, make_request, obey, send
from cambist.execution import protection
from cambist.execution.ids import client_id
from cambist.execution.orders import Life, Working
from cambist.execution.protection import CloseNow, MoveTrigger, PlaceGuards, Step, TakeBack, TooSmall


def settle(account: Account, seat: Seat, ts: int, out: Outcome) -> None:
    """Tell the core of entries that have ended without filling whole."""
    for one in list(account.orders.values()):
        if one.order.bot == seat.spec.id and one.settled and not one.told:
            one.told = True
            if one.order.role is Role.ENTRY and one.life is not Life.FILLED:
                obey(account, seat, process(seat.state, OrderExpired(one.order, ts)), ts, out)
    bot = seat.bot
    if not bot.position and not account.working(bot.id):
        seat.attempts.clear()
        seat.refusals, seat.retry_ms, seat.emulate, seat.too_small = 0, 0, False, False
    del seat.state.trades[:-KEPT], seat.state.refused[:-KEPT]


def keep_up(account: Account, seat: Seat, ts: int, out: Outcome) -> None:
    """Bring what stands at the venue nearer to what the bot's position wants."""
    bot = seat.bot
    under_way = account.working(bot.id)
    for one in under_way:
        if one.order.role is Role.ENTRY and one.order.id not in bot.entries and one.life in protection.RESTING:
            cancel(account, one, ts, out)  # the core has taken it back
    working = [one for one in under_way if one.order.reduces]
    if seat.retry_ms > ts or seat.too_small or (account.trading is TradingState.HALTED and not account.may_reduce):
        return
    if not bot.position and not working:
        return
    guards = () if seat.emulate else list(bot.protections.values())
    price = account.prices.get(seat.spec.symbol, (Decimal(repr(bot.mark)), 0))[0]
    todo = protection.steps(
        bot.instrument, bot.position.quantity, bot.exiting, guards, working, account.traits, price=price, now_ms=ts
    )
    for next_step in todo:
        _do(account, seat, next_step, ts, out)


def _do(account: Account, seat: Seat, todo: Step, ts: int, out: Outcome) -> None:
    match todo:
        case TakeBack(name):
            cancel(account, account.orders[name], ts, out)
        case MoveTrigger(name, trigger):
            out.commands.append(MoveStop(seat.spec.symbol, name, trigger))
        case CloseNow(quantity):
            exiting = seat.bot.exiting
            if exiting is not None:
                market = replace(exiting, type=OrderType.MARKET, price=None, trigger=None, quantity=quantity)
                request = make_request(account, seat, market, quantity)
                send(account, Working(exiting, request), ts, out)
                out.commands.append(Place(request))
        case PlaceGuards(guards, quantity):
            _place_guards(account, seat, guards, quantity, ts, out)
        case TooSmall(quantity):
            seat.too_small = True
            key = "trading.too_small"
            alert(account, out, ts, Level.WARNING, key, bot=seat.spec.id, quantity=str(quantity))


def _place_guards(
    account: Account, seat: Seat, guards: tuple[Order, ...], quantity: Decimal, ts: int, out: Outcome
) -> None:
    requests = [make_request(account, seat, guard, quantity) for guard in guards]
    pair = "".join(request.client_id for request in requests)[:18] if len(requests) > 1 else ""
    if pair:
        pair = client_id(pair, seat.spec.symbol)
    for guard, request in zip(guards, requests, strict=True):
        send(account, Working(guard, request, list_id=pair), ts, out)
    if pair:
        out.commands.append(PlacePair(pair, *requests))
    else:
        out.commands.append(Place(requests[0]))


def forget(account: Account) -> None:
    """Drop the oldest orders that are over for good."""
    over = [name for name, one in account.orders.items() if one.settled and one.told]
    for name in over[: max(0, len(over) - KEPT)]:
        del account.orders[name]
