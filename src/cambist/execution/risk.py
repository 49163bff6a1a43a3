"""What an order must pass before it may leave: refusals are values with a reason.

Checks in their order, the first that fails is the reason; those for all orders come first:

| Reason | Fails when |
|---|---|
| halted | the account is halted; an order that only reduces passes if whoever halted allowed that |
| off_lot | the quantity is not a multiple of the lot step |
| off_tick | the limit or the trigger is not a positive multiple of the tick size |
| below_min_quantity | the quantity is zero or less than the instrument's minimum |
| below_min_notional | quantity times price is less than the minimum (not for what reduces a perpetual) |

For entries only:

| Reason | Fails when |
|---|---|
| reduce_only | the account is in reduce-only |
| breaker | the equity breaker is at no_entries or beyond |
| frozen | book and venue differ on the instrument |
| unknown_order | it is not known whether the venue has an earlier order on the instrument |
| venue_not_ready | the venue is not ready |
| clock_skew | our clock and the venue's differ by more than the limit |
| stale_price | the last trade is older than the limit, or a limit on prices is set and no trade was seen |
| short_on_spot | it would sell short what is no perpetual |
| opposed | it would be against another bot, or an order by hand, on the same perpetual |
| price_band | the price is further from the last trade than the limit |
| order_notional | the order is worth more than the limit |
| instrument_notional | with it, the account would hold and have ordered more of the instrument than the limit |
| bot_notional | the same, of all that the bot trades |
| account_notional | the same, of all that the account trades |
| user_notional | the same, of all that the user's accounts trade |
| open_positions | it would be one position too many |
| order_rate | the orders of the last 10 s or minute have reached the limit |
| daily_loss | the day's loss has reached the limit |
| no_cash | no cash is free, or less than the order is worth |

An order that only reduces must always be able to protect and to close, so nothing that limits exposure, doubts prices
or counts orders applies to it, nor anything that time or a person must mend first (a frozen instrument, an unknown
order, a venue that may not answer: it is the venue's to refuse). Only what the venue would surely refuse is kept back,
so that the position shows unprotected at once and says why; perpetuals take reducing orders of any worth.
"""

from collections.abc import Callable
from decimal import Decimal

from cambist.domain.exact import EXACT
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import Order, Side
from cambist.domain.position import Position
from cambist.domain.record import record
from cambist.domain.refusal import Reason
from cambist.domain.trading import BreakerStage, TradingState
from cambist.execution.limits import MINUTE_MS, Limits, Situation


@record
class Case:
    """One order before the judge."""

    order: Order
    instrument: Instrument
    price: Decimal
    notional: Decimal
    limits: Limits
    now: Situation


Checks = tuple[tuple[Reason, Callable[[Case], bool]], ...]

FOR_ALL: Checks = (
    (Reason.HALTED, lambda c: _halted(c)),
    (Reason.OFF_LOT, lambda c: _off(c.order.quantity, c.instrument.lot_step)),
    (Reason.OFF_TICK, lambda c: any(_off_tick(c, level) for level in (c.order.price, c.order.trigger))),
    (Reason.BELOW_MIN_QUANTITY, lambda c: _too_few(c.instrument, c.order.quantity)),
    (Reason.BELOW_MIN_NOTIONAL, lambda c: c.notional < c.instrument.min_notional and not _exempt(c)),
)

FOR_ENTRIES: Checks = (
    (Reason.REDUCE_ONLY, lambda c: c.now.state is TradingState.REDUCE_ONLY),
    (Reason.BREAKER, lambda c: c.now.breaker.stage >= BreakerStage.NO_ENTRIES),
    (Reason.FROZEN, lambda c: c.now.frozen),
    (Reason.UNKNOWN_ORDER, lambda c: c.now.unknown_order),
    (Reason.VENUE_NOT_READY, lambda c: not c.now.venue_ready),
    (Reason.CLOCK_SKEW, lambda c: _over(abs(c.now.clock_skew_ms), c.limits.max_clock_skew_ms)),
    (Reason.STALE_PRICE, lambda c: _stale(c)),
    (Reason.SHORT_ON_SPOT, lambda c: _short_on_spot(c.instrument, c.order.side)),
    (Reason.OPPOSED, lambda c: c.now.opposed),
    (Reason.PRICE_BAND, lambda c: _outside_band(c)),
    (Reason.ORDER_NOTIONAL, lambda c: _over(c.notional, c.limits.max_order_notional)),
    (Reason.INSTRUMENT_NOTIONAL, lambda c: _with(c, c.now.instrument_notional, c.limits.max_instrument_notional)),
    (Reason.BOT_NOTIONAL, lambda c: _with(c, c.now.bot_notional, c.limits.max_bot_notional)),
    (Reason.ACCOUNT_NOTIONAL, lambda c: _with(c, c.now.account_notional, c.limits.max_account_notional)),
    (Reason.USER_NOTIONAL, lambda c: _with(c, c.now.user_notional, c.limits.max_user_notional)),
    (Reason.OPEN_POSITIONS, lambda c: _over(c.now.other_positions + 1, c.limits.max_open_positions)),
    (Reason.ORDER_RATE, lambda c: _too_often(c)),
    (Reason.DAILY_LOSS, lambda c: _lost_enough(c)),
    (Reason.NO_CASH, lambda c: _too_dear(c)),
)


def judge(order: Order, instrument: Instrument, price: Decimal, limits: Limits, situation: Situation) -> Reason | None:
    """Tell why ``order`` may not leave, or None if it may.

    ``price`` (positive) is what the order is valued at: its limit, its trigger, or for a market order the price on
    which it was decided. A notional that is *with* the order counts what a reversal would close as still held.
    """
    case = Case(order, instrument, price, EXACT.multiply(order.quantity, price), limits, situation)
    for reason, fails in FOR_ALL if order.reduces else FOR_ALL + FOR_ENTRIES:
        if fails(case):
            return reason
    return None


def may_enter(
    instrument: Instrument, side: Side, position: Position, entries_waiting: int, limit: int
) -> Reason | None:
    """Tell why a bot may not enter on ``side``, or None if it may. ``limit`` is how many entries it may hold."""
    if _short_on_spot(instrument, side):
        return Reason.SHORT_ON_SPOT
    same_way = position.quantity * side.sign > 0
    held = position.entries if same_way else 0
    return Reason.ALREADY_IN if held + entries_waiting >= limit else None


def may_send(instrument: Instrument, quantity: Decimal, price: float, cash: Decimal) -> Reason | None:
    """Tell why an entry of ``quantity`` at about ``price`` may not be sent, or None if it may.

    ``cash`` is what is free to spend; an entry that costs more is cut to it when it fills, but some there must be.
    """
    if cash <= 0:
        return Reason.NO_CASH
    if _too_few(instrument, quantity):
        return Reason.BELOW_MIN_QUANTITY
    if instrument.min_notional and quantity * Decimal(repr(price)) < instrument.min_notional:
        return Reason.BELOW_MIN_NOTIONAL
    return None


# -- checks: True where they fail -------------------------------------------------------------------------------------


def _over(value: Decimal | int, limit: Decimal | int | None) -> bool:
    return limit is not None and value > limit


def _halted(case: Case) -> bool:
    return case.now.state is TradingState.HALTED and not (case.order.reduces and case.now.halted_may_reduce)


def _off(value: Decimal, step: Decimal) -> bool:
    return not value.is_finite() or EXACT.remainder(value, step) != 0


def _off_tick(case: Case, level: Decimal | None) -> bool:
    return level is not None and (_off(level, case.instrument.tick_size) or level <= 0)


def _too_few(instrument: Instrument, quantity: Decimal) -> bool:
    return quantity <= 0 or quantity < instrument.min_quantity


def _exempt(case: Case) -> bool:
    return case.order.reduces and case.instrument.kind is Kind.PERPETUAL


def _short_on_spot(instrument: Instrument, side: Side) -> bool:
    return side is Side.SELL and instrument.kind is not Kind.PERPETUAL


def _stale(case: Case) -> bool:
    limits, now = case.limits, case.now
    if now.last_price is None:
        return limits.max_price_age_ms is not None or limits.price_band_bps is not None
    return _over(now.now_ms - now.last_price_ms, limits.max_price_age_ms)


def _outside_band(case: Case) -> bool:
    last, band = case.now.last_price, case.limits.price_band_bps
    if last is None or band is None:
        return False
    away = EXACT.subtract(case.price, last).copy_abs()
    return EXACT.multiply(away, Decimal(10_000)) > EXACT.multiply(band, last)


def _with(case: Case, held: Decimal, limit: Decimal | None) -> bool:
    return _over(EXACT.add(held, case.notional), limit)


def _too_often(case: Case) -> bool:
    limits, rate, now_ms = case.limits, case.now.rate, case.now.now_ms
    spans = ((limits.max_orders_per_10s, 10_000), (limits.max_orders_per_minute, MINUTE_MS))
    return any(limit is not None and rate.within(span, now_ms) >= limit for limit, span in spans)


def _lost_enough(case: Case) -> bool:
    limits, breaker, equity = case.limits, case.now.breaker, case.now.equity
    amount, fraction = limits.max_daily_loss, limits.max_daily_loss_fraction
    if amount is not None and EXACT.subtract(breaker.opening, equity) >= amount:
        return True
    return fraction is not None and EXACT.subtract(breaker.start, equity) >= EXACT.multiply(fraction, breaker.start)


def _too_dear(case: Case) -> bool:
    free = case.now.free_cash
    return free <= 0 or (case.now.cash_binds and case.notional > free)
