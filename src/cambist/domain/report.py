"""A venue's word: what it reports of orders, fills, balances and positions. Parsed from its text, never invented."""

from decimal import Decimal
from enum import StrEnum

from cambist.domain.order import Liquidity, OrderType, Side
from cambist.domain.record import record


class Status(StrEnum):
    """What a venue says of an order."""

    OPEN = "open"
    """Accepted; waits, or waits to be triggered."""
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    """Ended before it was filled; ``filled`` may be more than zero."""
    REFUSED = "refused"
    EXPIRED = "expired"
    """Ended by its own terms (IOC, the other leg of an OCO, what cash did not allow)."""

    @property
    def final(self) -> bool:
        """Whether the order is over."""
        return self not in (Status.OPEN, Status.PARTLY_FILLED)


@record(kw_only=True)
class OrderReport:
    """The state of one order at the venue at ``ts`` (ms, the venue's clock)."""

    client_id: str
    """Empty for an order that was not placed with one."""
    symbol: str
    status: Status
    filled: Decimal
    """Quantity filled so far, cumulative: how many fills there must be."""
    ts: int
    venue_id: str = ""
    side: Side | None = None
    type: OrderType | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger: Decimal | None = None
    reason: str = ""
    """The venue's own words, where it refused."""


@record(kw_only=True)
class FillReport:
    """One execution, as the venue reports it. ``trade_id`` is unique within venue and symbol."""

    trade_id: str
    client_id: str
    symbol: str
    side: Side
    ts: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    venue_id: str = ""


@record
class Balance:
    """What an account holds of one asset at its venue."""

    asset: str
    free: Decimal
    locked: Decimal

    @property
    def total(self) -> Decimal:
        """Return what is held, locked in orders or not."""
        return self.free + self.locked


@record
class BalancesReported:
    """The balances of the assets named, whole, at ``ts`` (ms)."""

    ts: int
    balances: tuple[Balance, ...]


@record
class Connection:
    """The stream of reports was lost (``up`` False) or is there again: what happened between must be asked."""

    up: bool
    ts: int
    why: str = ""


Report = OrderReport | FillReport | BalancesReported | Connection
"""What a venue's stream of reports yields."""
