"""The venue's word on orders, taken in: where each stands, what has filled, and what follows from that."""

from dataclasses import replace
from decimal import Decimal

from cambist.domain.alert import Level
from cambist.domain.event import (
    CancelStood,
    FillReported,
    OrderAbsent,
    OrderFilled,
    OrderLost,
    OrderReported,
    TriggerMoved,
)
from cambist.domain.instrument import Kind
from cambist.domain.order import Fill, OrderType, Role
from cambist.domain.position import FLAT, ZERO
from cambist.domain.report import FillReport
from cambist.engine import hand
from cambist.engine.account import Account, Outcome, Touched
from cambist.engine.core import process
from cambist.engine.sending import alert, booked, freeze, obey
from cambist.engine.state import Bot
from cambist.engine.upkeep import turned_away
from cambist.execution.orders import Life, Word, Working
from cambist.portfolio import ledger as book


def order_reported(account: Account, event: OrderReported, out: Outcome) -> Touched:
    """The venue said where an order stands; one that is not ours is nobody's business here."""
    report = event.report
    one = account.orders.get(report.client_id)
    if one is None:
        return report.ts, ()  # not ours: reconciliation shows it, nobody touches it
    account.follow(one)
    was = one.life
    one.report(report)
    if one.life is not was:
        _after(account, one, was, account.ours(report.ts), out)
    return report.ts, (account.seats[one.order.bot],)


def _after(account: Account, one: Working, was: Life, ts: int, out: Outcome) -> None:
    """Act on what an order has become."""
    if not one.ended or one.life is Life.FILLED or was is Life.CANCELLING:
        return
    seat = account.seats[one.order.bot]
    if seat.by_hand:
        hand.went_wrong(account, seat, one, ts, out)
        return
    refused = one.life is Life.REFUSED
    if one.order.role is Role.ENTRY:
        if refused:
            alert(account, out, ts, Level.WARNING, "trading.entry_refused", bot=seat.spec.id, why=one.reason)
        return
    turned_away(account, seat, one, ts)
    if refused and one.request.type is OrderType.MARKET:
        alert(account, out, ts, Level.CRITICAL, "trading.exit_refused", bot=seat.spec.id, why=one.reason)
    elif refused and seat.guards_refused == 1 and seat.guards_refused_ms == ts:
        alert(account, out, ts, Level.WARNING, "trading.guard_refused", bot=seat.spec.id, why=one.reason)


def fill_reported(account: Account, event: FillReported, out: Outcome) -> Touched:
    """An order of ours filled: the ledger books it, and the decision learns of it; each trade counts once."""
    fill = event.fill
    one = account.orders.get(fill.client_id)
    if one is None or not one.fill(fill):
        return fill.ts, ()
    account.follow(one)
    seat = account.seats[one.order.bot]
    if seat.by_hand:
        hand.filled(account, seat, one, fill, out)
        return fill.ts, (seat,)
    bot = seat.bot
    booked(account, book.fill(bot.id, fill, bot.instrument), out)
    if bot.instrument.kind is Kind.PERPETUAL:
        net = account.contracts.get(fill.symbol, FLAT)
        account.contracts[fill.symbol] = net.traded(fill.side.sign * fill.quantity, fill.price)
    quantity = fill.quantity
    if one.order.reduces:
        excess = quantity - abs(bot.position.quantity)
        if excess > 0:
            # the venue's fills are taken as they are; what no position explains is shown, and stops the instrument
            why = f"{one.request.client_id}: {excess}"
            freeze(account, fill.symbol, why, fill.ts, out)
            quantity -= excess
    elif one.order.id not in bot.entries and one.plan is not None:
        bot.entries[one.order.id] = (one.order, one.plan)  # filled after we thought it gone
    if quantity:
        done = one.life is Life.FILLED
        event_for_core = OrderFilled(one.order, _as_fill(fill, quantity, bot, one), done)
        known = len(seat.state.trades)
        obey(account, seat, process(seat.state, event_for_core), fill.ts, out)
        out.closed += seat.state.trades[known:]
        seat.closed += len(seat.state.trades) - known
        one.told = done
    account.prices[fill.symbol] = (fill.price, fill.ts)
    return fill.ts, (seat,)


def _as_fill(fill: FillReport, quantity: Decimal, bot: Bot, one: Working) -> Fill:
    worse = (fill.price - Decimal(repr(bot.mark))) * fill.side.sign if bot.mark else ZERO
    return Fill(
        ts=fill.ts,
        price=fill.price,
        quantity=quantity,
        fee=fill.fee,
        slippage=max(ZERO, worse) * quantity if one.request.type is OrderType.MARKET else ZERO,
        liquidity=fill.liquidity,
        fee_asset=fill.fee_asset,
    )


def order_lost(account: Account, event: OrderLost, out: Outcome) -> Touched:
    """An order left and no answer came: it may exist."""
    return _hear(account, event.client_id, Word.LOST, event.ts, out)


def order_absent(account: Account, event: OrderAbsent, out: Outcome) -> Touched:
    """The venue knows no such order and never will."""
    return _hear(account, event.client_id, Word.ABSENT, event.ts, out)


def cancel_stood(account: Account, event: CancelStood, out: Outcome) -> Touched:
    """An order that was to be cancelled still stands."""
    return _hear(account, event.client_id, Word.STANDS, event.ts, out)


def _hear(account: Account, client_id: str, word: Word, ts: int, out: Outcome) -> Touched:
    one = account.orders.get(client_id)
    if one is None:
        return ts, ()
    account.follow(one)
    was = one.life
    one.hear(word, ts)
    if one.life is not was:
        _after(account, one, was, ts, out)
        if one.life is Life.UNKNOWN:
            alert(account, out, ts, Level.WARNING, "trading.unknown", order=client_id, symbol=one.request.symbol)
    return ts, (account.seats[one.order.bot],)


def trigger_moved(account: Account, event: TriggerMoved, out: Outcome) -> Touched:
    """A resting stop waits for another price now."""
    one = account.orders.get(event.client_id)
    if one is None:
        return event.ts, ()
    one.request = replace(one.request, trigger=event.trigger)
    return event.ts, (account.seats[one.order.bot],)
