"""A person's order before it is sent: quantity from an amount or the other way round, by the instrument's own steps.

Everything is exact. Quantities are rounded down to whole lots, a buyer's price down and a seller's up to whole ticks:
nobody pays more or receives less than they wrote, and no stop acts later.
"""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

from cambist.domain.errors import BadInput
from cambist.domain.exact import TOO_LARGE
from cambist.domain.instrument import Instrument
from cambist.domain.order import OrderType, Side
from cambist.domain.record import record

BPS = Decimal(10_000)
_DIGITS = 24
"""Steps are counted exactly up to here."""
_CENT = Decimal("0.00000001")


@record(kw_only=True)
class Ticket:
    """What an order would be, and about what it costs."""

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    """Base currency, whole lots."""
    price: Decimal
    """What it is valued at: its limit, its trigger, or the last price."""
    limit: Decimal | None
    trigger: Decimal | None
    amount: Decimal
    """Quantity times price, in quote currency."""
    fee: Decimal
    """About what the exchange takes, in quote currency; a limit order is counted as one that waits."""
    total: Decimal
    """What a buyer pays or a seller receives, fee included."""


def ticket(
    instrument: Instrument,
    side: Side,
    type_: OrderType,
    *,
    last: Decimal,
    quantity: Decimal | None = None,
    amount: Decimal | None = None,
    price: Decimal | None = None,
    default_fee_bps: Decimal = Decimal(10),
) -> Ticket:
    """Return the ticket of an order of ``quantity`` (base) or for about ``amount`` (quote), one of the two.

    ``price`` is the limit of a limit order or the trigger of a stop; ``last`` the last traded price. Raises `BadInput`
    naming the field, what was given, and the least or the step that would do.
    """
    if (quantity is None) == (amount is None):
        raise BadInput("quantity", "" if quantity is None else f"{quantity:f}", "ticket.one")
    level = _level(instrument, side, type_, price)
    if type_ is OrderType.STOP and level is not None:
        must_wait("price", side, level, last)
    valued = level or last
    if valued <= 0:
        raise BadInput("price", f"{valued:f}", "running.amount")
    wished = quantity if quantity is not None else (amount or Decimal(0)) / valued
    if wished <= 0:
        raise BadInput("quantity" if amount is None else "amount", f"{quantity or amount:f}", "running.amount")
    whole = _steps(wished, instrument.lot_step, ROUND_DOWN, "quantity" if amount is None else "amount")
    _need(instrument, whole, whole * valued, valued)
    fee_bps = instrument.maker_fee_bps if type_ is OrderType.LIMIT else instrument.taker_fee_bps
    notional = whole * valued
    fee = (notional * (default_fee_bps if fee_bps is None else fee_bps) / BPS).quantize(_CENT, ROUND_CEILING)
    return Ticket(
        symbol=instrument.symbol,
        side=side,
        type=type_,
        quantity=whole,
        price=valued,
        limit=level if type_ is OrderType.LIMIT else None,
        trigger=level if type_ is OrderType.STOP else None,
        amount=notional,
        fee=fee,
        total=notional + side.sign * fee,
    )


def must_wait(field: str, side: Side, trigger: Decimal, last: Decimal) -> None:
    """Raise `BadInput` for a stop that would act at once, at a price that has nothing to do with its trigger."""
    if (trigger - last) * side.sign <= 0:
        raise BadInput(field, f"{trigger:f}", f"ticket.stop_{side}", last=f"{last:f}")


def _steps(value: Decimal, step: Decimal, rounding: str, field: str) -> Decimal:
    count = value / step
    if value >= TOO_LARGE or count.adjusted() > _DIGITS:
        raise BadInput(field, f"{value:.6g}", "running.too_large")
    return count.to_integral_value(rounding) * step


def _level(instrument: Instrument, side: Side, type_: OrderType, price: Decimal | None) -> Decimal | None:
    """Return the price at which an order waits, in whole ticks."""
    if type_ is OrderType.MARKET:
        if price is not None:
            raise BadInput("price", f"{price:f}", "ticket.no_price")
        return None
    if price is None or price <= 0:
        raise BadInput("price", "" if price is None else f"{price:f}", "running.amount")
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    level = _steps(price, instrument.tick_size, rounding, "price")
    if level <= 0:
        raise BadInput("price", f"{price:f}", "ticket.tick", tick=f"{instrument.tick_size:f}")
    return level


def _need(instrument: Instrument, quantity: Decimal, notional: Decimal, price: Decimal) -> None:
    least = max(instrument.min_quantity, instrument.lot_step)
    if quantity < least:
        raise BadInput("quantity", f"{quantity:f}", "ticket.least", least=f"{least:f}", asset=instrument.base)
    if notional < instrument.min_notional:
        lots = (instrument.min_notional / price / instrument.lot_step).to_integral_value(ROUND_CEILING)
        raise BadInput(
            "amount",
            f"{notional:f}",
            "ticket.least_amount",
            least=f"{instrument.min_notional:f}",
            quote=instrument.quote,
            quantity=f"{lots * instrument.lot_step:f}",
            base=instrument.base,
        )
