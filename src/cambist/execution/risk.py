"""What an order must pass before it may leave: refusals are values with a reason."""

from decimal import Decimal

from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import Side
from cambist.domain.position import Position
from cambist.domain.refusal import Reason


def may_enter(
    instrument: Instrument, side: Side, position: Position, entries_waiting: int, limit: int
) -> Reason | None:
    """Tell why a bot may not enter on ``side``, or None if it may. ``limit`` is how many entries it may hold."""
    if side is Side.SELL and instrument.kind is not Kind.PERPETUAL:
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
    if quantity <= 0 or quantity < instrument.min_quantity:
        return Reason.BELOW_MIN_QUANTITY
    if instrument.min_notional and quantity * Decimal(repr(price)) < instrument.min_notional:
        return Reason.BELOW_MIN_NOTIONAL
    return None
