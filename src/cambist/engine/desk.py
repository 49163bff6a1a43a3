"""The desk: every event that concerns an account goes through `step`, and the venue's orders come out.

Pure and synchronous like `engine/core.py`, which decides for each of its bots. What the core wants of a position
(guards, an exit) is compared with what stands at the venue after each event (`engine/upkeep.py`), so there is one way
to any state, and none that only a crash takes.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from cambist.domain.account import BotStatus
from cambist.domain.alert import Level
from cambist.domain.command import Place, PlacePair
from cambist.domain.event import (
    AccountEvent,
    BotAdded,
    BotChanged,
    BreakerRearmed,
    CancelStood,
    CandleClosed,
    Configured,
    Corrected,
    Decided,
    FillReported,
    Frozen,
    FundingPaid,
    GuardTouched,
    Opened,
    OrderAbsent,
    OrderFilled,
    OrderLost,
    OrderReported,
    Restarted,
    Seen,
    Thawed,
    TimePassed,
    TradingChanged,
    TriggerMoved,
)
from cambist.domain.instrument import Kind
from cambist.domain.order import Fill, OrderType, Role
from cambist.domain.position import FLAT, ZERO
from cambist.domain.report import FillReport
from cambist.domain.trading import BreakerStage, TradingState
from cambist.domain.wire import from_text
from cambist.domain.wish import CancelEntries, Enter, Exit, Fraction, Notional, Quantity, Risk, Size
from cambist.engine.account import KEPT, Account, Outcome, Seat
from cambist.engine.core import process
from cambist.engine.sending import alert, booked, obey, tell_refused
from cambist.engine.state import Bot, State
from cambist.engine.upkeep import forget, keep_up, note_bare, settle, turned_away
from cambist.execution.breaker import BreakerRules, armed, moved, rearm, size_factor, watch
from cambist.execution.limits import Limits
from cambist.execution.orders import Life, Word, Working
from cambist.portfolio import ledger as book


def step(account: Account, event: AccountEvent) -> Outcome:
    """Apply ``event`` and return what is to be done; nothing may be done before both are in the journal."""
    out = Outcome()
    ts, seats = _HANDLERS[type(event)](account, event, out)
    # decisions are dated by their candle, reports by the venue's clock: of all these the latest is the time
    account.now_ms = ts = account.ours(ts) if type(event) in _VENUES else max(account.now_ms, ts)
    for seat in seats:
        settle(account, seat, ts, out)
        note_bare(account, seat, ts)
        _close_if_due(account, seat, ts, out)
        keep_up(account, seat, ts, out)
        note_bare(account, seat, ts)  # before, for a stop that has come to rest; and now, for one that is taken back
    if len(account.orders) > 2 * KEPT:
        forget(account)
    for command in out.commands:
        if isinstance(command, Place | PlacePair):
            account.rate = account.rate.sent(ts)
    return out


def _close_if_due(account: Account, seat: Seat, ts: int, out: Outcome) -> None:
    """Close a position that must not be held any longer, however it came to be."""
    bot = seat.bot
    if not bot.position or bot.exiting is not None:
        return
    flat = account.flatten or (account.breaker is not None and account.breaker.stage >= BreakerStage.FLATTEN)
    overdue = account.overdue(seat, ts)
    if overdue:
        seconds = f"{(ts - seat.bare_ms) / 1_000:.0f}"
        alert(account, out, ts, Level.CRITICAL, "trading.unprotected", bot=bot.id, seconds=seconds)
    if flat or overdue:
        _decide(account, seat, Decided(bot.id, ts, bot.mark, (Exit(),)), out)


Touched = tuple[int, Iterable[Seat]]
"""When it happened (ms), and the bots that it concerns."""


# -- bots and people --------------------------------------------------------------------------------------------------


def _opened(account: Account, event: Opened, out: Outcome) -> Touched:
    account.opened = True
    booked(account, book.opening(account.spec.id, event.report), out)
    return event.report.ts, ()


def _configured(account: Account, event: Configured, out: Outcome) -> Touched:
    account.traits = event.traits
    account.limits, account.rules = from_text(Limits, event.limits), from_text(BreakerRules, event.rules)
    return event.ts, tuple(account.seats.values())


def _bot_added(account: Account, event: BotAdded, out: Outcome) -> Touched:
    spec = event.spec
    if spec.id in account.seats:
        return event.ts, ()
    state = State(cash=spec.budget, bots={spec.id: Bot(spec.id, event.instrument, spec.pyramiding)})
    account.seats[spec.id] = Seat(spec, state)
    booked(account, book.transfer(f"budget|{spec.id}", spec.id, event.instrument.quote, spec.budget, event.ts), out)
    before = account.equity() - spec.budget
    account.breaker = (  # a budget is no gain, and no person's word that the breaker may be armed again
        armed(spec.budget, event.ts) if account.breaker is None else moved(account.breaker, spec.budget, before)
    )
    return event.ts, ()


def _bot_changed(account: Account, event: BotChanged, out: Outcome) -> Touched:
    seat = account.seats[event.bot]
    seat.status = event.status
    if event.status is not BotStatus.RUNNING:
        _take_back_entries(account, seat, event.ts, out)
    return event.ts, (seat,)


def _trading_changed(account: Account, event: TradingChanged, out: Outcome) -> Touched:
    account.trading, account.may_reduce = event.state, event.may_reduce
    account.flatten = event.flatten and event.state is not TradingState.ACTIVE
    if event.state is not TradingState.ACTIVE:
        _stop_entries(account, event.ts, out)
    return event.ts, tuple(account.seats.values())


def _rearmed(account: Account, event: BreakerRearmed, out: Outcome) -> Touched:
    if account.breaker is not None:
        account.breaker = rearm(account.breaker, account.equity(), event.ts)
    return event.ts, ()


def _frozen(account: Account, event: Frozen, out: Outcome) -> Touched:
    if event.symbol not in account.frozen:
        alert(account, out, event.ts, Level.CRITICAL, "trading.frozen", symbol=event.symbol, why=event.why)
    account.frozen[event.symbol] = event.why
    return event.ts, ()


def _thawed(account: Account, event: Thawed, out: Outcome) -> Touched:
    account.frozen.pop(event.symbol, None)
    return event.ts, ()


def _corrected(account: Account, event: Corrected, out: Outcome) -> Touched:
    account.corrections += 1
    cause = f"{account.spec.id}|{account.corrections}"
    booked(account, book.correction(cause, book.FREE, event.asset, event.amount, event.ts), out)
    return event.ts, ()


def _stop_entries(account: Account, ts: int, out: Outcome) -> None:
    for seat in account.seats.values():
        _take_back_entries(account, seat, ts, out)


def _take_back_entries(account: Account, seat: Seat, ts: int, out: Outcome) -> None:
    wish = Decided(seat.spec.id, ts, seat.bot.mark, (CancelEntries(),))
    obey(account, seat, process(seat.state, wish), ts, out)


# -- the market -------------------------------------------------------------------------------------------------------


def _seen(account: Account, event: Seen, out: Outcome) -> Touched:
    account.venue_ready, account.clock_skew_ms = event.venue_ready, event.clock_skew_ms
    account.elsewhere = event.elsewhere
    marks = dict(event.marks)
    for symbol, price in event.prices:
        account.prices[symbol] = (price, event.ts)
        marks[symbol] = price
    for seat in account.seats.values():
        mark = marks.get(seat.spec.symbol)
        if mark is not None:
            seat.bot.mark = float(mark)
    return event.ts, _watch(account, event.ts, out)


def _watch(account: Account, ts: int, out: Outcome) -> Iterable[Seat]:
    """Let the equity breaker look; return the bots that it concerns, all of them when it has moved."""
    if account.breaker is None:
        return ()
    before = account.breaker.stage
    account.breaker = watch(account.breaker, account.rules, account.equity(), ts)
    stage = account.breaker.stage
    if stage == before:
        return ()
    alert(account, out, ts, Level.CRITICAL, "trading.breaker", stage=stage.name.lower())
    if stage >= BreakerStage.REDUCE_ONLY:
        _stop_entries(account, ts, out)
    return tuple(account.seats.values())


def _candle_closed(account: Account, event: CandleClosed, out: Outcome) -> Touched:
    seat = account.seats[event.bot]
    obey(account, seat, process(seat.state, event), event.ts, out)
    return event.ts, (seat,)


def _funding_paid(account: Account, event: FundingPaid, out: Outcome) -> Touched:
    seat = account.seats[event.bot]
    obey(account, seat, process(seat.state, event), event.ts, out)
    booked(account, book.funding(event, seat.bot.instrument), out)
    return event.ts, (seat,)


def _guard_touched(account: Account, event: GuardTouched, out: Outcome) -> Touched:
    seat = account.seats[event.bot]
    obey(account, seat, process(seat.state, event), event.ts, out)
    return event.ts, (seat,)


# -- decisions --------------------------------------------------------------------------------------------------------


def _decided(account: Account, event: Decided, out: Outcome) -> Touched:
    seat = account.seats[event.bot]
    _decide(account, seat, event, out)
    return event.ts, (seat,)


def _decide(account: Account, seat: Seat, event: Decided, out: Outcome) -> None:
    wishes = event.wishes
    if seat.status is not BotStatus.RUNNING:
        wishes = tuple(wish for wish in wishes if not isinstance(wish, Enter))
    factor = size_factor(account.breaker.stage) if account.breaker is not None else Decimal(1)
    if factor != 1:
        wishes = tuple(_smaller(wish, factor) if isinstance(wish, Enter) else wish for wish in wishes)
    known = len(seat.state.refused)
    commands = process(seat.state, replace(event, wishes=wishes))
    for refused in seat.state.refused[known:]:
        tell_refused(account, refused, out)
    obey(account, seat, commands, event.ts, out)


def _smaller(wish: Enter, factor: Decimal) -> Enter:
    sizes: dict[type, Callable[[Any], Size]] = {
        Fraction: lambda size: Fraction(size.of_equity * float(factor)),
        Notional: lambda size: Notional(size.amount * float(factor)),
        Risk: lambda size: Risk(size.of_equity * float(factor)),
        Quantity: lambda size: Quantity(size.amount * factor),
    }
    return replace(wish, size=sizes[type(wish.size)](wish.size))


# -- the venue's word -------------------------------------------------------------------------------------------------


def _order_reported(account: Account, event: OrderReported, out: Outcome) -> Touched:
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


def _fill_reported(account: Account, event: FillReported, out: Outcome) -> Touched:
    fill = event.fill
    one = account.orders.get(fill.client_id)
    if one is None or not one.fill(fill):
        return fill.ts, ()
    account.follow(one)
    seat = account.seats[one.order.bot]
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
            _frozen(account, Frozen(fill.ts, fill.symbol, why), out)
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


def _order_lost(account: Account, event: OrderLost, out: Outcome) -> Touched:
    return _hear(account, event.client_id, Word.LOST, event.ts, out)


def _order_absent(account: Account, event: OrderAbsent, out: Outcome) -> Touched:
    return _hear(account, event.client_id, Word.ABSENT, event.ts, out)


def _cancel_stood(account: Account, event: CancelStood, out: Outcome) -> Touched:
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


def _trigger_moved(account: Account, event: TriggerMoved, out: Outcome) -> Touched:
    one = account.orders.get(event.client_id)
    if one is None:
        return event.ts, ()
    one.request = replace(one.request, trigger=event.trigger)
    return event.ts, (account.seats[one.order.bot],)


def _restarted(account: Account, event: Restarted, out: Outcome) -> Touched:
    for one in account.orders.values():
        if one.life is Life.SUBMITTING:
            one.hear(Word.LOST, event.ts)
    for seat in account.seats.values():
        seat.bare_ms = 0  # nobody could do anything about it while we were down: it begins anew
    account.venue_ready = False
    return event.ts, tuple(account.seats.values())


def _time_passed(account: Account, event: TimePassed, out: Outcome) -> Touched:
    due = [seat for seat in account.seats.values() if account.waits_for(seat, event.ts)]
    for seat in due:
        seat.retry_ms = 0 if event.ts >= seat.retry_ms else seat.retry_ms
        seat.guards_retry_ms = 0 if event.ts >= seat.guards_retry_ms else seat.guards_retry_ms
    return event.ts, due


_HANDLERS: dict[type, Callable[[Account, Any, Outcome], Touched]] = {
    Opened: _opened,
    Configured: _configured,
    BotAdded: _bot_added,
    BotChanged: _bot_changed,
    Seen: _seen,
    CandleClosed: _candle_closed,
    Decided: _decided,
    FundingPaid: _funding_paid,
    GuardTouched: _guard_touched,
    OrderReported: _order_reported,
    FillReported: _fill_reported,
    OrderLost: _order_lost,
    OrderAbsent: _order_absent,
    CancelStood: _cancel_stood,
    TriggerMoved: _trigger_moved,
    TradingChanged: _trading_changed,
    BreakerRearmed: _rearmed,
    Frozen: _frozen,
    Thawed: _thawed,
    Corrected: _corrected,
    Restarted: _restarted,
    TimePassed: _time_passed,
}
_VENUES = frozenset({OrderReported, FillReported})
"""Events that the venue's clock has dated."""
