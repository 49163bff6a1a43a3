"""Commands: what the engine wants done, in the imperative."""

from decimal import Decimal

from cambist.domain.order import Order
from cambist.domain.record import record


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
