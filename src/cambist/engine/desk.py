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
    BotDeleted,
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
    HandAmended,
    HandCancelled,
    HandOrdered,
    Opened,
    OrderAbsent,
    OrderLost,
    OrderReported,
    Released,
    Restarted,
    Seen,
    Thawed,
    TimePassed,
    TradingChanged,
    TriggerMoved,
    Wished,
)
from cambist.domain.trading import BreakerStage, TradingState
from cambist.domain.wire import from_text
from cambist.domain.wish import CancelEntries, Enter, Exit, Fraction, Notional, Quantity, Risk, Size
from cambist.engine import hand, hearing
from cambist.engine.account import KEPT, Account, Outcome, Seat, Touched
from cambist.engine.core import process
from cambist.engine.sending import alert, booked, drop_waiting, freeze, obey, tell_refused
from cambist.engine.state import Bot, State
from cambist.engine.upkeep import forget, keep_up, note_bare, settle
from cambist.execution.breaker import BreakerRules, armed, moved, rearm, size_factor, watch
from cambist.execution.limits import Limits
from cambist.execution.orders import Life, Word
from cambist.portfolio import ledger as book


def step(account: Account, event: AccountEvent) -> Outcome:
    """Apply ``event`` and return what is to be done; nothing may be done before both are in the journal."""
    out = Outcome()
    ts, seats = _HANDLERS[type(event)](account, event, out)
    # decisions are dated by their candle, reports by the venue's clock: of all these the latest is the time
    account.now_ms = ts = account.ours(ts) if type(event) in _VENUES else max(account.now_ms, ts)
    for seat in seats:
        if seat.by_hand:
            hand.settle(account, seat, ts, out)
            continue
        settle(account, seat, ts, out)
        note_bare(account, seat, ts)  # a stop may have come to rest
        _close_if_due(account, seat, ts, out)
        known = len(out.commands)
        keep_up(account, seat, ts, out)
        if len(out.commands) > known:
            note_bare(account, seat, ts)  # or one is being taken back
        if seat.deleted:
            _give_back(account, seat, ts, out)
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
    tripped = account.breaker is not None and account.breaker.stage >= BreakerStage.FLATTEN
    flat = account.flatten or tripped or seat.deleted
    overdue = account.overdue(seat, ts)
    if overdue:
        seconds = f"{(ts - seat.bare_ms) / 1_000:.0f}"
        alert(account, out, ts, Level.CRITICAL, "trading.unprotected", bot=bot.id, seconds=seconds)
    if flat or overdue:
        _decide(account, seat, Decided(bot.id, ts, bot.mark, (Exit(),)), out)


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
    if seat.deleted:
        return event.ts, ()  # its strategy has failed meanwhile, which is nobody's business any more
    seat.status = event.status
    if event.status is not BotStatus.RUNNING:
        _take_back_entries(account, seat, event.ts, out)
    return event.ts, (seat,)


def _bot_deleted(account: Account, event: BotDeleted, out: Outcome) -> Touched:
    seat = account.seats[event.bot]
    if seat.bot.position or account.working(event.bot):
        return event.ts, ()  # something has filled since it was asked
    before = account.equity()
    seat.status = BotStatus.DELETED
    if account.breaker is not None:  # what goes out of its sight is no loss
        account.breaker = moved(account.breaker, account.equity() - before, before)
    return event.ts, (seat,)


def _give_back(account: Account, seat: Seat, ts: int, out: Outcome) -> None:
    """Let what a deleted bot has be the account's: all of it at first, and whatever comes late."""
    bot = seat.spec.id
    if seat.bot.position or account.working(bot):
        return
    for asset, amount in sorted(account.ledger.of(bot).items()):
        seat.returns += 1
        cause = f"return|{bot}|{seat.returns}"
        booked(account, book.transfer(cause, bot, asset, amount.copy_negate(), ts), out)


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
    freeze(account, event.symbol, event.why, event.ts, out)
    return event.ts, ()


def _thawed(account: Account, event: Thawed, out: Outcome) -> Touched:
    account.frozen.pop(event.symbol, None)
    return event.ts, ()


def _corrected(account: Account, event: Corrected, out: Outcome) -> Touched:
    account.corrections += 1
    cause = f"{account.spec.id}|{account.corrections}"
    booked(account, book.correction(cause, book.FREE, event.asset, event.amount, event.ts), out)
    return event.ts, ()


def _released(account: Account, event: Released, out: Outcome) -> Touched:
    seat = account.seats[event.bot]
    bot, before = seat.bot, account.equity()
    if bot.position and (bot.exiting is None or not account.working(bot.id)):  # what is being sold stays
        cause = f"release|{bot.id}|{event.ts}"
        amount = bot.position.quantity.copy_negate()
        booked(account, book.transfer(cause, bot.id, bot.instrument.base, amount, event.ts), out)
        obey(account, seat, process(seat.state, event), event.ts, out)
        if account.breaker is not None:  # what was taken out is no loss
            account.breaker = moved(account.breaker, account.equity() - before, before)
    return event.ts, (seat,)


def _stop_entries(account: Account, ts: int, out: Outcome) -> None:
    for seat in account.seats.values():
        _take_back_entries(account, seat, ts, out)


def _take_back_entries(account: Account, seat: Seat, ts: int, out: Outcome) -> None:
    if seat.by_hand:
        for one in account.working(seat.spec.id):
            if not one.order.reduces:
                seat.amended.pop(one.request.client_id, None)
                hand.take_back(account, seat, one, ts, out)
        return
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


def _wished(account: Account, event: Wished, out: Outcome) -> Touched:
    seat = account.seats[event.bot]
    if not account.first(event.request):
        return event.ts, ()
    # orders are named by the time of their cause: two requests of one millisecond must not share it
    ts = account.wished_ms = max(event.ts, account.wished_ms + 1)
    _decide(account, seat, Decided(event.bot, ts, event.close, event.wishes), out)
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


# -- time --------------------------------------------------------------------------------------------------------------


def _restarted(account: Account, event: Restarted, out: Outcome) -> Touched:
    for one in account.orders.values():
        if one.life is Life.SUBMITTING:
            one.hear(Word.LOST, event.ts)
    for seat in account.seats.values():
        seat.bare_ms = 0  # nobody could do anything about it while we were down: it begins anew
        drop_waiting(account, seat, event.ts, out)
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
    BotDeleted: _bot_deleted,
    Seen: _seen,
    CandleClosed: _candle_closed,
    Decided: _decided,
    FundingPaid: _funding_paid,
    GuardTouched: _guard_touched,
    OrderReported: hearing.order_reported,
    FillReported: hearing.fill_reported,
    OrderLost: hearing.order_lost,
    OrderAbsent: hearing.order_absent,
    CancelStood: hearing.cancel_stood,
    TriggerMoved: hearing.trigger_moved,
    TradingChanged: _trading_changed,
    BreakerRearmed: _rearmed,
    Frozen: _frozen,
    Thawed: _thawed,
    Corrected: _corrected,
    Released: _released,
    Restarted: _restarted,
    TimePassed: _time_passed,
    Wished: _wished,
    HandOrdered: hand.ordered,
    HandCancelled: hand.cancelled,
    HandAmended: hand.amended,
}
_VENUES = frozenset({OrderReported, FillReported})
"""Events that the venue's clock has dated."""
