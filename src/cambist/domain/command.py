"""Commands: what the engine wants done, in the imperative."""

from dataclasses import dataclass
from decimal import Decimal

from cambist.domain.order import Order


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    """Send this order to its venue."""

    order: Order


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Take this order back."""

    order: Order


@dataclass(frozen=True, slots=True)
class AmendOrder:
    """Move the trigger of this waiting order."""

    order: Order
    trigger: Decimal


Command = SubmitOrder | CancelOrder | AmendOrder
