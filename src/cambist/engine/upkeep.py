"""Bringing what stands at the venue nearer to what each bot's position wants, after every event."""

from dataclasses import replace
from decimal import Decimal

from cambist.domain.alert import Level
from cambist.domain.command import MoveStop, Place, PlacePair
from cambist.domain.event import OrderExpired
from cambist.domain.order import Order, OrderType, Role
from cambist.domain.position import ZERO
from cambist.engine.account import KEPT, LONGEST_RETRY_MS, RETRY_MS, Account, Outcome, Seat
from cambist.engine.core import process
from cambist.engine.sending import alert, cancel, drop_waiting, make_request, obey, send, send_waiting
from cambist.execution import protection
from cambist.execution.ids import client_id
from cambist.execution.orders import Life, Working
from cambist.execution.protection import CloseNow, MoveTrigger, PlaceGuards, Step, TakeBack, TooSmall


def settle(account: Account, seat: Seat, ts: int, out: Outcome) -> None:
    """Tell the core of entries that have ended without filling whole."""
    for one in account.under_way(seat.spec.id):
        if not one.settled:
            continue
        account.leave(one)
        if not one.told:
            one.told = True
            if one.order.role is Role.ENTRY and one.life is not Life.FILLED:
                obey(account, seat, process(seat.state, OrderExpired(one.order, ts)), ts, out)
    bot = seat.bot
    if not bot.position and not account.working(bot.id):
        seat.attempts.clear()
        seat.refusals, seat.retry_ms, seat.too_small = 0, 0, False
        seat.guards_refused, seat.guards_refused_ms, seat.guards_retry_ms = 0, 0, 0
    if len(seat.state.trades) > KEPT or len(seat.state.refused) > KEPT:
        del seat.state.trades[:-KEPT], seat.state.refused[:-KEPT]


def note_bare(account: Account, seat: Seat, ts: int) -> None:
    """Keep the time since when a position has been without the stop that it wants.

    It begins anew when more of the position is guarded than before: an entry that fills in a hundred pieces has its
    stop replaced a hundred times, and is not left alone.
    """
    if not account.bare(seat):
        seat.bare_ms, seat.guarded = 0, ZERO
        return
    covered = account.covered(seat)
    if not seat.bare_ms or covered > seat.guarded:
        seat.bare_ms, seat.guarded = ts, covered


def turned_away(account: Account, seat: Seat, one: Working, ts: int) -> None:
    """Put off the next attempt at an exit or a guard that the venue ended and not we: the more often, the longer.

    A refusal waits from the first time on. What was accepted and then dropped may be tried at once, the first time.
    """
    if one.request.type is OrderType.MARKET:
        seat.refusals += 1
        seat.retry_ms = _later(one, seat.refusals, ts)
    elif all(leg is one or not leg.ended for leg in account.legs(one)):  # a pair counts once
        again = ts - seat.guards_refused_ms <= 2 * LONGEST_RETRY_MS
        seat.guards_refused, seat.guards_refused_ms = seat.guards_refused + 1 if again else 1, ts
        seat.guards_retry_ms = _later(one, seat.guards_refused, ts)


def _later(one: Working, times: int, ts: int) -> int:
    if one.life is not Life.REFUSED and times == 1:
        return 0
    return ts + int(min(LONGEST_RETRY_MS, RETRY_MS * 2 ** min(times - 1, 10)))


def keep_up(account: Account, seat: Seat, ts: int, out: Outcome) -> None:
    """Bring what stands at the venue nearer to what the bot's position wants."""
    bot = seat.bot
    under_way = account.working(bot.id)
    for one in under_way:
        if one.order.role is Role.ENTRY and one.order.id not in bot.entries and one.life in protection.RESTING:
            cancel(account, one, ts, out)  # the core has taken it back
    working = [one for one in under_way if one.order.reduces]
    if bot.waiting:
        _look_after_waiting(account, seat, working, ts, out)
    quantity = protection.sellable(bot.instrument, bot.position.quantity)
    if seat.too_small and protection.sellable_at(bot.instrument, quantity, account.price_of(seat)):
        seat.too_small = False  # an entry that was being taken back has filled further
    if seat.too_small or account.locked or (not bot.position and not working):
        return
    if bot.position and (seat.guards_retry_ms if bot.exiting is None else seat.retry_ms) > ts:
        return
    todo = protection.steps(
        bot.instrument,
        bot.position.quantity,
        bot.exiting,
        list(bot.protections.values()),
        working,
        account.traits,
        price=account.price_of(seat),
        now_ms=ts,
    )
    for next_step in todo:
        _do(account, seat, next_step, ts, out)


def _look_after_waiting(account: Account, seat: Seat, working: list[Working], ts: int, out: Outcome) -> None:
    """Send the other half of a reversal once the first is done; give it up if that cannot be done soon."""
    bot = seat.bot
    bot.waiting = [name for name in bot.waiting if name in bot.entries]  # the core may have taken some back
    if seat.too_small or seat.retry_ms > ts:
        drop_waiting(account, seat, ts, out)
    elif not bot.position and not working:
        send_waiting(account, seat, ts, out)


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
