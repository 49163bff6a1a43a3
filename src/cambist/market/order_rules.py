"""What an exchange's rules make of a request for an order: each check raises `VenueRefused` in the exchange's words."""

from decimal import Decimal

from cambist.domain.errors import VenueRefused
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import OrderType, Side
from cambist.ports.venue import OrderRequest

_TRIGGERED = (OrderType.STOP, OrderType.TAKE_PROFIT)


def sells_spot(rules: Instrument, request: OrderRequest) -> bool:
    """Tell whether the order gives base away, which it therefore locks."""
    return rules.kind is not Kind.PERPETUAL and request.side is Side.SELL


def reduces(rules: Instrument, request: OrderRequest) -> bool:
    """Tell whether the order can only make a position smaller."""
    return request.reduce_only if rules.kind is Kind.PERPETUAL else request.side is Side.SELL


def judge_shape(request: OrderRequest) -> None:
    """Refuse a limit without price, a stop or take-profit without trigger."""
    needs = {OrderType.MARKET: None, OrderType.LIMIT: "price"}.get(request.type, "trigger")
    if needs is not None and getattr(request, needs) is None:
        raise VenueRefused("exchange.shape", type=request.type, needs=needs)


def judge_level(rules: Instrument, level: Decimal | None) -> None:
    """Refuse a price off the tick."""
    if level is not None and (level <= 0 or level % rules.tick_size):
        raise VenueRefused("exchange.tick_size", price=level, step=rules.tick_size)


def judge_lots(rules: Instrument, quantity: Decimal) -> None:
    """Refuse a quantity off the lot step."""
    if quantity <= 0 or quantity % rules.lot_step:
        raise VenueRefused("exchange.lot_size", quantity=quantity, step=rules.lot_step)


def judge_size(rules: Instrument, request: OrderRequest, price: float | None) -> None:
    """Refuse what is smaller than the minimums, at its own price or (market orders) at ``price`` if that is known."""
    if request.quantity < rules.min_quantity:
        raise VenueRefused("exchange.min_quantity", quantity=request.quantity, least=rules.min_quantity)
    level = request.price or request.trigger or (None if price is None else Decimal(repr(price)))
    if level is not None and request.quantity * level < rules.min_notional:
        notional = f"{(request.quantity * level).normalize():f}"
        raise VenueRefused("exchange.min_notional", notional=notional, least=rules.min_notional)


def judge_trigger(side: Side, kind: OrderType, trigger: Decimal, price: float | None) -> None:
    """Refuse a stop or take-profit that the market is beyond already."""
    if kind not in _TRIGGERED or price is None:
        return
    falling = (side is Side.SELL) == (kind is OrderType.STOP)
    if price <= float(trigger) if falling else price >= float(trigger):
        raise VenueRefused("exchange.would_trigger", trigger=trigger, price=repr(price))


def judge_pair(stop: OrderRequest, target: OrderRequest) -> None:
    """Refuse two orders that cannot be the legs of one OCO."""
    alike = (stop.symbol, stop.side, stop.quantity) == (target.symbol, target.side, target.quantity)
    if not alike or stop.type is not OrderType.STOP or target.type not in (OrderType.TAKE_PROFIT, OrderType.LIMIT):
        raise VenueRefused("exchange.oco")
    if stop.client_id == target.client_id:
        raise VenueRefused("exchange.duplicate", order=stop.client_id)
