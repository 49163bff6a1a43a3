"""Wishes: what a strategy would like to happen. The engine turns them into orders, or refuses them."""

from decimal import Decimal

from cambist.domain.order import Side, TimeInForce
from cambist.domain.record import record


@record
class Fraction:
    """A size as a fraction of equity (1 is all of it)."""

    of_equity: float


@record
class Notional:
    """A size as an amount of quote currency."""

    amount: float


@record
class Risk:
    """A size such that the stop-loss, if hit, costs this fraction of equity (fees and slippage aside)."""

    of_equity: float


@record
class Quantity:
    """A size in base currency."""

    amount: Decimal


Size = Fraction | Notional | Risk | Quantity


@record(kw_only=True)
class Enter:
    """Open a position, or add to it. Protections are fractions of the entry price."""

    side: Side
    size: Size
    limit: float | None = None
    stop: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    trailing_stop: float | None = None
    time_in_force: TimeInForce = TimeInForce.GTC


@record
class Exit:
    """Close the position at market."""


@record
class CancelEntries:
    """Cancel entry orders that still wait."""


Wish = Enter | Exit | CancelEntries
