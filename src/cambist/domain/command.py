"""Commands: what the engine wants done, in the imperative."""

from decimal import Decimal

from cambist.domain.order import Order
from cambist.domain.record import record
from cambist.domain.request import OrderRequest


@record
class SubmitOrder:
    """Send this order to its venue."""

    order: Order


@record
class CancelOrder:
    """Take this order back."""

    order: Order


@record
class AmendOrder:
    """Move the trigger of this waiting order."""

    order: Order
    trigger: Decimal


Command = SubmitOrder | CancelOrder | AmendOrder


# -- what goes to the venue -------------------------------------------------------------------------------------------


@record
class Place:
    """Send this order."""

    request: OrderRequest


@record
class PlacePair:
    """Send a stop and a take-profit of which one fills."""

    list_id: str
    stop: OrderRequest
    target: OrderRequest


@record
class TakeBackOrder:
    """Ask the venue to cancel this order."""

    symbol: str
    client_id: str


@record
class MoveStop:
    """Ask the venue to move the trigger of this stop."""

    symbol: str
    client_id: str
    trigger: Decimal


VenueCommand = Place | PlacePair | TakeBackOrder | MoveStop
